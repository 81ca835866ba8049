"""Asking a server of the site's: within its time, or not at all."""

import contextvars
import logging
import queue
import threading
from collections.abc import Callable
from typing import TypeVar

from pyispyb_chassis.breaker import Breaker
from pyispyb_chassis.errors import Unavailable

log = logging.getLogger(__name__)

T = TypeVar("T")


class Unreachable(Exception):
    """The server does not answer, or nothing that can be used; the text is for the log only."""


class Reach:
    """One provider's way to its server: `ask` ends after `seconds`, whatever the server does.

    After a fault it says so for a moment without asking. Shared by the threads of one process.
    """

    def __init__(self, name: str, seconds: float) -> None:
        self.seconds = seconds
        self._name = name
        self._breaker = Breaker(f"the provider {name}")
        self._fault: str | None = None

    def ask(self, call: Callable[[], T]) -> T:
        """What `call` gives. Raises Unavailable for its Unreachable, and when time is over.

        It runs beside this thread: no time-out of a library covers a name server that hangs or an
        answer that trickles. One that is left behind ends by its own sockets' time-outs.
        """
        self._breaker.check()
        answers: queue.SimpleQueue[tuple[T | None, BaseException | None]] = queue.SimpleQueue()

        def run() -> None:
            try:
                answers.put((call(), None))
            except BaseException as error:  # noqa: BLE001 - raised again where it was asked for
                answers.put((None, error))

        context = contextvars.copy_context()
        threading.Thread(target=context.run, args=(run,), daemon=True).start()
        try:
            value, error = answers.get(timeout=self.seconds)
        except queue.Empty:
            raise self._failed(f"no answer within {self.seconds} s") from None
        if isinstance(error, Unreachable):
            raise self._failed(str(error)) from error
        if error is not None:
            raise error
        self._breaker.worked()
        self._fault = None
        return value  # type: ignore[return-value]

    def fault(self) -> str | None:
        """One line where it did not answer when it was asked last, else None; it is not asked."""
        return self._fault

    def _failed(self, why: str) -> Unavailable:
        log.warning("provider does not answer", extra={"provider": self._name, "fault": why})
        error = self._breaker.failed()
        self._fault = error.detail
        return error

"""An app that waits for what it cannot be made without, and answers 503 until then."""

import logging
import threading
import time
from collections.abc import Callable, Iterable
from typing import Any

from pyispyb_chassis.errors import ServiceError
from pyispyb_chassis.inside import StartResponse, WsgiApp

log = logging.getLogger(__name__)

PAUSE_SECONDS = 1.0


class Waiting:
    """Hands requests to an app; before each it tries, at most once a second, to get ready.

    `ready` raises a ServiceError while what is waited for is not there; then it gives the app that
    takes over. Each process waits for itself.
    """

    def __init__(self, app: WsgiApp, ready: Callable[[], WsgiApp]) -> None:
        self._app = app
        self._ready: Callable[[], WsgiApp] | None = ready
        self._next = 0.0
        self._lock = threading.Lock()

    def __call__(self, environ: dict[str, Any], start_response: StartResponse) -> Iterable[bytes]:
        """The WSGI call."""
        if self._ready is not None and time.monotonic() >= self._next:
            self._try()
        return self._app(environ, start_response)

    def _try(self) -> None:
        """Get ready, in one thread; the others are answered meanwhile as before."""
        if not self._lock.acquire(blocking=False):
            return
        try:
            if self._ready is not None:
                self._app = self._ready()
                self._ready = None
        except ServiceError as error:
            self._next = time.monotonic() + PAUSE_SECONDS
            log.debug("still waiting", extra={"reason": error.detail})
        finally:
            self._lock.release()

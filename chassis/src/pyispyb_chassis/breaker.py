"""A quick no while something that we stand on is down."""

import threading
import time

from pyispyb_chassis.errors import Unavailable


class Breaker:
    """After a fault, refuses for `pause` seconds; then one caller tries, the others are refused.

    Shared by the threads of one process.
    """

    def __init__(self, what: str, *, pause: float = 1.0) -> None:
        self._what = what
        self._pause = pause
        self._lock = threading.Lock()
        self._closed_again_at: float | None = None

    def check(self) -> None:
        """Raise Unavailable while open; let one caller through when the pause is over."""
        if self._closed_again_at is None:
            return
        with self._lock:
            if self._closed_again_at is None:
                return
            if time.monotonic() < self._closed_again_at:
                raise Unavailable(f"{self._what} does not answer")
            self._closed_again_at = time.monotonic() + self._pause

    def failed(self) -> Unavailable:
        """Note a fault; gives the error to raise."""
        with self._lock:
            self._closed_again_at = time.monotonic() + self._pause
        return Unavailable(f"{self._what} does not answer")

    def worked(self) -> None:
        """Note that it answers."""
        self._closed_again_at = None

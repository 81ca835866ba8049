"""Telling a running Envoy to take no more, by a socket that only this user can open."""

import contextlib
import http.client
import socket
import time
from pathlib import Path

from pyispyb_gateway.envoy.extensions import Part

ACTIVE = "http.public.downstream_rq_active"
ANSWERS_WITHIN = 2.0


def admin_at(path: Path) -> Part:
    """The part of a configuration that has Envoy listen for its administrator there."""
    return {"address": {"pipe": {"path": str(path), "mode": 0o600}}}


def drain(path: Path, within: float) -> bool:
    """Take no new connection, and wait for the requests that are under way; whether all ended.

    An Envoy that cannot be talked to is no reason to wait.
    """
    deadline = time.monotonic() + within
    with contextlib.suppress(OSError, http.client.HTTPException):
        # The first has every answer close its connection: a client that keeps one comes back.
        for what in ("/healthcheck/fail", "/drain_listeners"):
            _ask(path, "POST", what)
        while time.monotonic() < deadline:
            if _ask(path, "GET", f"/stats?filter=^{ACTIVE}$").strip() == f"{ACTIVE}: 0":
                return True
            time.sleep(0.05)
    return False


class _Connection(http.client.HTTPConnection):
    def __init__(self, path: Path) -> None:
        super().__init__("envoy", timeout=ANSWERS_WITHIN)
        self._path = path

    def connect(self) -> None:
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.settimeout(ANSWERS_WITHIN)
        self.sock.connect(str(self._path))


def _ask(path: Path, method: str, what: str) -> str:
    with contextlib.closing(_Connection(path)) as connection:
        connection.request(method, what)
        return connection.getresponse().read().decode()

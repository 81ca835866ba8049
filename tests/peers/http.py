"""A small HTTP server that answers what a test tells it to, and remembers what it was asked."""

import contextlib
import json
import socket
import threading
import time
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Self

from tests.peers.ports import free_port


@dataclass
class Asked:
    """One request that came in."""

    path: str
    headers: dict[str, str]
    body: bytes = b""


@dataclass
class Answering:
    """Answers every GET and POST with `status` and `body` after `delay` seconds.

    A `body` that can be called is given what was posted, and gives status and body.
    """

    body: Any = None
    status: int = 200
    delay: float = 0
    port: int = field(default_factory=free_port)
    asked: list[Asked] = field(default_factory=list)
    _open: list[socket.socket] = field(default_factory=list, repr=False)

    def __enter__(self) -> Self:
        told = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self) -> None:
                self.answer(b"")

            def do_POST(self) -> None:
                self.answer(self.rfile.read(int(self.headers["Content-Length"])))

            def answer(self, given: bytes) -> None:
                told.asked.append(Asked(self.path, dict(self.headers), given))
                time.sleep(told.delay)
                status, body = told.status, told.body
                if callable(body):
                    status, body = body(json.loads(given))
                data = body if isinstance(body, bytes) else json.dumps(body).encode()
                self.send_response(status)
                self.send_header("Content-Length", str(len(data)))
                self.end_headers()
                self.wfile.write(data)

            def setup(self) -> None:
                super().setup()
                told._open.append(self.connection)

            def log_message(self, *_: Any) -> None:
                """Stay silent."""

        class Server(ThreadingHTTPServer):
            daemon_threads = True

            def handle_error(self, *_: Any) -> None:
                """A client that hung up is what some tests are about."""

        self._server = Server(("127.0.0.1", self.port), Handler)
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.02,))
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()
        for connection in self._open:  # also those that are kept alive
            with contextlib.suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)

    @property
    def url(self) -> str:
        """Where it listens."""
        return f"http://127.0.0.1:{self.port}"

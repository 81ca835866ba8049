"""A small real service: answers with what it was asked. Run: echo.py PORT NAME [JWKS [PEM]]."""

import json
import ssl
import sys
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

KEYS = "/auth/.well-known/jwks.json"
TRIED: set[str | None] = set()  # the requests that were hung up on once


class Echo(BaseHTTPRequestHandler):
    """Tells its own name, the method, the path, the headers and the length of the body."""

    protocol_version = "HTTP/1.1"
    timeout = 60
    disable_nagle_algorithm = True  # else each answer on a kept connection waits for 40 ms

    def answer(self) -> None:
        body = self.body()
        if "X-Hang-Up" in self.headers and self.hang_up():
            return
        if "X-Pieces" in self.headers:
            self.stream(int(self.headers["X-Pieces"]), float(self.headers["X-Pause"]))
        elif self.path == KEYS and len(sys.argv) > 3:
            self.send(Path(sys.argv[3]).read_bytes())
        else:
            said = {
                "service": sys.argv[2],
                "method": self.command,
                "path": self.path,
                "headers": {name.lower(): value for name, value in self.headers.items()},
                "bytes": len(body),
            }
            self.send(json.dumps(said).encode() + b" " * int(self.headers.get("X-Padding", 0)))

    def stream(self, pieces: int, pause: float) -> None:
        """Events, a moment between each and the next."""
        self.send_response(200)
        self.send_header("Content-Type", "text/event-stream")
        self.send_header("Transfer-Encoding", "chunked")
        self.end_headers()
        for number in range(pieces):
            event = f"data: {number}\n\n".encode()
            self.wfile.write(b"%x\r\n%b\r\n" % (len(event), event))
            time.sleep(pause)
        self.wfile.write(b"0\r\n\r\n")

    def hang_up(self) -> bool:
        """Whether to end the connection without an answer: at the first try, if so asked."""
        first = self.headers.get("X-Request-ID") not in TRIED
        TRIED.add(self.headers.get("X-Request-ID"))
        self.close_connection = first
        return first

    def body(self) -> bytes:
        if self.headers.get("Transfer-Encoding", "").lower() == "chunked":
            body = b""
            while size := int(self.rfile.readline(), 16):
                body += self.rfile.read(size)
                self.rfile.readline()
            self.rfile.readline()
            return body
        return self.rfile.read(int(self.headers.get("Content-Length", 0)))

    def send(self, body: bytes) -> None:
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        if "X-Tag" in self.headers:
            self.send_header("ETag", '"tag"')
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Say nothing: the gateway's own log is what is tested."""

    do_GET = do_HEAD = do_POST = do_PUT = do_PATCH = do_DELETE = do_OPTIONS = answer  # noqa: N815


if __name__ == "__main__":
    ThreadingHTTPServer.daemon_threads = True
    server = ThreadingHTTPServer(("127.0.0.1", int(sys.argv[1])), Echo)
    if len(sys.argv) > 4:
        context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        context.load_cert_chain(sys.argv[4])
        server.socket = context.wrap_socket(server.socket, server_side=True)
    server.serve_forever()

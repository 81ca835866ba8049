"""In the place of VictoriaLogs: keeps every line that it is sent, and gives all of them back."""

import sys
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import ClassVar


class Receiver(BaseHTTPRequestHandler):
    """POST adds lines, GET /lines gives them."""

    kept: ClassVar[Path]

    def do_POST(self) -> None:
        """Keep what is sent."""
        body = self.rfile.read(int(self.headers["Content-Length"]))
        with self.kept.open("ab") as file:
            file.write(body)
        self._answer(b"")

    def do_GET(self) -> None:
        """All lines, or that it is well."""
        there = self.path == "/lines" and self.kept.exists()
        self._answer(self.kept.read_bytes() if there else b"")

    def _answer(self, body: bytes) -> None:
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Say nothing."""


if __name__ == "__main__":
    Receiver.kept = Path(sys.argv[1]) / "lines.jsonl"
    ThreadingHTTPServer(("", 9428), Receiver).serve_forever()

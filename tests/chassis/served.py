"""The small service under gunicorn, in processes of its own."""

import http.client
import json
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from tests.peers.ports import free_port

from pyispyb_chassis.configuration import Issuer

READY_WITHIN_SECONDS = 20


class Served:
    """The small service under gunicorn."""

    def __init__(self, folder: Path, *, workers: int = 1, issuer: Issuer | None = None) -> None:
        self.folder = folder
        if issuer is not None:
            (folder / "issuer.json").write_text(issuer.model_dump_json())
        self.port, self.inside = free_port(), free_port()
        self.log = folder / "log"
        command = [sys.executable, "-m", "tests.chassis.hello"]
        arguments = [str(folder), str(self.port), str(self.inside), str(workers)]
        with self.log.open("ab") as log:
            self.process = subprocess.Popen([*command, *arguments], stdout=log, stderr=log)
        deadline = time.monotonic() + READY_WITHIN_SECONDS
        while True:
            try:
                self.get("/hello/health/live")
            except OSError:
                if time.monotonic() > deadline or self.process.poll() is not None:
                    pytest.fail(self.log.read_text())
                time.sleep(0.05)
            else:
                return

    def get(
        self, path: str, *, inside: bool = False, headers: dict[str, str] | None = None
    ) -> tuple[int, bytes, dict[str, str]]:
        """Status, body and headers of one GET on a connection of its own."""
        port = self.inside if inside else self.port
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
        try:
            connection.request("GET", path, headers={"Connection": "close", **(headers or {})})
            answer = connection.getresponse()
            return answer.status, answer.read(), dict(answer.headers)
        finally:
            connection.close()

    def lines(self) -> list[dict[str, Any]]:
        """What it wrote: every line must be JSON."""
        return [json.loads(line) for line in self.log.read_text().splitlines()]


@contextmanager
def serving(folder: Path, *, workers: int = 1, issuer: Issuer | None = None) -> Iterator[Served]:
    """The service, ended at the end."""
    served = Served(folder, workers=workers, issuer=issuer)
    try:
        yield served
    finally:
        served.process.terminate()
        try:
            served.process.wait(10)
        except subprocess.TimeoutExpired:
            served.process.kill()
            served.process.wait()

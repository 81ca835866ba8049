"""A real gateway in front of three small real services, each a process of its own."""

import contextlib
import http.client
import json
import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.gateway.tokens import Key
from tests.peers.ports import free_port

ROOT = Path(__file__).parents[2]
ECHO = Path(__file__).with_name("echo.py")
SERVICES = ("auth", "core", "ssx")


@dataclass(frozen=True)
class Answer:
    """What came back: names of headers are in lower case."""

    status: int
    headers: dict[str, str]
    body: bytes
    took: float

    @property
    def json(self) -> Any:
        return json.loads(self.body)


class Stand:
    """Starts and stops the gateway and its services; asks through the gateway."""

    def __init__(self, folder: Path, keys: list[Key], **settings: Any) -> None:
        self.folder = folder
        self.keys = keys
        self.ports = {name: free_port() for name in ("gateway", *SERVICES)}
        self.processes: dict[str, subprocess.Popen[bytes]] = {}
        self.log = folder / "gateway.log"
        self.jwks = folder / "jwks.json"
        self.configuration = folder / "ispyb.toml"
        self.jwks.write_text(json.dumps({"keys": [key.web_key for key in keys]}))
        self.configuration.write_text(self._configuration(settings))

    @property
    def token(self) -> str:
        return self.keys[0].token()

    def start(self) -> None:
        for name in SERVICES:
            self.start_service(name)
        self.start_gateway()

    def start_service(self, name: str) -> None:
        command = [sys.executable, str(ECHO), str(self.ports[name]), name, str(self.jwks)]
        self.processes[name] = subprocess.Popen(command)
        wait_for_port(self.ports[name])

    def start_gateway(self) -> None:
        with self.log.open("ab") as log:
            self.processes["gateway"] = subprocess.Popen(
                self.command("run"), stdout=log, stderr=log, env=environment(), cwd=ROOT
            )
        wait_for_port(self.ports["gateway"], self.processes["gateway"])

    def command(self, *arguments: str) -> list[str]:
        tool = Path(sys.executable).with_name("pyispyb-gateway")
        return [str(tool), "--config", str(self.configuration), *arguments]

    def stop(self) -> None:
        for process in self.processes.values():
            process.kill()
            process.wait()

    def ask(
        self,
        path: str,
        method: str = "GET",
        headers: Mapping[str, str] | None = None,
        body: bytes | Iterator[bytes] | None = None,
        source: str = "127.0.0.1",
    ) -> Answer:
        """One request on a connection of its own; the path goes out letter for letter."""
        connection = http.client.HTTPConnection(
            "127.0.0.1", self.ports["gateway"], timeout=20, source_address=(source, 0)
        )
        started = time.monotonic()
        with contextlib.closing(connection):
            # A gateway that has seen enough of a body answers and hangs up: the answer counts.
            with contextlib.suppress(BrokenPipeError, ConnectionResetError):
                connection.request(method, path, body, dict(headers or {}))
            response = connection.getresponse()
            found = {name.lower(): value for name, value in response.getheaders()}
            return Answer(response.status, found, response.read(), time.monotonic() - started)

    def lines(self, request_id: str) -> list[dict[str, Any]]:
        """The gateway's log lines of one request; they are written a moment after the answer."""
        deadline = time.monotonic() + 12
        while time.monotonic() < deadline:
            written = [line for line in self.log.read_text().splitlines() if request_id in line]
            if written:
                return [json.loads(line) for line in written]
            time.sleep(0.1)
        return []

    def _configuration(self, settings: Mapping[str, Any]) -> str:
        port = self.ports["gateway"]
        lines = [
            f'url = "http://127.0.0.1:{port}"',
            f'state = "{self.folder}"',
            "[issuers.suite]",
            'issuer = "{url}/auth"',
            f'jwks_url = "http://127.0.0.1:{self.ports["auth"]}/auth/.well-known/jwks.json"',
            "[gateway]",
            f'listen = "127.0.0.1:{port}"',
            *[
                f'{name}_targets = ["127.0.0.1:{self.ports[name]}"]'
                for name in SERVICES
                if f"{name}_url" not in settings
            ],
            *[f"{name} = {json.dumps(value)}" for name, value in settings.items()],
        ]
        return "\n".join(lines) + "\n"


@contextlib.contextmanager
def running(folder: Path, keys: list[Key], **settings: Any) -> Iterator[Stand]:
    stand = Stand(folder, keys, **settings)
    try:
        stand.start()
        yield stand
    finally:
        stand.stop()


def environment() -> dict[str, str]:
    """Ours without what would be read as configuration of the suite."""
    return {name: value for name, value in os.environ.items() if not name.startswith("ISPYB_")}


def wait_for_port(port: int, process: subprocess.Popen[bytes] | None = None) -> None:
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline:
        if process is not None and process.poll() is not None:
            raise AssertionError(f"ended with {process.returncode}")
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
            return
        time.sleep(0.05)
    raise AssertionError(f"nothing listens on {port}")

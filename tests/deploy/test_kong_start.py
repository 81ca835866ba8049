"""deploy/kong/start.sh with a stand-in for `kong`, and a real port that takes what it posts."""

import os
import signal
import stat
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from tests.peers.ports import free_port
from werkzeug.formparser import parse_form_data

ROOT = Path(__file__).parents[2]
WITHIN = 20.0
# Parses what does not say "broken"; started, it shows its environment and stays.
KONG = """#!/bin/bash
if [[ $1 == config ]]; then
  grep -qv broken "$3" || exit 1
  exit 0
fi
env | grep ^KONG_ > "$SHOWN.new"
mv "$SHOWN.new" "$SHOWN"
exec sleep 300
"""


class Admin:
    """The admin port of a Kong: keeps the files that it is given, answers as it is told."""

    def __init__(self) -> None:
        self.taken: list[bytes] = []
        self.status = 201
        admin = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                length = int(self.headers["Content-Length"])
                environ = {
                    "REQUEST_METHOD": "POST",
                    "CONTENT_TYPE": self.headers["Content-Type"],
                    "CONTENT_LENGTH": str(length),
                    "wsgi.input": self.rfile,
                }
                _, _, files = parse_form_data(environ)
                with files["config"].stream as file:
                    admin.taken.append(file.read())
                self.send_response(admin.status)
                self.end_headers()

            def log_message(self, *_: object) -> None:
                """Say nothing."""

        self.port = free_port()
        self._server = ThreadingHTTPServer(("127.0.0.1", self.port), Handler)
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def close(self) -> None:
        """Listen no more."""
        self._server.shutdown()
        self._server.server_close()


class Container:
    """start.sh as it runs in Kong's container."""

    def __init__(self, folder: Path, port: int, **variables: str) -> None:
        self.filled = folder / "filled.yml"
        self.shown = folder / "environment"
        self._out = folder / "out"
        command = folder / "kong"
        command.write_text(KONG, encoding="utf-8")
        command.chmod(command.stat().st_mode | stat.S_IXUSR)
        environment = {
            "PATH": f"{folder}:{os.environ['PATH']}",
            "FILLED": str(self.filled),
            "ADMIN": f"127.0.0.1:{port}",
            "EVERY": "0.1",
            "COPIES": str(folder),
            "SHOWN": str(self.shown),
            "KONG_PROXY_LISTEN": "0.0.0.0:8000",
            "KONG_TRUSTED_IPS": "",
            "TLS_CERTIFICATE": "/dev/null",
            **variables,
        }
        with self._out.open("wb") as out:
            self.process = subprocess.Popen(
                ["bash", ROOT / "deploy/kong/start.sh", "kong", "docker-start"],
                env=environment,
                stdout=out,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )

    @property
    def said(self) -> str:
        """What it printed."""
        return self._out.read_text(encoding="utf-8")

    def put(self, text: str) -> None:
        """A new file in the place of the old, by a rename."""
        new = self.filled.with_suffix(".new")
        new.write_text(text, encoding="utf-8")
        new.replace(self.filled)

    def environment(self) -> dict[str, str]:
        """What Kong was started with."""
        wait_for(self.shown.exists)
        return dict(line.split("=", 1) for line in self.shown.read_text().splitlines())

    def close(self) -> None:
        """End it and what it began."""
        os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()


def wait_for(what: Callable[[], Any]) -> None:
    """Poll until it holds."""
    deadline = time.monotonic() + WITHIN
    while not what():
        assert time.monotonic() < deadline, "not in time"
        time.sleep(0.02)


@pytest.fixture
def admin() -> Iterator[Admin]:
    """A Kong's admin port."""
    one = Admin()
    yield one
    one.close()


@pytest.fixture
def container(tmp_path: Path, admin: Admin) -> Iterator[Container]:
    """Kong's container, without a file yet."""
    one = Container(tmp_path, admin.port)
    yield one
    one.close()


def test_kong_waits_for_its_first_file_and_is_not_given_it_twice(
    container: Container, admin: Admin
) -> None:
    wait_for(lambda: "waiting for" in container.said)
    assert not container.shown.exists()
    container.put("first")
    assert "KONG_TRUSTED_IPS" not in container.environment()
    assert container.environment()["KONG_PROXY_LISTEN"] == "0.0.0.0:8000"
    time.sleep(1)
    assert admin.taken == []


def test_every_new_file_is_handed_over_whole_and_a_broken_one_is_not(
    container: Container, admin: Admin
) -> None:
    container.put("first")
    container.environment()
    second = "second: ü\n--pyispyb\r\n" + "x" * 300_000
    container.put(second)
    wait_for(lambda: admin.taken)
    container.put("broken")
    wait_for(lambda: "cannot read" in container.said)
    container.put("third")
    wait_for(lambda: len(admin.taken) == 2)
    assert admin.taken == [second.encode(), b"third"]
    wait_for(lambda: container.said.count("taken in") == 2)
    assert container.said.count("cannot read") == 1, "one line a fault, none a look"


def test_a_file_that_kong_refuses_is_said_once_and_the_next_is_tried(
    container: Container, admin: Admin
) -> None:
    container.put("first")
    container.environment()
    admin.status = 400
    container.put("second")
    wait_for(lambda: "answers 400" in container.said)
    admin.status = 201
    container.put("third")
    wait_for(lambda: "taken in" in container.said)
    assert admin.taken == [b"second", b"third"]
    assert container.said.count("answers 400") == 1


def test_a_kong_that_does_not_answer_yet_is_asked_again(tmp_path: Path) -> None:
    port = free_port()
    container = Container(tmp_path, port)
    try:
        container.put("first")
        container.environment()
        container.put("second")
        wait_for(lambda: "does not answer yet" in container.said)
    finally:
        container.close()


@pytest.mark.parametrize(
    ("certificate", "key", "listen"),
    [("", "", "0.0.0.0:8000"), ("a certificate", "a key", "0.0.0.0:8000 ssl")],
)
def test_a_certificate_turns_on_tls(
    tmp_path: Path, admin: Admin, certificate: str, key: str, listen: str
) -> None:
    (tmp_path / "certificate").write_text(certificate)
    (tmp_path / "key").write_text(key)
    paths = {"TLS_CERTIFICATE": f"{tmp_path}/certificate", "TLS_KEY": f"{tmp_path}/key"}
    container = Container(tmp_path, admin.port, **paths)
    try:
        container.put("first")
        found = container.environment()
        assert found["KONG_PROXY_LISTEN"] == listen
        assert found.get("KONG_SSL_CERT_KEY") == (f"{tmp_path}/key" if key else None)
    finally:
        container.close()


def test_a_certificate_without_its_key_ends_the_start_with_one_line(
    tmp_path: Path, admin: Admin
) -> None:
    (tmp_path / "certificate").write_text("a certificate")
    paths = {"TLS_CERTIFICATE": f"{tmp_path}/certificate", "TLS_KEY": "/dev/null"}
    container = Container(tmp_path, admin.port, **paths)
    container.put("first")
    assert container.process.wait(WITHIN) == 1
    assert container.said.count('"level":"ERROR"') == 1
    assert "TLS_KEY" in container.said

"""Auth served for real: replicas that start together on one state, and a database that fails."""

import http.client
import json
import os
import shutil
import subprocess
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from tests.auth.conftest import COMMAND, ISSUER, Auth, run, write_configuration
from tests.peers.mariadb import MariaDb
from tests.peers.ports import free_port

from pyispyb_auth.operations import keys
from pyispyb_chassis.configuration import Issuer
from pyispyb_chassis.tokens import Verifier

# PyMySQL leaves the socket of a refused connection to the collector.
pytestmark = pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")

READY_WITHIN_SECONDS = 30


@dataclass
class Replica:
    """One `pyispyb-auth serve`."""

    process: subprocess.Popen[bytes]
    port: int
    inside: int
    log: Path

    def ask(
        self, method: str, path: str, body: Any = None, *, inside: bool = False
    ) -> tuple[int, Any]:
        """Status and JSON of one request."""
        port = self.inside if inside else self.port
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
        data = None if body is None else json.dumps(body)
        headers = {"Content-Type": "application/json", "Connection": "close"}
        try:
            connection.request(method, path, data, headers)
            answer = connection.getresponse()
            return answer.status, json.loads(answer.read() or b"null")
        finally:
            connection.close()

    def log_in(self) -> dict[str, Any]:
        """Tokens for alice."""
        body = {"login": "alice", "password": "alice-demo"}
        status, tokens = self.ask("POST", "/auth/login", body)
        assert status == 200, tokens
        return dict(tokens)

    def refresh(self, token: str) -> tuple[int, Any]:
        """Status and body of a refresh."""
        return self.ask("POST", "/auth/refresh", {"refreshToken": token})

    def lines(self) -> list[dict[str, Any]]:
        """What it wrote: every line must be JSON."""
        return [json.loads(line) for line in self.log.read_text().splitlines()]


def start(file: Path, name: str) -> Replica:
    port, inside = free_port(), free_port()
    variables = {
        "PATH": os.environ["PATH"],
        "ISPYB_CONFIG": str(file),
        "ISPYB_STATE": str(file.parent / name),  # its own figures; keys and accounts are shared
        "ISPYB_AUTH__LISTEN": f"127.0.0.1:{port}",
        "ISPYB_AUTH__INSIDE_LISTEN": f"127.0.0.1:{inside}",
    }
    log = file.parent / f"{name}.log"
    with log.open("wb") as out:
        process = subprocess.Popen([COMMAND, "serve"], env=variables, stdout=out, stderr=out)
    return Replica(process, port, inside, log)


def wait(replica: Replica) -> None:
    deadline = time.monotonic() + READY_WITHIN_SECONDS
    while True:
        try:
            replica.ask("GET", "/auth/health/live")
        except OSError:
            if time.monotonic() > deadline or replica.process.poll() is not None:
                pytest.fail(replica.log.read_text())
            time.sleep(0.05)
        else:
            return


@pytest.fixture
def replicas(each_database: str, tmp_path: Path, demo_accounts: Path) -> Iterator[list[Replica]]:
    """Two that started together on an empty state, with the tables made."""
    file = write_configuration(tmp_path, each_database)
    assert run(file, "database", "upgrade").returncode == 0
    shutil.copy(demo_accounts, tmp_path / "accounts.toml")
    (tmp_path / "accounts.toml").chmod(0o644)
    started = [start(file, name) for name in ("one", "other")]
    try:
        for replica in started:
            wait(replica)
        yield started
    finally:
        for replica in started:
            replica.process.terminate()
        for replica in started:
            replica.process.wait(30)


def test_two_that_start_together_are_one_auth(replicas: list[Replica], tmp_path: Path) -> None:
    one, other = replicas
    status, ready = one.ask("GET", "/health/ready", inside=True)
    assert (status, ready["checks"]["keys"], ready["checks"]["database"]) == (200, "well", "well")

    tokens = one.log_in()
    block = Issuer(
        issuer=ISSUER, jwks_url=f"http://127.0.0.1:{other.port}/auth/.well-known/jwks.json"
    )
    caller = Verifier({"suite": block}).verify([f"Bearer {tokens['token']}"])
    assert (caller.login, caller.service) == ("alice", False)

    # Eight at once, over both and over all their workers: each goes on.
    with ThreadPoolExecutor(8) as threads:
        asked = [one, other] * 4
        answers = list(threads.map(lambda one: one.refresh(tokens["refreshToken"]), asked))
    assert [status for status, _ in answers] == [200] * 8
    latest = answers[-1][1]["refreshToken"]
    assert other.refresh(latest)[0] == 200
    assert one.refresh(tokens["refreshToken"])[0] == 401
    assert other.refresh(answers[0][1]["refreshToken"])[0] == 401

    warned = next(line for line in one.lines() if line["level"] == "WARNING")
    assert warned["message"] == "the accounts file can be read by others"

    audit = [line for line in one.lines() + other.lines() if line["logger"] == "pyispyb.audit"]
    assert [line["event"] for line in audit].count("key made") == 1
    audit = [line for line in audit if line["event"] != "key made"]
    told = [(line["event"], line["login"]) for line in audit]
    assert told == [("logged in", "alice"), ("refresh token reused; login ended", "alice")]
    assert all(line["request_id"] for line in audit)
    written = one.log.read_text() + other.log.read_text()
    private = next((tmp_path / "keys").glob("*.pem")).read_text().splitlines()[1]
    for secret in ("alice-demo", tokens["token"], tokens["refreshToken"], latest, private):
        assert secret not in written


def test_without_its_key_file_it_is_not_ready(replicas: list[Replica], tmp_path: Path) -> None:
    for file in (tmp_path / "keys").glob("*.pem"):
        file.unlink()
    status, ready = replicas[0].ask("GET", "/health/ready", inside=True)
    assert (status, ready["checks"]["database"]) == (503, "well")
    assert "no signing key" in ready["checks"]["keys"]
    assert keys.keys_in(tmp_path / "keys") == []


@pytest.mark.parametrize("each_database", ["mariadb"], indirect=True)
@pytest.mark.parametrize("fate", ["killed", "hung"])
def test_a_database_that_fails_is_503_and_comes_back(
    auth: Auth, mariadb: MariaDb, fate: str
) -> None:
    token = auth.log_in()["refreshToken"]
    broken, mend = (
        (mariadb.kill, mariadb.start) if fate == "killed" else (mariadb.pause, mariadb.resume)
    )
    broken()
    try:
        for _ in range(2):
            before = time.monotonic()
            answer = auth.refresh(token)
            assert answer.status_code == 503
            assert int(answer.headers["Retry-After"]) > 0
            assert time.monotonic() - before < 12
        # Nobody guesses while failures cannot be counted; the keys are there without it.
        assert auth.post("/login", login="alice", password="wrong").status_code == 503
        assert auth.client.get("/auth/.well-known/jwks.json").status_code == 200
    finally:
        mend()
    deadline = time.monotonic() + 20
    while (answer := auth.refresh(token)).status_code == 503 and time.monotonic() < deadline:
        time.sleep(0.1)
    assert answer.status_code == 200

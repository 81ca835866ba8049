"""Exports by gunicorn for real: constant memory, a line at the end, no clean end after a fault."""

import http.client
import json
import os
import re
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from tests.cast import ALICE, Issuing
from tests.core.conftest import Core, make_core
from tests.peers.mariadb import MariaDb
from tests.peers.ports import free_port

# PyMySQL leaves the socket of a refused connection to the collector.
pytestmark = pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")

COMMAND = Path(sys.executable).with_name("pyispyb-core")
READY_WITHIN_SECONDS = 30
MEGABYTE = 2**20
ROWS, SEQUENCE = 8_000, "MKTAYIAK" * 375  # 25 MB of proteins
NDJSON = "application/x-ndjson"


@dataclass
class Served:
    """One `pyispyb-core serve` of one worker."""

    process: subprocess.Popen[bytes]
    port: int
    log: Path
    token: str

    def open(self, path: str, accept: str = NDJSON) -> http.client.HTTPResponse:
        """An answer whose body is still to come."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)
        headers = {"Authorization": f"Bearer {self.token}", "Accept": accept}
        connection.request("GET", f"/core{path}", headers=headers)
        answer = connection.getresponse()
        assert answer.status == 200, answer.read()
        return answer

    def largest(self) -> int:
        """The most memory, in bytes, that its worker ever held."""
        children = Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children").read_text()
        (worker,) = children.split()
        status = Path(f"/proc/{worker}/status").read_text()
        found = re.search(r"VmHWM:\s+(\d+) kB", status)
        assert found is not None
        return int(found[1]) * 1024

    def line(self, path: str) -> dict[str, Any]:
        """The last line of the log about an export of this path, when it has come."""
        deadline = time.monotonic() + READY_WITHIN_SECONDS
        while time.monotonic() < deadline:
            told = [json.loads(line) for line in self.log.read_text().splitlines()]
            ended = [one for one in told if one.get("path") == path and "rows" in one]
            if ended:
                return dict(ended[-1])
            time.sleep(0.05)
        raise AssertionError(self.log.read_text())


@contextmanager
def served(core: Core, folder: Path) -> Iterator[Served]:
    port, inside, log = free_port(), free_port(), folder / "log"
    environ = {
        **os.environ,
        "ISPYB_CONFIG": str(core.file),
        "ISPYB_CORE__LISTEN": f"127.0.0.1:{port}",
        "ISPYB_CORE__INSIDE_LISTEN": f"127.0.0.1:{inside}",
        "ISPYB_SERVER__WORKERS": "1",
    }
    with log.open("wb") as out:
        process = subprocess.Popen([COMMAND, "serve"], env=environ, stdout=out, stderr=out)
    one = Served(process, port, log, core.issuing.token(ALICE.login))
    try:
        deadline = time.monotonic() + READY_WITHIN_SECONDS
        while True:
            try:
                one.open("/version", "*/*").read()
                break
            except OSError:
                if time.monotonic() > deadline or process.poll() is not None:
                    pytest.fail(log.read_text())
                time.sleep(0.05)
        yield one
    finally:
        process.terminate()
        process.wait(30)


def fill(core: Core) -> None:
    proposal = core.one("/proposals?proposal=MX1001")["proposalId"]
    row = {"proposalId": proposal, "acronym": "BIG", "sequence": SEQUENCE}
    with core.database.writing() as connection:
        connection.execute(core.tables["Protein"].insert(), [row] * ROWS)


@pytest.fixture
def own_mariadb() -> Iterator[MariaDb]:
    """A server of this test's own: it is killed."""
    server = MariaDb()
    yield server
    server.close()


def test_25_megabytes_in_less_than_20(each_database: str, issuing: Issuing, tmp_path: Path) -> None:
    core = make_core(each_database, tmp_path, issuing)
    fill(core)
    with served(core, tmp_path) as server:
        server.open("/proteins?limit=25", "*/*").read()
        before, size, lines = server.largest(), 0, 0
        answer = server.open("/proteins")
        while piece := answer.read(MEGABYTE // 4):
            size += len(piece)
            lines += piece.count(b"\n")
        assert size > 25_000_000
        assert lines >= ROWS
        assert server.largest() - before < 20 * MEGABYTE
        told = server.line("/core/proteins")
        assert (told["bytes"], told["rows"], told["complete"]) == (size, lines, True)
        assert (told["login"], told["status"]) == ("alice", 200)
        assert told["request_id"] == answer.headers["X-Request-ID"]
    core.close()


def test_a_database_that_dies_breaks_the_body_off(
    own_mariadb: MariaDb, issuing: Issuing, tmp_path: Path
) -> None:
    core = make_core(own_mariadb.url(), tmp_path, issuing)
    fill(core)
    with served(core, tmp_path) as server:
        answer = server.open("/proteins?sort=-sequence")
        assert len(answer.read(MEGABYTE)) == MEGABYTE
        own_mariadb.kill()
        with pytest.raises((http.client.IncompleteRead, ConnectionError)):
            answer.read()
        told = server.line("/core/proteins")
        assert told["complete"] is False
        assert 0 < told["rows"] < ROWS
    core.close()


def test_a_client_that_leaves_frees_its_place(issuing: Issuing, tmp_path: Path) -> None:
    """Half of the threads carry exports; who comes beyond is told to come again."""
    core = make_core(f"sqlite:///{tmp_path / 'core.sqlite'}", tmp_path, issuing)
    fill(core)
    with served(core, tmp_path) as server:
        answers = [server.open("/proteins") for _ in range(4)]
        connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=10)
        headers = {"Authorization": f"Bearer {server.token}", "Accept": NDJSON}
        connection.request("GET", "/core/proteins", headers=headers)
        refused = connection.getresponse()
        assert (refused.status, refused.headers["Retry-After"]) == (503, "10")
        refused.read()
        assert server.open("/proteins?limit=1", "*/*").read()  # the rest goes on
        for answer in answers:
            answer.close()
        deadline = time.monotonic() + READY_WITHIN_SECONDS
        status = 503
        while status == 503 and time.monotonic() < deadline:
            connection.request("GET", "/core/proteins?fields=proteinId", headers=headers)
            again = connection.getresponse()
            again.read()
            status = again.status
        assert status == 200
        connection.close()
    core.close()

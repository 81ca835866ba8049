"""What a start does when something is wrong (one line, nothing listens) or only down (it waits)."""

import os
import subprocess
import sys
import time
from pathlib import Path

import pytest
import requests
from sqlalchemy.engine import make_url
from tests.cast import Issuing
from tests.peers.mariadb import MariaDb
from tests.peers.ports import free_port

from pyispyb_chassis.database import Database
from pyispyb_ssx.migrations import MIGRATIONS

FILE = """
state = "{folder}"
{issuer}
[server]
startup_wait = {wait}
[auth]
database_url = "{url}"
[core]
database_url = "{url}"
[ssx]
database_url = "{url}"
core_url = "http://127.0.0.1:1"
"""
PROGRAMS = ["auth", "core", "ssx"]
ENDS_WITHIN = 40
YEARS_AGO = 1_000_000_000  # 2001, for a server's clock


def start(
    program: str, folder: Path, url: str, issuing: Issuing, wait: float = 60
) -> tuple[subprocess.Popen[str], int]:
    """A `pyispyb-… serve` with this database, and its port."""
    text = FILE.format(folder=folder, issuer=issuing.toml(), url=url, wait=wait)
    (folder / "ispyb.toml").write_text(text, encoding="utf-8")
    port, inside = free_port(), free_port()
    environ = {
        **os.environ,
        "ISPYB_CONFIG": str(folder / "ispyb.toml"),
        f"ISPYB_{program.upper()}__LISTEN": f"127.0.0.1:{port}",
        f"ISPYB_{program.upper()}__INSIDE_LISTEN": f"127.0.0.1:{inside}",
        "ISPYB_SERVER__WORKERS": "1",
    }
    command = [Path(sys.executable).with_name(f"pyispyb-{program}"), "serve"]
    with (folder / "log").open("w") as log:
        process = subprocess.Popen(
            command, env=environ, stdout=log, stderr=subprocess.PIPE, text=True
        )
    return process, port


def ended(process: subprocess.Popen[str]) -> str:
    """The only line that a start ends with."""
    _, told = process.communicate(timeout=ENDS_WITHIN)
    assert process.returncode == 1
    (line,) = told.splitlines()
    return line


def live(port: int) -> int | None:
    """How its live page answers; None where nobody listens."""
    for prefix in PROGRAMS:
        try:
            answer = requests.get(f"http://127.0.0.1:{port}/{prefix}/health/live", timeout=2)
        except requests.RequestException:
            return None
        if answer.status_code == 200:
            return answer.status_code
    return 0


@pytest.fixture
def closed(mariadb: MariaDb) -> str:
    """The URL of a database for a user whose password is another one."""
    url = mariadb.url()
    mariadb.execute("CREATE USER IF NOT EXISTS strict@localhost IDENTIFIED BY 'the-right-one'")
    return url.replace("root@", "strict:the-wrong-one@")


@pytest.mark.parametrize("program", PROGRAMS)
def test_a_wrong_password_ends_the_start(
    program: str, closed: str, issuing: Issuing, tmp_path: Path
) -> None:
    line = ended(start(program, tmp_path, closed, issuing)[0])
    assert line.startswith(f"{program}: ispyb.toml [{program}] database_url")
    assert "does not let this user in (error 1045)" in line
    assert "the-wrong-one" not in line


@pytest.mark.parametrize("program", PROGRAMS)
def test_a_database_that_there_is_not_ends_the_start(
    program: str, mariadb: MariaDb, issuing: Issuing, tmp_path: Path
) -> None:
    url = make_url(mariadb.url()).set(database="nowhere").render_as_string(hide_password=False)
    line = ended(start(program, tmp_path, url, issuing)[0])
    assert "there is no such database; create it, or name another" in line


@pytest.mark.parametrize("program", ["auth", "ssx"])
def test_tables_that_are_too_old_end_the_start(
    program: str, each_database: str, issuing: Issuing, tmp_path: Path
) -> None:
    line = ended(start(program, tmp_path, each_database, issuing)[0])
    assert line.endswith(f"its tables are not up to date; run pyispyb-{program} database upgrade")


def test_a_clock_that_is_far_off_ends_the_start(issuing: Issuing, tmp_path: Path) -> None:
    server = MariaDb(f"--init-connect=SET timestamp={YEARS_AGO}")
    try:
        url = server.url("behind")
        server.execute("CREATE USER plain@localhost")
        server.execute("GRANT ALL ON behind.* TO plain@localhost")
        line = ended(start("ssx", tmp_path, url.replace("root@", "plain@"), issuing)[0])
        assert "off the database's" in line
        assert "NTP" in line
    finally:
        server.close()


def test_a_folder_that_cannot_be_written_ends_the_start(issuing: Issuing, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    url = f"sqlite:///{tmp_path / 'file'}/ssx.sqlite"
    process, _ = start("ssx", tmp_path, url, issuing)
    assert "ispyb.toml [ssx] database_url" in ended(process)


def test_a_database_that_is_down_is_waited_for(issuing: Issuing, tmp_path: Path) -> None:
    server = MariaDb()
    try:
        url = server.url("late")
        database = Database(url)
        MIGRATIONS.upgrade(database)
        database.dispose()
        server.kill()
        process, port = start("ssx", tmp_path, url, issuing)
        try:
            time.sleep(3)
            assert process.poll() is None
            assert live(port) is None
            server.start()
            deadline = time.monotonic() + ENDS_WITHIN
            while live(port) != 200:
                assert time.monotonic() < deadline
                time.sleep(0.2)
        finally:
            process.terminate()
            process.communicate(timeout=ENDS_WITHIN)
        assert "waiting for the database" in (tmp_path / "log").read_text()
    finally:
        server.close()


def test_after_the_wait_it_starts_and_answers_503(issuing: Issuing, tmp_path: Path) -> None:
    url = f"mariadb+pymysql://root@localhost/gone?unix_socket={tmp_path / 'nobody'}"
    process, port = start("ssx", tmp_path, url, issuing, wait=1)
    try:
        deadline = time.monotonic() + ENDS_WITHIN
        while live(port) != 200:
            assert time.monotonic() < deadline
            time.sleep(0.2)
        headers = issuing.bearer(None)
        answer = requests.get(f"http://127.0.0.1:{port}/ssx/runs", headers=headers, timeout=5)
        assert answer.status_code == 401
    finally:
        process.terminate()
        process.communicate(timeout=ENDS_WITHIN)
    assert "started without the database" in (tmp_path / "log").read_text()

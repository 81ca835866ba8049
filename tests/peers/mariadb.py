"""A private MariaDB: its own data folder in memory, its own socket, gone at the end."""

import gc
import os
import shutil
import socket
import subprocess
import tempfile
import time
from pathlib import Path

import pymysql
import pytest
from tests import secrets_watch
from tests.peers.pausing import pause, resume

READY_WITHIN_SECONDS = 30
NEEDED = "the tests need a MariaDB server: apt-get install mariadb-server"


class MariaDb:
    """One mariadbd with these options besides; `url(name)` makes a new empty database."""

    def __init__(self, *options: str) -> None:
        install, server = (_found(name) for name in ("mariadb-install-db", "mariadbd"))
        memory = Path("/dev/shm")  # noqa: S108
        self.folder = Path(tempfile.mkdtemp(dir=memory if memory.is_dir() else None))
        self.socket = self.folder / "s"
        self._made = 0
        common = ["--no-defaults", f"--datadir={self.folder / 'data'}"]
        if os.geteuid() == 0:
            common.append("--user=root")
        subprocess.run(
            [install, *common, "--auth-root-authentication-method=normal", "--skip-test-db"],
            check=True,
            capture_output=True,
        )
        self._command = [
            server,
            *common,
            f"--socket={self.socket}",
            f"--pid-file={self.folder / 'pid'}",
            "--skip-networking",
            # What is committed outlives a killed server, though not a dead machine.
            "--innodb-flush-log-at-trx-commit=2",
            "--innodb-buffer-pool-size=64M",
            *options,
        ]
        self.start()

    def start(self) -> None:
        """Start the server and wait until it answers."""
        with (self.folder / "log").open("ab") as log:
            self.process = subprocess.Popen(self._command, stdout=log, stderr=log)
        deadline = time.monotonic() + READY_WITHIN_SECONDS
        while not self._listens():
            if time.monotonic() > deadline or self.process.poll() is not None:
                pytest.fail("mariadbd does not start: " + (self.folder / "log").read_text())
            time.sleep(0.05)
        # PyMySQL leaves a refused socket to the collector: those of the time it was down go now,
        # in the test that killed it, which expects them.
        gc.collect()

    def _listens(self) -> bool:
        with socket.socket(socket.AF_UNIX) as probe:
            try:
                probe.connect(str(self.socket))
            except OSError:
                return False
            return True

    def url(self, name: str = "") -> str:
        """The URL of a database, which is made if it is not there."""
        self._made += 1
        name = name or f"test_{os.getpid()}_{self._made}"
        self.execute(f"CREATE DATABASE IF NOT EXISTS {name} CHARACTER SET utf8mb4")
        return f"mariadb+pymysql://root@localhost/{name}?unix_socket={self.socket}"

    def execute(self, statement: str) -> None:
        """Run one statement as root."""
        connection = pymysql.connect(user="root", unix_socket=str(self.socket), autocommit=True)
        try:
            with connection.cursor() as cursor:
                cursor.execute(statement)
        finally:
            connection.close()

    def kill(self) -> None:
        """End it without a word, as a crash does."""
        self.process.kill()
        self.process.wait()

    def pause(self) -> None:
        """Leave it hanging: connections open, nothing answered."""
        pause(self.process)

    def resume(self) -> None:
        """Let it go on."""
        resume(self.process)

    def close(self) -> None:
        """End it and take its data away."""
        resume(self.process)
        self.process.kill()
        self.process.wait()
        secrets_watch.keep(self.folder / "log")
        shutil.rmtree(self.folder, ignore_errors=True)


def url_of_new(request: pytest.FixtureRequest, folder: Path) -> str:
    """The URL of a new empty database of the kind that a fixture's parameter names."""
    if request.param == "sqlite":
        return f"sqlite:///{folder / 'test.sqlite'}"
    server: MariaDb = request.getfixturevalue("mariadb")
    return server.url()


def _found(name: str) -> str:
    where = shutil.which(name) or shutil.which(name, path="/usr/sbin:/usr/local/sbin")
    if where is None:
        pytest.fail(NEEDED, pytrace=False)
    return where

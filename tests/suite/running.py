"""A fresh clone of the tree, and the suite that runs in it as a stranger would run it."""

import copy
import os
import re
import signal
import sqlite3
import subprocess
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import requests
from tests import secrets_watch

from pyispyb_local.processes import Mark, members, read_mark

ROOT = Path(__file__).parents[2]
READY_WITHIN = 600.0  # the virtual environment of a fresh clone is made on the way
KEPT = ("PATH", "LANG", "LC_ALL", "TERM", "TMPDIR")


def wait_for(what: Callable[[], object], seconds: float, pause: float = 0.05) -> float:
    """Poll until it holds; the seconds that it took. Fails when it took too long."""
    begun = time.monotonic()
    while not what():
        if time.monotonic() - begun > seconds:
            raise AssertionError(f"not within {seconds} s")
        time.sleep(pause)
    return time.monotonic() - begun


class Clone:
    """A clone of the committed tree, an empty home, a port and a state folder of its own."""

    def __init__(self, folder: Path, port: int) -> None:
        self.root = folder / "clone"
        self.state = folder / "state of the suite"
        self.port = port
        self.url = f"http://127.0.0.1:{port}"
        home = folder / "home"
        home.mkdir()
        kept = {name: value for name, value in os.environ.items() if name in KEPT}
        pip = {name: value for name, value in os.environ.items() if name.startswith("PIP_")}
        self.environment = {**kept, **pip, "HOME": str(home)}
        command = ["git", "-c", "safe.directory=*", "clone", "--quiet", f"file://{ROOT}", self.root]
        subprocess.run(command, check=True, env=self.environment)

    def twin(self, name: str, port: int, **variables: str) -> "Clone":
        """The same tree with another state folder, other ports and these variables."""
        other = copy.copy(self)
        other.state = self.state.with_name(name)
        other.port, other.url = port, f"http://127.0.0.1:{port}"
        other.environment = {**self.environment, **variables}
        return other

    def make(self, *words: str, seconds: float = 120) -> subprocess.CompletedProcess[str]:
        """Run one target to its end."""
        return subprocess.run(
            ["make", *words, f"PORT={self.port}", f"VAR={self.state}"],
            cwd=self.root,
            env=self.environment,
            capture_output=True,
            text=True,
            timeout=seconds,
            check=False,
        )

    def start(self) -> "Run":
        """`make run`, until the commands to paste are printed."""
        return Run(self)

    def rows(self, database: str, query: str, *values: object) -> list[tuple[Any, ...]]:
        """What the database itself says, over a connection of our own."""
        file = self.state / "db" / f"{database}.sqlite"
        connection = sqlite3.connect(f"file:{file}?mode=ro", uri=True)
        try:
            return connection.execute(query, values).fetchall()
        finally:
            connection.close()

    def mark(self, program: str) -> Mark:
        """Who this program is now."""
        mark = read_mark(self.state / "run" / f"{program}.pid")
        assert mark is not None, f"{program} left no pid file"
        return mark

    def tell(self, program: str, word: signal.Signals) -> None:
        """Send a signal to every process of a program."""
        for pid in members(self.mark(program)):
            os.kill(pid, word)

    def inside_port(self, service: str) -> int:
        """Where this service tells whether it is ready."""
        return self.port + 1101 + ("auth", "core", "ssx").index(service)


class Run:
    """One `make run`; leaving it ends everything, whatever the test did."""

    def __init__(self, clone: Clone) -> None:
        self.clone = clone
        self._output = clone.state.with_name(f"make-run-{clone.port}.txt")
        self._file = self._output.open("w", encoding="utf-8")
        begun = time.monotonic()
        self.process = subprocess.Popen(
            ["make", "run", f"PORT={clone.port}", f"VAR={clone.state}"],
            cwd=clone.root,
            env=clone.environment,
            stdout=self._file,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
        try:
            wait_for(self._is_settled, READY_WITHIN, pause=0.2)
            assert self.process.poll() is None, self.printed
        except BaseException:
            self.end()
            raise
        self.seconds = time.monotonic() - begun

    def _is_settled(self) -> bool:
        return "To end" in self.printed or self.process.poll() is not None

    @property
    def printed(self) -> str:
        """What stands on the terminal."""
        return self._output.read_text(encoding="utf-8")

    @property
    def commands(self) -> str:
        """The commands to paste, as they were printed."""
        found = re.search(
            r"Paste this into another terminal:\n\n(.*?)\n\n", self.printed, re.DOTALL
        )
        assert found is not None, self.printed
        return found[1]

    def interrupt(self) -> int:
        """Ctrl-C: the terminal tells the whole foreground group; the exit code."""
        os.killpg(self.process.pid, signal.SIGINT)
        return self.process.wait(60)

    def end(self) -> None:
        """End what still runs."""
        self.clone.make("stop")
        if self.process.poll() is None:
            os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()
        self._file.close()

    def __enter__(self) -> "Run":
        return self

    def __exit__(self, *_: object) -> None:
        self.end()


class Caller:
    """One of the cast, logged in at the gateway."""

    def __init__(self, url: str, login: str, password: str | None = None) -> None:
        self.url = url
        password = password or f"{login}-demo"
        body = {"login": login, "password": password}
        answer = requests.post(f"{url}/auth/login", json=body, timeout=10)
        answer.raise_for_status()
        secrets_watch.note("password", password)
        secrets_watch.note_all(answer.json())
        self.headers = {"Authorization": f"Bearer {answer.json()['token']}"}

    def ask(
        self, path: str, *, method: str = "GET", seconds: float = 10, **more: Any
    ) -> requests.Response:
        """One request, on a connection of its own."""
        headers = {**self.headers, **more.pop("headers", {})}
        return requests.request(
            method, f"{self.url}{path}", headers=headers, timeout=seconds, **more
        )

    def is_served(self, path: str) -> bool:
        """Does this path answer 200 just now."""
        try:
            return self.ask(path, seconds=3).status_code == requests.codes.ok
        except requests.RequestException:
            return False

"""No secret in any log: what tests use is collected, what servers write is searched at the end."""

import contextlib
import json
import logging
import os
import re
import shutil
import sys
import tempfile
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, quote

import flask
import orjson
import pytest

from pyispyb_chassis.logs import JsonLines

FOLDER = "PYISPYB_TESTS_WATCH"  # where all processes of a run put what they collect
WORKER = "PYTEST_XDIST_WORKER"
SHORTEST = 8  # a shorter word is found anywhere
PROBE = 16  # of a long secret these many characters are looked for, wherever they stand
# What names a secret on the wire, and what only sounds so.
NAMES = re.compile(r"password|secret|token|^code$|^assertion$", re.IGNORECASE)
PUBLIC = frozenset(
    {"tokenType", "token_type", "subject_token_type", "requested_token_type", "tokenId", "secretId"}
)
LINK = re.compile(r"/links/([A-Za-z0-9_-]{16,})")
BEARER = re.compile(rb"[Bb]earer (eyJ[\w-]+\.[\w-]+\.[\w-]+)")
WORDS = re.compile(rb"[A-Za-z0-9_-]{16,}")
# Not what a person reads on a screen: that shows the demo's passwords on purpose.
LOGS = ("*.log", "log", "log/*")


def note(kind: str, secret: object) -> None:
    """Remember a secret that a test uses; of a signed token its signature is what is secret."""
    folder = os.environ.get(FOLDER)
    if folder is None or not isinstance(secret, str):
        return
    secret = secret.rpartition(".")[2] if secret.startswith("eyJ") else secret
    # A plain word, an address or a path stands in logs by itself.
    if len(secret) >= SHORTEST and not secret.isalpha() and "/" not in secret:
        with (Path(folder) / f"secrets-{os.getpid()}").open("a", encoding="utf-8") as file:
            file.write(json.dumps([kind, secret]) + "\n")


def note_all(value: Any) -> None:
    """Remember every secret of a JSON value, by the names in it."""
    if isinstance(value, dict):
        for name, part in value.items():
            if isinstance(part, str) and NAMES.search(str(name)) and name not in PUBLIC:
                note(str(name), part)
            else:
                note_all(part)
    elif isinstance(value, list):
        for part in value:
            note_all(part)


def keep(log: Path) -> None:
    """Copy a log that its server takes away with it."""
    folder = os.environ.get(FOLDER)
    if folder is not None and log.exists():
        handle, name = tempfile.mkstemp(prefix=f"{log.parent.name}-", suffix=".log", dir=folder)
        os.close(handle)
        shutil.copyfile(log, name)


def search_below(folder: Path) -> None:
    """Have the logs in this folder searched too."""
    (Path(os.environ[FOLDER]) / f"base-{os.getpid()}").write_text(str(folder))


@dataclass(frozen=True, slots=True)
class Leak:
    """A log that holds a secret; the secret itself is not told again."""

    file: Path
    kind: str

    def __str__(self) -> str:
        return f"{self.file}: holds a secret: {self.kind}"


def leaks(logs: Iterable[Path], secrets: Iterable[tuple[str, str]]) -> list[Leak]:
    """Which log holds which kind of secret; both may be many, so each log is read once.

    Long secrets are found by a part of them in the long words of a log, short ones one by one.
    """
    probes: dict[bytes, str] = {}
    short: dict[bytes, str] = {}
    for kind, secret in secrets:
        runs = WORDS.findall(secret.encode())
        if runs:
            probes[max(runs, key=len)[-PROBE:]] = kind
        else:
            for form in {secret, quote(secret, safe=""), json.dumps(secret)[1:-1]}:
                short[form.encode()] = kind
    found: set[Leak] = set()
    for log in logs:
        text = log.read_bytes()
        found |= {Leak(log, kind) for form, kind in short.items() if form in text}
        for word in set(WORDS.findall(text)):
            for start in range(len(word) - PROBE + 1):
                if kind := probes.get(word[start : start + PROBE]):
                    found.add(Leak(log, kind))
    return sorted(found, key=str)


def of_request(app: flask.Flask, response: flask.Response, **_: Any) -> None:
    """The secrets of a request to a service in this process, and of its answer."""
    sent = flask.request
    scheme, _, token = sent.headers.get("Authorization", "").partition(" ")
    if scheme.lower() == "bearer" and token.startswith("eyJ"):
        note("bearer token", token)
    for token in LINK.findall(sent.path):
        note("link", token)
    if "/links" in sent.path and response.is_json:
        for token in LINK.findall(response.get_data(as_text=True)):
            note("link", token)
    if app.name == "auth" and sent.method == "POST":
        for part in (sent, response):
            # What is no JSON, or too deep for us, was refused: no secret came of it.
            with contextlib.suppress(ValueError):
                note_all(orjson.loads(part.get_data()))
        note_all(sent.form.to_dict())


def of_sending(event: str, arguments: tuple[Any, ...]) -> None:
    """The secrets that a test sends by HTTP to a server in another process.

    http.client tells of all that it sends, the head and the body each by themselves.
    """
    if event != "http.client.send" or not isinstance(arguments[1], bytes):
        return
    data = arguments[1]
    for token in BEARER.findall(data):
        note("bearer token", token.decode())
    if data[:1] == b"{":
        with contextlib.suppress(ValueError):
            note_all(orjson.loads(data))
    elif b"=" in data and b"\n" not in data:
        with contextlib.suppress(ValueError):
            note_all(dict(parse_qsl(data.decode())))


class SecretsWatch:
    """Collects in every process of a run; searches at its end, in the one that leads it."""

    def __init__(self, config: pytest.Config) -> None:
        self._leads = WORKER not in os.environ
        if self._leads:
            os.environ[FOLDER] = tempfile.mkdtemp(prefix="pyispyb-watch-")
        self.folder = Path(os.environ[FOLDER])
        self._whole = is_whole(config)
        self._found: list[str] = []
        handler = logging.FileHandler(self.folder / f"in-process-{os.getpid()}.log", delay=True)
        handler.setFormatter(JsonLines("test"))
        self._handler = handler
        logging.getLogger().addHandler(handler)
        logging.getLogger().setLevel(logging.INFO)
        flask.request_finished.connect(of_request)
        sys.addaudithook(of_sending)

    @pytest.hookimpl(trylast=True)
    def pytest_sessionfinish(self, session: pytest.Session) -> None:
        """Search all logs for all secrets."""
        self._handler.close()
        logging.getLogger().removeHandler(self._handler)
        if not self._leads or session.config.option.collectonly:
            return
        logs, secrets = list(self.logs()), list(self.secrets())
        self._found = [str(leak) for leak in leaks(logs, secrets)]
        if self._whole and not (logs and secrets):
            self._found.append(f"{len(logs)} logs, {len(secrets)} secrets: nothing to search")
        self._summary = f"{len(secrets)} secrets looked for in {len(logs)} logs"
        if self._found:
            session.exitstatus = pytest.ExitCode.TESTS_FAILED

    def pytest_terminal_summary(self, terminalreporter: Any) -> None:
        """Say what was found."""
        if self._found:
            terminalreporter.section("secrets in logs", red=True)
            for line in self._found:
                terminalreporter.line(line)

    def pytest_unconfigure(self) -> None:
        """Leave nothing behind but the logs that hold a secret."""
        if self._leads:
            os.environ.pop(FOLDER, None)
            if not self._found:
                shutil.rmtree(self.folder, ignore_errors=True)

    def logs(self) -> Iterator[Path]:
        """All that servers and services wrote, in every process of the run."""
        bases = {Path(base.read_text()) for base in self.folder.glob("base-*")}
        tops = [self.folder, *(base for base in bases if not bases & set(base.parents))]
        found = {path for top in tops for form in LOGS for path in top.rglob(form)}
        for path in sorted(found):
            if path.is_file() and not path.is_symlink():
                yield path

    def secrets(self) -> Iterator[tuple[str, str]]:
        """All that was noted, once."""
        lines: set[str] = set()
        for file in self.folder.glob("secrets-*"):
            with contextlib.suppress(FileNotFoundError):
                lines |= set(file.read_text(encoding="utf-8").splitlines())
        for line in sorted(lines):
            kind, secret = json.loads(line)
            yield kind, secret


def is_whole(config: pytest.Config) -> bool:
    """Is this one of the two runs of `make test`, and not a part that somebody chose."""
    chosen = config.option.keyword or config.option.markexpr
    named = config.args_source is pytest.Config.ArgsSource.ARGS and config.args != ["tests/suite"]
    return not chosen and not named

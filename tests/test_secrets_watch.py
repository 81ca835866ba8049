"""The watch itself: a planted secret is found, is not told again, and fails the run."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from tests import secrets_watch
from tests.secrets_watch import FOLDER, WORKER, leaks, of_sending

ROOT = Path(__file__).parents[1]
SIGNATURE = "q0Zt6Yx3mB1vN8cL2kJ7hG4fD5sA9pO0iU-_eR6tY3w"
CONFTEST = """
import pytest
from tests.conftest import _logs_are_searched, pytest_configure
"""
TEST = """
import logging
from tests import secrets_watch

def test_one(tmp_path):
    secrets_watch.note("password", "planted-word")
    {what}
"""
IN_A_FILE = '(tmp_path / "server.log").write_text("said planted-word")'
IN_PROCESS = 'logging.getLogger("pyispyb.audit").info("said planted-word")'
MASKED = 'logging.getLogger("pyispyb.audit").info("said", extra={"password": "planted-word"})'


@pytest.mark.parametrize(
    ("secret", "line", "found"),
    [
        ("alice-demo", "refused alice-demo", True),
        ("alice-demo", r'{"x":"\nalice-demo"}', True),
        ("a secret: of ispyb", "form a%20secret%3A%20of%20ispyb", True),
        ('quo"ted word', r'{"x":"quo\"ted word"}', True),
        (SIGNATURE, f"Bearer eyJh.eyJz.{SIGNATURE}", True),
        (SIGNATURE, f"x{SIGNATURE}y", True),
        (SIGNATURE, f"its end: {SIGNATURE[-20:]}", True),
        (SIGNATURE, "Bearer ***", False),
        (SIGNATURE, "5d0c4a0e-95da-4d4c-9f0b-6e308265a940", False),
        ("alice-demo", "alice", False),
    ],
)
def test_what_is_found(tmp_path: Path, secret: str, line: str, *, found: bool) -> None:
    log = tmp_path / "server"
    log.write_text(f"first line\n{line}\nlast line\n")
    told = [str(leak) for leak in leaks([log], [("password", secret)])]
    assert told == ([f"{log}: holds a secret: password"] if found else [])
    assert secret not in "".join(told)


@pytest.mark.parametrize(
    ("what", "many", "code"),
    [(IN_A_FILE, ("-n", "1"), 1), (IN_PROCESS, (), 1), (MASKED, (), 0)],
    ids=["in a file, of a worker", "in process", "masked"],
)
def test_a_run_with_a_secret_in_a_log_fails(
    tmp_path: Path, what: str, many: tuple[str, ...], code: int
) -> None:
    done = run(tmp_path, TEST.format(what=what), *many)
    assert done.returncode == code, done.stdout
    assert "1 passed" in done.stdout
    assert ("holds a secret: password" in done.stdout) is (code == 1)


def test_a_whole_run_that_collects_nothing_fails(tmp_path: Path) -> None:
    done = run(tmp_path, "def test_one(): pass")
    assert done.returncode == 1
    assert "0 secrets: nothing to search" in done.stdout


def test_this_very_run_is_watched(request: pytest.FixtureRequest) -> None:
    assert request.config.pluginmanager.has_plugin("secrets-watch")
    assert Path(os.environ[FOLDER]).is_dir()
    secrets_watch.note("of this test", SIGNATURE)


def run(folder: Path, test: str, *words: str) -> subprocess.CompletedProcess[str]:
    """A pytest of its own."""
    (folder / "conftest.py").write_text(CONFTEST)
    (folder / "test_it.py").write_text(test)
    (folder / "pytest.ini").write_text("[pytest]\ntestpaths = .\n")
    left_out = {FOLDER, WORKER}
    environ = {name: value for name, value in os.environ.items() if name not in left_out}
    given = ["-p", "no:cacheprovider", f"--basetemp={folder / 'base'}", *words]
    return subprocess.run(
        [sys.executable, "-m", "pytest", *given],
        cwd=folder,
        env={**environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=False,
        timeout=100,
    )


def test_what_goes_out_by_http_is_collected(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Heads, JSON and forms, whatever the client; what is no secret is left."""
    monkeypatch.setenv(FOLDER, str(tmp_path))
    token = f"eyJ{'a' * 20}.eyJ{'b' * 20}.{'c1' * 43}"
    for sent in (
        f"GET / HTTP/1.1\r\nAuthorization: Bearer {token}\r\n\r\n".encode(),
        b'{"login": "alice-likes-it", "password": "said-in-json"}',
        b"grant_type=client_credentials&client_secret=said-in-a-form",
        b"\xff\x00no text",
    ):
        of_sending("http.client.send", (None, sent))
    (file,) = tmp_path.glob("secrets-*")
    found = {json.loads(line)[1] for line in file.read_text().splitlines()}
    assert found == {token.rpartition(".")[2], "said-in-json", "said-in-a-form"}

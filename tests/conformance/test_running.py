"""The kit on the command line: what it is told, what it prints, how it ends."""

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.peers.ports import free_port
from tests.peers.standin import BROKEN, StandIn

COMMAND = Path(sys.executable).with_name("pyispyb-auth-conformance")
PASSWORD = ("--password", "alice-demo")


@pytest.fixture(scope="module")
def stand_in() -> Iterator[StandIn]:
    """The whole stand-in."""
    with StandIn() as running:
        yield running


def kit(*words: str) -> subprocess.CompletedProcess[str]:
    """One run of the command."""
    return subprocess.run(
        [COMMAND, *words], capture_output=True, text=True, check=False, timeout=60
    )


def test_the_stand_in_conforms_by_itself(stand_in: StandIn, tmp_path: Path) -> None:
    file = tmp_path / "ispyb.toml"
    file.write_text(stand_in.block())
    done = kit(f"{stand_in.url}/auth", "--login", "alice", *PASSWORD, "--issuer-block", str(file))
    assert (done.returncode, done.stderr) == (0, ""), done.stdout
    assert "BROKEN" not in done.stdout
    assert "It conforms. required: 36 hold, 0 broken" in done.stdout


def test_a_broken_clause_is_shown_with_its_sentence() -> None:
    with StandIn(BROKEN, BREAK="2.2 none") as running:
        done = kit(running.url, "--login", "alice", *PASSWORD, "--only", "2.2", "--only", "3")
    assert done.returncode == 1
    assert "BROKEN  2.2    required" in done.stdout
    assert "Its header's `alg` is `ES256`, `RS256` or `EdDSA`." in done.stdout
    assert "It does not conform" in done.stdout


def test_the_password_may_lie_in_a_file(stand_in: StandIn, tmp_path: Path) -> None:
    file = tmp_path / "password"
    file.write_text("alice-demo\n")
    words = (stand_in.url, "--login", "alice", "--password-file", str(file), "--only", "1")
    assert kit(*words).returncode == 0


@pytest.mark.parametrize(
    ("words", "why"),
    [
        (("--login", "alice", "--password", "of-bob"), "the login that you gave is refused: 401"),
        (("--login", "alice", "--password-file", "none"), "none: cannot be read"),
        (("--login", "alice", *PASSWORD, "--only", "99"), "no such clause"),
        (("--login", "alice", *PASSWORD, "--issuer-block", "none"), "none: cannot be read"),
        (("--login", "alice", *PASSWORD, "--issuer-block", __file__), "cannot be read"),
    ],
)
def test_what_it_cannot_run_with(stand_in: StandIn, words: tuple[str, ...], why: str) -> None:
    done = kit(stand_in.url, *words)
    assert (done.returncode, done.stdout) == (2, "")
    assert why in done.stderr
    assert "Traceback" not in done.stderr
    assert "of-bob" not in done.stderr


@pytest.mark.parametrize("url", ["http://127.0.0.1:{port}", "127.0.0.1:{port}", "ftp://x"])
def test_what_is_not_in_reach(url: str) -> None:
    done = kit(url.format(port=free_port()), "--login", "alice", *PASSWORD)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith("pyispyb-auth-conformance: ")

"""Ending it by every way there is, starting it again, and what stands in the way of a start."""

import os
import shutil
import signal
import socket
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest
from tests.suite.conftest import SHIFTS, is_free
from tests.suite.running import Caller, Clone, Run, wait_for

from pyispyb_local.processes import read_mark

pytestmark = [pytest.mark.suite, pytest.mark.timeout(300)]
BOOKED = "SELECT count(*) FROM Shipping WHERE shippingName = 'booked before the end'"


def nothing_listens(clone: Clone) -> bool:
    """Are all seven ports free."""
    return all(is_free(clone.port + shift) for shift in SHIFTS)


def test_ctrl_c_ends_everything(clone: Clone, first_run: Run) -> None:
    alice = Caller(clone.url, "alice")
    proposal = alice.ask("/core/proposals/MX1001").json()["proposalId"]
    body = {"proposalId": proposal, "shippingName": "booked before the end"}
    assert alice.ask("/core/shippings", method="POST", json=body).status_code == 201
    first_run.interrupt()
    wait_for(lambda: "stopped; the data stays" in first_run.printed, 60)
    assert nothing_listens(clone)
    assert list((clone.state / "run").glob("*.pid")) == []


def test_a_second_run_keeps_the_data_and_stop_ends_it(clone: Clone) -> None:
    with clone.start() as run:
        assert "demo proposals" not in run.printed
        assert clone.rows("core", BOOKED) == [(1,)]
        alice = Caller(clone.url, "alice")
        found = alice.ask("/core/shippings?shippingName=booked before the end").json()
        assert found["total"] == 1
        ended = clone.make("stop")
        assert ended.returncode == 0
        assert "ended: auth, core, gateway, ssx, supervisord" in ended.stdout
        assert run.process.wait(30) == 0
    assert nothing_listens(clone)
    assert "nothing was running" in clone.make("stop").stdout


def test_stop_ends_what_a_crash_left(clone: Clone) -> None:
    with clone.start() as run:
        caller = read_mark(clone.state / "run" / "caller")
        assert caller is not None
        os.kill(caller.pid, signal.SIGKILL)
        os.kill(clone.mark("supervisord").pid, signal.SIGKILL)
        run.process.wait(30)
        assert not nothing_listens(clone)
        ended = clone.make("stop")
        assert "ended: auth, core, gateway, ssx" in ended.stdout
        assert nothing_listens(clone)


def test_a_run_after_a_crash_ends_the_rest_first(clone: Clone) -> None:
    with clone.start():
        for name in ("caller", "supervisord.pid"):
            mark = read_mark(clone.state / "run" / name)
            assert mark is not None
            os.kill(mark.pid, signal.SIGKILL)
        with clone.start() as second:
            assert "ended what a crash had left: auth, core, gateway, ssx" in second.printed
            assert Caller(clone.url, "bob").ask("/core/proposals").json()["total"] >= 1
    assert nothing_listens(clone)


@pytest.mark.parametrize(("shift", "named"), [(0, "gateway"), (102, "core"), (1103, "ssx")])
def test_a_busy_port_is_one_clear_line(clone: Clone, shift: int, named: str) -> None:
    with closing(socket.socket()) as stranger:
        stranger.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        stranger.bind(("127.0.0.1", clone.port + shift))
        stranger.listen()
        said = clone.make("run")
    lines = [line for line in said.stderr.splitlines() if not line.startswith("make:")]
    assert said.returncode != 0
    assert len(lines) == 1
    assert f"in use by another program: 127.0.0.1:{clone.port + shift} ({named})" in lines[0]


def test_a_folder_that_cannot_be_written_is_one_clear_line(clone: Clone) -> None:
    said = subprocess.run(
        ["make", "run", "VAR=/proc/pyispyb", f"PORT={clone.port}"],
        cwd=clone.root,
        env=clone.environment,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    lines = [line for line in said.stderr.splitlines() if not line.startswith("make:")]
    assert said.returncode != 0
    assert len(lines) == 1
    assert lines[0].startswith("/proc/pyispyb: cannot be written")


OLD_PYTHON = "#!/bin/sh\nexit 1\n"
NO_VENV = f'#!/bin/sh\ncase "$*" in *ensurepip*) exit 1;; esac\nexec {sys.executable} "$@"\n'
NEEDS_PYTHON = "Python 3.11 or newer is needed: sudo apt-get install python3 python3-venv"
NEEDS_VENV = f"Python {sys.version.split()[0]} lacks venv: sudo apt-get install python3-venv"
NEEDS_CHROMIUM = "the tests need chromium: sudo apt-get install chromium"
NEEDS_MAKE = "make is needed: apt-get install make python3 python3-venv"


@pytest.mark.parametrize(
    ("command", "lacks", "python", "line"),
    [
        (["make", "run", "VENV=absent"], None, None, NEEDS_PYTHON),
        (["make", "run", "VENV=absent"], None, OLD_PYTHON, NEEDS_PYTHON),
        (["make", "run", "VENV=absent"], None, NO_VENV, NEEDS_VENV),
        (["make", "programs"], None, None, NEEDS_CHROMIUM),
        ([".ci/run"], "make", None, NEEDS_MAKE),
    ],
    ids=["no Python", "an old Python", "no venv", "no Chromium", "no make"],
)
def test_a_machine_that_lacks_something_gets_one_clear_line(
    clone: Clone,
    tmp_path: Path,
    command: list[str],
    lacks: str | None,
    python: str | None,
    line: str,
) -> None:
    for program in {"awk", "bash", "dirname", "env", "id", "make"} - {lacks}:
        found = shutil.which(program)
        assert found is not None
        (tmp_path / program).symlink_to(found)
    if python is not None:
        (tmp_path / "python3").write_text(python)
        (tmp_path / "python3").chmod(0o755)
    said = subprocess.run(
        [shutil.which("env"), f"PATH={tmp_path}", *command],
        cwd=clone.root,
        env=clone.environment,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    lines = [each for each in said.stderr.splitlines() if not each.startswith("make:")]
    assert said.returncode != 0
    assert lines == [line]

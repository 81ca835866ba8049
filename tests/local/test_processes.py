"""Ends what is ours, also after a crash, and never a stranger."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from pyispyb_local.processes import Mark, end, is_alive, members, read_mark

SLEEP = "import time; time.sleep(60)"
# A leader with a child in its group, as gunicorn has; both stay until they are ended.
FAMILY = f"import subprocess, sys; subprocess.run([sys.executable, '-c', {SLEEP!r}])"
STUBBORN = f"import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN); {SLEEP}"


def wait_for(what: Callable[[], object], seconds: float = 10) -> bool:
    """Poll until it holds."""
    deadline = time.monotonic() + seconds
    while not what():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.02)
    return True


@pytest.fixture
def enter(tmp_path: Path) -> Iterator[Callable[[str, str], Mark]]:
    """Starts a Python program as supervisor does, and gives the mark that it left."""
    children: list[subprocess.Popen[bytes]] = []

    def start(name: str, program: str) -> Mark:
        file = tmp_path / f"{name}.pid"
        command = [sys.executable, "-m", "pyispyb_local.enter", file, sys.executable, "-c", program]
        children.append(subprocess.Popen(command, start_new_session=True))
        assert wait_for(lambda: read_mark(file))
        mark = read_mark(file)
        assert mark is not None
        return mark

    yield start
    for child in children:
        child.kill()
        child.wait()


def test_the_mark_outlives_the_exec(enter: Callable[[str, str], Mark]) -> None:
    mark = enter("one", SLEEP)
    command = Path(f"/proc/{mark.pid}/cmdline")
    assert wait_for(lambda: b"pyispyb_local.enter" not in command.read_bytes())
    assert is_alive(mark)
    assert members(mark) == [mark.pid]


@pytest.mark.parametrize(
    ("program", "stopped", "leader_killed", "size"),
    [
        (SLEEP, False, False, 1),
        (FAMILY, False, False, 2),
        (FAMILY, False, True, 2),  # what SIGKILL of gunicorn's master leaves
        (FAMILY, True, False, 2),  # SIGSTOP: hears SIGTERM only when it goes on
        (STUBBORN, False, False, 1),
    ],
)
def test_a_group_is_ended_whole(
    enter: Callable[[str, str], Mark],
    program: str,
    stopped: bool,  # noqa: FBT001
    leader_killed: bool,  # noqa: FBT001
    size: int,
) -> None:
    mark = enter("one", program)
    assert wait_for(lambda: len(members(mark)) == size)
    time.sleep(0.3 if program is STUBBORN else 0)
    if stopped:
        os.killpg(mark.pid, signal.SIGSTOP)
    if leader_killed:
        os.kill(mark.pid, signal.SIGKILL)
        os.waitpid(mark.pid, 0)
        assert not is_alive(mark)
        size -= 1
    assert len(end([mark], patience=1)) == size
    assert members(mark) == []


@pytest.mark.parametrize(
    "other",
    [
        lambda mark: Mark(mark.pid, mark.started - 1, mark.boot),  # the pid was given anew
        lambda mark: Mark(mark.pid, mark.started, "another boot"),
    ],
)
def test_a_stranger_with_the_same_pid_lives_on(
    enter: Callable[[str, str], Mark], other: Callable[[Mark], Mark]
) -> None:
    mark = enter("one", SLEEP)
    assert not is_alive(other(mark))
    assert end([other(mark)], patience=0.2) == []
    assert is_alive(mark)


@pytest.mark.parametrize("text", ["", "12", "x y z", "1 2 3 4"])
def test_a_broken_pid_file_names_nobody(tmp_path: Path, text: str) -> None:
    file = tmp_path / "one.pid"
    file.write_text(text)
    assert read_mark(file) is None
    assert end([read_mark(file), read_mark(tmp_path / "absent.pid")]) == []

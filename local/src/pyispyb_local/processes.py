"""Whose process is this: pid files that survive a crash and never name a stranger."""

import os
import signal
import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

PROC = Path("/proc")
_STATE, _GROUP, _STARTED = 0, 2, 19  # of /proc/<pid>/stat, counted after the name


@dataclass(frozen=True, slots=True)
class Mark:
    """A process that leads its group, told from a later one with the same pid."""

    pid: int
    started: int
    boot: str


def write_mark(path: Path) -> None:
    """Leave the mark of the calling process, whole or not at all; it outlives an exec."""
    fields = _stat(os.getpid())
    if fields is None:
        raise OSError("no /proc: the local run needs Linux")
    fresh = path.with_suffix(f".{os.getpid()}")
    fresh.write_text(f"{os.getpid()} {fields[_STARTED]} {_boot()}\n", encoding="ascii")
    fresh.replace(path)


def read_mark(path: Path) -> Mark | None:
    """The mark in this file; None when there is none."""
    try:
        pid, started, boot = path.read_text(encoding="ascii").split()
        return Mark(int(pid), int(started), boot)
    except (OSError, ValueError):
        return None


def is_alive(mark: Mark | None) -> bool:
    """Does the marked process itself still run."""
    if mark is None or mark.boot != _boot():
        return False
    fields = _stat(mark.pid)
    return fields is not None and fields[_STATE] != "Z" and int(fields[_STARTED]) == mark.started


def members(mark: Mark | None) -> list[int]:
    """The living processes of the marked group, its leader dead or alive."""
    if mark is None or mark.boot != _boot():
        return []
    leader = _stat(mark.pid)
    if leader is not None and int(leader[_STARTED]) != mark.started:
        return []  # the kernel gives a pid anew only when no group bears it any more
    return [
        pid
        for pid, fields in _all()
        if int(fields[_GROUP]) == mark.pid
        and fields[_STATE] != "Z"
        and int(fields[_STARTED]) >= mark.started
    ]


def end(marks: Iterable[Mark | None], patience: float = 10.0) -> list[int]:
    """Ask the marked groups to end, then make them; the pids that were there."""
    marks = list(marks)
    found = [pid for mark in marks for pid in members(mark)]
    deadline = time.monotonic() + patience
    _tell(found, signal.SIGTERM)
    _tell(found, signal.SIGCONT)  # a stopped process hears SIGTERM only when it goes on
    while any(members(mark) for mark in marks) and time.monotonic() < deadline:
        time.sleep(0.05)
    while left := [pid for mark in marks for pid in members(mark)]:
        _tell(left, signal.SIGKILL)
        time.sleep(0.05)
    return found


def _tell(pids: Iterable[int], word: signal.Signals) -> None:
    for pid in pids:
        try:
            os.kill(pid, word)
        except ProcessLookupError:
            continue


def _boot() -> str:
    return (PROC / "sys/kernel/random/boot_id").read_text(encoding="ascii").strip()


def _all() -> Iterator[tuple[int, list[str]]]:
    for entry in PROC.iterdir():
        if entry.name.isdigit() and (fields := _stat(int(entry.name))) is not None:
            yield int(entry.name), fields


def _stat(pid: int) -> list[str] | None:
    try:
        text = (PROC / str(pid) / "stat").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return None
    return text.rpartition(")")[2].split()  # the name before it may hold blanks and brackets

"""The process runner of a local run: what it reads, how it starts, how all of it ends."""

import fcntl
import os
import shlex
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from pydantic import BaseModel

from pyispyb_local.plan import Plan, Program
from pyispyb_local.processes import Mark, end, is_alive, members, read_mark, write_mark
from pyispyb_local.screen import Refusal

RUNNER = "supervisord"
_CALLER = "caller"
_DESCRIPTION = "suite.json"
PATIENCE = 12  # seconds a program may use to finish its requests


class Description(BaseModel):
    """What runs, or last ran, with a state folder: listening and inside address by program."""

    url: str
    programs: dict[str, tuple[str, str | None]]


@contextmanager
def sole_run(plan: Plan) -> Iterator[None]:
    """Hold the state folder against a second run; the kernel lets go of it after a crash."""
    with (plan.marks / "lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise _already_running(plan) from error
        if is_alive(mark_of(plan.marks, RUNNER)):
            raise _already_running(plan)
        write_mark(plan.marks / _CALLER)
        yield


def _already_running(plan: Plan) -> Refusal:
    return Refusal(f"the suite already runs with {plan.state}: see make logs, or end it: make stop")


def start(plan: Plan) -> subprocess.Popen[bytes]:
    """Start the runner, which starts the programs; it has a session of its own.

    Ctrl-C on the terminal reaches only the caller, who ends everything in good order.
    """
    file = plan.marks / "supervisord.conf"
    file.write_text("\n".join(_configuration(plan)), encoding="utf-8")
    programs = {one.name: (one.listen, one.inside) for one in plan.programs}
    described = Description(url=plan.url, programs=programs).model_dump_json()
    (plan.marks / _DESCRIPTION).write_text(described, encoding="utf-8")
    command = (sys.executable, "-m", "supervisor.supervisord", "-n", "-c", str(file))
    return subprocess.Popen(  # noqa: S603 - our own interpreter
        _entering(plan.marks, RUNNER, command),
        env=plan.environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )


def stop(marks: Path) -> list[str]:
    """End the runner and every program it left, after a crash too; the names of what ran."""
    known = {path.stem: read_mark(path) for path in sorted(marks.glob("*.pid"))}
    ran = [name for name, mark in known.items() if members(mark)]
    if _end_caller(marks) and not ran:
        ran = ["a run that was starting"]
    runner = known.pop(RUNNER, None)
    end([runner], patience=(PATIENCE + 1) * len(known))
    end(known.values(), patience=PATIENCE)
    for path in marks.glob("*.pid"):
        path.unlink(missing_ok=True)
    return ran


def _end_caller(marks: Path) -> bool:
    """Let the `run` that holds this folder, in whatever step it is, end what it started."""
    caller = read_mark(marks / _CALLER)
    if caller is None or not is_alive(caller) or caller.pid == os.getpid():
        return False
    os.kill(caller.pid, signal.SIGTERM)
    deadline = time.monotonic() + PATIENCE * 2
    while is_alive(caller) and time.monotonic() < deadline:
        time.sleep(0.05)
    return True


def described(marks: Path) -> Description | None:
    """What runs, or last ran, here."""
    try:
        return Description.model_validate_json((marks / _DESCRIPTION).read_bytes())
    except OSError:
        return None


def mark_of(marks: Path, name: str) -> Mark | None:
    """Who the program of this name is, as it said itself when it started."""
    return read_mark(marks / f"{name}.pid")


def _entering(marks: Path, name: str, command: tuple[str, ...]) -> list[str]:
    return [sys.executable, "-m", "pyispyb_local.enter", str(marks / f"{name}.pid"), *command]


def _configuration(plan: Plan) -> Iterator[str]:
    yield "[supervisord]"
    yield f"logfile={_escaped(str(plan.logs / 'supervisord.log'))}"
    yield f"pidfile={_escaped(str(plan.marks / 'supervisord.own'))}"
    yield "nodaemon=true"
    yield "silent=true"
    yield "minfds=256"
    if os.getuid() == 0:
        yield "user=root"
    yield "[group:suite]"  # a group is ended together, groups one after the other
    yield f"programs={','.join(program.name for program in plan.programs)}"
    for place, program in enumerate(plan.programs, 1):
        yield from _program(plan, program, place)


def _program(plan: Plan, program: Program, place: int) -> Iterator[str]:
    command = shlex.join(_entering(plan.marks, program.name, program.command))
    yield f"[program:{program.name}]"
    yield f"command={_escaped(command)}"
    yield f"priority={place}"
    yield "autorestart=true"
    yield "startsecs=1"
    yield "startretries=30"
    yield f"stopwaitsecs={PATIENCE}"
    yield "stopasgroup=true"
    yield "killasgroup=true"
    yield "redirect_stderr=true"
    log = str(plan.logs / f"{program.name}.log")
    yield f"stdout_logfile={_escaped(_escaped(log))}"  # supervisor expands this one twice
    yield "stdout_logfile_maxbytes=50MB"
    yield "stdout_logfile_backups=1"


def _escaped(value: str) -> str:
    return value.replace("%", "%%")

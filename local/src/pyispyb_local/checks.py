"""What must hold before anything is started; each fault is one line that says what to do."""

import os
import socket
import sys
import tempfile
from collections.abc import Iterable
from pathlib import Path

from pyispyb_local.plan import Program
from pyispyb_local.screen import Refusal

OLDEST_PYTHON = (3, 11)
FOLDERS = {"db": 0o700, "demo": 0o700, "keys": 0o700, "log": 0o755, "run": 0o700}


def check_python(version: tuple[int, ...] = sys.version_info[:3]) -> None:
    """Refuse a Python that is too old."""
    if version < OLDEST_PYTHON:
        needed, here = (".".join(map(str, part)) for part in (OLDEST_PYTHON, version))
        raise Refusal(f"Python {needed} or newer is needed; this is {here}")


def make_folders(state: Path) -> None:
    """Make the state folder and its rooms; refuse where nothing can be written."""
    try:
        for name, mode in FOLDERS.items():
            (state / name).mkdir(parents=True, exist_ok=True, mode=mode)
            with tempfile.TemporaryFile(dir=state / name):
                pass
    except OSError as error:
        raise Refusal(
            f"{state}: cannot be written ({os.strerror(error.errno or 0)});"
            " give another folder: make run VAR=…"
        ) from error


def check_ports(programs: Iterable[Program]) -> None:
    """Refuse when another program listens on an address of ours."""
    busy = [
        f"{address} ({program.name})"
        for program in programs
        for address in (program.listen, program.inside)
        if address is not None and not _is_free(address)
    ]
    if busy:
        raise Refusal(f"in use by another program: {', '.join(busy)}; try: make run PORT=18000")


def _is_free(address: str) -> bool:
    host, _, port = address.rpartition(":")
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, int(port)))
        except OSError:
            return False
    return True

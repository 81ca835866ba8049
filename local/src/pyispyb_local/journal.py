"""The log of the whole suite: one request across all programs in time order, or what is new."""

import time
from collections import deque
from collections.abc import Iterable, Iterator
from datetime import datetime
from operator import itemgetter
from pathlib import Path
from typing import Any

import orjson

HEAD = ("ts", "level", "service", "request_id", "login", "method", "path", "status", "duration_ms")
NEWEST_LINES = 20
_TRACEBACK = 200  # lines without a time that may stand between two with one


def lines_of(request_id: str, folder: Path) -> list[dict[str, Any]]:
    """Every line with this id, oldest first, whichever program wrote it."""
    wanted = request_id.encode()
    found = [
        line
        for path in _files(folder)
        for raw in _raw_lines(path)
        if wanted in raw and (line := read_line(raw, path.name)).get("request_id") == request_id
    ]
    return sorted(found, key=lambda line: _moment(line) or 0)


def newest(folder: Path, count: int = NEWEST_LINES) -> list[dict[str, Any]]:
    """The last lines of all programs together, oldest first."""
    timed = [
        timed_line
        for path in _files(folder)
        for timed_line in _timed(deque(_raw_lines(path), count + _TRACEBACK), path.name)
    ]
    return [line for _, line in sorted(timed, key=itemgetter(0))][-count:]


def _timed(raw_lines: Iterable[bytes], file_name: str) -> Iterator[tuple[float, dict[str, Any]]]:
    """A line without a time, as of a traceback, stays behind the line before it."""
    moment = 0.0
    for raw in raw_lines:
        line = read_line(raw, file_name)
        moment = _moment(line) or moment
        yield moment, line


def follow(folder: Path, pause: float = 0.3) -> Iterator[dict[str, Any]]:
    """Lines as they are written, from this call on, through rotation and new files, for ever."""
    seen = {path: (path.stat().st_ino, path.stat().st_size) for path in _current(folder)}
    return _follow(folder, pause, seen)


def _follow(
    folder: Path, pause: float, seen: dict[Path, tuple[int, int]]
) -> Iterator[dict[str, Any]]:
    while True:
        for path in _current(folder):
            status = path.stat()
            inode, offset = seen.get(path, (status.st_ino, 0))
            if inode != status.st_ino or status.st_size < offset:
                offset = 0
            with path.open("rb") as file:
                file.seek(offset)
                fresh = file.read()
            whole, _, rest = fresh.rpartition(b"\n")
            seen[path] = (status.st_ino, offset + len(fresh) - len(rest))
            yield from (read_line(raw, path.name) for raw in whole.splitlines())
        time.sleep(pause)


def read_line(raw: bytes, file_name: str) -> dict[str, Any]:
    """One line as its fields; a line that is no JSON object is kept as the message."""
    try:
        line = orjson.loads(raw)
        if isinstance(line, dict):
            return line
    except orjson.JSONDecodeError:
        pass
    return {
        "service": file_name.split(".")[0],
        "message": raw.decode("utf-8", errors="replace").rstrip(),
    }


def shown(line: dict[str, Any]) -> str:
    """A line for people: the same fields in the same order, then what else it says."""
    parts = [str(line[name]) for name in HEAD if line.get(name) is not None]
    parts.append(str(line.get("message", "")))
    rest = {key: value for key, value in line.items() if key not in {*HEAD, "message", "logger"}}
    parts += [f"{key}={_value(value)}" for key, value in rest.items() if value is not None]
    return " ".join(parts)


def _value(value: object) -> str:
    return value if isinstance(value, str) and value.isprintable() else orjson.dumps(value).decode()


def _moment(line: dict[str, Any]) -> float | None:
    try:
        return datetime.fromisoformat(line["ts"]).timestamp()
    except (KeyError, TypeError, ValueError):
        return None


def _current(folder: Path) -> Iterable[Path]:
    return sorted(folder.glob("*.log"))


def _files(folder: Path) -> Iterable[Path]:
    """The files being written, and the older ones that rotation left."""
    return sorted(folder.glob("*.log*"))


def _raw_lines(path: Path) -> Iterator[bytes]:
    with path.open("rb") as file:
        yield from file

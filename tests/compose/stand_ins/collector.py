"""In the place of Fluent Bit: reads the engine's files as deploy/logs/fluent-bit.conf says."""

import json
import re
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

MARK, PROGRAM = "pyispyb", "com.docker.compose.service"
PAUSE, PATIENCE = 0.3, 5
STATEMENT = re.compile(r"/\* (?P<request_id>[A-Za-z0-9-]{1,64}) \*/")
ENTRY = re.compile(r"^# User@Host: ")
GOES_ON = re.compile(r"^(?!# Time: |# User@Host: |\d{4}-\d\d-\d\d |\{)")


def main() -> None:
    """Read on and on; what could not be sent is read again."""
    containers, positions, url = Path(sys.argv[1]), Path(sys.argv[2]) / "read.json", sys.argv[3]
    read: dict[str, int] = json.loads(positions.read_text()) if positions.exists() else {}
    while True:
        found, behind = [], dict(read)
        for file in containers.glob("*/*-json.log"):
            found += list(lines_of(file, behind))
        if found and not sent(url, found):
            time.sleep(PAUSE)
            continue
        if found:
            read = behind
            positions.write_text(json.dumps(read))
        time.sleep(PAUSE)


def lines_of(file: Path, read: dict[str, int]) -> Iterator[dict[str, Any]]:
    """What was written to a file since, as the fields of the one log."""
    begun = read.get(file.name, 0)
    with file.open("rb") as log:
        log.seek(begun if begun <= file.stat().st_size else 0)
        whole, newline, _ = log.read().rpartition(b"\n")
        read[file.name] = begun + len(whole) + len(newline)
    raw = [json.loads(line) for line in whole.splitlines()]
    ours = [line for line in raw if line.get("attrs", {}).get("tag") == MARK]
    for line in joined(ours):
        yield fields_of(line)


def joined(lines: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The lines of an entry of the slow log as one."""
    result: list[dict[str, Any]] = []
    inside = False
    for line in lines:
        if inside and GOES_ON.match(line["log"]):
            result[-1]["log"] += line["log"]
            continue
        inside = bool(ENTRY.match(line["log"]))
        result.append(dict(line))
    return result


def fields_of(line: dict[str, Any]) -> dict[str, Any]:
    """A JSON line as it is; another one as the message, with the id that a statement carries."""
    text, program = line["log"].rstrip("\n"), line["attrs"][PROGRAM]
    try:
        fields = json.loads(text)
    except ValueError:
        fields = None
    if not isinstance(fields, dict):
        id_ = STATEMENT.search(text)
        fields = {"message": text} | (id_.groupdict() if id_ else {})
    return {"ts": line["time"], "service": program, **fields, "program": program}


def sent(url: str, lines: list[dict[str, Any]]) -> bool:
    """Hand the lines over; False where nobody takes them."""
    body = "".join(json.dumps(line) + "\n" for line in lines).encode()
    try:
        urllib.request.urlopen(f"{url}/insert/jsonline", body, timeout=PATIENCE).close()
    except (urllib.error.URLError, OSError):
        return False
    return True


if __name__ == "__main__":
    main()

"""A million rows exported by one member: rows a second, CPU, and what the workers grew by.

Run: make bench-export. It needs a MariaDB server, which it starts for itself, in memory.
"""

import argparse
import http.client
import re
import time
from pathlib import Path

import sqlalchemy as sa
from bench.core import on_mariadb, past_the_api
from bench.load import cpu_seconds, token_of

from pyispyb_local import supervision
from pyispyb_local.plan import Plan
from pyispyb_local.processes import members
from pyispyb_local.screen import say, step

MEGABYTE = 2**20
PIECE = 2**16
PATH = "/core/images"
FORMS = ("application/x-ndjson", "text/csv")
# All in one collection of a past session of MX1001, alice's proposal.
GROUP = """INSERT INTO DataCollectionGroup (sessionId, experimentType)
    SELECT sessionId, 'OSC' FROM BLSession JOIN Proposal USING (proposalId)
    WHERE proposalNumber = '1001' ORDER BY BLSession.startDate LIMIT 1"""
COLLECTION = """INSERT INTO DataCollection (dataCollectionGroupId)
    SELECT MAX(dataCollectionGroupId) FROM DataCollectionGroup"""
IMAGES = """INSERT INTO Image (dataCollectionId, imageNumber, fileName)
    SELECT MAX(dataCollectionId), seq, CONCAT('image_', seq, '.cbf')
    FROM DataCollection, seq_{first}_to_{last} GROUP BY seq"""
INSERTED_AT_ONCE = 50_000


def main() -> None:
    """Export them in each form, through the gateway."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--port", type=int, default=23700)
    parser.add_argument("--rows", type=int, default=1_000_000)
    options = parser.parse_args()
    with on_mariadb(options.port) as (plan, server):
        with step(f"{options.rows:,} images"), past_the_api(plan) as (connection, _):
            connection.execute(sa.text(GROUP))
            connection.execute(sa.text(COLLECTION))
            for first in range(1, options.rows + 1, INSERTED_AT_ONCE):
                last = min(options.rows, first + INSERTED_AT_ONCE - 1)
                connection.execute(sa.text(IMAGES.format(first=first, last=last)))
        say(f"{'':<22} {'rows':>10} {'MB':>7} {'rows/s':>8} {'CPU s':>7} {'grown MB':>9}")
        for form in FORMS:
            export(plan, options.port, form, server.process.pid)


def export(plan: Plan, port: int, form: str, database: int) -> None:
    """Read the whole list, and print what it took."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
    headers = {"Authorization": f"Bearer {token_of(port, 'alice')}", "Accept": form}
    held, used, began = (
        forget_peaks(plan),
        cpu_seconds(plan, ("core",), (database,)),
        time.monotonic(),
    )
    connection.request("GET", PATH, headers=headers)
    answer = connection.getresponse()
    lines = size = 0
    while piece := answer.read(PIECE):
        lines, size = lines + piece.count(b"\n"), size + len(piece)
    took, used = time.monotonic() - began, cpu_seconds(plan, ("core",), (database,)) - used
    most = held_by(plan, "VmHWM")
    grown = max(most[pid] - held[pid] for pid in held) / MEGABYTE
    rows = lines - (form == "text/csv")
    say(
        f"{form:<22} {rows:>10,} {size / MEGABYTE:>7.1f} {rows / took:>8.0f} {used:>7.1f}"
        f" {grown:>9.1f}"
    )


def held_by(plan: Plan, field: str) -> dict[int, int]:
    """This figure of each process of core (VmRSS: now; VmHWM: the most since forgotten), bytes."""
    pids = members(supervision.mark_of(plan.marks, "core"))
    told = {pid: Path(f"/proc/{pid}/status").read_text() for pid in pids}
    found = {pid: re.search(rf"{field}:\s+(\d+) kB", text) for pid, text in told.items()}
    return {pid: int(one[1]) * 1024 for pid, one in found.items() if one}


def forget_peaks(plan: Plan) -> dict[int, int]:
    """Let the kernel begin its figures of most memory anew; what each holds now."""
    held = held_by(plan, "VmRSS")
    for pid in held:
        Path(f"/proc/{pid}/clear_refs").write_text("5")
    return held


if __name__ == "__main__":
    main()

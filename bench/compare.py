"""Requests and images a second through the gateway, beside a Flask hello-world, in one run.

CPU is what the programs used (service, its SQLite, gateway); the wall clock flatters under load,
because the client and both sides share the machine.
"""

import argparse
import http.client
import os
import statistics
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

import orjson

from pyispyb_local import supervision
from pyispyb_local.checks import check_ports, make_folders
from pyispyb_local.plan import Plan, Program, make_plan
from pyispyb_local.preparation import prepare
from pyispyb_local.processes import members
from pyispyb_local.readiness import wait_until_ready
from pyispyb_local.screen import say

ROOT = Path(__file__).parents[1]
NO_LIMIT = "1000000000"
CONNECTIONS = 16
FEEDERS = 4
BATCH = 1000
SETTLING = 3  # seconds for the second gateway to find the yardstick healthy
TICK = os.sysconf("SC_CLK_TCK")


@dataclass(frozen=True, slots=True)
class Figure:
    """What one measurement gave: answers a second, and CPU milliseconds an answer."""

    per_second: float
    cpu_ms: float


@dataclass(frozen=True, slots=True)
class Target:
    """What is asked: where, and which programs work for it."""

    port: int
    path: str
    programs: tuple[str, ...]


class Client:
    """One keep-alive connection to a gateway, with a token."""

    def __init__(self, port: int, token: str | None = None) -> None:
        self._connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
        self._headers = {"Content-Type": "application/json"}
        if token is not None:
            self._headers["Authorization"] = f"Bearer {token}"

    def ask(self, path: str, method: str = "GET", body: object = None) -> dict:
        """One request that must succeed; the answer as JSON, if it is."""
        data = None if body is None else orjson.dumps(body)
        self._connection.request(method, path, body=data, headers=self._headers)
        answer = self._connection.getresponse()
        text = answer.read()
        if answer.status not in {200, 201}:
            raise RuntimeError(f"{method} {path}: {answer.status} {text[:300]!r}")
        return orjson.loads(text) if text[:1] == b"{" else {}


@contextmanager
def running(plan: Plan) -> Iterator[None]:
    """The suite and the yardstick, from first start to their end."""
    make_folders(plan.state)
    (plan.state / "hello").mkdir(exist_ok=True)
    check_ports(plan.programs)
    prepare(plan)
    runner = supervision.start(plan)
    try:
        wait_until_ready(replace(plan, programs=plan.programs[:4]), runner)
        time.sleep(SETTLING)
        yield
    finally:
        runner.terminate()
        supervision.stop(plan.marks)


def with_yardstick(plan: Plan, port: int) -> Plan:
    """The plan with hello-world added, behind a second gateway of the same file and settings."""
    listen, inside, gateway = (f"127.0.0.1:{port + shift}" for shift in (104, 1104, 1))
    plain = plan.programs[-1]
    settings = (
        f"ISPYB_STATE={plan.state / 'hello'}",
        f"ISPYB_GATEWAY__LISTEN={gateway}",
        f'ISPYB_GATEWAY__SSX_TARGETS=["{listen}"]',
    )
    hello = (sys.executable, "-m", "bench.hello", listen, inside)
    return replace(
        plan,
        programs=(
            *plan.programs,
            Program("hello", hello, listen, inside),
            Program("hello-gateway", ("env", *settings, *plain.command), gateway),
        ),
    )


def cpu_seconds(plan: Plan, programs: tuple[str, ...]) -> float:
    """What these programs have used so far, their workers included."""
    ticks = 0
    for name in programs:
        for pid in members(supervision.mark_of(plan.marks, name)):
            fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
            ticks += int(fields[11]) + int(fields[12])
    return ticks / TICK


def measured(
    plan: Plan, programs: tuple[str, ...], workers: list[Callable[[], object]], seconds: float
) -> Figure:
    """Let the workers go on for this long, each on its own connection."""
    counts = [0] * len(workers)
    faults: list[Exception] = []
    before, begun = cpu_seconds(plan, programs), time.monotonic()

    def work(place: int) -> None:
        try:
            while time.monotonic() - begun < seconds:
                workers[place]()
                counts[place] += 1
        except (RuntimeError, OSError, http.client.HTTPException) as fault:
            faults.append(fault)

    threads = [threading.Thread(target=work, args=(place,)) for place in range(len(workers))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if faults:
        raise faults[0]
    took, used = time.monotonic() - begun, cpu_seconds(plan, programs) - before
    return Figure(sum(counts) / took, used * 1000 / sum(counts))


def median(figures: list[Figure]) -> Figure:
    """The middle of several rounds."""
    return Figure(
        statistics.median(one.per_second for one in figures),
        statistics.median(one.cpu_ms for one in figures),
    )


def compare_reads(plan: Plan, port: int, token: str, seconds: float, rounds: int) -> None:
    """An item and a page of 25 shipments beside hello-world, turn about."""
    client = Client(port, token)
    proposal = client.ask("/core/proposals/MX1001")["proposalId"]
    for number in range(30):
        body = {"proposalId": proposal, "shippingName": f"bench {number}"}
        last = client.ask("/core/shippings", "POST", body)
    targets = {
        "hello, world": Target(port + 1, "/ssx/hello", ("hello", "hello-gateway")),
        "item": Target(port, f"/core/shippings/{last['shippingId']}", ("core", "gateway")),
        "page of 25": Target(port, "/core/shippings?limit=25", ("core", "gateway")),
        "page of 25, 5 fields": Target(
            port,
            "/core/shippings?limit=25&total=false"
            "&fields=shippingId,proposalId,shippingName,shippingStatus,creationDate",
            ("core", "gateway"),
        ),
    }
    figures: dict[str, list[Figure]] = {name: [] for name in targets}
    for turn in range(rounds + 1):
        for name, target in targets.items():
            clients = [Client(target.port, token) for _ in range(CONNECTIONS)]
            workers = [lambda one=one, path=target.path: one.ask(path) for one in clients]
            figure = measured(plan, target.programs, workers, seconds if turn else 1)
            if turn:  # the first is for warming up
                figures[name].append(figure)
    hello = median(figures["hello, world"])
    say(f"\n{CONNECTIONS} connections, {rounds} rounds of {seconds:g} s, medians")
    say(f"{'':<22} {'answers/s':>10} {'of hello':>9} {'CPU ms':>8} {'hello/CPU':>10}")
    for name, several in figures.items():
        one = median(several)
        say(
            f"{name:<22} {one.per_second:>10.0f} {one.per_second / hello.per_second:>9.2f}"
            f" {one.cpu_ms:>8.2f} {hello.cpu_ms / one.cpu_ms:>10.2f}"
        )


def measure_batches(plan: Plan, port: int, token: str, seconds: float) -> None:
    """Batches of 1,000 images into as many runs as there are feeders."""
    client = Client(port, token)
    sessions = client.ask("/core/sessions?beamLineName=BL1&sort=startDate")["results"]
    workers = []
    for _ in range(FEEDERS):
        run = client.ask("/ssx/runs", "POST", {"sessionId": sessions[0]["sessionId"]})["runId"]
        workers.append(feeder(Client(port, token), run))
    figure = measured(plan, ("ssx", "gateway"), workers, seconds)
    say(
        f"\n{FEEDERS} feeders, batches of {BATCH:,} images:"
        f" {figure.per_second * BATCH:,.0f} images/s, {figure.cpu_ms:.1f} ms CPU a batch"
    )


def feeder(client: Client, run: int) -> Callable[[], object]:
    """Sends the next batch of its run each time it is called."""
    place = {"n": 0}
    columns = {
        "hit": [image % 3 == 0 for image in range(BATCH)],
        "indexed": [image % 6 == 0 for image in range(BATCH)],
        "nSpots": [image % 97 for image in range(BATCH)],
        "resolution": [1.5 + image % 10 / 10 for image in range(BATCH)],
        "lattices": [
            [{"cell": [78.5, 78.5, 37.9, 90, 90, 90], "spaceGroup": "P43212", "nIndexed": 30}]
            if image % 6 == 0
            else []
            for image in range(BATCH)
        ],
    }

    def send() -> None:
        n = place["n"]
        place["n"] += 1
        numbers = list(range(n * BATCH + 1, (n + 1) * BATCH + 1))
        client.ask(f"/ssx/runs/{run}/batches/{n}", "PUT", {**columns, "imageNumber": numbers})

    return send


def count_lines() -> None:
    """Lines of code by package, without blank lines."""
    say("\nlines of code")
    for package in sorted(ROOT.glob("*/src/pyispyb_*")) + sorted(
        ROOT.glob("services/*/src/pyispyb_*")
    ):
        if package.suffix:
            continue
        lines = sum(
            bool(line.strip())
            for path in package.rglob("*.py")
            for line in path.read_text(encoding="utf-8").splitlines()
        )
        say(f"{package.name:<22} {lines:>10,}")


def main() -> None:
    """Measure everything and print it."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--port", type=int, default=23700)
    parser.add_argument("--seconds", type=float, default=5)
    parser.add_argument("--rounds", type=int, default=3)
    options = parser.parse_args()
    os.chdir(ROOT)
    os.environ["ISPYB_GATEWAY__RATE_PER_TOKEN"] = NO_LIMIT
    os.environ["ISPYB_GATEWAY__RATE_PER_ADDRESS"] = NO_LIMIT
    os.environ["ISPYB_LOG_LEVEL"] = "INFO"
    with tempfile.TemporaryDirectory(prefix="pyispyb-bench-") as folder:
        plan = with_yardstick(make_plan(options.port, Path(folder)), options.port)
        with running(plan):
            body = {"login": "alice", "password": "alice-demo"}
            token = Client(options.port).ask("/auth/login", "POST", body)["token"]
            compare_reads(plan, options.port, token, options.seconds, options.rounds)
            measure_batches(plan, options.port, token, options.seconds)
    count_lines()


if __name__ == "__main__":
    main()

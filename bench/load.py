"""The suite under load, beside a hello-world behind a second gateway: answers and CPU."""

import argparse
import http.client
import os
import statistics
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Mapping
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
SETTLING = 3  # seconds for the second gateway to find the yardstick healthy
TICK = os.sysconf("SC_CLK_TCK")
HELLO = "hello, world"


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
    token: str = ""


class Client:
    """One keep-alive connection to a gateway, with a token."""

    def __init__(self, port: int, token: str = "") -> None:
        self._connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
        self._headers = {"Content-Type": "application/json"}
        if token:
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
def _running(plan: Plan) -> Iterator[None]:
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


def _with_yardstick(plan: Plan, port: int) -> Plan:
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


def cpu_seconds(plan: Plan, programs: tuple[str, ...], besides: tuple[int, ...] = ()) -> float:
    """What these programs have used so far, their workers included, and processes besides."""
    pids = [pid for name in programs for pid in members(supervision.mark_of(plan.marks, name))]
    ticks = 0
    for pid in (*pids, *besides):
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        ticks += int(fields[11]) + int(fields[12])
    return ticks / TICK


def measured(
    plan: Plan,
    programs: tuple[str, ...],
    workers: list[Callable[[], object]],
    seconds: float,
    besides: tuple[int, ...] = (),
) -> Figure:
    """Let the workers go on for this long, each on its own connection."""
    counts = [0] * len(workers)
    faults: list[Exception] = []
    before, begun = cpu_seconds(plan, programs, besides), time.monotonic()

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
    took, used = time.monotonic() - begun, cpu_seconds(plan, programs, besides) - before
    return Figure(sum(counts) / took, used * 1000 / sum(counts))


def median(figures: list[Figure]) -> Figure:
    """The middle of several rounds."""
    return Figure(
        statistics.median(one.per_second for one in figures),
        statistics.median(one.cpu_ms for one in figures),
    )


def compare(
    plan: Plan,
    targets: Mapping[str, Target],
    seconds: float,
    rounds: int,
    besides: Mapping[str, tuple[int, ...]] | None = None,
) -> dict[str, Figure]:
    """Ask for each in turn, hello-world among them, and print each beside it.

    `besides`: processes that work for a target as well, its database's server.
    """
    figures: dict[str, list[Figure]] = {name: [] for name in targets}
    for turn in range(rounds + 1):
        for name, target in targets.items():
            clients = [Client(target.port, target.token) for _ in range(CONNECTIONS)]
            workers = [lambda one=one, path=target.path: one.ask(path) for one in clients]
            others = (besides or {}).get(name, ())
            figure = measured(plan, target.programs, workers, seconds if turn else 1, others)
            if turn:  # the first is for warming up
                figures[name].append(figure)
    medians = {name: median(several) for name, several in figures.items()}
    hello = medians[HELLO]
    say(f"\n{CONNECTIONS} connections, {rounds} rounds of {seconds:g} s, medians")
    say(f"{'':<34} {'answers/s':>10} {'of hello':>9} {'CPU ms':>8} {'hello/CPU':>10}")
    for name, one in medians.items():
        say(
            f"{name:<34} {one.per_second:>10.0f} {one.per_second / hello.per_second:>9.2f}"
            f" {one.cpu_ms:>8.2f} {hello.cpu_ms / one.cpu_ms:>10.2f}"
        )
    return medians


def parser_of(about: str | None) -> argparse.ArgumentParser:
    """What every such bench is told: where it may listen, and how long it measures."""
    parser = argparse.ArgumentParser(description=about)
    parser.add_argument("--port", type=int, default=23700)
    parser.add_argument("--seconds", type=float, default=5)
    parser.add_argument("--rounds", type=int, default=3)
    return parser


@contextmanager
def suite(port: int) -> Iterator[Plan]:
    """The suite and the yardstick in a folder of their own, without limits, logging as ever."""
    os.chdir(ROOT)
    os.environ["ISPYB_GATEWAY__RATE_PER_TOKEN"] = NO_LIMIT
    os.environ["ISPYB_GATEWAY__RATE_PER_ADDRESS"] = NO_LIMIT
    os.environ["ISPYB_LOG_LEVEL"] = "INFO"
    with tempfile.TemporaryDirectory(prefix="pyispyb-bench-") as folder:
        plan = _with_yardstick(make_plan(port, Path(folder)), port)
        with _running(plan):
            yield plan


def token_of(port: int, login: str) -> str:
    """A token of one of the demo's cast."""
    body = {"login": login, "password": f"{login}-demo"}
    return str(Client(port).ask("/auth/login", "POST", body)["token"])


def hello_of(port: int, token: str) -> Target:
    """The yardstick of a suite at this port."""
    return Target(port + 1, "/ssx/hello", ("hello", "hello-gateway"), token)

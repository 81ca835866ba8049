"""The cost of the gateway, the gain of a second replica, the loss of a rolling restart, in one run.

Run: make bench-gateway. Real services on SQLite, a real token. The client, the gateway and the
services share the machine: on few processors a second replica has nothing to run on.
"""

import os
import statistics
import tempfile
import threading
import time
from http import HTTPStatus
from pathlib import Path

from bench.load import parser_of
from tests.local.replicas import (
    NO_LIMIT,
    Caller,
    Load,
    Told,
    restart_each,
    running,
    token_of,
    with_replicas,
)

from pyispyb_local.plan import Plan, make_plan
from pyispyb_local.screen import say

CONNECTIONS = (1, 16)
ENOUGH = 10_000  # reads and batches, while replicas are restarted


def main() -> None:
    """Measure everything and print it."""
    options = parser_of(__doc__).parse_args()
    os.environ["ISPYB_GATEWAY__RATE_PER_TOKEN"] = NO_LIMIT
    with tempfile.TemporaryDirectory(prefix="pyispyb-bench-") as folder:
        plan = with_replicas(make_plan(options.port, Path(folder)), options.port)
        with running(plan):
            token = token_of(options.port, "alice")
            compare_ways(plan, options.port, token, options.seconds, options.rounds)
            lose_nothing(plan, Load(options.port + 1, token))


def compare_ways(plan: Plan, port: int, token: str, seconds: float, rounds: int) -> None:
    """One read of an item by three ways, turn about: medians of all rounds."""
    core = next(one for one in plan.programs if one.name == "core")
    ways = {
        "core directly": int(core.listen.rpartition(":")[2]),
        "through the gateway, 1 replica": port,
        "through the gateway, 2 replicas": port + 1,
    }
    for connections in CONNECTIONS:
        times: dict[str, list[float]] = {way: [] for way in ways}
        rates: dict[str, list[float]] = {way: [] for way in ways}
        for turn in range(rounds + 1):
            for way, listening in ways.items():
                took = asked(listening, token, connections, seconds if turn else 1)
                if turn:  # the first is for warming up
                    times[way] += took
                    rates[way].append(len(took) / seconds)
        direct = statistics.median(times["core directly"])
        alone = statistics.median(rates["core directly"])
        say(f"\nconnections: {connections}; {rounds} rounds of {seconds:g} s, medians")
        say(f"{'':<34} {'ms':>8} {'added ms':>9} {'answers/s':>10} {'of direct':>10}")
        for way in ways:
            median, rate = statistics.median(times[way]), statistics.median(rates[way])
            added = (median - direct) * 1000
            say(
                f"{way:<34} {median * 1000:>8.2f} {added:>9.2f} {rate:>10.0f} {rate / alone:>10.2f}"
            )


def asked(port: int, token: str, connections: int, seconds: float) -> list[float]:
    """How long each answer took, over all connections."""
    took: list[float] = []
    until = time.monotonic() + seconds

    def go_on() -> None:
        with Caller(port, token) as caller:
            while (begun := time.monotonic()) < until:
                status, answer = caller.ask("GET", "/core/proposals/MX1001")
                if status != HTTPStatus.OK:
                    raise RuntimeError(f"{status} {answer}")
                took.append(time.monotonic() - begun)

    threads = [threading.Thread(target=go_on) for _ in range(connections)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return took


def lose_nothing(plan: Plan, load: Load) -> None:
    """Restart all replicas one by one, again and again, until enough has been asked."""
    rounds = 0
    with load as told:
        while told.asked("GET") + told.asked("PUT") < ENOUGH:
            restart_each(plan)
            rounds += 1
    say(f"\n{rounds} rolling restarts of core and ssx, two replicas each, under load")
    for method in told.statuses:
        say(f"{method:<5} {told.asked(method):>7,} asked, failed: {told.failed(method) or 'none'}")
    say(f"the client sent {told.replays} bookings again, under the same Idempotency-Key")
    say(_bookings(told, load))


def _bookings(told: Told, load: Load) -> str:
    rows = load.rows()
    once = sum(rows[name] == 1 for name in told.booked)
    return f"bookings that made exactly one row: {once:,} of {len(told.booked):,}"


if __name__ == "__main__":
    main()

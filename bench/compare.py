"""Requests and images a second through the gateway, beside a Flask hello-world, in one run.

CPU is what the programs used (service, its SQLite, gateway); the wall clock flatters under load,
because the client and both sides share the machine.
"""

from collections.abc import Callable

from bench.load import (
    HELLO,
    ROOT,
    Client,
    Target,
    compare,
    hello_of,
    measured,
    parser_of,
    suite,
    token_of,
)

from pyispyb_local.plan import Plan
from pyispyb_local.screen import say

FEEDERS = 4
BATCH = 1000


def compare_reads(plan: Plan, port: int, token: str, seconds: float, rounds: int) -> None:
    """An item and a page of 25 shipments beside hello-world, turn about."""
    client = Client(port, token)
    proposal = client.ask("/core/proposals/MX1001")["proposalId"]
    for number in range(30):
        body = {"proposalId": proposal, "shippingName": f"bench {number}"}
        last = client.ask("/core/shippings", "POST", body)
    page = "/core/shippings?limit=25"
    few = "fields=shippingId,proposalId,shippingName,shippingStatus,creationDate"
    paths = {
        "item": f"/core/shippings/{last['shippingId']}",
        "page of 25": page,
        "page of 25, 5 fields": f"{page}&total=false&{few}",
    }
    programs = ("core", "gateway")
    targets = {name: Target(port, path, programs, token) for name, path in paths.items()}
    compare(plan, {HELLO: hello_of(port, token), **targets}, seconds, rounds)


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
    options = parser_of(__doc__).parse_args()
    with suite(options.port) as plan:
        token = token_of(options.port, "alice")
        compare_reads(plan, options.port, token, options.seconds, options.rounds)
        measure_batches(plan, options.port, token, options.seconds)
    count_lines()


if __name__ == "__main__":
    main()

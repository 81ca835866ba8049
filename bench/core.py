"""What core's reads cost on MariaDB with a facility's rows, beside a Flask hello-world.

Run: make bench-core. It needs a MariaDB server, which it starts for itself, in memory.
CPU is service + database + gateway. Statements are what the database counted.
"""

import argparse
import os
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from zoneinfo import ZoneInfo

import pymysql
import sqlalchemy as sa
from bench.core_data import SAMPLES, add_facility, add_member
from bench.load import (
    HELLO,
    Client,
    Figure,
    Target,
    compare,
    hello_of,
    measured,
    parser_of,
    suite,
    token_of,
)
from tests.peers.mariadb import MariaDb

from pyispyb_chassis.database import Database
from pyispyb_core.operations import schema
from pyispyb_core.settings import CoreSettings
from pyispyb_local.plan import Plan
from pyispyb_local.screen import say, step

PROGRAMS = ("core", "gateway")
MINE = range(3)  # the proposals of the member who is measured
PROPOSALS = 200
TRIES = 50
WIDE = (
    "include=Container,Crystal.Protein,DiffractionPlan&fields=blSampleId,code,name,location,"
    "Container.code,Container.sampleChangerLocation,Crystal.crystalId,Crystal.spaceGroup,"
    "Crystal.cell_a,Crystal.cell_b,Crystal.cell_c,Crystal.cell_alpha,Crystal.cell_beta,"
    "Crystal.cell_gamma,Crystal.Protein.acronym,DiffractionPlan.diffractionPlanId"
)
PAGE = f"/core/samples?limit=25&{WIDE}"
PATHS = {
    "page of samples for MXCuBE": PAGE,
    "the same, without total": f"{PAGE}&total=false",
    "the same, of a proposal": f"{PAGE}&proposal=MX30001",
    "page of sessions": "/core/sessions?limit=25",
    "page of collections": "/core/datacollections?limit=25",
}


def main() -> None:
    """Measure on the given number of samples, then the page again as they grow."""
    parser = parser_of(__doc__)
    parser.add_argument("--most", type=int, default=200_000, help="samples to grow to, or 0")
    options = parser.parse_args()
    with on_mariadb(options.port) as (plan, server):
        add(plan, range(PROPOSALS))
        with past_the_api(plan) as (connection, metadata):
            add_member(connection, metadata, "alice", MINE)
        tokens = {who: token_of(options.port, who) for who in ("alice", "carol")}
        compare_reads(plan, server, options, tokens)
        grow(plan, server, options, tokens)


@contextmanager
def on_mariadb(port: int) -> Iterator[tuple[Plan, MariaDb]]:
    """The suite with core on a server in memory, both gone at the end."""
    server = MariaDb("--innodb-buffer-pool-size=2G")
    try:
        os.environ["ISPYB_CORE__DATABASE_URL"] = server.url("bench")
        os.environ["ISPYB_CORE__OWN_SCHEMA"] = "bench_own"
        with suite(port) as plan:
            yield plan, server
    finally:
        server.close()


def compare_reads(
    plan: Plan, server: MariaDb, options: argparse.Namespace, tokens: dict[str, str]
) -> None:
    """Each read as the member and as staff, with the statements it takes."""
    targets = {}
    for who, token in tokens.items():
        newest = Client(options.port, token).ask("/core/samples?limit=1")["results"][0]
        paths = {"item": f"/core/samples/{newest['blSampleId']}", **PATHS}
        for name, path in paths.items():
            targets[f"{name}, {who}"] = Target(options.port, path, PROGRAMS, token)
    besides = dict.fromkeys(targets, (server.process.pid,))
    hello = hello_of(options.port, tokens["alice"])
    compare(plan, {HELLO: hello, **targets}, options.seconds, options.rounds, besides)
    say("\nstatements an answer, the look at the caller's rights among them now and then")
    for name, target in targets.items():
        client = Client(target.port, target.token)
        client.ask(target.path)
        before = statements(server)
        for _ in range(TRIES):
            client.ask(target.path)
        say(f"{name:<34} {(statements(server) - before) / TRIES:>10.2f}")


def grow(plan: Plan, server: MariaDb, options: argparse.Namespace, tokens: dict[str, str]) -> None:
    """The page as the table grows ten and fifty times; one connection, CPU an answer."""
    there, most = PROPOSALS, options.most // SAMPLES
    say(f"\n{'CPU ms an answer, samples:':<34} " + f"{there * SAMPLES:>10,}")
    figures = [pages(plan, server, options, tokens)]
    for step_to in (10 * PROPOSALS, 50 * PROPOSALS):
        if step_to > most:
            break
        add(plan, range(there, step_to))
        there = step_to
        figures.append(pages(plan, server, options, tokens))
        say(f"{'':<34} {there * SAMPLES:>10,}")
    for name in figures[0]:
        say(f"{name:<34} " + " ".join(f"{each[name].cpu_ms:>10.2f}" for each in figures))


def pages(
    plan: Plan, server: MariaDb, options: argparse.Namespace, tokens: dict[str, str]
) -> dict[str, Figure]:
    """The page of samples as each, one connection."""
    found = {}
    for total in ("", "&total=false"):
        for who, token in tokens.items():
            client, path = Client(options.port, token), f"{PAGE}{total}"
            client.ask(path)
            worker = [lambda client=client, path=path: client.ask(path)]
            besides = (server.process.pid,)
            found[f"{who}{total}"] = measured(plan, PROGRAMS, worker, options.seconds, besides)
    return found


def add(plan: Plan, proposals: range) -> None:
    """Insert the rows of these proposals."""
    zone = ZoneInfo(plan.configuration.section(CoreSettings).database_timezone)
    now = datetime.now(zone).replace(tzinfo=None)
    told = f"{len(proposals) * SAMPLES:,} samples and what belongs to them"
    with step(told), past_the_api(plan) as (connection, metadata):
        connection.execute(sa.text("SET foreign_key_checks = 0, unique_checks = 0"))
        add_facility(connection, metadata, proposals, now)
    with past_the_api(plan) as (connection, _):
        connection.execute(sa.text("ANALYZE TABLE BLSample, Crystal, Protein, Container, Proposal"))


@contextmanager
def past_the_api(plan: Plan) -> Iterator[tuple[sa.Connection, sa.MetaData]]:
    """A transaction on core's database, and its tables."""
    settings = plan.configuration.section(CoreSettings)
    database = Database(settings.database_url.get_secret_value())
    with database.write_engine.begin() as connection:
        yield connection, schema.tables_of(database, settings.own_schema).metadata
    database.dispose()


def statements(server: MariaDb) -> int:
    """How many SELECTs the server has answered."""
    connection = pymysql.connect(user="root", unix_socket=str(server.socket))
    with connection, connection.cursor() as cursor:
        cursor.execute("SHOW GLOBAL STATUS LIKE 'Com_select'")
        return int(cursor.fetchone()[1])


if __name__ == "__main__":
    main()

"""A core with the world in its database, called over HTTP with real tokens."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import sqlalchemy as sa
from flask.testing import FlaskClient
from tests.cast import Issuing
from tests.core.beyond import add_beyond
from tests.core.matrix.watching import Snapshot, Watched
from tests.core.matrix.who_they_are import GROUPS, NOBODY, PEOPLE
from tests.core.matrix.world import KINDS, World, make_world
from tests.core.matrix.world_within import WITHIN
from werkzeug.test import TestResponse

from pyispyb_chassis.configuration import Configuration, load
from pyispyb_chassis.database import Database
from pyispyb_core.app import create_app
from pyispyb_core.operations import schema

ZONE = "Europe/Paris"


@dataclass(slots=True)
class Stage:
    """One database with the world in it, and core before it (perhaps with a rule taken out)."""

    configuration: Configuration
    issuing: Issuing
    database: Database
    world: World
    tables: dict[str, sa.Table]
    watched: Watched
    client: FlaskClient
    tokens: dict[str, str]

    def call(self, who: str, method: str, path: str, body: Any = None) -> TestResponse:
        """What core answers to this person."""
        headers = {} if who == NOBODY else {"Authorization": f"Bearer {self._token(who)}"}
        return self.client.open(f"/core/{path}", method=method, headers=headers, json=body)

    @contextmanager
    def without(self, rule: str) -> Iterator["Stage"]:
        """The same database behind a core that lacks this rule."""
        with _core(self.configuration, rule) as client:
            yield replace(self, client=client)

    def values(self, noun: str) -> dict[int, dict[str, Any]]:
        """What stands in a noun's table, by id, past all rules."""
        kind = KINDS[noun]
        with self.database.reading() as connection:
            rows = connection.execute(sa.select(self.tables[kind.table])).mappings()
            return {row[kind.key]: dict(row) for row in rows}

    def snapshot(self) -> Snapshot:
        """The rows of all watched tables, and core's own rows, past all rules."""
        return self.watched.snapshot()

    def _token(self, who: str) -> str:
        if who not in self.tokens:
            somebody = PEOPLE[who]
            self.tokens[who] = self.issuing.token(somebody.login, **somebody.claims)
        return self.tokens[who]


@contextmanager
def staged(url: str, own_schema: str, issuing: Issuing, folder: Path) -> Iterator[Stage]:
    """Make the tables and the world in this empty database, and core before it."""
    file = folder / "ispyb.toml"
    file.write_text(
        f"""
url = "http://127.0.0.1:8000"
state = "{folder}"
{issuing.toml()}
[core]
database_url = "{url}"
own_schema = "{own_schema}"
database_timezone = "{ZONE}"
closed_proposal_codes = ["IN"]
operator_is_login = true
{GROUPS}
""",
        encoding="utf-8",
    )
    configuration = load(file, environ={})
    database = Database(url)
    schema.create(database, own_schema)
    tables = add_beyond(database, own_schema)
    with database.writing() as connection:
        world = make_world(connection, tables.metadata, datetime.now(ZoneInfo(ZONE)))
    kinds = {kind.table for kind in KINDS.values()}
    ordered = tables.metadata.sorted_tables
    kinds |= {kind.table for kind in WITHIN.values()}
    watched = {table.name: table for table in ordered if table.name in kinds}
    watched |= {table.name: table for table in tables.ledger.tables}
    try:
        with _core(configuration) as client, database.reading() as connection:
            rows = Watched(connection, database, watched)
            yield Stage(configuration, issuing, database, world, watched, rows, client, {})
    finally:
        database.dispose()


@contextmanager
def _core(configuration: Configuration, *without: str) -> Iterator[FlaskClient]:
    """Core, until its connections are closed again."""
    app = create_app(configuration, without=frozenset(without))
    try:
        yield app.test_client()
    finally:
        for database in app.extensions["pyispyb_databases"]:
            database.dispose()

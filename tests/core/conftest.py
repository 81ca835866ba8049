"""Core with the demo rows in a new database, called as the cast by real tokens."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
import sqlalchemy as sa
from flask.testing import FlaskClient
from tests.cast import ERIN, Issuing, Somebody
from tests.peers.mariadb import MariaDb
from werkzeug.test import TestResponse

from pyispyb_chassis.configuration import load
from pyispyb_chassis.database import Database
from pyispyb_core.app import create_app
from pyispyb_core.demo import make_demo
from pyispyb_core.operations import schema
from pyispyb_core.tables import Tables

CONFIGURATION = """
url = "http://127.0.0.1:8000"
state = "{folder}"
{issuer}
[core]
database_url = "{url}"
own_schema = "{own_schema}"
database_timezone = "Europe/Paris"
closed_proposal_codes = ["IN"]
rights_cache_seconds = 0
{more}
[permissions.groups."BL1 staff"]
staff_of = ["BL1"]
[permissions.groups.goods]
goods = true
[permissions.groups.administrators]
administrator = true
"""


@dataclass(frozen=True, slots=True)
class Core:
    """A core under test; `call` is HTTP, `rows` looks past all rules."""

    client: FlaskClient
    issuing: Issuing
    database: Database
    tables: Tables
    file: Path

    def close(self) -> None:
        """Close every connection, the app's and ours."""
        for database in self.client.application.extensions["pyispyb_databases"]:
            database.dispose()
        self.database.dispose()

    def call(
        self, who: Somebody | None, method: str, path: str, body: Any = None, **headers: str
    ) -> TestResponse:
        """What core answers; header names are written with `_` for `-`."""
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        headers = {**self.issuing.bearer(who), **named}
        return self.client.open(f"/core{path}", method=method, headers=headers, json=body)

    def get(self, who: Somebody | None, path: str) -> Any:
        """The JSON of a GET that must work."""
        answer = self.call(who, "GET", path)
        assert answer.status_code == 200, answer.text
        return answer.get_json()

    def one(self, path: str) -> dict[str, Any]:
        """The only row of a list, as the administrator sees it."""
        (row,) = self.get(ERIN, path)["results"]
        return dict(row)

    def rows(self, table: str) -> list[Any]:
        """All rows of a table of ISPyB, as they are stored."""
        with self.database.reading() as connection:
            return list(connection.execute(sa.select(self.tables[table])).all())


def make_core(url: str, folder: Path, issuing: Issuing, *, more: str = "") -> Core:
    """A core on this empty database, with the demo rows in it; `more` goes into [core]."""
    own_schema = f"own_{abs(hash(url)) % 10**9}"
    file = folder / "ispyb.toml"
    text = CONFIGURATION.format(
        folder=folder, issuer=issuing.toml(), url=url, own_schema=own_schema, more=more
    )
    file.write_text(text, encoding="utf-8")
    configuration = load(file, environ={})
    database = Database(url)
    schema.create(database, own_schema)
    tables = schema.tables_of(database, own_schema)
    now = datetime.now(ZoneInfo("Europe/Paris")).replace(tzinfo=None)
    with database.writing() as connection:
        make_demo(connection, tables.metadata, now)
    app = create_app(configuration)
    return Core(app.test_client(), issuing, database, tables, file)


@pytest.fixture(scope="module", params=["sqlite", "mariadb"])
def core(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory, issuing: Issuing
) -> Iterator[Core]:
    """Core on SQLite, then on MariaDB; shared by the tests of a module."""
    folder = tmp_path_factory.mktemp("core")
    if request.param == "sqlite":
        url = f"sqlite:///{folder / 'core.sqlite'}"
    else:
        server: MariaDb = request.getfixturevalue("mariadb")
        url = server.url()
    made = make_core(url, folder, issuing)
    yield made
    made.close()

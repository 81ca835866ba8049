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
from tests.core.beyond import add_beyond
from tests.peers.mariadb import url_of_new
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
rights_cache_seconds = {kept}
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

    def walked(self, who: Somebody | None, path: str | None) -> list[dict[str, Any]]:
        """The rows of this page and of all that follow it."""
        found: list[dict[str, Any]] = []
        while path is not None:
            page = self.get(who, path.removeprefix("/core"))
            found += page["results"]
            path = page["next"]
            assert path is None or len(page["results"]) == page["limit"]
            assert page["total"] >= len(found)
        return found

    def one(self, path: str) -> dict[str, Any]:
        """The only row of a list, as the administrator sees it."""
        (row,) = self.get(ERIN, path)["results"]
        return dict(row)

    def rows(self, table: str) -> list[Any]:
        """All rows of a table of ISPyB, as they are stored."""
        with self.database.reading() as connection:
            return list(connection.execute(sa.select(self.tables[table])).all())


def own_schema_of(url: str) -> str:
    """A schema for core's own tables that no other database of the server has."""
    return f"own_{abs(hash(url)) % 10**9}"


def write_configuration(
    folder: Path, url: str, issuing: Issuing, own_schema: str, *, more: str = "", kept: int = 0
) -> Path:
    """An ispyb.toml for core with this database; `more` and `kept` as for `make_core`."""
    file = folder / "ispyb.toml"
    text = CONFIGURATION.format(
        folder=folder, issuer=issuing.toml(), url=url, own_schema=own_schema, more=more, kept=kept
    )
    file.write_text(text, encoding="utf-8")
    return file


def make_core(url: str, folder: Path, issuing: Issuing, *, more: str = "", kept: int = 0) -> Core:
    """A core on this empty database, with the demo rows in it.

    `more` goes into [core]; `kept` is for how many seconds a caller's rights are.
    """
    own_schema = own_schema_of(url)
    file = write_configuration(folder, url, issuing, own_schema, more=more, kept=kept)
    configuration = load(file, environ={})
    database = Database(url)
    schema.create(database, own_schema)
    tables = add_beyond(database, own_schema)
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
    made = make_core(url_of_new(request, folder), folder, issuing)
    yield made
    made.close()


@pytest.fixture(scope="module", params=["sqlite", "mariadb"])
def keeping_core(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory, issuing: Issuing
) -> Iterator[Core]:
    """The same, and it keeps a caller's rights as long as a site's does."""
    folder = tmp_path_factory.mktemp("core")
    made = make_core(url_of_new(request, folder), folder, issuing, kept=30)
    yield made
    made.close()

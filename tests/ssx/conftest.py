"""ssx on a new database, with a core to ask, called as the cast by real tokens."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import orjson
import pytest
from flask.testing import FlaskClient
from tests.cast import ALICE, Issuing, Somebody
from tests.peers.mariadb import url_of_new
from tests.ssx.core_stand_in import RUNNING_BL1, CoreStandIn, Served
from werkzeug.test import TestResponse

from pyispyb_chassis.configuration import Configuration, load
from pyispyb_chassis.database import Database
from pyispyb_ssx.app import create_app
from pyispyb_ssx.migrations import MIGRATIONS

CONFIGURATION = """
state = "{folder}"
{issuer}
[ssx]
database_url = "{url}"
core_url = "{core_url}"
max_batch_body = 100000
{more}
"""


@dataclass(frozen=True, slots=True)
class Ssx:
    """An ssx under test."""

    client: FlaskClient
    issuing: Issuing
    database: Database
    core: CoreStandIn
    configuration: Configuration

    def call(
        self, who: Somebody | None, method: str, path: str, body: Any = None, **headers: str
    ) -> TestResponse:
        """What ssx answers; header names are written with `_` for `-`."""
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        headers = {**self.issuing.bearer(who), **named}
        content: dict[str, Any] = {"data": body} if isinstance(body, bytes) else {"json": body}
        return self.client.open(f"/ssx{path}", method=method, headers=headers, **content)

    def get(self, who: Somebody | None, path: str) -> Any:
        """The JSON of a GET that must work."""
        answer = self.call(who, "GET", path)
        assert answer.status_code == 200, answer.text
        return answer.get_json()

    def open(self, who: Somebody = ALICE, session_id: int = RUNNING_BL1, **more: Any) -> int:
        """The id of a new run."""
        answer = self.call(who, "POST", "/runs", {"sessionId": session_id, **more})
        assert answer.status_code == 201, answer.text
        return int(answer.get_json()["runId"])

    def put(self, run_id: int, n: int, body: Any, who: Somebody = ALICE) -> TestResponse:
        """What ssx answers to a batch."""
        return self.call(who, "PUT", f"/runs/{run_id}/batches/{n}", body)

    def close(self) -> None:
        """Close every connection and end the core."""
        for database in self.client.application.extensions["pyispyb_databases"]:
            database.dispose()
        self.database.dispose()
        self.core.stop()


def make_ssx(
    url: str, folder: Path, issuing: Issuing, more: str, core: Served | None = None
) -> Ssx:
    """An ssx on this empty database; `more` is written into its section."""
    core = core or CoreStandIn()
    core.start()
    file = folder / "ispyb.toml"
    text = CONFIGURATION.format(
        folder=folder, issuer=issuing.toml(), url=url, core_url=core.url, more=more
    )
    file.write_text(text, encoding="utf-8")
    configuration = load(file, environ={})
    database = Database(url)
    assert MIGRATIONS.upgrade(database) is not None
    return Ssx(create_app(configuration).test_client(), issuing, database, core, configuration)


@pytest.fixture(scope="module", params=["sqlite", "mariadb"])
def ssx(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory, issuing: Issuing
) -> Iterator[Ssx]:
    """ssx on SQLite, then on MariaDB; shared by the tests of a module, each opens its own runs."""
    folder = tmp_path_factory.mktemp("ssx")
    made = make_ssx(url_of_new(request, folder), folder, issuing, "access_cache_seconds = 0")
    yield made
    made.close()


@pytest.fixture
def forgetful(each_database: str, tmp_path: Path, issuing: Issuing) -> Iterator[Ssx]:
    """An ssx of its own that uses no answer of core twice, not even when core is down."""
    more = "access_cache_seconds = 0\naccess_stale_seconds = 0"
    made = make_ssx(each_database, tmp_path, issuing, more)
    yield made
    made.close()


def columns(first: int, count: int, **changed: Any) -> dict[str, Any]:
    """A batch of plain images: every second a hit, every fourth indexed with one lattice."""
    lattice = {"cell": [79.1, 78.9, 38, 90, 90.1, 90], "spaceGroup": "P43212", "nIndexed": 20}
    made: dict[str, Any] = {
        "imageNumber": list(range(first, first + count)),
        "hit": [n % 2 == 0 for n in range(count)],
        "nSpots": [n * 3 for n in range(count)],
        "indexed": [n % 4 == 0 for n in range(count)],
        "time": [n / 100 for n in range(count)],
        "resolution": [1.9 if n % 2 == 0 else None for n in range(count)],
        "lattices": [[lattice] if n % 4 == 0 else [] for n in range(count)],
    }
    return {**made, **changed}


def lines(batch: dict[str, list[Any]]) -> bytes:
    """The same batch as NDJSON."""
    names, values = list(batch), list(zip(*batch.values(), strict=True))
    return b"".join(orjson.dumps(dict(zip(names, row, strict=True))) + b"\n" for row in values)

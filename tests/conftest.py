"""What all tests stand on: a private MariaDB, new empty databases, an issuer of real tokens."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.cast import Issuing
from tests.peers.mariadb import MariaDb, url_of_new
from tests.secrets_watch import SecretsWatch, search_below


def pytest_configure(config: pytest.Config) -> None:
    """Watch that no secret gets into a log."""
    config.pluginmanager.register(SecretsWatch(config), "secrets-watch")


@pytest.fixture(scope="session", autouse=True)
def _logs_are_searched(tmp_path_factory: pytest.TempPathFactory) -> None:
    """What servers log below the folders of tests."""
    search_below(tmp_path_factory.getbasetemp())


@pytest.fixture(scope="session")
def mariadb() -> Iterator[MariaDb]:
    """A private MariaDB server, one for the whole run."""
    server = MariaDb()
    yield server
    server.close()


@pytest.fixture(params=["sqlite", "mariadb"])
def each_database(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The URL of a new empty database: of SQLite, then of MariaDB."""
    return url_of_new(request, tmp_path)


@pytest.fixture(scope="session")
def issuing(tmp_path_factory: pytest.TempPathFactory) -> Issuing:
    """An issuer that the services under test trust."""
    return Issuing(tmp_path_factory.mktemp("issuer"))

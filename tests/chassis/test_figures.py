"""What is counted of a database's connections: those in use, and those that were lost."""

from collections.abc import Iterator

import pytest
from sqlalchemy.pool import QueuePool
from tests.peers.mariadb import MariaDb

from pyispyb_chassis.database import Database
from pyispyb_chassis.errors import ServiceError, Unavailable
from pyispyb_chassis.figures import LOST, POOL_IN_USE, POOL_MOST, tell_most, watch_pools


@pytest.fixture
def watched(each_database: str) -> Iterator[Database]:
    database = Database(each_database, pool_size=3)
    watch_pools("watched", database)
    yield database
    database.dispose()


def in_use(use: str) -> float:
    return float(POOL_IN_USE.labels("watched", use)._value.get())  # noqa: SLF001


def test_connections_are_counted_while_they_are_used(watched: Database) -> None:
    with watched.reading(), watched.reading(), watched.writing():
        assert (in_use("read"), in_use("write")) == (2, 1)
    assert (in_use("read"), in_use("write")) == (0, 0)
    with pytest.raises(ServiceError), watched.writing() as connection:
        connection.exec_driver_sql("nonsense")
    assert in_use("write") == 0


def test_what_the_pools_may_open(watched: Database) -> None:
    tell_most("watched", watched)
    assert POOL_MOST.labels("watched", "read")._value.get() == 6  # noqa: SLF001
    held = [watched.read_engine.connect() for _ in range(6)]
    assert isinstance(watched.read_engine.pool, QueuePool)
    assert watched.read_engine.pool.checkedout() == 6
    for connection in held:
        connection.close()


def test_lost_connections_are_counted(mariadb: MariaDb) -> None:
    database = Database(mariadb.url())
    watch_pools("loser", database)

    def lost() -> float:
        return float(LOST.labels("loser")._value.get())  # noqa: SLF001

    with pytest.raises(ServiceError), database.reading() as connection:
        connection.exec_driver_sql("SELECT nonsense")
    assert lost() == 0
    with pytest.raises(Unavailable):
        end_its_own_connection(database)
    assert lost() == 1
    database.dispose()


def end_its_own_connection(database: Database) -> None:
    """As if the server had gone while a request was under way."""
    with database.reading() as connection:
        own = connection.exec_driver_sql("SELECT CONNECTION_ID()").scalar_one()
        with database.writing() as other:
            other.exec_driver_sql(f"KILL {own}")
        connection.exec_driver_sql("SELECT 1")

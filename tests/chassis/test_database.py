"""A database on both kinds: what its faults become, and what happens while its server is away."""

import gc
import logging
import multiprocessing
import threading
import time
from collections.abc import Iterator
from typing import Any

import pytest
import sqlalchemy as sa
from sqlalchemy import event
from tests.peers.mariadb import MariaDb

from pyispyb_chassis.database import Database
from pyispyb_chassis.errors import Conflict, ServiceError, Unavailable, Unprocessable

# PyMySQL leaves the socket of a refused connection to the collector.
pytestmark = pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")


@pytest.fixture
def database(each_database: str) -> Iterator[Database]:
    """Two tables, one row each, one referring to the other."""
    opened = Database(each_database)
    with opened.writing() as connection:
        connection.exec_driver_sql(
            "CREATE TABLE parent (id INTEGER PRIMARY KEY, name VARCHAR(5) UNIQUE)"
        )
        connection.exec_driver_sql(
            "CREATE TABLE child (id INTEGER PRIMARY KEY, n INTEGER NOT NULL,"
            " parent INTEGER, FOREIGN KEY (parent) REFERENCES parent (id))"
        )
        connection.exec_driver_sql("INSERT INTO parent VALUES (1, 'uno')")
        connection.exec_driver_sql("INSERT INTO child VALUES (1, 0, 1)")
    yield opened
    opened.dispose()


@pytest.fixture
def server() -> Iterator[MariaDb]:
    """A server that this test may hurt."""
    own = MariaDb()
    yield own
    own.close()
    gc.collect()  # while those warnings are still ours


@pytest.mark.parametrize(
    ("statement", "raised"),
    [
        ("INSERT INTO parent VALUES (1, 'two')", Conflict),
        ("INSERT INTO parent VALUES (2, 'uno')", Conflict),
        ("INSERT INTO child VALUES (2, 0, 99)", Conflict),
        ("DELETE FROM parent WHERE id = 1", Conflict),
        ("INSERT INTO child VALUES (2, NULL, 1)", Unprocessable),
        ("INSERT INTO nowhere VALUES (1)", ServiceError),
    ],
)
def test_a_fault_is_a_noun_and_names_no_sql(
    database: Database, statement: str, raised: type[ServiceError]
) -> None:
    with pytest.raises(ServiceError) as caught, database.writing() as connection:
        connection.exec_driver_sql(statement)
    assert type(caught.value) is raised
    for word in ("INSERT", "parent", "child", "nowhere", "uno"):
        assert word not in caught.value.detail.split()


def test_nothing_of_a_transaction_that_raises_is_kept(database: Database) -> None:
    def insert_and_raise(error: Exception) -> None:
        with database.writing() as connection:
            connection.exec_driver_sql("INSERT INTO parent VALUES (5, 'five')")
            raise error

    for error in (Conflict(), ZeroDivisionError()):
        with pytest.raises(type(error)):
            insert_and_raise(error)
    assert count(database, "parent") == 1


def test_each_statement_of_a_reading_sees_its_own_moment(database: Database) -> None:
    with database.reading() as reading:
        before = reading.exec_driver_sql("SELECT count(*) FROM parent").scalar()
        with database.writing() as writing:
            writing.exec_driver_sql("INSERT INTO parent VALUES (7, 'seven')")
        after = reading.exec_driver_sql("SELECT count(*) FROM parent").scalar()
    assert (before, after) == (1, 2)


def test_no_value_of_a_row_gets_into_the_log(
    database: Database, caplog: pytest.LogCaptureFixture
) -> None:
    value = "-".join(["ge", "heim"])  # not as it stands in this line, which the trace quotes
    with pytest.raises(ServiceError), database.writing() as connection:
        connection.execute(sa.text("INSERT INTO nowhere VALUES (:it)"), {"it": value})
    assert value not in caplog.text
    assert [record.levelno for record in caplog.records] == [logging.ERROR]


def test_processes_that_count_at_once_lose_nothing(database: Database) -> None:
    url = database.url.render_as_string(hide_password=False)
    several = [
        multiprocessing.get_context("spawn").Process(target=add, args=(url, 40)) for _ in range(3)
    ]
    for one in several:
        one.start()
    for one in several:
        one.join()
    assert [one.exitcode for one in several] == [0, 0, 0]
    with database.reading() as connection:
        assert connection.exec_driver_sql("SELECT n FROM child").scalar() == 120


def add(url: str, times: int) -> None:
    """Add one so many times, each in a transaction that reads and then writes."""
    database = Database(url)
    for _ in range(times):
        with database.writing() as connection:
            lock = "" if database.is_sqlite else " FOR UPDATE"
            n = connection.exec_driver_sql(f"SELECT n FROM child{lock}").scalar_one()
            connection.execute(sa.text("UPDATE child SET n = :n"), {"n": n + 1})
    database.dispose()


def test_a_forked_process_starts_afresh_and_leaves_its_parent_alone(database: Database) -> None:
    count(database, "parent")
    child = multiprocessing.get_context("fork").Process(target=renew_and_count, args=(database,))
    child.start()
    child.join()
    assert child.exitcode == 0
    assert count(database, "parent") == 1


def renew_and_count(database: Database) -> None:
    database.renew()
    assert count(database, "parent") == 1


def count(database: Database, table: str) -> int:
    with database.reading() as connection:
        return connection.exec_driver_sql(f"SELECT count(*) FROM {table}").scalar_one()


def timed(database: Database, statement: str = "SELECT 1") -> tuple[str, float]:
    """What a reading comes to, and after how many seconds."""
    began = time.monotonic()
    try:
        with database.reading() as connection:
            connection.exec_driver_sql(statement)
    except Unavailable:
        return "unavailable", time.monotonic() - began
    return "well", time.monotonic() - began


@pytest.mark.parametrize(
    ("hurt", "heal", "first_within"),
    [(MariaDb.kill, MariaDb.start, 3.0), (MariaDb.pause, MariaDb.resume, 10.0)],
    ids=["killed", "hung"],
)
@pytest.mark.parametrize("pool", ["full", "empty"])
def test_a_server_that_is_away_is_told_soon_and_found_again(
    server: MariaDb, hurt: object, heal: object, first_within: float, pool: str
) -> None:
    assert callable(hurt)
    assert callable(heal)
    database = Database(server.url())
    if pool == "full":
        assert timed(database)[0] == "well"
    hurt(server)
    said, seconds = timed(database)
    assert said == "unavailable"
    assert seconds < first_within
    # One was told slowly; those after it are told at once.
    for _ in range(5):
        said, seconds = timed(database)
        assert (said, seconds < 1.5) == ("unavailable", True)
    heal(server)
    deadline = time.monotonic() + 20
    while timed(database)[0] != "well":
        assert time.monotonic() < deadline
        time.sleep(0.1)
    with database.writing() as connection:
        connection.exec_driver_sql("SELECT 1")
    database.dispose()


def test_a_server_that_hangs_in_the_middle_of_an_answer(server: MariaDb) -> None:
    database = Database(server.url())
    assert timed(database)[0] == "well"
    told: list[tuple[str, float]] = []
    asking = threading.Thread(target=lambda: told.append(timed(database, "SELECT sleep(1)")))
    asking.start()
    time.sleep(0.4)
    server.pause()
    asking.join()
    assert told[0][0] == "unavailable"
    assert told[0][1] < 15
    server.resume()
    database.dispose()


def test_a_row_that_another_holds_is_busy_not_broken(server: MariaDb) -> None:
    database = Database(server.url())
    with database.writing() as connection:
        connection.exec_driver_sql("CREATE TABLE t (id INTEGER PRIMARY KEY)")
        connection.exec_driver_sql("INSERT INTO t VALUES (1)")
    with database.writing() as holder:
        holder.exec_driver_sql("SELECT * FROM t FOR UPDATE")
        began = time.monotonic()
        with pytest.raises(Unavailable, match="busy"), database.writing() as other:
            other.exec_driver_sql("UPDATE t SET id = 2")
        assert time.monotonic() - began < 15
        assert timed(database)[0] == "well"
    database.dispose()


def test_a_full_disk_is_told_and_costs_no_row_that_is_there(database: Database) -> None:
    """SQLite's file may grow no further; MariaDB's table may be no larger than its memory."""
    if database.is_sqlite:

        def bound(connection: Any, _record: object) -> None:
            connection.execute("PRAGMA max_page_count = 16")

        event.listen(database.write_engine, "connect", bound)
        database.write_engine.dispose()
    else:
        with database.writing() as connection:
            connection.exec_driver_sql("SET SESSION max_heap_table_size = 16384")
            connection.exec_driver_sql("DROP TABLE child")
            child = "CREATE TABLE child (id INTEGER PRIMARY KEY, n INTEGER, parent CHAR(200))"
            connection.exec_driver_sql(f"{child} ENGINE = MEMORY")
            connection.exec_driver_sql("INSERT INTO child VALUES (1, 0, '')")
    with pytest.raises(Unavailable, match="has no room for it") as raised:  # noqa: PT012
        for n in range(2, 10_000):
            with database.writing() as connection:
                connection.execute(
                    sa.text("INSERT INTO child (id, n, parent) VALUES (:id, 0, :parent)"),
                    {"id": n, "parent": None if database.is_sqlite else "x" * 200},
                )
    assert int(raised.value.headers["Retry-After"]) > 0
    assert count(database, "parent") == 1
    assert count(database, "child") == n - 1


def test_a_server_that_takes_no_writes(server: MariaDb) -> None:
    """As a replica does, and a server in the middle of a failover."""
    url = sa.engine.make_url(server.url())
    root = Database(url.render_as_string(hide_password=False))
    with root.writing() as connection:
        connection.exec_driver_sql("CREATE TABLE t (id INTEGER PRIMARY KEY)")
        connection.exec_driver_sql("CREATE USER plain@localhost")
        connection.exec_driver_sql(f"GRANT ALL ON `{url.database}`.* TO plain@localhost")
    database = Database(url.set(username="plain").render_as_string(hide_password=False))
    for read_only in (1, 0):
        with root.writing() as connection:
            connection.exec_driver_sql(f"SET GLOBAL read_only = {read_only}")
        assert count(database, "t") == 0
        if read_only:
            with pytest.raises(Unavailable, match="takes no writes"), database.writing() as one:
                one.exec_driver_sql("INSERT INTO t VALUES (1)")
    with database.writing() as connection:
        connection.exec_driver_sql("INSERT INTO t VALUES (1)")
    for one in (database, root):
        one.dispose()


@pytest.mark.parametrize("each_database", ["mariadb"], indirect=True)
def test_a_row_that_is_too_large_is_the_body_s_fault(database: Database) -> None:
    texts = ", ".join(f"t{n} VARCHAR(255)" for n in range(60))
    with database.writing() as connection:
        made = f"CREATE TABLE wide (id INTEGER PRIMARY KEY, {texts}) ROW_FORMAT=REDUNDANT"
        connection.exec_driver_sql("SET SESSION innodb_strict_mode = 0")
        connection.exec_driver_sql(f"{made} DEFAULT CHARSET=latin1")
    values = ", ".join(["REPEAT('x', 255)"] * 60)
    with pytest.raises(Unprocessable, match="larger than the database takes"):  # noqa: SIM117
        with database.writing() as connection:
            connection.exec_driver_sql(f"INSERT INTO wide VALUES (1, {values})")
    assert count(database, "wide") == 0


def test_a_sqlite_file_that_cannot_be_opened(tmp_path: pytest.TempPathFactory) -> None:
    database = Database(f"sqlite:///{tmp_path}")
    with pytest.raises(Unavailable), database.reading() as connection:
        connection.exec_driver_sql("SELECT 1")


LONG = {
    "sqlite": "WITH RECURSIVE c(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM c WHERE x < 1000000000)"
    " SELECT count(*) FROM c",
    "mariadb": "SELECT count(*) FROM seq_1_to_100000 a, seq_1_to_100000 b"
    " WHERE a.seq * b.seq = MD5('x')",
}


@pytest.mark.parametrize("engine", ["reading", "writing"])
def test_a_statement_that_takes_long_is_ended_in_the_server_too(
    each_database: str, engine: str
) -> None:
    database = Database(each_database, query_timeout=0.5)
    long = LONG["sqlite" if database.is_sqlite else "mariadb"]
    begun = time.monotonic()
    with pytest.raises(Unavailable) as raised, getattr(database, engine)() as connection:
        connection.exec_driver_sql(long).all()
    assert time.monotonic() - begun < 20
    assert "took too long" in raised.value.detail
    assert raised.value.headers["Retry-After"]
    with database.reading() as connection:
        if not database.is_sqlite:
            running = connection.exec_driver_sql("SHOW FULL PROCESSLIST").all()
            assert not [row for row in running if row[7] and "seq_1" in row[7]]
        assert connection.exec_driver_sql("SELECT 1").scalar_one() == 1
    database.dispose()

"""A database as two engines, on SQLite and MariaDB: autocommitted reads, explicit writes."""

import logging
import math
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from pymysql.connections import Connection as PyMySqlConnection
from sqlalchemy import event, exc
from sqlalchemy.engine import Connection, Engine, make_url

from pyispyb_chassis.breaker import Breaker
from pyispyb_chassis.errors import (
    BadRequest,
    Conflict,
    Forbidden,
    ServiceError,
    Unavailable,
    Unprocessable,
)
from pyispyb_chassis.ids import request_id

log = logging.getLogger(__name__)

CONNECT_TIMEOUT = 1
# Below the gateway's own time-out, so that the client hears our 503 and not its 504.
ANSWER_TIMEOUT = 4
# A cold server may take its time to tell what it is made of.
LOOK_TIMEOUT = 60

# What MariaDB and PyMySQL say when the server is gone, too busy, or was told to give up.
_GONE = {2002, 2003, 2006, 2013, 2014, 1053, 1927}
# The wrong password, no right to the schema, no such schema.
NOT_LET_IN = {1044, 1045, 1049, 1698}
_DENIED = {1142, 1143, 1370}
_BUSY = {1040, 1203, 1205, 1213, 1317}
_TOOK_TOO_LONG = {1969, 3024}
# No room for a table or on the disk; some messages say it in the system's own words alone.
_FULL = {1021, 1114}
_NO_SPACE = ("No space left on device", "disk is full")
# The server takes no writes: it is a replica, as during a failover.
_READ_ONLY = {1290, 1836}
# Steps of SQLite's machine between two looks at the clock: about a millisecond.
_STEPS = 20_000
_MODE = "STRICT_TRANS_TABLES,ERROR_FOR_DIVISION_BY_ZERO,NO_ENGINE_SUBSTITUTION"
_NOT_IN_THIS_CHARACTER_SET = {1267, 1270, 1271, 3988}
# A row of many long texts, or one longer than a packet.
_TOO_LARGE = {1118, 1153}
_REFERS_TO_NOTHING = {1452, 1216}
_IS_REFERRED_TO = {1451, 1217}


class Database:
    """One database of one service.

    `reading()` and `writing()` give a connection; a server that is down is Unavailable, quickly.
    A statement that takes longer than `query_timeout` seconds is ended, in the server too.
    """

    def __init__(
        self,
        url: str,
        *,
        name: str = "the database",
        pool_size: int = 8,
        query_timeout: float | None = None,
    ) -> None:
        self.url = make_url(url)
        self.is_sqlite = self.url.get_backend_name() == "sqlite"
        self.most_connections = 2 * pool_size
        self.name = name
        self._breaker = Breaker(name)
        self._held: str | None = None
        if self.is_sqlite:
            self.read_engine, self.write_engine = _sqlite(self.url, pool_size, query_timeout)
        else:
            self.read_engine, self.write_engine = _mariadb(self.url, pool_size, query_timeout)

    @contextmanager
    def reading(self) -> Iterator[Connection]:
        """A connection that sees each statement's own moment and changes nothing."""
        with self._answering(self._held), self.read_engine.connect() as connection:
            yield connection

    @contextmanager
    def writing(self) -> Iterator[Connection]:
        """One transaction: committed at the end, rolled back on any raise."""
        with self._answering(self._held), self.write_engine.begin() as connection:
            yield connection

    @contextmanager
    def looking(self) -> Iterator[Connection]:
        """A connection to look at the database itself with: it may be held, and slow."""
        with self._answering(None), self._patient().connect() as connection:
            yield connection

    @contextmanager
    def changing(self) -> Iterator[Connection]:
        """A connection to change what the database is made of with: its statements take their time.

        Each is done at once on MariaDB, and all of them together on SQLite.
        """
        if self.is_sqlite:
            with self.writing() as connection:
                yield connection
            return
        engine = sa.create_engine(
            self.url,
            poolclass=sa.NullPool,
            isolation_level="AUTOCOMMIT",
            connect_args={
                "connect_timeout": CONNECT_TIMEOUT,
                "charset": "utf8mb4",
                "init_command": f"SET time_zone='+00:00', sql_mode='{_MODE}'",
            },
        )
        with self._answering(None), engine.connect() as connection:
            yield connection

    def hold(self, reason: str | None) -> None:
        """Refuse all reads and writes for this reason, until told otherwise (None)."""
        self._held = reason

    def _patient(self) -> Engine:
        """An engine whose statements may take longer than any request does."""
        if self.is_sqlite:
            return self.read_engine
        waits = {"connect_timeout": CONNECT_TIMEOUT, "read_timeout": LOOK_TIMEOUT}
        engine = sa.create_engine(self.url, poolclass=sa.NullPool, connect_args=waits)
        event.listen(engine, "do_connect", _connect)
        return engine

    def fault(self) -> str | None:
        """One line where the database does not answer, else None; a check for readiness."""
        try:
            with self.reading() as connection:
                connection.exec_driver_sql("SELECT 1")
        except ServiceError as error:
            return error.detail
        return None

    def dispose(self) -> None:
        """Close every pooled connection."""
        self.read_engine.dispose()
        self.write_engine.dispose()

    def renew(self) -> None:
        """Start afresh in a forked process; the pooled connections are still its parent's."""
        self.read_engine.dispose(close=False)
        self.write_engine.dispose(close=False)

    @contextmanager
    def _answering(self, held: str | None) -> Iterator[None]:
        if held is not None:
            raise Unavailable(held)
        self._breaker.check()
        try:
            yield
        except ServiceError:
            raise
        except exc.DBAPIError as error:
            raise self._noun_of(error) from error
        except exc.TimeoutError as error:
            raise Unavailable("the database is busy") from error
        self._breaker.worked()

    def _noun_of(self, error: exc.DBAPIError) -> ServiceError:
        """The service's own error for a driver's; SQL and values stay in the log."""
        code = error.orig.args[0] if error.orig is not None and error.orig.args else None
        text = str(error.orig)
        if code in _GONE or error.connection_invalidated or "unable to open" in text:
            self.read_engine.dispose()
            self.write_engine.dispose()
            log.warning("database unavailable", extra={"code": code})
            return self._breaker.failed()
        if code in NOT_LET_IN:
            log.error("not let into the database", extra={"code": code})
            self._breaker.failed()
            return Unavailable(f"{self.name} does not let this service in (error {code})")
        if code in _TOOK_TOO_LONG or text == "interrupted":
            return Unavailable("the query took too long; ask for less, or for fewer rows")
        if code in _BUSY or "database is locked" in text:
            return Unavailable("the database is busy")
        if code in _FULL or any(words in text for words in _NO_SPACE):
            log.error("no room in the database", extra={"code": code, "fault": text})
            return Unavailable(f"{self.name} has no room for it")
        if code in _READ_ONLY or "readonly database" in text:
            log.error("the database takes no writes", extra={"code": code})
            return Unavailable(f"{self.name} takes no writes at the moment")
        refusal = _refusal_of(error, code, text)
        if refusal is None:
            log.error("database fault", exc_info=error)
            return ServiceError("an unexpected fault; it is in the log under this request_id")
        return refusal


def _refusal_of(error: exc.DBAPIError, code: object, text: str) -> ServiceError | None:
    """What the database has against a statement, its values or its user; None for a fault."""
    if code in _NOT_IN_THIS_CHARACTER_SET:
        return BadRequest("a text of the query has characters that the database does not know")
    if code in _DENIED:
        log.warning("not granted in the database", exc_info=error)
        return Forbidden("the user by which this service comes to its database may not do this")
    if isinstance(error, exc.IntegrityError):
        if code in _REFERS_TO_NOTHING or code in _IS_REFERRED_TO or "FOREIGN KEY" in text:
            return Conflict("it refers to something that is gone, or something refers to it")
        if code in {1048, 4025, 1364} or "NOT NULL" in text:
            return Unprocessable("the database does not accept a value of this body")
        return Conflict("there is one like it already")
    if code in _TOO_LARGE:
        return Unprocessable("the row is larger than the database takes")
    if isinstance(error, exc.DataError):
        return Unprocessable("the database does not accept a value of this body")
    return None


class _Impatient(PyMySqlConnection):
    """Waits for a greeting or a pong less long than for an answer.

    A hung server still accepts connections, and the driver has one time-out for all it reads.
    """

    _read_timeout: float | None

    def connect(self, sock: Any = None) -> None:
        with self._soon():
            super().connect(sock)

    def ping(self, _reconnect: object = None) -> None:
        with self._soon():
            super().ping(reconnect=False)

    @contextmanager
    def _soon(self) -> Iterator[None]:
        usual = self._read_timeout
        self._read_timeout = CONNECT_TIMEOUT
        try:
            yield
        finally:
            self._read_timeout = usual


def _connect(_dialect: Any, _record: Any, arguments: Any, settings: Any) -> _Impatient:
    return _Impatient(*arguments, **settings)


def _mariadb(url: sa.URL, pool_size: int, query_timeout: float | None) -> tuple[Engine, Engine]:
    # A server that is not strict would cut texts and turn wrong values into others.
    session = f"SET time_zone='+00:00', innodb_lock_wait_timeout=2, sql_mode='{_MODE}'"
    if query_timeout is not None:
        session += f", max_statement_time={query_timeout:g}"
    common: dict[str, Any] = {
        "hide_parameters": True,
        "pool_size": pool_size,
        "max_overflow": pool_size,
        "pool_timeout": ANSWER_TIMEOUT,
        "pool_recycle": 1800,
        "pool_pre_ping": True,
        "connect_args": {
            "connect_timeout": CONNECT_TIMEOUT,
            "read_timeout": ANSWER_TIMEOUT,
            "write_timeout": ANSWER_TIMEOUT,
            "charset": "utf8mb4",
            "init_command": session,
        },
    }
    read = sa.create_engine(
        url, isolation_level="AUTOCOMMIT", skip_autocommit_rollback=True, **common
    )
    write = sa.create_engine(url, isolation_level="READ COMMITTED", **common)
    for engine in (read, write):
        event.listen(engine, "do_connect", _connect)
        event.listen(engine, "before_cursor_execute", _name_the_request, retval=True)
    return read, write


def _name_the_request(
    _connection: Connection, _cursor: Any, statement: str, parameters: Any, *_: Any
) -> tuple[str, Any]:
    """Put the request's id behind the SQL, so that the database's slow log has it."""
    name = request_id()
    return (f"{statement} /* {name} */" if name else statement), parameters


def _sqlite(url: sa.URL, pool_size: int, query_timeout: float | None) -> tuple[Engine, Engine]:
    if url.database:
        Path(url.database).parent.mkdir(parents=True, exist_ok=True)
    common: dict[str, Any] = {"hide_parameters": True}
    if url.database:  # one in memory is one connection, and has another pool
        common |= {"pool_size": pool_size, "max_overflow": pool_size}
    read = sa.create_engine(url, isolation_level="AUTOCOMMIT", **common)
    write = sa.create_engine(url, **common)
    for engine in (read, write):
        event.listen(engine, "connect", _open_sqlite)
        if query_timeout is not None:
            _end_what_takes_long(engine, query_timeout)
    # Python's own deferred BEGIN loses updates between processes.
    event.listen(write, "connect", _leave_begin_to_us)
    event.listen(write, "begin", _begin_immediately)
    return read, write


def _open_sqlite(connection: Any, _record: Any) -> None:
    for pragma in (
        "foreign_keys=ON",
        "busy_timeout=4000",
        "journal_mode=WAL",
        "synchronous=NORMAL",
    ):
        connection.execute(f"PRAGMA {pragma}")


def _end_what_takes_long(engine: Engine, seconds: float) -> None:
    """Interrupt a statement that runs longer than this."""

    def watch(connection: Any, record: Any) -> None:
        def is_over() -> bool:
            return bool(time.monotonic() > record.info.get("ends", math.inf))

        connection.set_progress_handler(is_over, _STEPS)

    def start(connection: Connection, *_: Any) -> None:
        connection.info["ends"] = time.monotonic() + seconds

    event.listen(engine, "connect", watch)
    event.listen(engine, "before_cursor_execute", start)


def _leave_begin_to_us(connection: Any, _record: Any) -> None:
    connection.isolation_level = None


def _begin_immediately(connection: Connection) -> None:
    connection.exec_driver_sql("BEGIN IMMEDIATE")

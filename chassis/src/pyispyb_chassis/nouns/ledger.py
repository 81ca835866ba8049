"""The engine's own two tables: who changed what, and which creating requests were answered."""

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from pyispyb_chassis.errors import BadRequest, Conflict
from pyispyb_chassis.ids import request_id

KEPT = timedelta(days=14)
LONGEST_KEY = 255
# MariaDB: lock wait timed out; deadlock.
_LOCKED_BY_ANOTHER = {1205, 1213}


@dataclass(frozen=True, slots=True)
class Attempt:
    """A creating request that carries an Idempotency-Key, and whose it is."""

    issuer: str
    login: str
    method: str
    path: str
    key: str
    body: bytes

    @property
    def scope(self) -> str:
        """The hash under which this attempt is known."""
        text = "\0".join((self.issuer, self.login, self.method, self.path, self.key))
        return hashlib.sha256(text.encode()).hexdigest()

    @property
    def content(self) -> str:
        """The hash of what was sent."""
        return hashlib.sha256(self.body).hexdigest()


def checked_key(key: str | None) -> str | None:
    """The header's value, or None where there is none. Raises BadRequest for an unusable one."""
    if key is not None and not (key and len(key) <= LONGEST_KEY and key.isprintable()):
        raise BadRequest(f"Idempotency-Key takes 1 to {LONGEST_KEY} printable characters")
    return key


class Ledger:
    """Change rows and kept answers, written in the same transaction as what they tell of.

    On MariaDB in a schema of their own on the same server, on SQLite in the same file, prefixed.
    """

    def __init__(
        self, metadata: sa.MetaData, *, schema: str | None = None, prefix: str = ""
    ) -> None:
        self.change = sa.Table(
            f"{prefix}Change",
            metadata,
            sa.Column("changeId", sa.Integer, primary_key=True),
            sa.Column("noun", sa.String(64), nullable=False),
            sa.Column("rowId", sa.String(64), nullable=False),
            sa.Column("action", sa.String(8), nullable=False),
            sa.Column("login", sa.String(255), nullable=False),
            sa.Column("fields", sa.Text, nullable=False),
            sa.Column("time", sa.DateTime, nullable=False, index=True),
            sa.Column("requestId", sa.String(64), nullable=False),
            sa.Index(f"{prefix}Change_of_row", "noun", "rowId"),
            schema=schema,
        )
        self.answer = sa.Table(
            f"{prefix}IdempotentAnswer",
            metadata,
            sa.Column("scope", sa.String(64), primary_key=True),
            sa.Column("content", sa.String(64), nullable=False),
            sa.Column("rowId", sa.String(64), nullable=True),
            sa.Column("time", sa.DateTime, nullable=False, index=True),
            schema=schema,
        )

    def is_there(self, connection: Connection) -> bool:
        """Whether its tables are there; without them nothing may be written."""
        look = sa.inspect(connection)
        return all(look.has_table(table.name, schema=table.schema) for table in self.tables)

    @property
    def tables(self) -> tuple[sa.Table, sa.Table]:
        """Both tables, to be made where they are missing."""
        return self.change, self.answer

    def record(
        self,
        connection: Connection,
        noun: str,
        row_id: object,
        action: str,
        login: str,
        fields: Iterable[str],
    ) -> None:
        """Leave a change row: what, which, by whom, which fields, when (UTC), under which id."""
        connection.execute(
            self.change.insert().values(
                noun=noun,
                rowId=str(row_id),
                action=action,
                login=login,
                fields=",".join(fields),
                time=_now(),
                requestId=request_id(),
            )
        )

    def begin(self, connection: Connection, attempt: Attempt) -> str | None:
        """Take the attempt's place: None for a first time, else the row id it was answered with.

        Raises Conflict for another body under the same key, or while the first is in flight.
        """
        found = self._answered(connection, attempt)
        if found is not None:
            return found
        answer, oldest = self.answer, _now() - KEPT
        place = answer.insert().values(
            scope=attempt.scope, content=attempt.content, rowId=None, time=_now()
        )
        try:
            # Only one that is too old goes: a fresh one may be another's, committed just now.
            old = sa.and_(answer.c.scope == attempt.scope, answer.c.time < oldest)
            connection.execute(answer.delete().where(old))
            connection.execute(place)
        except sa.exc.IntegrityError:
            return self._answered(connection, attempt)
        except sa.exc.OperationalError as error:
            if error.orig is not None and error.orig.args[0] in _LOCKED_BY_ANOTHER:
                raise Conflict(
                    "a request with this Idempotency-Key is in flight", headers={"Retry-After": "1"}
                ) from error
            raise
        return None

    def _answered(self, connection: Connection, attempt: Attempt) -> str | None:
        """The row id that this attempt was answered with. Raises Conflict for another body."""
        answer = self.answer
        kept = sa.and_(answer.c.scope == attempt.scope, answer.c.time >= _now() - KEPT)
        columns = sa.select(answer.c.content, answer.c.rowId)
        found = connection.execute(columns.where(kept)).first()
        if found is None:
            return None
        if found.content != attempt.content:
            raise Conflict("this Idempotency-Key was used with another body")
        return str(found.rowId)

    def finish(self, connection: Connection, attempt: Attempt, row_id: object) -> None:
        """Keep what the attempt made."""
        connection.execute(
            self.answer.update()
            .where(self.answer.c.scope == attempt.scope)
            .values(rowId=str(row_id))
        )

    def finish_all(self, connection: Connection, attempt: Attempt, row_ids: Iterable[Any]) -> None:
        """Keep the rows that one attempt made, in their order; its own place has their number."""
        places = [
            {"scope": _place_of(attempt, n), "content": attempt.content, "rowId": str(row_id),
             "time": _now()}
            for n, row_id in enumerate(row_ids)
        ]  # fmt: skip
        connection.execute(self.answer.insert(), places)
        self.finish(connection, attempt, len(places))

    def made(self, connection: Connection, attempt: Attempt, number: int) -> list[str]:
        """The rows that an attempt made which made many."""
        scopes = [_place_of(attempt, n) for n in range(number)]
        kept = sa.select(self.answer.c.scope, self.answer.c.rowId)
        found = connection.execute(kept.where(self.answer.c.scope.in_(scopes)))
        by_scope = {row.scope: str(row.rowId) for row in found}
        return [by_scope[scope] for scope in scopes]


def _place_of(attempt: Attempt, n: int) -> str:
    return hashlib.sha256(f"{attempt.scope}:{n}".encode()).hexdigest()


def _now() -> datetime:
    return datetime.now(UTC).replace(tzinfo=None, microsecond=0)


def forget(connection: Connection, ledger: Ledger) -> int:
    """Delete the kept answers that are too old to be asked for; gives their number."""
    old = ledger.answer.c.time < _now() - KEPT
    result: Any = connection.execute(ledger.answer.delete().where(old))
    return int(result.rowcount)

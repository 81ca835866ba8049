"""Holding the site's database against what core wants, and adding what it lacks."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection
from sqlalchemy.exc import DBAPIError

from pyispyb_chassis.database import Database
from pyispyb_core.operations.schema import tables_of
from pyispyb_core.operations.schema_steps import Compared, Step, compared
from pyispyb_core.operations.schema_wanted import wanted_of
from pyispyb_core.tables import Tables

# How long one waits for a server to see that an upgrade before it has ended, in seconds.
LOCK_WAIT = 2
NEEDED = "Proposal"
UNCHECKED = "SET SESSION foreign_key_checks = 0"
# A registered dewar had one proposal, in its own row. Copied once: whoever takes one off later
# does not find it back.
COPY = """INSERT INTO DewarRegistry_has_Proposal (dewarRegistryId, proposalId, labContactId)
SELECT dewarRegistryId, proposalId, labContactId FROM DewarRegistry
WHERE proposalId IS NOT NULL AND NOT EXISTS (SELECT 1 FROM DewarRegistry_has_Proposal)"""


class CannotUpgrade(Exception):
    """There is no ISPyB here, or another upgrade of it is under way."""


@dataclass(slots=True)
class Status:
    """What upgrade would do, what it leaves as it is, and what the database has besides."""

    steps: list[Step] = field(default_factory=list)
    left: list[str] = field(default_factory=list)
    more: list[str] = field(default_factory=list)

    def add(self, one: Compared) -> None:
        """Take in what one table told."""
        self.steps += one.steps
        self.left += one.left
        self.more += one.more


@dataclass(frozen=True, slots=True)
class Failed:
    """A step that the database refused, and why."""

    step: Step
    why: str


def status(database: Database, own_schema: str) -> Status:
    """Read what the database has and lacks; changes nothing."""
    with database.looking() as connection:
        return _Schema(connection, tables_of(database, own_schema), own_schema).status()


def statements(database: Database, own_schema: str) -> list[str]:
    """What upgrade would do, as SQL; changes nothing."""
    steps = [step.statement for step in status(database, own_schema).steps]
    return [UNCHECKED, *steps] if steps and not database.is_sqlite else steps


def upgrade(database: Database, own_schema: str) -> Iterator[Step | Failed]:
    """Do what can be added, table by table; gives each step when it is done or refused.

    Each table is read again after each of its steps, so that one that was stopped in the middle
    goes on where it was. A step that is refused stops no other.
    """
    with database.changing() as connection, _alone(connection):
        schema = _Schema(connection, tables_of(database, own_schema), own_schema)
        yield from schema.upgrade()


class _Schema:
    """The tables of a database and those that are wanted of it."""

    def __init__(self, connection: Connection, tables: Tables, own_schema: str) -> None:
        self._connection = connection
        self._own_schema = None if connection.dialect.name == "sqlite" else own_schema
        self._own = {table.key for table in tables.own}
        look = sa.inspect(connection)
        self._names = {name.lower() for name in look.get_table_names()}
        self._names |= {name.lower() for name in look.get_view_names()}
        if NEEDED.lower() not in self._names:
            raise CannotUpgrade(
                f"there is no table {NEEDED} in this database: pyispyb-core schema create makes it"
            )
        self._has_schema = self._own_schema is None or self._own_schema in look.get_schema_names()
        self._own_names = self._names
        if self._own_schema is not None:
            here = look.get_table_names(self._own_schema) if self._has_schema else []
            self._own_names = {name.lower() for name in here}
        self._tables = wanted_of(tables.metadata, self._kinds(look, tables.metadata))

    def _kinds(
        self, look: sa.Inspector, wanted: sa.MetaData
    ) -> dict[tuple[str, str], sa.types.TypeEngine[Any]]:
        """The types of the columns that foreign keys lead to."""
        if self._connection.dialect.name == "sqlite":
            return {}
        targets = {
            key.column.table.name
            for table in wanted.tables.values()
            for key in table.foreign_keys
            if str(key.column.table.name).lower() in self._names
        }
        return {
            (name.lower(), str(column["name"]).lower()): column["type"]
            for name in targets
            for column in look.get_columns(name)
        }

    def status(self) -> Status:
        found = Status()
        if not self._has_schema:
            found.steps.append(self._schema_step())
        look = sa.inspect(self._connection)
        for table in self._tables.tables.values():
            found.add(compared(self._connection, table, look, self._names_of(table)))
        found.steps += self._copies(look)
        known = {str(table.name).lower() for table in self._tables.tables.values()}
        found.more += sorted(f"table {name}" for name in look.get_table_names()
                             if name.lower() not in known)  # fmt: skip
        return found

    def upgrade(self) -> Iterator[Step | Failed]:
        if not self._has_schema:
            yield self._do(self._schema_step())
        if self._connection.dialect.name != "sqlite":
            # Two tables may lead to each other, and the one that is made first leads to none yet.
            self._connection.exec_driver_sql(UNCHECKED)
        for table in self._tables.tables.values():
            tried: set[str] = set()
            while (step := self._next(table, tried)) is not None:
                tried.add(step.told)
                yield self._do(step)
                self._names_of(table).add(str(table.name).lower())

        for step in self._copies(sa.inspect(self._connection)):
            yield self._do(step)

    def _copies(self, look: sa.Inspector) -> Iterator[Step]:
        """What was kept elsewhere before there was a table for it."""
        old, new = (
            self._tables.tables[name] for name in ("DewarRegistry", "DewarRegistry_has_Proposal")
        )
        there = look.get_columns(old.name) if old.name.lower() in self._names else []
        if not {"proposalid", "labcontactid"} <= {str(one["name"]).lower() for one in there}:
            return
        is_new = new.name.lower() not in self._names or not self._has_row(sa.select(new.c[0]))
        if is_new and self._has_row(
            sa.select(old.c.proposalId).where(old.c.proposalId.is_not(None))
        ):
            yield Step(f"proposals of registered dewars in {new.name}", COPY)

    def _has_row(self, rows: sa.Select[Any]) -> bool:
        return self._connection.execute(rows.limit(1)).first() is not None

    def _next(self, table: sa.Table, tried: set[str]) -> Step | None:
        look = sa.inspect(self._connection)
        names = self._names_of(table)
        if tried and not look.has_table(str(table.name), schema=table.schema):
            return None  # it could not be made
        steps = compared(self._connection, table, look, names).steps
        return next((step for step in steps if step.told not in tried), None)

    def _do(self, step: Step) -> Step | Failed:
        try:
            self._connection.execute(sa.text(step.statement.replace(":", "\\:")))
        except DBAPIError as error:
            if error.connection_invalidated:
                raise
            return Failed(step, _why(error))
        return step

    def _schema_step(self) -> Step:
        name = self._own_schema or ""
        return Step(f"schema {name}", f"CREATE SCHEMA IF NOT EXISTS `{name}`")

    def _names_of(self, table: sa.Table) -> set[str]:
        return self._own_names if table.key in self._own else self._names


def _why(error: DBAPIError) -> str:
    """What the database said, without the driver's brackets."""
    return str(error.orig.args[-1]) if error.orig is not None else str(error)


@contextmanager
def _alone(connection: Connection) -> Iterator[None]:
    """Hold what only one upgrade of a database has; it ends with the connection.

    On SQLite the transaction is that: it holds the whole file.
    """
    if connection.dialect.name != "sqlite":
        lock = "SELECT GET_LOCK(CONCAT('pyispyb schema ', MD5(DATABASE())), :wait)"
        if connection.execute(sa.text(lock), {"wait": LOCK_WAIT}).scalar() != 1:
            raise CannotUpgrade("another upgrade of this database is under way")
    yield

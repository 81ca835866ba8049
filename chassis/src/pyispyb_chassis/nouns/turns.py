"""Turns: who writes what no index keeps apart waits until the one before is done."""

from collections.abc import Iterable

import sqlalchemy as sa
from sqlalchemy.dialects import mysql
from sqlalchemy.engine import Connection

from pyispyb_chassis.database import Database
from pyispyb_chassis.errors import Unavailable


class Turns:
    """A table of names; a transaction that took one has it to itself until its end.

    They are taken before any other lock, so that nobody who waits for one holds what its taker
    needs. SQLite has one writer at a time and takes none.
    """

    def __init__(
        self, metadata: sa.MetaData, *, schema: str | None = None, prefix: str = ""
    ) -> None:
        self.table = sa.Table(
            f"{prefix}Turn",
            metadata,
            sa.Column("name", sa.String(100), primary_key=True),
            schema=schema,
        )
        self._is_there = False

    def take(self, database: Database, connection: Connection, names: Iterable[str]) -> None:
        """Wait for these turns, in one order for all. Raises Unavailable without the table."""
        if database.is_sqlite:
            return
        if not self._is_there:
            look = sa.inspect(connection)
            self._is_there = look.has_table(self.table.name, schema=self.table.schema)
        if not self._is_there:
            raise Unavailable("read-only: the service's own tables are missing")
        for name in sorted(set(names)):
            row = sa.select(self.table.c.name).where(self.table.c.name == name).with_for_update()
            if connection.execute(row).first() is None:
                self._make(database, name)
                connection.execute(row)

    def _make(self, database: Database, name: str) -> None:
        """Commit the name by itself: takers that insert it and roll back would deadlock."""
        made = mysql.insert(self.table).values(name=name).prefix_with("IGNORE")
        with database.reading() as connection:  # autocommitted
            connection.execute(made)

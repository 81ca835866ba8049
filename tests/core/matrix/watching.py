"""The rows of the watched tables, past all rules: read once, and again where they changed."""

from collections.abc import Hashable, Mapping
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from pyispyb_chassis.database import Database

Snapshot = dict[str, dict[Any, dict[str, Any]]]


class Watched:
    """What stands in these tables; a question that changed nothing costs one statement."""

    def __init__(
        self, connection: Connection, database: Database, tables: Mapping[str, sa.Table]
    ) -> None:
        self._connection = connection  # one for all: a database tells it what others changed
        self._database = database
        self._tables = tables
        self._reads = {
            name: (sa.select(table), [column.name for column in table.primary_key])
            for name, table in tables.items()
        }
        self._marks: dict[str, Hashable] = {}
        self._rows: Snapshot = {}

    def snapshot(self) -> Snapshot:
        """All rows by table and key; a table that has not changed is the very same object."""
        marks = self._marks_now()
        for name, (statement, keys) in self._reads.items():
            if name not in self._rows or marks[name] != self._marks.get(name):
                rows = self._connection.execute(statement).mappings()
                read = {tuple(row[key] for key in keys): dict(row) for row in rows}
                if read != self._rows.get(name):
                    self._rows[name] = read
        self._marks = marks
        return dict(self._rows)

    def restore(self, before: Snapshot, after: Snapshot) -> None:
        """Put back what a write has changed: children go before their parents, and come after."""
        changed = {name for name in before if before[name] is not after[name]}
        with self._database.writing() as connection:
            for name in reversed([name for name in before if name in changed]):
                table = self._tables[name]
                for key in after[name].keys() - before[name].keys():
                    connection.execute(sa.delete(table).where(_is(table, key)))
            for name in [name for name in before if name in changed]:
                table = self._tables[name]
                made = {column.name for column in table.columns if column.computed is not None}
                for key, row in before[name].items():
                    given = {column: value for column, value in row.items() if column not in made}
                    if key not in after[name]:
                        connection.execute(sa.insert(table).values(given))
                    elif row != after[name][key]:
                        connection.execute(sa.update(table).where(_is(table, key)).values(given))

    def _marks_now(self) -> dict[str, Hashable]:
        """What a table's mark was tells, compared with what it is, whether to read it again."""
        if self._database.is_sqlite:
            version = self._connection.exec_driver_sql("PRAGMA data_version").scalar_one()
            return dict.fromkeys(self._tables, version)
        prepare = self._connection.dialect.identifier_preparer.format_table
        named = ", ".join(prepare(table) for table in self._tables.values())
        sums = self._connection.exec_driver_sql(f"CHECKSUM TABLE {named}").all()
        return dict(zip(self._tables, [total for _, total in sums], strict=True))


def _is(table: sa.Table, key: tuple[Any, ...]) -> sa.ColumnElement[bool]:
    return sa.and_(*[c == part for c, part in zip(table.primary_key, key, strict=True)])

"""What one table of a database lacks of what core wants, and the statements that add it."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects import mysql
from sqlalchemy.engine import Connection
from sqlalchemy.engine.reflection import Inspector
from sqlalchemy.schema import CreateColumn, CreateIndex, CreateTable, ExecutableDDLElement

from pyispyb_chassis.portable import JsonText
from pyispyb_chassis.site.kinds import takes

LONGEST_NAME = 64
_TEXTS = ("tinytext", "text", "mediumtext", "longtext")


@dataclass(frozen=True, slots=True)
class Step:
    """One statement, and in words what it adds."""

    told: str
    statement: str


@dataclass(frozen=True, slots=True)
class Compared:
    """A table held against the wanted one.

    `steps` are what can be added, `left` the differences that are left as they are, `more` what
    the database has besides.
    """

    steps: tuple[Step, ...] = ()
    left: tuple[str, ...] = ()
    more: tuple[str, ...] = ()


def compared(connection: Connection, table: sa.Table, look: Inspector, names: set[str]) -> Compared:
    """Hold one table of the database against the wanted one; `names` are the tables there."""
    if str(table.name).lower() not in names:
        made = Step(f"table {table.name}", _said(connection, CreateTable(table)))
        return Compared((made, *(_indexed(connection, index) for index in _in_order(table))))
    there = {str(one["name"]).lower(): one for one in look.get_columns(table.name, table.schema)}
    return _Table(connection, table, look, there).compared()


def _said(connection: Connection, element: ExecutableDDLElement | CreateColumn) -> str:
    """The statement as a person would write it: a per cent is doubled for the driver alone."""
    return str(element.compile(dialect=connection.dialect)).strip().replace("%%", "%")


def _indexed(connection: Connection, index: sa.Index) -> Step:
    table = index.table.name if index.table is not None else ""
    return Step(f"index {index.name} on {table}", _said(connection, CreateIndex(index)))


def _in_order(table: sa.Table) -> list[sa.Index]:
    return sorted(table.indexes, key=lambda index: str(index.name))


class _Table:
    """A table that is there, and the one that is wanted."""

    def __init__(
        self, connection: Connection, table: sa.Table, look: Inspector, there: dict[str, Any]
    ) -> None:
        self._connection = connection
        self._table = table
        self._look = look
        self._there = there
        self._dialect = connection.dialect
        self._name = self._dialect.identifier_preparer.format_table(table)

    def compared(self) -> Compared:
        steps: list[Step] = []
        left: list[str] = []
        have = set(self._there)
        for column in self._table.columns:
            found = self._there.get(str(column.name).lower())
            if found is not None:
                self._widen(column, found, steps, left)
            elif (step := self._added(column)) is not None:
                steps.append(step)
                have.add(str(column.name).lower())
            else:
                left.append(f"column {self._full(column)} is not there: a key is not added")
        steps += self._indexes(have)
        left += self._keys()
        names = {str(column.name).lower() for column in self._table.columns}
        more = [f"{self._table.name}.{c['name']}" for k, c in self._there.items() if k not in names]
        return Compared(tuple(steps), tuple(left), tuple(more))

    def _full(self, column: sa.Column[Any]) -> str:
        return f"{self._table.name}.{column.name}"

    def _added(self, column: sa.Column[Any]) -> Step | None:
        """The statement that adds a column; None for one that cannot be."""
        one, more = _alike(column), ""
        if column.primary_key:
            if self._dialect.name == "sqlite" or not isinstance(column.type, sa.Integer):
                return None
            # The table keeps the key that it has; each row gets its number.
            more = " AUTO_INCREMENT UNIQUE"
            one = sa.Column(one.name, one.type, nullable=False)
        elif column.foreign_keys:
            # A default would give each row that is there a key to what may not be there.
            one.server_default, one.nullable = None, True
        elif column.server_default is None and column.computed is None:
            one.nullable = True
        elif self._dialect.name == "sqlite" and _is_no_constant(column):
            one.server_default, one.nullable = None, True
        one.table = self._table
        spec = _said(self._connection, CreateColumn(one))
        return Step(
            f"column {self._full(column)}",
            f"ALTER TABLE {self._name} ADD COLUMN {spec}{more}{self._leading(column)}",
        )

    def _leading(self, column: sa.Column[Any]) -> str:
        """The foreign keys of a new column, made with it."""
        quote = self._dialect.identifier_preparer.quote
        own = quote(str(column.name))
        said = ""
        for key in column.foreign_keys:
            target = quote(str(key.column.table.name))
            to = f"REFERENCES {target} ({quote(str(key.column.name))})"
            to += f" ON DELETE {key.ondelete}" if key.ondelete else ""
            to += f" ON UPDATE {key.onupdate}" if key.onupdate else ""
            if self._dialect.name != "sqlite":
                # The server's own choice of a name may be taken while keys are not checked.
                name = quote(f"core_{self._table.name}_{column.name}"[:LONGEST_NAME])
                to = f", ADD CONSTRAINT {name} FOREIGN KEY ({own}) {to}"
            said += f" {to}".replace(" ,", ",")
        return said

    def _widen(
        self, column: sa.Column[Any], found: Any, steps: list[Step], left: list[str]
    ) -> None:
        kind = found["type"]
        if self._dialect.name == "sqlite":  # it keeps texts of every length
            return
        wider = _wider(column.type, kind)
        if wider is not None:
            steps.append(
                Step(f"wider {self._full(column)}: {wider}", self._modified(found["name"], wider))
            )
        elif takes(column.type) != takes(kind) and not _is_only_wider(column.type, kind):
            wanted = column.type.compile(self._dialect)
            left.append(f"{self._full(column)} is {kind.compile(self._dialect)}, not {wanted}")

    def _modified(self, name: str, wider: str) -> str:
        """The column's own line with another type: all else of it stays as the site has it."""
        quote = self._dialect.identifier_preparer.quote_identifier
        text = self._connection.exec_driver_sql(f"SHOW CREATE TABLE {self._name}").one()[1]
        start = f"  {quote(name)} "
        (line,) = (one for one in text.splitlines() if one.startswith(start))
        rest = re.sub(r"^\w+(\((?:[^')]|'(?:[^']|'')*')*\))?", "", line.removeprefix(start))
        return f"ALTER TABLE {self._name} MODIFY {quote(name)} {wider}{rest.rstrip(',')}"

    def _indexes(self, have: set[str]) -> Iterator[Step]:
        """The indexes that are missing over columns that are there, or come before them."""
        there = [
            (tuple(str(name).lower() for name in one["column_names"]), bool(one["unique"]))
            for one in self._look.get_indexes(self._table.name, self._table.schema)
        ]
        key = self._look.get_pk_constraint(self._table.name, self._table.schema)
        there.append((tuple(name.lower() for name in key["constrained_columns"]), True))
        there += [
            (tuple(name.lower() for name in one["column_names"]), True)
            for one in self._look.get_unique_constraints(self._table.name, self._table.schema)
        ]
        for index in _in_order(self._table):
            columns = tuple(str(column.name).lower() for column in index.columns)
            if not have.issuperset(columns):
                continue
            if index.unique:
                found = any(unique and set(has) == set(columns) for has, unique in there)
            else:
                found = any(has[: len(columns)] == columns for has, _ in there)
            if not found:
                yield _indexed(self._connection, index)

    def _keys(self) -> Iterator[str]:
        """The foreign keys of columns that are there: to add one would bind the site's programs."""
        there = {
            name.lower()
            for key in self._look.get_foreign_keys(self._table.name, self._table.schema)
            for name in key["constrained_columns"]
        }
        for column in self._table.columns:
            name = str(column.name).lower()
            if column.foreign_keys and name in self._there and name not in there:
                (target, *_) = column.foreign_keys
                yield f"no foreign key {self._full(column)} to {target.column.table.name}"


def _alike(column: sa.Column[Any]) -> sa.Column[Any]:
    made = column.computed
    how = [] if made is None else [sa.Computed(made.sqltext, persisted=made.persisted)]
    return sa.Column(
        column.name,
        column.type,
        *how,
        nullable=column.nullable,
        server_default=None if how else column.server_default,
        comment=column.comment,
    )


def _is_no_constant(column: sa.Column[Any]) -> bool:
    """Whether SQLite can give the default to no row that is there."""
    default = column.server_default
    return not isinstance(default, sa.DefaultClause) or "CURRENT" in str(default.arg).upper()


def _wider(wanted: Any, kind: Any) -> str | None:
    """The type that a column is widened to: of an enum or a text, else None."""
    if isinstance(kind, sa.Enum) and isinstance(wanted, sa.Enum):
        more = [word for word in wanted.enums if word not in kind.enums]
        # The words that are there keep their places, and so their numbers in the rows.
        return str(mysql.ENUM(*kind.enums, *more).compile(_DIALECT)) if more else None
    if isinstance(kind, sa.Enum) or isinstance(wanted, (sa.Enum, JsonText)):
        return None
    if not (isinstance(kind, sa.String) and isinstance(wanted, sa.String)):
        return None
    has, wants = _room(kind), _room(wanted)
    if has >= wants or isinstance(kind, mysql.CHAR):
        return None
    return f"varchar({wanted.length})" if wants[0] == 0 else _TEXTS[wants[0] - 1]


_DIALECT = mysql.dialect()


def _room(kind: Any) -> tuple[int, int]:
    """How much a text takes: whole kinds first, lengths within varchar."""
    said = takes(kind)[1] if not isinstance(kind, JsonText) else "longtext"
    return (_TEXTS.index(said) + 1, 0) if said in _TEXTS else (0, int(said or 0))


def _is_only_wider(wanted: Any, kind: Any) -> bool:
    """Whether the site's takes all that is wanted, and more."""
    if isinstance(kind, sa.Enum) and isinstance(wanted, sa.Enum):
        return set(kind.enums) >= set(wanted.enums)
    plain = all(isinstance(k, sa.String) and not isinstance(k, sa.Enum) for k in (kind, wanted))
    return plain and _room(kind) >= _room(wanted)

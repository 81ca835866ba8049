"""The nouns of one service, bound to the tables of its database."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cache, cached_property
from typing import Any
from zoneinfo import ZoneInfo

import sqlalchemy as sa

from pyispyb_chassis.nouns.fields import Field, field_of
from pyispyb_chassis.nouns.noun import Noun


class BadDeclaration(Exception):
    """A noun names a column, a key or another noun that does not exist."""


@dataclass(frozen=True, slots=True)
class Reference:
    """A foreign key between two nouns: `name` is how an include calls it.

    `column` is the noun's own and leads to one row of `target`; where it is `many`, the column is
    the target's and leads back, from any number of its rows.
    """

    name: str
    column: str
    target: str
    many: bool = False


@dataclass(frozen=True)
class Bound:
    """A noun with its table: what queries and writes are made from."""

    noun: Noun
    table: sa.Table
    zone: ZoneInfo
    references: Mapping[str, Reference] = field(default_factory=dict)

    @property
    def path(self) -> str:
        """The noun's path, its name everywhere."""
        return self.noun.path

    def alias(self) -> sa.FromClause:
        """Its rows under a name of their own in a statement."""
        return light(self.table).alias()

    @cached_property
    def key(self) -> str:
        """The name of the primary key's column."""
        (column,) = self.table.primary_key.columns
        return str(column.name)

    @cached_property
    def fields(self) -> dict[str, Field]:
        """Every column in the table's order."""
        return {
            str(column.name): field_of(
                column,
                self.zone,
                unit=self.noun.units.get(column.name),
                pattern=self.noun.patterns.get(column.name),
            )
            for column in self.table.columns
        }

    @cached_property
    def settable(self) -> frozenset[str]:
        """The columns that somebody may write through the API."""
        return frozenset((*self.noun.writable, *self.noun.rights))

    @cached_property
    def required(self) -> tuple[str, ...]:
        """The columns without which no row can be created."""
        needed = set(self.noun.required)
        if len(self.noun.belongs_to) == 1:
            needed.add(self.noun.belongs_to[0])
        needed |= {
            str(column.name)
            for column in self.table.columns
            if column.name in self.settable
            and not column.nullable
            and column.server_default is None
        }
        return tuple(name for name in self.fields if name in needed)

    @cached_property
    def by_column(self) -> dict[str, Reference]:
        """The noun's own foreign keys, by their column."""
        return {one.column: one for one in self.references.values() if not one.many}


@cache
def light(table: sa.Table) -> sa.TableClause:
    """A table's names and types alone: its aliases cost an eighth of the table's own."""
    columns = [sa.column(str(column.name), column.type) for column in table.columns]
    return sa.table(str(table.name), *columns, schema=table.schema)


class Catalogue:
    """All bound nouns, by path and by table.

    Raises BadDeclaration with every wrong name at once.
    """

    def __init__(self, nouns: Iterable[Noun], metadata: sa.MetaData, zone: ZoneInfo) -> None:
        nouns = tuple(nouns)
        self.metadata = metadata
        paths = {noun.table: noun.path for noun in nouns}
        faults: list[str] = []
        self._bound: dict[str, Bound] = {}
        for noun in nouns:
            table = metadata.tables.get(noun.table)
            if table is None:
                faults.append(f"{noun.path}: no table {noun.table}")
                continue
            faults.extend(f"{noun.path}: no column {name}" for name in _strangers(noun, table))
            references = _references(table, paths)
            references |= _references_back(table, paths, metadata, nouns, taken=references)
            self._bound[noun.path] = Bound(noun, table, zone, references)
        for bound in self._bound.values():
            faults.extend(
                f"{bound.path}: no include {name} (has {', '.join(bound.references)})"
                for name in bound.noun.includes
                if name not in bound.references
            )
            faults.extend(
                f"{bound.path}: {column} does not lead to a noun"
                for column in bound.noun.belongs_to
                if column not in bound.by_column
            )
        if faults:
            raise BadDeclaration("; ".join(faults))

    def __getitem__(self, path: str) -> Bound:
        return self._bound[path]

    def __iter__(self) -> Iterator[Bound]:
        return iter(self._bound.values())

    def __contains__(self, path: str) -> bool:
        return path in self._bound

    def target(self, reference: Reference) -> Bound:
        """The noun that a reference leads to."""
        return self._bound[reference.target]

    def below(self, noun: Bound) -> Iterator[tuple[Bound, str]]:
        """The nouns, with the column, that belong to `noun`."""
        for other in self:
            for column in other.noun.belongs_to:
                if other.by_column[column].target == noun.path:
                    yield other, column


def _strangers(noun: Noun, table: sa.Table) -> list[str]:
    named: set[str] = {
        *noun.belongs_to, *noun.writable, *noun.rights, *noun.fixed, *noun.required, *noun.search,
        *noun.shared, *noun.hidden, *noun.defaults, *noun.stamps, *noun.units, *noun.patterns,
        *[part.removeprefix("-") for part in noun.sort.split(",") if part],
    }  # fmt: skip
    named |= {column for name in noun.names.values() if name.via is None for column in name.columns}
    return sorted(named - {str(column.name) for column in table.columns} - set(noun.names))


def _references(table: sa.Table, paths: Mapping[str, str]) -> dict[str, Reference]:
    """Named by table where that is unambiguous, else by the column without `Id`."""
    keys = [
        (str(column.name), str(key.column.table.name))
        for column in table.columns
        for key in column.foreign_keys
    ]
    counts: dict[str, int] = {}
    for _, target in keys:
        counts[target] = counts.get(target, 0) + 1
    found: dict[str, Reference] = {}
    for column_name, target in keys:
        if target in paths:
            name = target if counts[target] == 1 else column_name.removesuffix("Id")
            found[name] = Reference(name, column_name, paths[target])
    return found


def _references_back(
    table: sa.Table,
    paths: Mapping[str, str],
    metadata: sa.MetaData,
    nouns: Iterable[Noun],
    *,
    taken: Mapping[str, Reference],
) -> dict[str, Reference]:
    """The rows that refer to one of `table`, named by their table where that is unambiguous.

    Of several foreign keys that by which a row belongs has the table's name; the others, and a
    name that is taken, are told apart by the column: `Container_currentDewar`.
    """
    found: dict[str, Reference] = {}
    for noun in nouns:
        other = metadata.tables.get(noun.table)
        if other is None or paths[noun.table] != noun.path:
            continue
        columns = [
            str(column.name)
            for column in other.columns
            if any(key.column.table is table for key in column.foreign_keys)
        ]
        belonging = [column for column in columns if column in noun.belongs_to]
        plain = columns if len(columns) == 1 else belonging if len(belonging) == 1 else []
        for column in columns:
            name = noun.table
            if column not in plain or name in taken:
                name = f"{noun.table}_{column.removesuffix('Id')}"
            found[name] = Reference(name, column, noun.path, many=True)
    return found


def primary_key(bound: Bound, row: sa.FromClause) -> sa.ColumnElement[Any]:
    """The key column of `row`, an alias of the noun's table."""
    column: sa.ColumnElement[Any] = row.c[bound.key]
    return column

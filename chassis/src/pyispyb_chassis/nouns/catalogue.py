"""The nouns of one service, bound to the tables of its database."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache, cached_property
from typing import Any, NamedTuple
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


class Inner(NamedTuple):
    """The id of a row that stands within another: that one's, and its own in there."""

    parent: int
    key: int | str


RowId = int | str | Inner


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
        """The column of a row's id in a path: the primary key, or what tells it apart in there."""
        return self.noun.key or self.tie

    @cached_property
    def tie(self) -> str:
        """The column that decides the order of rows that are alike in all others."""
        keys = [str(column.name) for column in self.table.primary_key.columns]
        return keys[0] if len(keys) == 1 or self.noun.key is None else self.noun.key

    @cached_property
    def identity(self) -> tuple[str, ...]:
        """The columns that tell a row from all others of the table."""
        return (self.key,) if self.noun.within is None else (self.noun.within, self.key)

    @property
    def is_kept_apart(self) -> bool:
        """Whether the database itself lets no two rows have one identity."""
        return set(self.identity) == {str(one.name) for one in self.table.primary_key.columns}

    def values_of(self, row_id: "RowId") -> tuple[Any, ...]:
        """The values of the identity."""
        return (row_id.parent, row_id.key) if isinstance(row_id, Inner) else (row_id,)

    def is_row(self, row: sa.FromClause, row_id: "RowId") -> sa.ColumnElement[bool]:
        """Whether `row`, an alias of the table, is the row with this id."""
        pairs = zip(self.identity, self.values_of(row_id), strict=True)
        return sa.and_(*[row.c[name] == value for name, value in pairs])

    def row_id(self, values: Mapping[str, Any]) -> "RowId":
        """The id of a row that has these values."""
        found = [values[name] for name in self.identity]
        return Inner(*found) if self.noun.within is not None else found[0]

    def told(self, row_id: "RowId") -> str:
        """An id as it is kept in the ledger: 17, or 3/17 for one that stands within another."""
        return "/".join(str(value) for value in self.values_of(row_id))

    def heard(self, told: str) -> "RowId":
        """The id that was kept so."""
        values = dict(zip(self.identity, map(int, told.split("/")), strict=True))
        return self.row_id(values)

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
        if self.noun.within is not None:
            needed |= set(self.identity)
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
            references = _references(table, paths, noun.leads)
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
            if bound.noun.within not in (None, *bound.noun.belongs_to):
                faults.append(f"{bound.path}: it does not belong to what it stands within")
            faults.extend(
                f"{bound.path}: no way {'.'.join(way)}"
                for sought in bound.noun.sought.values()
                for way in sought.ways
                if not self._leads(bound, way)
            )
        if faults:
            raise BadDeclaration("; ".join(faults))

    def _leads(self, noun: Bound, way: Sequence[str]) -> bool:
        for column in way[:-1]:
            if column not in noun.by_column:
                return False
            noun = self.target(noun.by_column[column])
        return way[-1] in noun.fields or way[-1] in noun.noun.names

    def __getitem__(self, path: str) -> Bound:
        return self._bound[path]

    def __iter__(self) -> Iterator[Bound]:
        return iter(self._bound.values())

    def __contains__(self, path: str) -> bool:
        return path in self._bound

    def target(self, reference: Reference) -> Bound:
        """The noun that a reference leads to."""
        return self._bound[reference.target]

    def parent(self, noun: Bound) -> Bound | None:
        """The noun that this one stands within, if any."""
        within = noun.noun.within
        return None if within is None else self.target(noun.by_column[within])

    def mount(self, noun: Bound) -> str:
        """Where its routes are, below the service's prefix; `{parent}` is the other's id."""
        parent = self.parent(noun)
        return noun.path if parent is None else f"{parent.path}/{{parent}}/{noun.noun.segment}"

    def end_of(self, noun: Bound, way: Sequence[str]) -> tuple[Bound, str]:
        """The noun at the end of a chain of foreign keys, and the name that stands last in it."""
        for column in way[:-1]:
            noun = self.target(noun.by_column[column])
        return noun, way[-1]

    def below(self, noun: Bound) -> Iterator[tuple[Bound, str]]:
        """The nouns, with the column, that belong to `noun`."""
        for other in self:
            for column in other.noun.belongs_to:
                if other.by_column[column].target == noun.path:
                    yield other, column


def _strangers(noun: Noun, table: sa.Table) -> list[str]:
    named: set[str] = {
        *noun.belongs_to, *noun.writable, *noun.rights, *noun.fixed, *noun.required, *noun.search,
        *noun.shared, *noun.hidden, *noun.defaults, *noun.leads,
        *noun.stamps, *noun.units, *noun.patterns,
        *[name for name in (noun.within, noun.key) if name],
        *[part.removeprefix("-") for part in noun.sort.split(",") if part],
    }  # fmt: skip
    named |= {column for name in noun.names.values() if name.via is None for column in name.columns}
    return sorted(named - {str(column.name) for column in table.columns} - set(noun.names))


def _references(
    table: sa.Table, paths: Mapping[str, str], leads: Mapping[str, str]
) -> dict[str, Reference]:
    """Named by table where that is unambiguous, else by the column without `Id`."""
    keys = [
        (str(column.name), str(key.column.table.name))
        for column in table.columns
        for key in column.foreign_keys
    ] + list(leads.items())
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
            or noun.leads.get(str(column.name)) == table.name
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

"""The nouns of one service, bound to the tables of its database."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cache, cached_property
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

import sqlalchemy as sa

from pyispyb_chassis.errors import NotFound
from pyispyb_chassis.nouns.fields import Field, field_of
from pyispyb_chassis.nouns.noun import Action, Noun
from pyispyb_chassis.nouns.sited import columns_named, sited
from pyispyb_chassis.site.fitting import notes_of, notes_of_all, standing_for
from pyispyb_chassis.site.shape import no_table

NO_WAY = "this site's database has no way to tell that"
NO_CHAIN = "no column of this site's {} says to whom its rows belong"
NO_NAMER = "nothing in this site's database says to whom rows of {} belong: {}"


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


@dataclass(frozen=True, slots=True)
class Absent:
    """A noun that the site's database cannot serve, and why."""

    noun: Noun
    reason: str


@dataclass(frozen=True)
class Bound:
    """A noun with its table: what queries and writes are made from.

    `missing` are the columns and includes that this site's database lacks, each with why.
    """

    noun: Noun
    table: sa.Table
    zone: ZoneInfo
    references: Mapping[str, Reference] = field(default_factory=dict)
    missing: Mapping[str, str] = field(default_factory=dict)

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
    def closed(self) -> Mapping[str, str]:
        """The actions that the site's database does not allow, each with why."""
        return notes_of(self.table).closed

    @cached_property
    def actions(self) -> tuple[Action, ...]:
        """The actions that are declared and that the site's database allows."""
        return tuple(action for action in self.noun.actions if action not in self.closed)

    @cached_property
    def unpointed(self) -> dict[str, None]:
        """Foreign keys that a new row leaves empty, whatever row the database's default names."""
        return {
            str(column.name): None
            for column in self.table.columns
            if column.foreign_keys and column.nullable and column.server_default is not None
        }

    @cached_property
    def settable(self) -> frozenset[str]:
        """The columns that somebody may write through the API."""
        return frozenset((*self.noun.writable, *self.noun.rights))

    @cached_property
    def required(self) -> tuple[str, ...]:
        """The columns without which no row can be created."""
        needed = set(self.noun.required)
        if len(self.noun.belongs_to) == 1 and not self.noun.named_by:
            needed.add(self.noun.belongs_to[0])
        if self.noun.within is not None:
            needed |= set(self.identity)
        needed |= {
            str(column.name)
            for column in self.table.columns
            if column.name in self.settable
            and not column.nullable
            # A default that names a row is no default: that row need not be there.
            and (column.server_default is None or column.foreign_keys)
        }
        return tuple(name for name in self.fields if name in needed)

    @cached_property
    def by_column(self) -> dict[str, Reference]:
        """The noun's own foreign keys, by their column."""
        return {one.column: one for one in self.references.values() if not one.many}

    @cached_property
    def nested(self) -> dict[str, Reference]:
        """The foreign keys that a new row may tell by an object, by the object's name."""
        there = [self.by_column.get(column) for column in self.noun.nested]
        return {reference.name: reference for reference in there if reference is not None}

    @cached_property
    def to_no_noun(self) -> dict[str, sa.Column[Any]]:
        """The foreign keys to tables that are no nouns, with the column that they lead to."""
        return {
            str(column.name): key.column
            for column in self.table.columns
            for key in column.foreign_keys
            if column.name not in self.by_column
        }


@cache
def light(table: sa.Table) -> sa.FromClause:
    """A table's names and types alone: its aliases cost an eighth of the table's own.

    What rules ask for and the site's table lacks reads as null.
    """
    nulls = [sa.Column(name, kind) for name, kind in notes_of(table).nulls.items()]
    return standing_for(table, str(table.name), [*table.columns, *nulls])


class Catalogue:
    """All bound nouns, by path and by table.

    Raises BadDeclaration with every wrong name at once.
    """

    def __init__(self, nouns: Iterable[Noun], metadata: sa.MetaData, zone: ZoneInfo) -> None:
        nouns = tuple(nouns)
        self.metadata = metadata
        faults = [
            f"{noun.path}: no table {noun.table}"
            for noun in nouns
            if noun.table not in metadata.tables and noun.table not in notes_of_all(metadata).absent
        ]
        self.absent = _absent(nouns, metadata)
        there = [noun for noun in nouns if noun.path not in self.absent]
        there = [noun for noun in there if noun.table in metadata.tables]
        paths = {noun.table: noun.path for noun in there}
        self._bound: dict[str, Bound] = {}
        for declared in there:
            table = metadata.tables[declared.table]
            faults.extend(
                f"{declared.path}: no column {name}" for name in _strangers(declared, table)
            )
            noun, missing = sited(_as_named(declared, nouns, self.absent, metadata), table)
            references = _references(table, paths, noun.leads)
            references |= _references_back(table, paths, metadata, there, taken=references)
            self._bound[noun.path] = Bound(noun, table, zone, references, missing)
        narrowed = bool(self.absent) or any(bound.missing for bound in self)
        for path, bound in list(self._bound.items()):
            lost = [name for name in bound.noun.includes if name not in bound.references]
            if narrowed:
                self._bound[path] = _without_includes(bound, lost)
                continue
            known = ", ".join(bound.references)
            faults.extend(f"{path}: no include {name} (has {known})" for name in lost)
        if narrowed:
            self._bound = {path: self._without_ways(one) for path, one in self._bound.items()}
        for bound in self._bound.values():
            faults.extend(
                f"{bound.path}: {column} does not lead to a noun"
                for column in bound.noun.belongs_to
                if column not in bound.by_column
            )
            faults.extend(
                f"{bound.path}: {column} is no foreign key that an object could tell"
                for column in bound.noun.nested
                if not narrowed
                if column not in bound.by_column or column in bound.noun.belongs_to
            )
            if bound.noun.within not in (None, *bound.noun.belongs_to):
                faults.append(f"{bound.path}: it does not belong to what it stands within")
            faults.extend(
                f"{bound.path}: no way {'.'.join(way)}"
                for sought in bound.noun.sought.values()
                for way in sought.ways
                if not self._leads(bound, way)
            )
            faults.extend(
                f"{bound.path}: {name} does not lead to it"
                for name in bound.noun.named_by
                if not self._names(name, bound)
            )
        if faults:
            raise BadDeclaration("; ".join(faults))

    def _without_ways(self, bound: Bound) -> Bound:
        """The noun without the filters that this site's database has no way for."""
        led = {
            name: tuple(way for way in sought.ways if self._leads(bound, way))
            for name, sought in bound.noun.sought.items()
        }
        lost = {name: NO_WAY for name, ways in led.items() if not ways}
        if all(led[name] == sought.ways for name, sought in bound.noun.sought.items()):
            return bound
        sought = {
            name: replace(one, ways=led[name])
            for name, one in bound.noun.sought.items()
            if name not in lost
        }
        return replace(
            bound, noun=replace(bound.noun, sought=sought), missing={**bound.missing, **lost}
        )

    def _leads(self, noun: Bound, way: Sequence[str]) -> bool:
        for column in way[:-1]:
            if column not in noun.by_column:
                return False
            noun = self.target(noun.by_column[column])
        return way[-1] in noun.fields or way[-1] in noun.noun.names

    def _names(self, name: str, bound: Bound) -> bool:
        path, _, column = name.partition(".")
        reference = self._bound[path].by_column.get(column) if path in self._bound else None
        return reference is not None and reference.target == bound.path

    def __getitem__(self, path: str) -> Bound:
        """A noun by its path. Raises NotFound for one that the site's database cannot serve."""
        if path in self.absent:
            raise NotFound(self.absent[path].reason)
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

    def namers(self, noun: Bound) -> Iterator[tuple[Bound, str]]:
        """The nouns, with the column, whose rows lend `noun` their owner."""
        for name in noun.noun.named_by:
            path, _, column = name.partition(".")
            yield self[path], column

    def below(self, noun: Bound) -> Iterator[tuple[Bound, str]]:
        """The nouns, with the column, that belong to `noun`."""
        for other in self:
            for column in other.noun.belongs_to:
                if other.by_column[column].target == noun.path:
                    yield other, column

    def referring(self, noun: Bound) -> Iterator[tuple[str, sa.ColumnElement[Any]]]:
        """Every column, by its table's name, that leads to rows of `noun`, mapped or not."""
        for table in self.metadata.tables.values():
            for column in table.columns:
                if any(key.references(noun.table) for key in column.foreign_keys):
                    yield str(table.name), column
        for name, column_name, target in notes_of_all(self.metadata).referring:
            if target == noun.table.name:
                yield name, sa.table(name, sa.column(column_name)).c[column_name]


def _absent(nouns: Iterable[Noun], metadata: sa.MetaData) -> dict[str, Absent]:
    """The nouns whose table cannot be read, and those that belong to one of these."""
    nouns = tuple(nouns)
    notes = notes_of_all(metadata)
    found = {
        noun.path: Absent(noun, notes.absent.get(noun.table, no_table(noun.table)))
        for noun in nouns
        if noun.table in notes.absent
    }
    found |= {
        noun.path: Absent(noun, NO_CHAIN.format(noun.table))
        for noun in nouns
        if noun.path not in found and noun.table in metadata.tables and noun.belongs_to
        if not set(noun.belongs_to) - set(notes_of(metadata.tables[noun.table]).missing)
    }
    while True:
        tables = {absent.noun.table: absent for absent in found.values()}
        more = {
            noun.path: Absent(
                noun, f"{why.noun.table} cannot be read, to which it belongs: {why.reason}"
            )
            for noun in nouns
            if noun.path not in found and noun.table in metadata.tables
            if (why := _parent_among(noun, metadata.tables[noun.table], tables)) is not None
        }
        more |= {
            noun.path: Absent(noun, NO_NAMER.format(noun.table, unnamed))
            for noun in nouns
            if noun.path not in found and noun.table in metadata.tables
            if (unnamed := _why_unnamed(noun, nouns, found, metadata)) is not None
        }
        if not more:
            return found
        found |= more


def _as_named(
    noun: Noun, nouns: Iterable[Noun], absent: Mapping[str, Absent], metadata: sa.MetaData
) -> Noun:
    """The noun with those that name its rows in this site's database, and no others."""
    lost = _lost_namers(noun, nouns, absent, metadata)
    return replace(noun, named_by=tuple(n for n in noun.named_by if n not in lost))


def _why_unnamed(
    noun: Noun, nouns: Iterable[Noun], absent: Mapping[str, Absent], metadata: sa.MetaData
) -> str | None:
    """Why nothing says whose a noun's rows are, where all that could is not there."""
    lost = _lost_namers(noun, nouns, absent, metadata)
    if not lost or len(lost) < len(noun.named_by):
        return None
    if set(noun.belongs_to) - set(notes_of(metadata.tables[noun.table]).missing):
        return None
    return "; ".join(dict.fromkeys(lost.values()))


def _lost_namers(
    noun: Noun, nouns: Iterable[Noun], absent: Mapping[str, Absent], metadata: sa.MetaData
) -> dict[str, str]:
    """Those of a noun's `named_by` that this site's database has not, with why."""
    tables = {one.path: one.table for one in nouns}
    lost: dict[str, str] = {}
    for name in noun.named_by:
        path, _, column = name.partition(".")
        if path in absent:
            lost[name] = absent[path].reason
        elif tables.get(path) in metadata.tables:
            notes = notes_of(metadata.tables[tables[path]])
            if column in notes.missing or column in notes.lost:
                lost[name] = notes.missing.get(column, NO_WAY)
    return lost


def _parent_among(noun: Noun, table: sa.Table, tables: Mapping[str, Absent]) -> Absent | None:
    """The absent noun to which the rows of a noun belong."""
    keys = [*_keys(table), *noun.leads.items()]
    leads = [(column, target) for column, target in keys if column in noun.belongs_to]
    return next((tables[to] for column, to in leads if to in tables and column in table.c), None)


def _keys(table: sa.Table) -> list[tuple[str, str]]:
    """A table's foreign keys, those that this site's database lacks among them: so names stay."""
    there = [
        (str(column.name), str(key.column.table.name))
        for column in table.columns
        for key in column.foreign_keys
    ]
    return [*there, *notes_of(table).lost.items()]


def _without_includes(bound: Bound, lost: list[str]) -> Bound:
    if not lost:
        return bound
    includes = tuple(name for name in bound.noun.includes if name not in lost)
    why = {name: f"this site's database has not what {name} needs" for name in lost}
    noun = replace(bound.noun, includes=includes)
    return replace(bound, noun=noun, missing={**bound.missing, **why})


def _strangers(noun: Noun, table: sa.Table) -> list[str]:
    known = {str(column.name) for column in table.columns} | set(notes_of(table).missing)
    return sorted(columns_named(noun) - known - set(noun.names))


def _references(
    table: sa.Table, paths: Mapping[str, str], leads: Mapping[str, str]
) -> dict[str, Reference]:
    """Named by table where that is unambiguous, else by the column without `Id`."""
    keys = [*_keys(table), *leads.items()]
    lost = notes_of(table).lost
    counts: dict[str, int] = {}
    for _, target in keys:
        counts[target] = counts.get(target, 0) + 1
    found: dict[str, Reference] = {}
    for column_name, target in keys:
        if target in paths and column_name not in lost:
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
        keys = [*_keys(other), *noun.leads.items()]
        columns = list(dict.fromkeys(name for name, to in keys if to == table.name))
        belonging = [column for column in columns if column in noun.belongs_to]
        plain = columns if len(columns) == 1 else belonging if len(belonging) == 1 else []
        for column in columns:
            name = noun.table
            if column not in plain or name in taken:
                name = f"{noun.table}_{column.removesuffix('Id')}"
            if column not in notes_of(other).lost:
                found[name] = Reference(name, column, noun.path, many=True)
    return found


def primary_key(bound: Bound, row: sa.FromClause) -> sa.ColumnElement[Any]:
    """The key column of `row`, an alias of the noun's table."""
    column: sa.ColumnElement[Any] = row.c[bound.key]
    return column

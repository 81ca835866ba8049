"""The tables that a package maps, narrowed to what the site's database has of them."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects import mysql

from pyispyb_chassis.portable import JsonText
from pyispyb_chassis.site.kinds import Kind, charset_of, takes
from pyispyb_chassis.site.shape import Shape, SiteColumn, SiteTable, column_of, no_table

# Under these keys of a table's `info`, and of its metadata's, lies what the site lacks.
OF_TABLE = "site"
OF_METADATA = "site"
MOST_NAMED = 8


@dataclass(frozen=True, slots=True)
class TableNotes:
    """What of a table the site's database does not have, or does not let its user do.

    `missing` are known columns that cannot be read, with why, `nulls` those of them that rules
    ask for: they read as null. `lost` are the foreign keys that lead nowhere here, by column,
    with the table they led to. `closed` are the writes that are not possible, with why.
    """

    missing: Mapping[str, str] = field(default_factory=dict)
    nulls: Mapping[str, Kind] = field(default_factory=dict)
    lost: Mapping[str, str] = field(default_factory=dict)
    closed: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class MetadataNotes:
    """The known tables that cannot be read, with why, and the keys that the package lacks."""

    absent: Mapping[str, str] = field(default_factory=dict)
    referring: tuple[tuple[str, str, str], ...] = ()


NOTHING_OF_TABLE = TableNotes()
NOTHING_OF_METADATA = MetadataNotes()


def notes_of(table: sa.Table) -> TableNotes:
    """What the site lacks of a table; nothing where it was never held against a site."""
    notes: TableNotes = table.info.get(OF_TABLE, NOTHING_OF_TABLE)
    return notes


def notes_of_all(metadata: sa.MetaData) -> MetadataNotes:
    """What the site lacks of all tables."""
    notes: MetadataNotes = metadata.info.get(OF_METADATA, NOTHING_OF_METADATA)
    return notes


@dataclass(frozen=True, slots=True)
class Difference:
    """How a site's database differs from the known tables; in words, for its administrators.

    `without_some`: it lacks what only some sites have, which is no difference to tell.
    """

    absent: Mapping[str, str]
    missing: tuple[str, ...]
    other: tuple[str, ...]
    closed: Mapping[str, Mapping[str, str]]
    more_tables: tuple[str, ...]
    more_columns: tuple[str, ...]
    without_some: bool = False

    @property
    def narrows(self) -> bool:
        """Whether anything that is known is missing, closed or of another form."""
        lacks = self.without_some or self.absent or self.missing
        return bool(lacks or self.other or self.closed)

    def told(self) -> str | None:
        """One line, None where the database is as the package has it."""
        closed = tuple(
            f"{table} ({', '.join(sorted(writes))})"
            for table, writes in sorted(self.closed.items())
        )
        parts = (
            ("not there or not granted", tuple(sorted(self.absent))),
            ("columns not there", self.missing),
            ("of another form", self.other),
            ("not writable", closed),
            ("tables more than core knows", self.more_tables),
            ("columns more than core knows", self.more_columns),
        )
        return (
            "; ".join(f"{len(names)} {what}: {_some(names)}" for what, names in parts if names)
            or None
        )


def _some(names: tuple[str, ...]) -> str:
    more = f" and {len(names) - MOST_NAMED} more" if len(names) > MOST_NAMED else ""
    return ", ".join(names[:MOST_NAMED]) + more


def difference(
    known: sa.MetaData,
    shape: Shape,
    *,
    sqlite: bool,
    own: frozenset[str],
    some: frozenset[str] = frozenset(),
) -> Difference:
    """Hold a database against the known tables.

    `own` are tables of the service itself in it; `some` are tables, and columns as Table.column,
    that only some sites have.
    """
    missing: list[str] = []
    other: list[str] = []
    more: list[str] = []
    closed: dict[str, Mapping[str, str]] = {}
    absent: dict[str, str] = {}
    for table in known.tables.values():
        there = shape.tables.get(table.name)
        why = _why_absent(table, there, shape)
        if why is not None or there is None:
            absent[table.name] = why or ""
            continue
        for column in table.columns:
            found = there.column(str(column.name))
            if _why_missing(column, found) is not None or found is None:
                missing.append(f"{table.name}.{column.name}")
            elif _is_other(column, found, sqlite=sqlite):
                other.append(f"{table.name}.{column.name}")
        names = {str(column.name).lower() for column in table.columns}
        more += [f"{table.name}.{name}" for name in there.columns if name.lower() not in names]
        if shut := dict(_closed(table, there)):
            closed[table.name] = shut
    unknown = sorted(set(shape.tables) - set(known.tables) - own)
    told = {name: why for name, why in absent.items() if name not in some}
    lacking = tuple(name for name in missing if name not in some)
    return Difference(
        told,
        lacking,
        tuple(other),
        closed,
        tuple(unknown),
        tuple(sorted(more)),
        without_some=len(told) < len(absent) or len(lacking) < len(missing),
    )


def _why_absent(table: sa.Table, there: SiteTable | None, shape: Shape) -> str | None:
    if there is None:
        return shape.unseen.get(table.name, no_table(table.name))
    for key in table.primary_key.columns:
        if (why := _why_missing(key, there.column(str(key.name)))) is not None:
            return f"{why}, by which rows of {table.name} are told apart"
    return None


def _why_missing(column: sa.Column[Any], found: SiteColumn | None) -> str | None:
    if found is None:
        return f"this site's database has no column {column.table.name}.{column.name} to be read"
    if "select" not in found.rights:
        return f"SELECT on {column.table.name}.{column.name} is not granted"
    if found.kind is None:
        return f"{column.table.name}.{column.name} is {found.declared}, which core does not read"
    return None


def _is_other(column: sa.Column[Any], found: SiteColumn, *, sqlite: bool) -> bool:
    if sqlite:  # which keeps an enum as a text of its longest word's length
        known = _length(column.type)
        return known is not None and _length(found.kind) != known
    if not column.primary_key and found.nullable != column.nullable:
        return True
    kind = _kind(column, found, sqlite=False)
    return takes(kind) != takes(column.type)


def _length(kind: Kind | None) -> int | None:
    """The length of a text that says one."""
    plain = isinstance(kind, sa.String) and not isinstance(kind, (sa.Enum, sa.Text, mysql.LONGTEXT))
    return getattr(kind, "length", None) if plain else None


def _kind(column: sa.Column[Any], found: SiteColumn, *, sqlite: bool) -> Kind:
    """The type by which values are read and held: the site's own, as far as it tells one."""
    kind = found.kind if found.kind is not None else column.type
    if sqlite:
        other = _length(kind) not in {None, _length(column.type)} and _length(column.type)
        return sa.String(_length(kind)) if other else column.type
    if isinstance(column.type, JsonText) and isinstance(kind, sa.String):
        return JsonText(charset=charset_of(kind))
    same = takes(kind) == takes(column.type) and charset_of(kind) is None
    return column.type if same else _plain(kind)


def _plain(kind: Kind) -> Kind:
    if isinstance(kind, (sa.Float, sa.Double)):
        kind.asdecimal = False
    return kind


def _closed(table: sa.Table, there: SiteTable) -> Iterator[tuple[str, str]]:
    """The writes that cannot be done on a table, by the engine's names, each with why."""
    for action, right in (("create", "insert"), ("patch", "update"), ("delete", "delete")):
        if right not in there.rights:
            yield action, f"{right.upper()} on {table.name} is not granted: it is read only here"
    if "insert" in there.rights:
        names = {str(column.name).lower() for column in table.columns}
        for column in there.columns.values():
            if column.is_needed and column.name.lower() not in names:
                yield (
                    "create",
                    (f"{table.name}.{column.name} needs a value, and this suite does not know it"),
                )


def fitted_to(
    known: sa.MetaData, shape: Shape, *, sqlite: bool, asked: frozenset[str]
) -> sa.MetaData:
    """The known tables with the columns, types, nulls and defaults that the site has.

    What is missing is noted in the `info` of tables and metadata; of a missing column that is a
    foreign key or among those `asked` for by rules, rules read null.
    """
    made = sa.MetaData()
    absent: dict[str, str] = {}
    for table in known.tables.values():
        there = shape.tables.get(table.name)
        why = _why_absent(table, there, shape)
        if why is not None or there is None:
            absent[str(table.name)] = why or ""
            continue
        _fit(table, there, made, sqlite=sqlite, asked=asked, shape=shape, known=known)
    unknown = _unknown_keys(known, made, shape)
    made.info[OF_METADATA] = MetadataNotes(absent, unknown)
    return made


def _fit(
    table: sa.Table,
    there: SiteTable,
    made: sa.MetaData,
    *,
    sqlite: bool,
    asked: frozenset[str],
    shape: Shape,
    known: sa.MetaData,
) -> None:
    columns: list[sa.Column[Any]] = []
    missing: dict[str, str] = {}
    nulls: dict[str, Kind] = {}
    lost: dict[str, str] = {}
    for column in table.columns:
        name = str(column.name)
        found = there.column(name)
        why = _why_missing(column, found)
        for target in _targets(column):
            if why is not None or not _is_there(known.tables[target], shape):
                lost[name] = target
        if why is not None or found is None:
            missing[name] = why or ""
            if column.foreign_keys or name in asked:
                nulls[name] = column.type
            continue
        leads = [key.target_fullname for key in column.foreign_keys if name not in lost]
        one = column_of(
            found, _kind(column, found, sqlite=sqlite), key=column.primary_key, to=leads
        )
        one.name = column.name
        columns.append(one)
    fit = sa.Table(str(table.name), made, *columns)
    fit.info[OF_TABLE] = TableNotes(missing, nulls, lost, dict(_closed(table, there)))


def _targets(column: sa.Column[Any]) -> list[str]:
    """The tables that a column's foreign keys lead to."""
    return [key.target_fullname.rpartition(".")[0] for key in column.foreign_keys]


def _is_there(table: sa.Table, shape: Shape) -> bool:
    return _why_absent(table, shape.tables.get(str(table.name)), shape) is None


def _unknown_keys(
    known: sa.MetaData, made: sa.MetaData, shape: Shape
) -> tuple[tuple[str, str, str], ...]:
    """The foreign keys of the site that the package has not: what they lead to is still needed."""
    have = {
        (str(table.name), str(column.name).lower())
        for table in made.tables.values()
        for column in table.columns
        if column.foreign_keys
    }
    return tuple(
        (key.table, key.column, key.target)
        for key in shape.keys
        if (key.table, key.column.lower()) not in have and key.target in known.tables
        if _is_readable(shape.tables.get(key.table), key.column)
    )


def _is_readable(table: SiteTable | None, column: str) -> bool:
    found = table.column(column) if table is not None else None
    return found is not None and "select" in found.rights


def standing_for(
    table: sa.Table | None, name: str, wanted: Iterable[sa.Column[Any]]
) -> sa.FromClause:
    """The `wanted` columns of a table, whatever of it is there: the rest of them read as null.

    Of a table that is absent there are no rows.
    """
    there = {} if table is None else {str(column.name): column for column in table.columns}
    wanted = list(wanted)
    plain = [
        sa.column(str(column.name), there[str(column.name)].type)
        for column in wanted
        if str(column.name) in there
    ]
    nulls = [
        sa.type_coerce(sa.null(), column.type).label(str(column.name))
        for column in wanted
        if str(column.name) not in there
    ]
    if table is None:
        return sa.select(*nulls).where(sa.false()).subquery()
    bare = sa.table(name, *plain, schema=table.schema)
    return sa.select(*bare.c, *nulls).subquery() if nulls else bare

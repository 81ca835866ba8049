"""Statements of reads, built from a noun, a query's form and the rules for a form of viewer."""

import operator
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Generic

import sqlalchemy as sa
from sqlalchemy.sql.elements import False_

from pyispyb_chassis.nouns.catalogue import Bound, Catalogue, primary_key
from pyispyb_chassis.nouns.cursors import SORTED_LENGTH
from pyispyb_chassis.nouns.fields import six_digits
from pyispyb_chassis.nouns.noun import Name
from pyispyb_chassis.nouns.plans import Branch, Part, Plan
from pyispyb_chassis.nouns.policy import UNSEEN_INCLUDES, Condition, Policy, V
from pyispyb_chassis.nouns.query import Filter, Operator, Path, Query, keys_of, noun_at, places
from pyispyb_chassis.nouns.ways import led_by, united, ways_of

Column = sa.ColumnElement[Any]
SECONDS = len("2026-11-23 08:00:00")
# MariaDB guesses at how many rows a union has, and reads the whole table beside it otherwise.
IN_THIS_ORDER = "STRAIGHT_JOIN"

_COMPARISONS: Mapping[Operator, Callable[[Any, Any], Condition]] = {
    "eq": operator.eq,
    "ne": operator.ne,
    "lt": operator.lt,
    "lte": operator.le,
    "gt": operator.gt,
    "gte": operator.ge,
}


@dataclass(frozen=True, slots=True)
class _Key:
    """One sort key: what rows are compared by, and the value that a cursor keeps of it."""

    compared: Column
    kept: Column
    descending: bool
    nullable: bool


class Builder(Generic[V]):
    """Builds the statements of a catalogue, as one policy lets viewers see its rows."""

    def __init__(self, catalogue: Catalogue, policy: Policy[V], *, sqlite: bool) -> None:
        self._catalogue = catalogue
        self._policy = policy
        self._sqlite = sqlite

    def plan(self, noun: Bound, query: Query, viewer: V) -> Plan:
        """The statements of a list: its rows, their number, and one for each include of many."""
        row = noun.alias()
        filters = [self._condition(noun, row, viewer, n, f) for n, f in enumerate(query.filters)]
        if query.search is not None:
            filters.append(self._search(noun, row, viewer))
        seen = self._policy.sees(noun, viewer, row)
        keys = [self._key(noun, row, viewer, key) for key in keys_of(noun, query)]
        behind = [] if query.after is None else [_behind(keys, query.after)]
        if self._sqlite or _is_narrow(noun, query):
            counted = sa.select(sa.func.count()).select_from(row).where(seen, *filters)
            kept = [key.kept for key in keys]
            rows, parts, place, branches = self._tree(noun, (), row, viewer, query, kept, row)
            rows = _page(rows.where(seen, *filters, *behind), keys)
            return Plan(rows, counted, parts, place, branches)
        # The ids of the page come first: what is joined and shown is of its rows alone.
        ids = _Ids(noun, row, *ways_of(seen, row))
        counted = ids.where(filters).with_only_columns(sa.func.count())
        page = _page(ids.where(filters).where(*behind), keys).subquery()
        shown = noun.alias()
        keys = [self._key(noun, shown, viewer, key) for key in keys_of(noun, query)]
        kept = [key.kept for key in keys]
        source = page.join(shown, primary_key(noun, shown) == page.c.id)
        rows, parts, place, branches = self._tree(noun, (), shown, viewer, query, kept, source)
        return Plan(rows.order_by(*_order(keys)), counted, parts, place, branches)

    def _branch(self, noun: Bound, path: Path, viewer: V, query: Query) -> Branch:
        """An include of many: the rows that lead to the parents, in the order of their key."""
        holder = noun_at(noun, path[:-1], self._catalogue)
        reference = holder.references[path[-1]]
        target = self._catalogue.target(reference)
        row = target.alias()
        link = self.column(target, row, reference.column, viewer)
        rows, parts, (place,), branches = self._tree(noun, path, row, viewer, query, [link], row)
        rows = (
            rows.where(link.in_(sa.bindparam("parents", expanding=True)))
            .where(self._seen(target, viewer, row))
            .order_by(primary_key(target, row))
            .limit(sa.bindparam("page_limit", type_=sa.Integer))
        )
        return Branch(path, path[:-1], place, Plan(rows, rows, parts, (), branches))

    def _tree(
        self,
        noun: Bound,
        base: Path,
        row: sa.FromClause,
        viewer: V,
        query: Query,
        also: list[Column],
        source: sa.FromClause,
    ) -> tuple[sa.Select[Any], tuple[Part, ...], tuple[int, ...], tuple[Branch, ...]]:
        """The columns of a row and of what hangs on it: each one by a join, many by a branch.

        `base` is the path of `row` from `noun`; `also` are further columns, whose places are given;
        `source` is what the row is taken from.
        """
        aliases: dict[Path, sa.FromClause] = {base: row}
        branches: list[Branch] = []
        for path in query.include:
            if path[:-1] not in aliases or path in aliases:
                continue  # it hangs elsewhere
            parent = noun_at(noun, path[:-1], self._catalogue)
            reference = parent.references[path[-1]]
            if reference.many:
                branches.append(self._branch(noun, path, viewer, query))
                continue
            target = self._catalogue.target(reference)
            aliases[path] = target.alias()
            joined = primary_key(target, aliases[path]) == self.column(
                parent, aliases[path[:-1]], reference.column, viewer
            )
            if not self._policy.implies(parent, viewer, reference.column):
                joined = sa.and_(joined, self._seen(target, viewer, aliases[path]))
            source = source.outerjoin(aliases[path], joined)
        columns: list[Column] = []
        parts: list[Part] = []
        for path, alias in aliases.items():
            part_noun = noun_at(noun, path, self._catalogue)
            names = _chosen(part_noun, path, query)
            shows = tuple(self._show(part_noun, name) for name in names)
            parts.append(Part(path, len(columns), names, shows))
            columns.append(primary_key(part_noun, alias))
            columns += [self.column(part_noun, alias, name, viewer) for name in names]
        place: list[int] = []
        for column in also:
            known = (n for n, other in enumerate(columns) if other is column)
            place.append(next(known, len(columns)))
            if place[-1] == len(columns):
                columns.append(column)
        # Labels keep equal names of different nouns apart.
        labelled = [column.label(f"c{n}") for n, column in enumerate(columns)]
        rows = sa.select(*labelled).select_from(source)
        return rows, tuple(parts), tuple(place), tuple(branches)

    def _seen(self, noun: Bound, viewer: V, row: sa.FromClause) -> Condition:
        """Whether an included row may be seen."""
        if not self._policy.guards(UNSEEN_INCLUDES):
            return sa.true()
        seen = self._policy.sees(noun, viewer, row)
        if isinstance(seen, False_):  # kept as a comparison, or the join itself is folded away
            return sa.literal(1) == sa.literal(0)
        return seen

    def _show(self, noun: Bound, name: str) -> Callable[[Any], Any] | None:
        field = noun.fields.get(name)
        if field is not None and field.single and self._sqlite:
            return six_digits  # as MariaDB gives a FLOAT
        return None if field is None else field.show

    def column(self, noun: Bound, row: sa.FromClause, name: str, viewer: V) -> Column:
        """A column as the viewer may read it: null where a rule hides it.

        Filters, sorts and searches use the same, so that nothing hidden can be guessed.
        """
        if name in noun.noun.names:
            return self._name(noun, row, noun.noun.names[name])
        column: Column = row.c[name]
        if noun.fields[name].kind == "enum":
            # A site's own word in an enum is read as it is; and enums sort by word.
            column = sa.type_coerce(column, sa.String) if self._sqlite else sa.cast(column, sa.CHAR)
        shown = self._policy.shows(noun, viewer, row, name)
        return column if shown is None else sa.case((shown, column), else_=None)

    def _name(self, noun: Bound, row: sa.FromClause, name: Name) -> Column:
        first, second = name.columns
        if name.via is None:
            return row.c[first] + row.c[second]
        target = self._catalogue.target(noun.by_column[name.via])
        other = target.alias()
        word = sa.select(other.c[first] + other.c[second])
        return word.where(primary_key(target, other) == row.c[name.via]).scalar_subquery()

    def _named(self, noun: Bound, row: sa.FromClause, name: Name, n: int) -> Condition:
        """Equality with a name, so that the index over its two columns is used."""
        first: sa.BindParameter[str] = sa.bindparam(f"f{n}_letters", type_=sa.String)
        second: sa.BindParameter[str] = sa.bindparam(f"f{n}_rest", type_=sa.String)
        if name.via is None:
            return sa.and_(row.c[name.columns[0]] == first, row.c[name.columns[1]] == second)
        target = self._catalogue.target(noun.by_column[name.via])
        other = target.alias()
        keys = sa.select(primary_key(target, other)).where(
            other.c[name.columns[0]] == first, other.c[name.columns[1]] == second
        )
        return row.c[name.via].in_(keys)

    def _sought(self, noun: Bound, row: sa.FromClause, viewer: V, n: int, one: Filter) -> Condition:
        """Rows from which one of the ways leads to the value; of several the ids are united."""
        ways = noun.noun.sought[one.name].ways
        found = [self._leading(noun, viewer, n, one, way) for way in ways]
        united = sa.union(*found).subquery() if len(found) > 1 else found[0].subquery()
        return primary_key(noun, row).in_(sa.select(united.c.id))

    def _leading(
        self, noun: Bound, viewer: V, n: int, one: Filter, way: Sequence[str]
    ) -> sa.Select[Any]:
        """The ids of rows from which a way leads to the value, over rows that the viewer sees."""
        first = source = row = noun.alias()
        target = noun
        seen: list[Condition] = []
        for column in way[:-1]:
            link = self.column(target, row, column, viewer)
            implied = self._policy.implies(target, viewer, column)
            target = self._catalogue.target(target.by_column[column])
            row = target.alias()
            source = source.join(row, primary_key(target, row) == link)
            if not implied:
                seen.append(united(self._policy.sees(target, viewer, row), row))
        ends = self._condition(target, row, viewer, n, replace(one, name=way[-1]))
        ids = sa.select(primary_key(noun, first).label("id")).select_from(source)
        return ids.where(ends, *seen)

    def _condition(
        self, noun: Bound, row: sa.FromClause, viewer: V, n: int, one: Filter
    ) -> Condition:
        if one.name in noun.noun.sought:
            return self._sought(noun, row, viewer, n, one)
        if one.name in noun.noun.names and one.operator == "eq":
            return self._named(noun, row, noun.noun.names[one.name], n)
        column = self.column(noun, row, one.name, viewer)
        if one.operator == "null":
            return column.is_(None) if one.value else column.is_not(None)
        if one.operator == "like":
            return column.like(sa.bindparam(f"f{n}", type_=sa.String), escape="\\")
        field = noun.fields.get(one.name)
        if field is not None and field.kind == "number":
            return _near(column, n, one)
        text = field is None or field.is_text
        if text:
            column = self._text(column)
        elif field is not None and field.kind == "datetime":
            column = self._moment(column)
        if one.operator == "in":
            return column.in_(sa.bindparam(f"f{n}", expanding=True))
        value: sa.BindParameter[Any] = sa.bindparam(f"f{n}", type_=sa.String if text else None)
        return _COMPARISONS[one.operator](column, value)

    def _text(self, column: Column) -> Column:
        """Text as both databases compare it: without case and trailing blanks."""
        if not self._sqlite:
            return column
        # In capitals, as MariaDB compares: so `_` and its neighbours sort behind the letters.
        bare = sa.func.upper(sa.func.rtrim(column, type_=sa.String), type_=sa.String)
        return bare.collate("BINARY")

    def _moment(self, column: Column) -> Column:
        """A time to the second: SQLite keeps texts, some with a fraction and some without."""
        return sa.func.substr(column, 1, SECONDS, type_=sa.String) if self._sqlite else column

    def _search(self, noun: Bound, row: sa.FromClause, viewer: V) -> Condition:
        names = [*noun.noun.search, *([noun.noun.known_as] if noun.noun.known_as else [])]
        pattern = sa.bindparam("search", type_=sa.String)
        found = [self.column(noun, row, name, viewer).like(pattern, escape="\\") for name in names]
        return sa.or_(*found)

    def _key(self, noun: Bound, row: sa.FromClause, viewer: V, key: tuple[str, bool]) -> _Key:
        name, descending = key
        if name == noun.tie:
            by_id = row.c[name]
            return _Key(by_id, by_id, descending, nullable=False)
        column = self.column(noun, row, name, viewer)
        compared, field = column, noun.fields.get(name)
        if field is None or field.is_text:
            if field is not None and field.longest > SORTED_LENGTH:
                compared = sa.func.substr(column, 1, SORTED_LENGTH, type_=sa.String)
            compared = self._text(compared)
        elif field.kind == "datetime":
            compared = self._moment(column)
        elif field.single and not self._sqlite:
            column = compared = sa.cast(column, sa.Double)  # else six digits of it are told
        nullable = field is None or field.nullable or bool(noun.noun.hidden)
        return _Key(compared, column, descending, nullable)


def _near(column: Column, n: int, one: Filter) -> Condition:
    """Numbers compare as equal when they agree to six significant digits."""
    low, high = (sa.bindparam(f"f{n}_{end}", type_=sa.Double) for end in ("low", "high"))
    match one.operator:
        case "in":
            ranges = [
                column.between(
                    sa.bindparam(f"f{n}_{place}_low", type_=sa.Double),
                    sa.bindparam(f"f{n}_{place}_high", type_=sa.Double),
                )
                for place in range(places(len(one.value)))
            ]
            return sa.or_(*ranges)
        case "lt":
            return column < low
        case "lte":
            return column <= high
        case "gt":
            return column > high
        case "gte":
            return column >= low
        case "ne":
            return sa.not_(column.between(low, high))
        case _:
            return column.between(low, high)


def _is_narrow(noun: Bound, query: Query) -> bool:
    """Whether a query is for one row, or for what stands within one: the rules judge each."""
    names = {noun.key, noun.noun.known_as}
    return noun.noun.within is not None or any(
        one.name in names and one.operator == "eq" for one in query.filters
    )


@dataclass(frozen=True, slots=True)
class _Ids:
    """The ids of the rows to which any of the ways leads and that meet the rest."""

    noun: Bound
    row: sa.FromClause
    ways: Sequence[Condition]
    rest: Sequence[Condition]

    def where(self, filters: Sequence[Condition]) -> sa.Select[Any]:
        """Those of them that the filters let through, each once."""
        key = primary_key(self.noun, self.row)
        ids = sa.select(key.label("id")).select_from(self.row)
        if len(self.ways) > 1:
            found = sa.union(*[ids.where(way, *filters) for way in self.ways]).subquery()
            joined = sa.select(key.label("id")).join_from(found, self.row, found.c.id == key)
            return joined.prefix_with(IN_THIS_ORDER).where(*self.rest)
        led = None if filters else led_by(self.ways[0])
        if led is None:
            return ids.where(*self.ways, *self.rest, *filters)
        column, leading, besides = led
        joined = sa.select(key.label("id")).join_from(leading, self.row, leading.c[0] == column)
        return joined.prefix_with(IN_THIS_ORDER).where(*besides, *self.rest)


def _order(keys: Sequence[_Key]) -> list[Column]:
    """Rows in the order of the keys, nulls last in each."""
    order: list[Column] = []
    for key in keys:
        order += [key.compared.is_(None)] if key.nullable else []
        order.append(key.compared.desc() if key.descending else key.compared.asc())
    return order


def _page(rows: sa.Select[Any], keys: Sequence[_Key]) -> sa.Select[Any]:
    """A page of rows in the order of the keys."""
    return (
        rows.order_by(*_order(keys))
        .limit(sa.bindparam("page_limit", type_=sa.Integer))
        .offset(sa.bindparam("page_skip", type_=sa.Integer))
    )


def _behind(keys: list[_Key], place: tuple[Any, ...]) -> Condition:
    """The rows that come after a place in the order of the keys; nulls are last in each."""
    ways: list[Condition] = []
    same: list[Condition] = []
    for n, (key, value) in enumerate(zip(keys, place, strict=True)):
        if value is None:
            same.append(key.compared.is_(None))
            continue
        here: sa.BindParameter[Any] = sa.bindparam(f"after{n}", type_=key.compared.type)
        further = key.compared < here if key.descending else key.compared > here
        if key.nullable:
            further = sa.or_(further, key.compared.is_(None))
        ways.append(sa.and_(*same, further))
        same.append(key.compared == here)
    return sa.or_(*ways)


def _chosen(noun: Bound, path: Path, query: Query) -> tuple[str, ...]:
    """The fields of one noun of a row: those asked for, else all; nothing asked of it: its key."""
    if query.fields is None:
        return (*noun.fields, *noun.noun.names)
    chosen = dict(query.fields).get(path)
    return chosen if chosen is not None else (noun.key,) if path else ()

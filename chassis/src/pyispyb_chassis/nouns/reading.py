"""Reads of nouns: a statement built once for each shape of query and viewer, and rows as dicts."""

import operator
import threading
from collections.abc import Callable, Hashable, Mapping
from dataclasses import dataclass
from typing import Any, Generic

import sqlalchemy as sa
from sqlalchemy.engine import Connection
from sqlalchemy.sql.elements import False_

from pyispyb_chassis.errors import NotFound
from pyispyb_chassis.nouns.catalogue import Bound, Catalogue, primary_key
from pyispyb_chassis.nouns.noun import Name
from pyispyb_chassis.nouns.policy import UNSEEN_INCLUDES, Condition, Policy, V
from pyispyb_chassis.nouns.query import Filter, Operator, Path, Query, noun_at

Row = dict[str, Any]
MOST_STATEMENTS = 512
# A FLOAT is equal to a number when they agree to six significant digits.
FLOAT_TOLERANCE = 5e-7
LARGEST_ID = 2**63 - 1
LONGEST_INTEGER = 4000


_COMPARISONS: Mapping[Operator, Callable[[Any, Any], Condition]] = {
    "eq": operator.eq,
    "ne": operator.ne,
    "lt": operator.lt,
    "lte": operator.le,
    "gt": operator.gt,
    "gte": operator.ge,
}


@dataclass(frozen=True, slots=True)
class _Part:
    """Where the columns of one noun of a row lie: from `start`, `key` first, then `names`."""

    path: Path
    start: int
    names: tuple[str, ...]
    shows: tuple[Callable[[Any], Any] | None, ...]


@dataclass(frozen=True, slots=True)
class Plan:
    """A built statement and how its rows become objects."""

    rows: sa.Select[Any]
    count: sa.Select[Any]
    parts: tuple[_Part, ...]

    def objects(self, result: sa.CursorResult[Any]) -> list[Row]:
        """The result's rows, includes nested, an include that is not seen null."""
        return [self._object(row) for row in result]

    def _object(self, row: Any) -> Row:
        made: dict[Path, Row | None] = {}
        for part in self.parts:
            item: Row | None = None
            if row[part.start] is not None:
                first = part.start + 1
                item = {
                    name: row[first + n] if show is None else show(row[first + n])
                    for n, (name, show) in enumerate(zip(part.names, part.shows, strict=True))
                }
            made[part.path] = item
            if part.path:
                parent = made[part.path[:-1]]
                if parent is not None:
                    parent[part.path[-1]] = item
        return made[()] or {}


class Reader(Generic[V]):
    """Lists and items of a catalogue, as one policy lets viewers see them."""

    def __init__(self, catalogue: Catalogue, policy: Policy[V], *, sqlite: bool) -> None:
        self.catalogue = catalogue
        self.policy = policy
        self._sqlite = sqlite
        self._plans: dict[Hashable, Plan] = {}
        self._lock = threading.Lock()

    def page(self, connection: Connection, noun: Bound, query: Query, viewer: V) -> Row:
        """A page in list form: total (null where it was not asked for), results, limit, skip."""
        plan = self._plan(noun, query, viewer)
        values = {**self.policy.parameters(viewer), **_values(query)}
        total = None
        if query.total:
            total = connection.execute(plan.count, values).scalar_one()
        rows: list[Row] = []
        if query.limit and (total is None or total > query.skip):
            # One row more than asked for tells whether there is a next page.
            paging = {"page_limit": query.limit + (total is None), "page_skip": query.skip}
            rows = plan.objects(connection.execute(plan.rows, {**values, **paging}))
        more = len(rows) > query.limit if total is None else query.skip + query.limit < total
        return {
            "total": total,
            "results": rows[: query.limit],
            "limit": query.limit,
            "skip": query.skip,
            "next": query.skip + query.limit if more and query.limit else None,
        }

    def item(
        self, connection: Connection, noun: Bound, key: str | int, viewer: V, query: Query
    ) -> Row:
        """One row by id, or by the word it is known as. Raises NotFound where it is unseen."""
        by = noun.key if isinstance(key, int) or _is_id(key) else noun.noun.known_as
        if by is None or (_is_id(str(key)) and int(key) > LARGEST_ID):
            raise NotFound(f"no such {noun.noun.one}")
        value = int(key) if by == noun.key else key
        found = Query(
            (Filter(by, "eq", value),), include=query.include, fields=query.fields, total=False
        )
        plan = self._plan(noun, found, viewer)
        values = {**self.policy.parameters(viewer), **_values(found)}
        rows = plan.objects(
            connection.execute(plan.rows, {**values, "page_limit": 1, "page_skip": 0})
        )
        if not rows:
            raise NotFound(f"no such {noun.noun.one}")
        return rows[0]

    def _plan(self, noun: Bound, query: Query, viewer: V) -> Plan:
        shape = (noun.path, query.shape, self.policy.shape(viewer))
        plan = self._plans.get(shape)
        if plan is None:
            plan = self._build(noun, query, viewer)
            with self._lock:
                if len(self._plans) >= MOST_STATEMENTS:
                    self._plans.pop(next(iter(self._plans)))
                self._plans[shape] = plan
        return plan

    def _build(self, noun: Bound, query: Query, viewer: V) -> Plan:
        row = noun.table.alias()
        conditions = [self.policy.sees(noun, viewer, row)]
        conditions += [
            self._condition(noun, row, viewer, n, f) for n, f in enumerate(query.filters)
        ]
        if query.search is not None:
            conditions.append(self._search(noun, row, viewer))
        source: sa.FromClause = row
        aliases: dict[Path, sa.FromClause] = {(): row}
        for path in query.include:
            target = noun_at(noun, path, self.catalogue)
            parent_noun = noun_at(noun, path[:-1], self.catalogue)
            column = parent_noun.references[path[-1]].column
            aliases[path] = target.table.alias()
            joined = primary_key(target, aliases[path]) == self.column(
                parent_noun, aliases[path[:-1]], column, viewer
            )
            seen: Condition = sa.true()
            if self.policy.guards(UNSEEN_INCLUDES):
                seen = self.policy.sees(target, viewer, aliases[path])
            if isinstance(seen, False_):  # kept as a comparison, or the join itself is folded away
                seen = sa.literal(1) == sa.literal(0)
            source = source.outerjoin(aliases[path], sa.and_(joined, seen))
        columns: list[sa.ColumnElement[Any]] = []
        parts: list[_Part] = []
        for path, alias in aliases.items():
            part_noun = noun_at(noun, path, self.catalogue)
            names = _chosen(part_noun, path, query)
            shown = tuple(
                part_noun.fields[name].show if name in part_noun.fields else None for name in names
            )
            parts.append(_Part(path, len(columns), names, shown))
            columns.append(primary_key(part_noun, alias))
            columns += [self.column(part_noun, alias, name, viewer) for name in names]
        # Labels keep equal names of different nouns apart.
        labelled = [column.label(f"c{n}") for n, column in enumerate(columns)]
        rows = (
            sa.select(*labelled)
            .select_from(source)
            .where(*conditions)
            .order_by(*self._order(noun, row, viewer, query))
            .limit(sa.bindparam("page_limit", type_=sa.Integer))
            .offset(sa.bindparam("page_skip", type_=sa.Integer))
        )
        count = sa.select(sa.func.count()).select_from(row).where(*conditions)
        return Plan(rows, count, tuple(parts))

    def column(
        self, noun: Bound, row: sa.FromClause, name: str, viewer: V
    ) -> sa.ColumnElement[Any]:
        """A column as the viewer may read it: null where a rule hides it.

        Filters, sorts and searches use the same, so that nothing hidden can be guessed.
        """
        if name in noun.noun.names:
            return self._name(noun, row, noun.noun.names[name])
        column: sa.ColumnElement[Any] = row.c[name]
        if noun.fields[name].kind == "enum":
            # A site's own word in an enum is read as it is; and enums sort by word.
            column = sa.type_coerce(column, sa.String) if self._sqlite else sa.cast(column, sa.CHAR)
        shown = self.policy.shows(noun, viewer, row, name)
        return column if shown is None else sa.case((shown, column), else_=None)

    def _name(self, noun: Bound, row: sa.FromClause, name: Name) -> sa.ColumnElement[Any]:
        first, second = name.columns
        if name.via is None:
            return row.c[first] + row.c[second]
        target = self.catalogue.target(noun.by_column[name.via])
        other = target.table.alias()
        word = sa.select(other.c[first] + other.c[second])
        return word.where(primary_key(target, other) == row.c[name.via]).scalar_subquery()

    def _named(self, noun: Bound, row: sa.FromClause, name: Name, n: int) -> Condition:
        """Equality with a name, so that the index over its two columns is used."""
        first: sa.BindParameter[str] = sa.bindparam(f"f{n}_letters", type_=sa.String)
        second: sa.BindParameter[str] = sa.bindparam(f"f{n}_rest", type_=sa.String)
        if name.via is None:
            return sa.and_(row.c[name.columns[0]] == first, row.c[name.columns[1]] == second)
        target = self.catalogue.target(noun.by_column[name.via])
        other = target.table.alias()
        keys = sa.select(primary_key(target, other)).where(
            other.c[name.columns[0]] == first, other.c[name.columns[1]] == second
        )
        return row.c[name.via].in_(keys)

    def _condition(
        self, noun: Bound, row: sa.FromClause, viewer: V, n: int, one: Filter
    ) -> Condition:
        if one.name in noun.noun.names and one.operator == "eq":
            return self._named(noun, row, noun.noun.names[one.name], n)
        column = self.column(noun, row, one.name, viewer)
        if one.operator == "null":
            return column.is_(None) if one.value else column.is_not(None)
        field = noun.fields.get(one.name)
        text = field is None or field.is_text
        if text:
            column = self._text(column)
        if one.operator == "like":
            return column.like(sa.bindparam(f"f{n}", type_=sa.String), escape="\\")
        if one.operator == "in":
            return column.in_(sa.bindparam(f"f{n}", expanding=True))
        if field is not None and field.kind == "number" and one.operator in {"eq", "ne"}:
            near = column.between(sa.bindparam(f"f{n}_low"), sa.bindparam(f"f{n}_high"))
            return near if one.operator == "eq" else sa.not_(near)
        value: sa.BindParameter[Any] = sa.bindparam(f"f{n}", type_=sa.String if text else None)
        return _COMPARISONS[one.operator](column, value)

    def _text(self, column: sa.ColumnElement[Any]) -> sa.ColumnElement[Any]:
        """Text as both databases compare it: without case and trailing blanks."""
        if not self._sqlite:
            return column
        return sa.func.rtrim(column, type_=sa.String).collate("NOCASE")

    def _search(self, noun: Bound, row: sa.FromClause, viewer: V) -> Condition:
        names = [*noun.noun.search, *([noun.noun.known_as] if noun.noun.known_as else [])]
        pattern = sa.bindparam("search", type_=sa.String)
        found = [
            self._text(self.column(noun, row, name, viewer)).like(pattern, escape="\\")
            for name in names
        ]
        return sa.or_(*found)

    def _order(
        self, noun: Bound, row: sa.FromClause, viewer: V, query: Query
    ) -> list[sa.ColumnElement[Any]]:
        """Nulls last, the primary key always the last key."""
        wanted = query.sort or tuple(
            (part.removeprefix("-"), part.startswith("-"))
            for part in noun.noun.sort.split(",")
            if part
        )
        order: list[sa.ColumnElement[Any]] = []
        for name, descending in wanted:
            column = self.column(noun, row, name, viewer)
            field = noun.fields.get(name)
            if field is None or field.nullable or noun.noun.hidden:
                order.append(column.is_(None))
            if field is None or field.is_text:
                column = self._text(column)
            order.append(column.desc() if descending else column.asc())
            if name == noun.key:
                return order
        return [*order, primary_key(noun, row).asc()]


def _is_id(key: str) -> bool:
    return key.isascii() and key.isdigit() and len(key) < LONGEST_INTEGER


def _chosen(noun: Bound, path: Path, query: Query) -> tuple[str, ...]:
    """The fields of one noun of a row: those asked for, else all; nothing asked of it: its key."""
    if query.fields is None:
        return (*noun.fields, *noun.noun.names)
    chosen = dict(query.fields).get(path)
    return chosen if chosen is not None else (noun.key,) if path else ()


def escaped(text: str) -> str:
    """`text` for a LIKE with `\\` as escape."""
    return text.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")


def split_name(word: str) -> tuple[str, str]:
    """MX1001 as MX and 1001."""
    letters = len(word) - len(word.lstrip("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"))
    return word[:letters], word[letters:]


def _values(query: Query) -> Mapping[str, Any]:
    """The values of the parameters that a query's statement uses."""
    values: dict[str, Any] = {}
    for n, one in enumerate(query.filters):
        value = one.value
        if isinstance(value, str):
            value = value.rstrip(" ")
            values[f"f{n}_letters"], values[f"f{n}_rest"] = split_name(value)
        if one.operator == "in":
            value = [part.rstrip(" ") if isinstance(part, str) else part for part in value]
        if one.operator == "like":
            value = escaped(str(value)).replace("*", "%")
        if isinstance(value, float) and one.operator in {"eq", "ne"}:
            width = abs(value) * FLOAT_TOLERANCE
            values[f"f{n}_low"], values[f"f{n}_high"] = value - width, value + width
        values[f"f{n}"] = value
    if query.search is not None:
        values["search"] = f"%{escaped(query.search)}%"
    return values

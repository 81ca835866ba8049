"""Conditions with alternatives as unions: no database uses an index across an OR of sub-queries.

A rule says `a IN (…) OR b IN (…)`, and a server that is asked for that reads the whole table. Asked
for the union of both it begins at the few rows that a member has, and so costs the same whatever
the table has grown to.
"""

from collections.abc import Iterable, Sequence
from typing import Any

import sqlalchemy as sa
from sqlalchemy.sql import operators, visitors

Condition = sa.ColumnElement[bool]
Around = frozenset[sa.FromClause]


def ways_of(
    condition: Condition, row: sa.FromClause
) -> tuple[Sequence[Condition], Sequence[Condition]]:
    """Ways of which a row meets at least one where it meets the condition, and what besides."""
    return _split(condition, frozenset({row}))


def united(condition: Condition, row: sa.FromClause) -> Condition:
    """The same condition, with the alternatives in its sub-queries as unions."""
    return _united(condition, frozenset({row}))


def led_by(
    way: Condition,
) -> tuple[sa.ColumnElement[Any], sa.FromClause, Sequence[Condition]] | None:
    """The column that a way asks for a place in a union, that union, and what it asks besides.

    A union has each value once, so that a join with it gives each row once. None where there is no
    such column.
    """
    parts = _parts(way) if _joined_by(way, operators.and_) else [way]
    for n, part in enumerate(parts):
        found = _selected(part)
        if found is None or found.whereclause is not None:
            continue
        (source,) = found.get_final_froms()
        if isinstance(source, sa.Subquery) and isinstance(source.element, sa.CompoundSelect):
            return part.left, source, [*parts[:n], *parts[n + 1 :]]
    return None


def _ways(condition: Condition, around: Around) -> list[Condition]:
    ways, rest = _split(condition, around)
    return [sa.and_(way, *rest) for way in ways] if rest else ways


def _split(condition: Condition, around: Around) -> tuple[list[Condition], list[Condition]]:
    """The first alternatives to which indexes lead, and all that is joined to them."""
    parts = _parts(condition) if _joined_by(condition, operators.and_) else [condition]
    for n, part in enumerate(parts):
        if _joined_by(part, operators.or_) and _leads(part):
            ways = _merged([way for one in _parts(part) for way in _ways(one, around)], around)
            if len(ways) > 1:
                return ways, [_united(other, around) for other in (*parts[:n], *parts[n + 1 :])]
    return [_united(condition, around)], []


def _united(condition: Condition, around: Around) -> Condition:
    if _joined_by(condition, operators.and_):
        return sa.and_(*[_united(part, around) for part in _parts(condition)])
    if _joined_by(condition, operators.or_):
        return sa.or_(*_merged([_united(part, around) for part in _parts(condition)], around))
    found = _selected(condition)
    if found is None or _reaches_out(found, around):
        return condition
    return _among(condition.left, _arms(found, around))


def _arms(found: sa.Select[Any], around: Around) -> list[sa.Select[Any]]:
    """The selects whose union is the given one."""
    if found.whereclause is None:
        return [found]
    sources = found.get_final_froms()
    chosen = sa.select(*found.selected_columns).select_from(*sources)
    within = around.union(*map(_named, sources))
    return [chosen.where(way) for way in _ways(found.whereclause, within)]


def _among(column: sa.ColumnElement[Any], arms: Sequence[sa.Select[Any]]) -> Condition:
    if len(arms) == 1:
        return column.in_(arms[0])
    found = sa.union(*arms).subquery()
    return column.in_(sa.select(*found.c))


def _merged(ways: list[Condition], around: Around) -> list[Condition]:
    """The ways, with those that ask one column for a place in several sub-queries made one."""
    columns: dict[sa.ColumnElement[Any], list[sa.Select[Any]]] = {}
    others: list[Condition] = []
    for way in ways:
        found = _selected(way)
        if found is None or _reaches_out(found, around):
            others.append(way)
        else:
            columns.setdefault(way.left, []).append(found)
    return [*(_among(column, arms) for column, arms in columns.items()), *others]


def _leads(condition: Condition) -> bool:
    """Whether an index may lead to the rows that meet a condition."""
    if _joined_by(condition, operators.or_):
        return all(map(_leads, _parts(condition)))
    if _joined_by(condition, operators.and_):
        return any(map(_leads, _parts(condition)))
    return getattr(condition, "operator", None) in {operators.in_op, operators.eq}


def _joined_by(condition: Condition, operator: Any) -> bool:
    return isinstance(condition, sa.BooleanClauseList) and condition.operator is operator


def _parts(condition: Condition) -> list[Condition]:
    """The conditions that an AND or an OR joins, without the brackets of an OR in an AND."""
    clauses: Iterable[Any] = condition.clauses
    return [getattr(one, "element", one) if _bracketed(one) else one for one in clauses]


def _bracketed(condition: Any) -> bool:
    return isinstance(condition, sa.sql.elements.Grouping)


def _selected(condition: Condition) -> sa.Select[Any] | None:
    """The sub-query of `column IN (SELECT …)`."""
    if getattr(condition, "operator", None) is not operators.in_op:
        return None
    right = condition.right
    found = right.element if isinstance(right, sa.ScalarSelect) else right
    return found if isinstance(found, sa.Select) else None


def _reaches_out(found: sa.Select[Any], around: Around) -> bool:
    """Whether a sub-query asks about a row around it, which a union in a FROM cannot."""
    return any(getattr(one, "table", None) in around for one in visitors.iterate(found))


def _named(source: sa.FromClause) -> Around:
    if isinstance(source, sa.Join):
        return _named(source.left) | _named(source.right)
    return frozenset({source})

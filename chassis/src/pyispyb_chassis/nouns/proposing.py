"""A row as it would be after a write, held against every rule before anything is written."""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Generic

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from pyispyb_chassis.errors import Forbidden, Unprocessable
from pyispyb_chassis.nouns.catalogue import Bound, Catalogue, Reference, RowId, primary_key
from pyispyb_chassis.nouns.fields import Refused
from pyispyb_chassis.nouns.policy import OWNERLESS, SAME_OWNER, SEEN_KEYS, Condition, Policy, V

Fault = tuple[str, str]
Values = Mapping[str, Any]
MOST_STRANGERS = 50
LONGEST_ECHO = 64


@dataclass(frozen=True, slots=True)
class Body:
    """What a JSON body asks for: the values as the database takes them, and every fault.

    `described` are the objects that tell foreign keys, by column; `brought` the same as bodies.
    """

    values: dict[str, Any]
    faults: list[Fault]
    described: dict[str, Values] = field(default_factory=dict)
    brought: dict[str, "Body"] = field(default_factory=dict)

    def moves(self, noun: Bound) -> bool:
        """Whether it sets a column by which the row belongs to its owner."""
        return bool(set(self.values) & set(noun.noun.belongs_to))


def body_of(noun: Bound, given: Values, *, new: bool) -> Body:
    """The body held against the noun's columns; `new` rows need what is required."""
    body = Body({}, [])
    if new and noun.nested:
        given = _without_objects(noun, given, body)
    body.faults.extend((name, noun.missing[name]) for name in given if name in noun.missing)
    strangers = [name for name in given if name not in noun.fields and name not in noun.missing]
    for name, value in given.items():
        if name in noun.fields:
            try:
                if not new and noun.noun.within and name in noun.identity:
                    raise Refused("says which row it is: delete it, and create another")
                body.values[name] = accepted(noun, name, value)
            except Refused as refused:
                body.faults.append((name, str(refused)))
    body.faults.extend(_faults_of_strangers(noun, strangers, new=new))
    told = {name for name, _ in body.faults} | body.described.keys()
    told |= {reference.column for name, reference in noun.nested.items() if name in told}
    for name in noun.required:
        if given.get(name) is None and name not in told and (new or name in given):
            body.faults.append((name, "is required" if new else "cannot be null"))
    chains = noun.noun.belongs_to
    if new and len(chains) > 1 and all(given.get(column) is None for column in chains):
        body.faults.append((chains[0], f"give {' or '.join(chains)}"))
    return body


def _without_objects(noun: Bound, given: Values, body: Body) -> Values:
    """What is given besides the objects that tell foreign keys, which the body notes."""
    for name, reference in noun.nested.items():
        if name not in given:
            continue
        if given.get(reference.column) is not None:
            body.faults.append((name, f"give {name} or {reference.column}"))
        elif isinstance(given[name], dict):
            body.described[reference.column] = given[name]
        else:
            body.faults.append((name, "takes an object"))
    return {name: value for name, value in given.items() if name not in noun.nested}


def _faults_of_strangers(noun: Bound, names: Sequence[str], *, new: bool) -> Iterable[Fault]:
    """Unknown names, so many of them as a person could read; the allowed ones are told once."""
    known = noun.settable.union(noun.nested if new else ())
    allowed = f"; allowed: {', '.join(sorted(known))}"
    for n, name in enumerate(names[:MOST_STRANGERS]):
        yield name[:LONGEST_ECHO], "no such field" + (allowed if n == 0 else "")
    if len(names) > MOST_STRANGERS:
        more = len(names) - MOST_STRANGERS
        yield names[MOST_STRANGERS][:LONGEST_ECHO], f"no such field, nor {more - 1} more"


def accepted(noun: Bound, name: str, value: Any) -> Any:
    """A JSON value as the database takes it. Raises Refused with what the column takes."""
    field = noun.fields[name]
    if name not in noun.settable:
        raise Refused("is never written through this API")
    if value is None:
        if not field.nullable:
            raise Refused("cannot be null")
        return None
    try:
        accepted = field.accept(value)
    except Refused as refused:
        raise Refused(f"takes {refused}") from refused
    pattern = noun.noun.patterns.get(name)
    if pattern is not None and not re.fullmatch(pattern, str(accepted)):
        raise Refused(f"takes a text that matches {pattern}")
    return accepted


class Proposals(Generic[V]):
    """Judges proposed rows: who may, which foreign keys, whose row it becomes."""

    def __init__(self, catalogue: Catalogue, policy: Policy[V], *, sqlite: bool) -> None:
        self._catalogue = catalogue
        self._policy = policy
        self._sqlite = sqlite

    def row(self, noun: Bound, values: Values, row_id: RowId | None = None) -> sa.Subquery:
        """The row as it would be: the stored one if there is one, with `values` laid over it."""
        stored = noun.alias()
        columns: list[sa.ColumnElement[Any]] = []
        for column in noun.table.columns:
            name = str(column.name)
            if name in values or row_id is None:
                columns.append(self._literal(values.get(name), column).label(name))
            else:
                columns.append(stored.c[name])
        statement = sa.select(*columns)
        if row_id is not None:
            statement = statement.select_from(stored).where(noun.is_row(stored, row_id))
            if not noun.is_kept_apart:  # of two with one identity either tells whose they are
                statement = statement.limit(1)
        return statement.subquery()

    def _literal(self, value: Any, column: sa.Column[Any]) -> sa.ColumnElement[Any]:
        literal = sa.literal(value, column.type)
        if self._sqlite and isinstance(column.type, sa.String):
            return literal.collate("NOCASE")
        return literal

    def refuse(
        self,
        connection: Connection,
        row: sa.FromClause,
        viewer: V,
        conditions: Mapping[str, Condition],
    ) -> None:
        """Raise Forbidden that names the columns ("" is the row) whose condition does not hold."""
        if not conditions:
            return
        checks = [condition.label(f"k{n}") for n, condition in enumerate(conditions.values())]
        statement = sa.select(*checks).select_from(row)
        found = connection.execute(statement, self._policy.parameters(viewer)).one()
        refused = [name for name, may in zip(conditions, found, strict=True) if not may]
        if refused:
            errors = [(name, "others may write this, you may not") for name in refused if name]
            raise Forbidden("you may not write this", errors=errors)

    def judge(
        self, connection: Connection, noun: Bound, row: sa.FromClause, body: Body, viewer: V
    ) -> None:
        """Hold the foreign keys and the chains of a proposed row against the rules.

        Raises Unprocessable with these faults and the body's own, all at once.
        """
        faults = list(body.faults)
        if not faults or all(name not in noun.noun.belongs_to for name, _ in faults):
            faults += self._faults_of_keys(connection, noun, row, body, viewer)
            faults += _faults_of_other_keys(connection, noun, body)
        if body.moves(noun) and not faults and not self._is_sound(connection, noun, row):
            told = [name for name in noun.noun.belongs_to if name in body.values]
            faults += [(name, "leads to another proposal") for name in told]
        if faults:
            raise Unprocessable("the body has faults", errors=faults)

    def _faults_of_keys(
        self, connection: Connection, noun: Bound, row: sa.FromClause, body: Body, viewer: V
    ) -> Iterable[Fault]:
        owner = self._policy.owner(noun, row)
        owned_by = None
        if owner is not None:
            owned_by = connection.execute(sa.select(owner).select_from(row)).scalar_one()
        for column, reference in noun.by_column.items():
            if body.values.get(column) is not None:
                seen = self._policy.guards(SEEN_KEYS)
            elif body.moves(noun) and column not in body.values:
                seen = False  # it was there before; after a move it must still fit
            else:
                continue
            named = self._owner_of_named(connection, noun, row, reference, viewer, seen=seen)
            foreign = (
                owner is not None
                and named is not None
                and self._policy.guards(SAME_OWNER)
                and column not in noun.noun.shared
                and named[0] not in {OWNERLESS, owned_by}
            )
            if column not in body.values:
                if foreign:
                    yield from _moved_away_from(noun, body, column)
            elif foreign or named is None:
                yield column, f"no such {self._catalogue.target(reference).noun.one}"

    def _owner_of_named(
        self,
        connection: Connection,
        noun: Bound,
        row: sa.FromClause,
        reference: Reference,
        viewer: V,
        *,
        seen: bool,
    ) -> tuple[Any] | None:
        """The owner of the row that a foreign key names; None where there is none (to be seen)."""
        target = self._catalogue.target(reference)
        other = target.alias()
        owner = self._policy.owner(target, other)
        shown = sa.literal(OWNERLESS) if owner is None else owner
        joined = row.join(other, primary_key(target, other) == row.c[reference.column])
        statement = sa.select(shown).select_from(joined)
        if seen:
            allowed = self._policy.names(noun, viewer, reference.column, other)
            statement = statement.where(allowed)
        found = connection.execute(statement, self._policy.parameters(viewer)).first()
        return None if found is None else (found[0],)

    def _is_sound(self, connection: Connection, noun: Bound, row: sa.FromClause) -> bool:
        sound = sa.select(self._policy.sound(noun, row)).select_from(row)
        return bool(connection.execute(sound).scalar_one())


def _faults_of_other_keys(connection: Connection, noun: Bound, body: Body) -> Iterable[Fault]:
    """The foreign keys to tables that are no nouns, where the row that they name is absent."""
    for column, led_to in noun.to_no_noun.items():
        if body.values.get(column) is not None:
            there = sa.select(led_to).where(led_to == body.values[column]).limit(1)
            if connection.execute(there).first() is None:
                yield column, f"no such {led_to.table.name}"


def _moved_away_from(noun: Bound, body: Body, column: str) -> Iterable[Fault]:
    """The columns of the body that move a row away from what another column still names."""
    moving = [name for name in noun.noun.belongs_to if name in body.values]
    return [(name, f"leads to another proposal than {column}") for name in moving]

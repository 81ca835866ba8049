"""What tells rows apart that no index of the database does: no two of them are alike in it."""

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Generic, NamedTuple

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from pyispyb_chassis.database import Database
from pyispyb_chassis.errors import Conflict
from pyispyb_chassis.nouns.catalogue import Bound, primary_key
from pyispyb_chassis.nouns.policy import Condition, Policy, V
from pyispyb_chassis.nouns.turns import Turns

Membership = Callable[[sa.FromClause], Condition]


@dataclass(frozen=True, kw_only=True, slots=True)
class Distinct:
    """No two rows of the noun `path` are `alike`; told at the first of `fields` that was sent.

    `fields` are the columns that can make rows alike; `above` are those of the nouns to which the
    rows belong; `told` follows the words "sample 12".
    """

    path: str
    fields: tuple[str, ...]
    alike: Callable[[sa.FromClause, sa.FromClause], Condition]
    told: str
    above: Mapping[str, tuple[str, ...]] = field(default_factory=dict)


class Twin(NamedTuple):
    """Another row that is like one that is written, and the column that says so."""

    field: str
    key: Any
    told: str


class Distinctions(Generic[V]):
    """Finds rows that would be alike, for one writer of an owner's rows at a time."""

    def __init__(
        self,
        policy: Policy[V],
        database: Database,
        rules: Sequence[Distinct] = (),
        turns: Turns | None = None,
    ) -> None:
        self._policy = policy
        self._database = database
        self._rules = tuple(rules)
        self._turns = turns

    def concern(self, noun: Bound, names: Collection[str]) -> bool:
        """Whether a write of these columns can make rows alike."""
        return any(self._of(noun, names)) or any(self._below(noun, names))

    def wait(self, connection: Connection, noun: Bound, rows: Iterable[sa.FromClause]) -> None:
        """Take the turn of the owner of each row."""
        if self._turns is None or self._database.is_sqlite:
            return
        owners = [self._policy.owner(noun, row) for row in rows]
        found = [connection.execute(sa.select(one)).scalar() for one in owners if one is not None]
        self._turns.take(
            self._database, connection, [f"rows of {one}" for one in found if one is not None]
        )

    def twins(
        self,
        connection: Connection,
        noun: Bound,
        names: Collection[str],
        row: sa.FromClause,
        key: Any = None,
    ) -> list[Twin]:
        """The first row, for each rule, that is like the one that is about to be written."""
        found: list[Twin] = []
        for rule in self._of(noun, names):
            other = noun.alias()
            alike = sa.select(primary_key(noun, other)).select_from(row.join(other, sa.true()))
            alike = alike.where(rule.alike(row, other))
            if key is not None:
                alike = alike.where(primary_key(noun, other) != key)
            twin = connection.execute(alike.order_by(primary_key(noun, other)).limit(1)).scalar()
            if twin is not None:
                named = next(name for name in rule.fields if name in names)
                found.append(Twin(named, twin, f"{noun.noun.one} {twin} {rule.told}"))
        return found

    def refuse(self, twins: Sequence[Twin]) -> None:
        """Raise Conflict that says which rows are alike."""
        if twins:
            raise Conflict("there is one like it already", errors=[
                (twin.field, twin.told) for twin in twins
            ])  # fmt: skip

    def refuse_below(
        self,
        connection: Connection,
        noun: Bound,
        names: Collection[str],
        below: Callable[[str], tuple[Bound, Sequence[Membership]]],
    ) -> None:
        """Raise Conflict where rows below one that was changed have become like others.

        `below` gives a noun and which of its rows belong to the changed one.
        """
        found: list[Twin] = []
        for rule, named in self._below(noun, names):
            held, memberships = below(rule.path)
            row, other = held.alias(), held.alias()
            keys = primary_key(held, row), primary_key(held, other)
            alike = sa.select(*keys).select_from(row.join(other, rule.alike(row, other)))
            alike = alike.where(keys[0] != keys[1], sa.or_(*[one(row) for one in memberships]))
            twin = connection.execute(alike.order_by(*keys).limit(1)).first()
            if twin is not None:
                told = f"{held.noun.one} {twin[0]} would be taken for another: "
                found.append(Twin(named, twin[1], f"{told}{held.noun.one} {twin[1]} {rule.told}"))
        self.refuse(found)

    def _of(self, noun: Bound, names: Collection[str]) -> Iterator[Distinct]:
        for rule in self._rules:
            if rule.path == noun.path and any(name in names for name in rule.fields):
                yield rule

    def _below(self, noun: Bound, names: Collection[str]) -> Iterator[tuple[Distinct, str]]:
        for rule in self._rules:
            for name in rule.above.get(noun.path, ()):
                if name in names:
                    yield rule, name
                    break

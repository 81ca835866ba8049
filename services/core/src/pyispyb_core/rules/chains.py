"""Chains: how a row leads to its proposal or its session, and when it leads to two."""

from collections.abc import Callable, Sequence
from typing import Any
from zoneinfo import ZoneInfo

import sqlalchemy as sa

from pyispyb_chassis.nouns.catalogue import Bound, Catalogue, primary_key
from pyispyb_chassis.nouns.policy import OWNERLESS, Condition
from pyispyb_core.rules.naming import limits
from pyispyb_core.rules.viewer import Level
from pyispyb_core.settings import CoreSettings
from pyispyb_core.tables import Tables

# The caller's personId, so that one statement serves all callers.
PERSON: sa.BindParameter[int] = sa.bindparam("viewer_person", type_=sa.Integer)

SOUND = "two chains lead to one proposal"

# What rules ask of rows besides their keys.
ASKED_FOR = frozenset(
    {
        "role",
        "login",
        "startDate",
        "endDate",
        "beamLineName",
        "beamLineOperator",
        "proposalCode",
        "acronym",
        "shippingStatus",
    }
)


class Chains:
    """The nouns, their tables, and the ways up from a row."""

    def __init__(
        self, tables: Tables, settings: CoreSettings, *, without: frozenset[str] = frozenset()
    ) -> None:
        self._tables = tables
        self._settings = settings
        self._zone = ZoneInfo(settings.database_timezone)
        self._catalogue: Catalogue | None = None
        self._narrow: dict[str, sa.FromClause] = {}
        self.without = without

    def attach(self, catalogue: Catalogue) -> None:
        """Tell the rules of the nouns, whose chains they follow."""
        self._catalogue = catalogue

    @property
    def catalogue(self) -> Catalogue:
        """The nouns whose chains the rules follow."""
        if self._catalogue is None:
            raise LookupError("the rules were not attached to a catalogue")
        return self._catalogue

    def guards(self, rule: str) -> bool:
        """Whether a rule that is no condition in SQL is in force."""
        return rule not in self.without

    def _alias(self, table: str) -> sa.FromClause:
        """The table under a name of its own, with its keys and what rules ask for.

        The package's tables have up to a hundred columns, and to alias them all takes most of the
        time in which a statement is built.
        """
        if table not in self._narrow:
            self._narrow[table] = self._tables.narrow(table, ASKED_FOR)
        return self._narrow[table].alias()

    def _word(self, column: sa.ColumnElement[str]) -> sa.ColumnElement[str]:
        """A text as MariaDB compares it: without case and trailing blanks."""
        if not self._tables.sqlite:
            return column
        return sa.func.rtrim(column, type_=sa.String).collate("NOCASE")

    def owner(self, noun: Bound, row: sa.FromClause) -> sa.ColumnElement[Any] | None:
        """The proposalId that a row belongs to; null for a row whose chain ends nowhere."""
        if noun.noun.level == Level.ROOT:
            return row.c.proposalId
        if not noun.noun.belongs_to and not noun.noun.named_by:
            return None
        ways = [self._owner_by(noun, row, column) for column in noun.noun.belongs_to]
        return _first([*ways, *self._owners_of_namers(noun, row)])

    def _owner_by(self, noun: Bound, row: sa.FromClause, column: str) -> sa.ColumnElement[Any]:
        reference = noun.by_column[column]
        if reference.target == "proposals":
            found: sa.ColumnElement[Any] = row.c[column]
            return found
        parent_noun = self.catalogue.target(reference)
        parent = self._alias(parent_noun.noun.table)
        source, owner = self._joined(parent_noun, parent, parent)
        joined = primary_key(parent_noun, parent) == row.c[column]
        return sa.select(owner).select_from(source).where(joined).correlate(row).scalar_subquery()

    def _joined(
        self, noun: Bound, row: sa.FromClause, source: sa.FromClause
    ) -> tuple[sa.FromClause, sa.ColumnElement[Any]]:
        """`source` with all that stands above the row, and the proposalId that it leads to.

        One statement with joins: what a database takes longest for is to plan sub-queries.
        """
        if noun.noun.level == Level.ROOT:
            return source, row.c.proposalId
        ways: list[sa.ColumnElement[Any]] = []
        for column in noun.noun.belongs_to:
            reference = noun.by_column[column]
            if reference.target == "proposals":
                ways.append(row.c[column])
                continue
            parent_noun = self.catalogue.target(reference)
            parent = self._alias(parent_noun.noun.table)
            source = source.outerjoin(parent, primary_key(parent_noun, parent) == row.c[column])
            source, owner = self._joined(parent_noun, parent, source)
            ways.append(owner)
        ways += self._owners_of_namers(noun, row)
        if not ways:
            raise LookupError(f"{noun.path} has no owner")
        return source, _first(ways)

    def _owners_of_namers(self, noun: Bound, row: sa.FromClause) -> list[sa.ColumnElement[Any]]:
        """The owners of what names the row; where several proposals do it is the first's."""
        if not noun.noun.named_by:
            return []
        ways: list[sa.ColumnElement[Any]] = []
        for namer, column in self.catalogue.namers(noun):
            named = self._alias(namer.noun.table)
            source, owner = self._joined(namer, named, named)
            first = sa.select(sa.func.min(owner)).select_from(source)
            joined = named.c[column] == primary_key(noun, row)
            ways.append(first.where(joined).correlate(row).scalar_subquery())
        return [*ways, sa.literal(OWNERLESS)]

    def _reaches(
        self,
        noun: Bound,
        row: sa.FromClause,
        test: Callable[[sa.ColumnElement[int]], Condition],
    ) -> Condition:
        """Rows whose chain, the first that is set, leads to a proposal that passes the test."""
        ways: list[Condition] = []
        before: list[Condition] = []
        for column in noun.noun.belongs_to:
            reference = noun.by_column[column]
            if reference.target == "proposals":
                way = test(row.c[column])
            else:
                way = row.c[column].in_(self._reached(self.catalogue.target(reference), test))
            ways.append(sa.and_(*before, way))
            before.append(row.c[column].is_(None))
        ways += self._through(noun, row, lambda namer, named: self._reaches(namer, named, test))
        return sa.or_(*ways)

    def _reached(
        self, noun: Bound, test: Callable[[sa.ColumnElement[int]], Condition]
    ) -> sa.Select[Any]:
        """The ids of the rows whose chain leads to a proposal that passes the test."""
        row = self._alias(noun.noun.table)
        above_noun, above, joined = self._straight_up(noun, row)
        passed = self._reaches(above_noun, above, test)
        return sa.select(primary_key(noun, row)).select_from(joined).where(passed)

    def _straight_up(
        self, noun: Bound, row: sa.FromClause
    ) -> tuple[Bound, sa.FromClause, sa.FromClause]:
        """As far up as there is one way: the noun there, its row, and all between joined.

        Lists of ids within one another are dear to plan for MariaDB, and SQLite's parser gives up
        on some ten of them.
        """
        joined = row
        while len(noun.noun.belongs_to) == 1 and not noun.noun.named_by:
            (column,) = noun.noun.belongs_to
            reference = noun.by_column[column]
            if reference.target == "proposals":
                break
            below, noun = row, self.catalogue.target(reference)
            row = self._alias(noun.noun.table)
            joined = joined.join(row, primary_key(noun, row) == below.c[column])
        return noun, row, joined

    def _through(
        self, noun: Bound, row: sa.FromClause, test: Callable[[Bound, sa.FromClause], Condition]
    ) -> list[Condition]:
        """Rows that a row names which passes the test: a way for each noun that names them."""
        ways: list[Condition] = []
        for namer, column in self.catalogue.namers(noun):
            named = self._alias(namer.noun.table)
            passed = sa.select(named.c[column]).where(
                test(namer, named), named.c[column].is_not(None)
            )
            ways.append(primary_key(noun, row).in_(passed))
        return ways

    @limits(SOUND)
    def sound(self, noun: Bound, row: sa.FromClause) -> Condition:
        """A row whose chains lead to two proposals is broken: only read-all sees it."""
        agreed: list[Condition] = []
        ways: list[sa.ColumnElement[Any]] = []
        for column in noun.noun.belongs_to:
            parent_noun = self.catalogue.target(noun.by_column[column])
            parent = self._alias(parent_noun.noun.table)
            joined = primary_key(parent_noun, parent) == row.c[column]
            if self._can_break(parent_noun):
                whole = sa.exists().where(joined, self.sound(parent_noun, parent))
                agreed.append(sa.or_(row.c[column].is_(None), whole))
            if len(noun.noun.belongs_to) > 1:
                ways.append(self._owner_by(noun, row, column))
        for n, one in enumerate(ways):
            # A chain that leads nowhere agrees with every other: what is compared is null then.
            agreed += [sa.func.coalesce(one == other, sa.true()) for other in ways[n + 1 :]]
        return sa.and_(sa.true(), *agreed)

    def _can_break(self, noun: Bound) -> bool:
        """Whether rows of this noun, or of one above it, have more than one chain."""
        above = [self.catalogue.target(noun.by_column[column]) for column in noun.noun.belongs_to]
        return len(above) > 1 or any(self._can_break(parent) for parent in above)


def _first(ways: Sequence[sa.ColumnElement[Any]]) -> sa.ColumnElement[Any]:
    """The first way that leads anywhere."""
    return ways[0] if len(ways) == 1 else sa.func.coalesce(*ways)

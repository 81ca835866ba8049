"""Rows that have no owner but what names them; until something does, their maker."""

from collections.abc import Callable

import sqlalchemy as sa

from pyispyb_chassis.nouns.catalogue import Bound, light, primary_key
from pyispyb_chassis.nouns.policy import Condition
from pyispyb_core.rules.goods import GoodsRules
from pyispyb_core.rules.naming import grants, limits
from pyispyb_core.rules.viewer import Level, Viewer


class NamedRules(GoodsRules):
    """Conditions on positions, structures, registered dewars, phasing: what other rows name."""

    @grants("a row that nothing names is its maker's")
    def _begun(self, noun: Bound, viewer: Viewer, row: sa.FromClause) -> Condition:
        """Who made a row sees and changes it while nothing names it and nothing else owns it."""
        if not viewer.has_made:
            return sa.false()
        change = light(self._tables.ledger.change).alias()
        made = sa.exists().where(
            change.c.noun == noun.path,
            change.c.rowId == sa.cast(primary_key(noun, row), sa.String(64)),
            change.c.action == "create",
            change.c.login == sa.bindparam("viewer_login", type_=sa.String),
        )
        return sa.and_(self._unowned(noun, row), made)

    def _unowned(self, noun: Bound, row: sa.FromClause) -> Condition:
        """Neither a column of its own nor another row says whose it is."""
        own = [row.c[column].is_(None) for column in noun.noun.belongs_to]
        names = []
        for namer, column in self.catalogue.namers(noun):
            named = self._alias(namer.noun.table)
            names.append(sa.exists().where(named.c[column] == primary_key(noun, row)))
        return sa.and_(sa.true(), *own, sa.not_(sa.or_(*names)))

    @grants("who writes somewhere begins what will be named there")
    def _begins(self, noun: Bound, viewer: Viewer, row: sa.FromClause) -> Condition:
        """A row without an owner is made by whoever could name it in one of their rows."""
        own = [row.c[column].is_(None) for column in noun.noun.belongs_to]
        if noun.noun.level in {Level.DATA, Level.PROCESSING}:
            session = self._alias("BLSession")
            written = sa.select(session.c.sessionId).where(self._written(noun, viewer)(session))
        else:
            proposal = self._alias("Proposal")
            inside = self._writes(viewer, proposal.c.proposalId)
            written = sa.select(proposal.c.proposalId).where(inside)
        return sa.and_(sa.true(), *own, written.exists())

    def _written(self, noun: Bound, viewer: Viewer) -> Callable[[sa.FromClause], Condition]:
        """The sessions that the viewer writes rows of this level in."""
        if noun.noun.level == Level.PROCESSING:
            return lambda session: self._staff_records(viewer, session)
        return lambda session: self._records(viewer, session)

    def _writes_row(self, noun: Bound, viewer: Viewer, row: sa.FromClause) -> Condition:
        """Whether the viewer writes a row, by its chain or by what names it."""
        if noun.noun.level in {Level.DATA, Level.PROCESSING}:
            return self._within(noun, row, self._written(noun, viewer))
        return self._reaches(noun, row, lambda owner: self._writes(viewer, owner))

    def _holds(self, noun: Bound, viewer: Viewer, row: sa.FromClause) -> Condition:
        """The rows that the viewer changes: named by theirs alone, or begun and not yet named."""
        foreign = []
        for namer, column in self.catalogue.namers(noun):
            named = self._alias(namer.noun.table)
            joined = named.c[column] == primary_key(noun, row)
            written = self._writes_row(namer, viewer, named)
            foreign.append(sa.exists().where(joined, sa.not_(written)))
        mine = sa.and_(self._writes_row(noun, viewer, row), self._unshared_name(foreign))
        return sa.or_(mine, self._begun(noun, viewer, row))

    @limits("what others name too is for administrators")
    def _unshared_name(self, foreign: list[Condition]) -> Condition:
        """A row that another proposal or session names too is changed by administrators only."""
        return sa.not_(sa.or_(*foreign))

"""What is recorded in a session and made of it, and the samples that were used."""

from collections.abc import Callable

import sqlalchemy as sa

from pyispyb_chassis.nouns.catalogue import Bound, primary_key
from pyispyb_chassis.nouns.policy import Condition
from pyispyb_core.rules.naming import grants, limits
from pyispyb_core.rules.proposals import ProposalRules
from pyispyb_core.rules.viewer import Level, Viewer

# SQLite's parser gives up on a few more lists of ids within one another than these.
MOST_NESTED = 8


class RecordedRules(ProposalRules):
    """Conditions on what a session's data are, and on the samples that they name."""

    @grants("participants see samples of their collections")
    def _collected(self, viewer: Viewer, sample: sa.FromClause) -> Condition:
        """A sample is used in a session by a DataCollectionGroup that names it."""
        group = self._alias("DataCollectionGroup")
        return self._used(viewer, sample, group.c.blSampleId, group.c.sessionId)

    @grants("participants see samples that the robot loaded")
    def _loaded(self, viewer: Viewer, sample: sa.FromClause) -> Condition:
        """A sample is used in a session by a RobotAction that names it."""
        action = self._alias("RobotAction")
        return self._used(viewer, sample, action.c.blsampleId, action.c.blsessionId)

    def _used(
        self,
        viewer: Viewer,
        sample: sa.FromClause,
        sample_id: sa.ColumnElement[int],
        session_id: sa.ColumnElement[int],
    ) -> Condition:
        session, used = self._alias("BLSession"), self._alias("BLSample")
        use = sa.select(sample_id).select_from(
            sample_id.table.join(session, session.c.sessionId == session_id).join(
                used, used.c.blSampleId == sample_id
            )
        )
        mine = use.where(self._visitor(viewer, session), self._own_sample(used, session))
        return sample.c.blSampleId.in_(mine)

    @limits("a used sample is of the session's proposal")
    def _own_sample(self, sample: sa.FromClause, session: sa.FromClause) -> Condition:
        """A collection that names another proposal's sample shows it to nobody."""
        owner = self.owner(self.catalogue["samples"], sample)
        return sa.and_(sa.true(), session.c.proposalId == owner)

    def _of_used(self, noun: Bound, viewer: Viewer, row: sa.FromClause) -> Condition:
        """A used sample, the crystal of one, the protein of one."""
        if not viewer.visited:
            return sa.false()
        if noun.path == "samples":
            return sa.or_(self._collected(viewer, row), self._loaded(viewer, row))
        below = "samples" if noun.path == "crystals" else "crystals"
        child_noun = self.catalogue[below]
        child = self._alias(child_noun.noun.table)
        used = sa.select(child.c[noun.key]).where(
            self._of_used(child_noun, viewer, child), self.sound(child_noun, child),
            child.c[noun.key].is_not(None),
        )  # fmt: skip
        return row.c[noun.key].in_(used)

    @grants("data are seen with their session")
    def _recorded(self, viewer: Viewer, session: sa.FromClause) -> Condition:
        """Whoever sees a session sees what was recorded in it and made of that."""
        return self._sees_session(viewer, session)

    @grants("what is named is seen with what names it")
    def _named(
        self,
        noun: Bound,
        row: sa.FromClause,
        test: Callable[[sa.FromClause], Condition],
        joining: bool,  # noqa: FBT001
    ) -> Condition:
        """A program is seen with each collection that it integrated, a place with its images."""
        ways = self._through(
            noun, row, lambda namer, named: self._within(namer, named, test, joining=joining)
        )
        return sa.or_(sa.false(), *ways)

    def _within(
        self,
        noun: Bound,
        row: sa.FromClause,
        test: Callable[[sa.FromClause], Condition],
        *,
        joining: bool = False,
    ) -> Condition:
        """Rows whose chain, the first that is set, leads to a session that passes the test.

        Each step is a list of ids within the next; a chain that would nest too many is `joining`.
        """
        joining = joining or self._height(noun) > MOST_NESTED
        ways: list[Condition] = []
        before: list[Condition] = []
        for column in noun.noun.belongs_to:
            parent_noun = self.catalogue.target(noun.by_column[column])
            parent = self._alias(parent_noun.noun.table)
            above_noun, above, joined = parent_noun, parent, parent
            if joining:
                above_noun, above, joined = self._straight_up(parent_noun, parent)
            if above_noun.noun.level == Level.SESSION:
                passed = test(above)
            else:
                passed = self._within(above_noun, above, test, joining=joining)
            reached = sa.select(primary_key(parent_noun, parent)).select_from(joined).where(passed)
            ways.append(sa.and_(*before, row.c[column].in_(reached)))
            before.append(row.c[column].is_(None))
        if noun.noun.named_by:
            ways.append(sa.and_(sa.true(), *before, self._named(noun, row, test, joining)))
        return sa.or_(*ways)

    def _straight_up(
        self, noun: Bound, row: sa.FromClause
    ) -> tuple[Bound, sa.FromClause, sa.FromClause]:
        """The session, or the first noun up the chain with several ways on; its row; all joined."""
        joined = row
        while noun.noun.level != Level.SESSION and self._has_one_way(noun):
            (column,) = noun.noun.belongs_to
            above_noun = self.catalogue.target(noun.by_column[column])
            above = self._alias(above_noun.noun.table)
            joined = joined.join(above, primary_key(above_noun, above) == row.c[column])
            noun, row = above_noun, above
        return noun, row, joined

    def _has_one_way(self, noun: Bound) -> bool:
        return len(noun.noun.belongs_to) == 1 and not noun.noun.named_by

    def _height(self, noun: Bound) -> int:
        """How many steps the longest chain of a noun takes to a session."""
        if noun.noun.level == Level.SESSION:
            return 0
        if noun.path not in self._heights:
            above = [self.catalogue.target(noun.by_column[one]) for one in noun.noun.belongs_to]
            above += [namer for namer, _ in self.catalogue.namers(noun)]
            self._heights[noun.path] = 1 + max(map(self._height, above), default=0)
        return self._heights[noun.path]

    @grants("members record in their sessions")
    def _member_records(self, viewer: Viewer, session: sa.FromClause) -> Condition:
        """Members record in every session of their proposal."""
        return self.member(viewer, session.c.proposalId)

    @grants("participants record in their session")
    def _participant_records(self, viewer: Viewer, session: sa.FromClause) -> Condition:
        """Participants write what was recorded in their session, and nothing else."""
        return self._participant(viewer, session)

    @grants("staff record in the sessions of their beamlines")
    def _staff_records(self, viewer: Viewer, session: sa.FromClause) -> Condition:
        """Staff, local contacts and service accounts record in the sessions they are staff of."""
        return self.staff_session(viewer, session)

    def _records(self, viewer: Viewer, session: sa.FromClause) -> Condition:
        return sa.or_(
            self._member_records(viewer, session),
            self._participant_records(viewer, session),
            self._staff_records(viewer, session),
        )

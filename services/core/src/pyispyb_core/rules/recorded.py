"""What is recorded in a session and made of it, and the samples that were used."""

from collections.abc import Callable

import sqlalchemy as sa

from pyispyb_chassis.nouns.catalogue import Bound, primary_key
from pyispyb_chassis.nouns.policy import Condition
from pyispyb_core.rules.naming import grants, limits
from pyispyb_core.rules.proposals import ProposalRules
from pyispyb_core.rules.viewer import Level, Viewer


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
        self, noun: Bound, row: sa.FromClause, test: Callable[[sa.FromClause], Condition]
    ) -> Condition:
        """A program is seen with each collection that it integrated, a place with its images."""
        ways = self._through(noun, row, lambda namer, named: self._within(namer, named, test))
        return sa.or_(sa.false(), *ways)

    def _within(
        self, noun: Bound, row: sa.FromClause, test: Callable[[sa.FromClause], Condition]
    ) -> Condition:
        """Rows whose chain, the first that is set, leads to a session that passes the test."""
        ways: list[Condition] = []
        before: list[Condition] = []
        for column in noun.noun.belongs_to:
            parent_noun = self.catalogue.target(noun.by_column[column])
            parent = self._alias(parent_noun.noun.table)
            above_noun, above, joined = self._straight_up(parent_noun, parent)
            if above_noun.noun.level == Level.SESSION:
                passed = test(above)
            else:
                passed = self._within(above_noun, above, test)
            reached = sa.select(primary_key(parent_noun, parent)).select_from(joined).where(passed)
            ways.append(sa.and_(*before, row.c[column].in_(reached)))
            before.append(row.c[column].is_(None))
        if noun.noun.named_by:
            ways.append(sa.and_(sa.true(), *before, self._named(noun, row, test)))
        return sa.or_(*ways)

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

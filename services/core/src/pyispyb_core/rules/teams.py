"""Who makes the team of a proposal, and who names the people of a session."""

import sqlalchemy as sa

from pyispyb_chassis.nouns.catalogue import Bound
from pyispyb_chassis.nouns.policy import Condition
from pyispyb_core.rules.chains import PERSON
from pyispyb_core.rules.naming import grants
from pyispyb_core.rules.proposals import LOCAL_CONTACT_ROLES
from pyispyb_core.rules.recorded import RecordedRules
from pyispyb_core.rules.viewer import Viewer

LEADING_ROLE = "Principal Investigator"
STAFF_ROLES = (*LOCAL_CONTACT_ROLES, "Staff")


class TeamRules(RecordedRules):
    """Conditions on rows of ProposalHasPerson and Session_has_Person."""

    @grants("the principal investigator makes the team")
    def _leads(self, viewer: Viewer, proposal_id: sa.ColumnElement[int]) -> Condition:
        """The proposal's person, and members with that role, say who its members are."""
        if viewer.person_id is None:
            return sa.false()
        member = self._alias("ProposalHasPerson")
        role = sa.type_coerce(member.c.role, sa.String)
        leading = sa.select(member.c.proposalId).where(
            member.c.personId == PERSON, role == LEADING_ROLE
        )
        return sa.or_(self._investigator(viewer, proposal_id), proposal_id.in_(leading))

    @grants("staff name the staff of their sessions")
    def _staffs(self, viewer: Viewer, session: sa.FromClause) -> Condition:
        """Staff of a beamline say who looks after its sessions: local contacts and staff."""
        return self._staff_writes(viewer, session)

    def _makes_crew(self, noun: Bound, viewer: Viewer, row: sa.FromClause) -> Condition:
        """Rows of Session_has_Person whose role is the viewer's to give."""
        role = sa.type_coerce(row.c.role, sa.String)
        of_staff = role.in_(STAFF_ROLES)
        by_staff = self._within(noun, row, lambda one: self._staffs(viewer, one))
        by_leader = self._within(noun, row, lambda one: self._leads(viewer, one.c.proposalId))
        return sa.or_(
            sa.and_(of_staff, by_staff),
            sa.and_(sa.or_(role.is_(None), sa.not_(of_staff)), by_leader),
        )

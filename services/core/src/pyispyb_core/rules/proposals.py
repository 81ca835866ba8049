"""Who sees into a proposal, who sees a session, and who writes there."""

from typing import Any

import sqlalchemy as sa

from pyispyb_chassis.nouns.policy import Condition
from pyispyb_chassis.nouns.ways import united
from pyispyb_core.rules.chains import PERSON, Chains
from pyispyb_core.rules.naming import grants, limits
from pyispyb_core.rules.viewer import Viewer

LOCAL_CONTACT_ROLES = ("Local Contact", "Local Contact 2")


class ProposalRules(Chains):
    """Conditions on a proposalId, and on a row of BLSession."""

    @grants("members see their proposal")
    def _member(self, viewer: Viewer, proposal_id: sa.ColumnElement[int]) -> Condition:
        """Those in ProposalHasPerson see everything in the proposal."""
        if viewer.person_id is None:
            return sa.false()
        member = self._alias("ProposalHasPerson")
        mine = sa.select(member.c.proposalId).where(member.c.personId == PERSON)
        return proposal_id.in_(mine)

    @grants("the proposal's person is a member")
    def _investigator(self, viewer: Viewer, proposal_id: sa.ColumnElement[int]) -> Condition:
        """Proposal.personId is a member too, with or without a row in ProposalHasPerson."""
        if viewer.person_id is None:
            return sa.false()
        proposal = self._alias("Proposal")
        mine = sa.select(proposal.c.proposalId).where(proposal.c.personId == PERSON)
        return proposal_id.in_(mine)

    def member(self, viewer: Viewer, proposal_id: sa.ColumnElement[int]) -> Condition:
        """The proposals that the viewer is a member of, one way or the other."""
        return sa.or_(self._member(viewer, proposal_id), self._investigator(viewer, proposal_id))

    def staff_proposal(self, viewer: Viewer, proposal_id: sa.ColumnElement[int]) -> Condition:
        """The proposals with a session, within the window, that the viewer is staff of."""
        if not viewer.staff_of and viewer.person_id is None:
            return sa.false()
        session = self._alias("BLSession")
        there = sa.select(session.c.proposalId).where(
            self.staff_session(viewer, session), self._in_window(session)
        )
        return proposal_id.in_(there)

    @limits("the staff window")
    def _in_window(self, session: sa.FromClause) -> Condition:
        """Staff see proposals with a session there from 60 days before to 60 days after now."""
        return sa.and_(
            session.c.startDate <= sa.bindparam("window_end", type_=sa.DateTime),
            session.c.endDate >= sa.bindparam("window_start", type_=sa.DateTime),
        )

    def inside(self, viewer: Viewer) -> sa.Select[tuple[int, bool]]:
        """The proposals that the viewer sees into, and whether as a member.

        The others are seen by staff, within the window.
        """
        proposal = self._alias("Proposal")
        key = proposal.c.proposalId
        member = self.member(viewer, key)
        seen = sa.or_(member, self.staff_proposal(viewer, key))
        found = sa.select(key, sa.type_coerce(member, sa.Boolean))
        return found.where(united(seen, proposal)).order_by(key)

    def visited(self, viewer: Viewer) -> sa.Select[tuple[int]]:
        """The sessions that the viewer is a participant of."""
        session = self._alias("BLSession")
        key = session.c.sessionId
        return sa.select(key).where(self._participant(viewer, session)).order_by(key)

    def _visitor(self, viewer: Viewer, session: sa.FromClause) -> Condition:
        """Participants: the sessions that were looked up with rights."""
        if not viewer.visited:
            return sa.false()
        visited = sa.bindparam("visited", expanding=True, type_=sa.Integer)
        return session.c.sessionId.in_(visited)

    def _insider(self, _viewer: Viewer, proposal_id: sa.ColumnElement[int]) -> Condition:
        """Members, and staff within the window: the proposals that were looked up with rights."""
        return proposal_id.in_(sa.bindparam("inside", expanding=True, type_=sa.Integer))

    def _of_member(self, viewer: Viewer, proposal_id: sa.ColumnElement[int]) -> Condition:
        """Members: the proposals that were looked up with rights."""
        if not viewer.member_of:
            return sa.false()
        return proposal_id.in_(sa.bindparam("member_of", expanding=True, type_=sa.Integer))

    @grants("participants see their session")
    def _participant(self, viewer: Viewer, session: sa.FromClause) -> Condition:
        """Those in Session_has_Person, local contacts apart, see that session."""
        if viewer.person_id is None:
            return sa.false()
        part = self._alias("Session_has_Person")
        role = sa.type_coerce(part.c.role, sa.String)
        mine = sa.select(part.c.sessionId).where(
            part.c.personId == PERSON, sa.or_(role.is_(None), role.not_in(LOCAL_CONTACT_ROLES))
        )
        return session.c.sessionId.in_(mine)

    @grants("staff see the sessions of their beamlines")
    def _beamline_staff(self, viewer: Viewer, session: sa.FromClause) -> Condition:
        """Beamline staff see the sessions on their beamlines, of any time."""
        if not viewer.staff_of:
            return sa.false()
        beamlines = sa.bindparam("beamlines", expanding=True, type_=sa.String)
        return self._word(session.c.beamLineName).in_(beamlines)

    @grants("a local contact is staff for that session")
    def _local_contact(self, viewer: Viewer, session: sa.FromClause) -> Condition:
        """A local contact in Session_has_Person is staff for that session only."""
        if viewer.person_id is None:
            return sa.false()
        part = self._alias("Session_has_Person")
        role = sa.type_coerce(part.c.role, sa.String)
        mine = sa.select(part.c.sessionId).where(
            part.c.personId == PERSON, role.in_(LOCAL_CONTACT_ROLES)
        )
        there = session.c.sessionId.in_(mine)
        if not self._settings.operator_is_login:
            return there
        return sa.or_(there, self._operator(session))

    @grants("the operator is a local contact where a site says so")
    def _operator(self, session: sa.FromClause) -> Condition:
        """Where beamLineOperator holds a login, its Person is a local contact of the session."""
        person = self._alias("Person")
        mine = sa.select(person.c.login).where(person.c.personId == PERSON)
        operator = self._word(session.c.beamLineOperator)
        return operator == mine.scalar_subquery()

    def looking_after(
        self, person: sa.FromClause, session_id: Any
    ) -> list[tuple[sa.ColumnElement[Any], Condition]]:
        """The ways to be a local contact of a session: the role, and which persons have it."""
        part = self._alias("Session_has_Person")
        role = sa.type_coerce(part.c.role, sa.String)
        named = sa.and_(
            part.c.personId == person.c.personId,
            part.c.sessionId == session_id,
            role.in_(LOCAL_CONTACT_ROLES),
        )
        ways: list[tuple[sa.ColumnElement[Any], Condition]] = [(role, named)]
        if self._settings.operator_is_login:
            session = self._alias("BLSession")
            operates = sa.and_(
                session.c.sessionId == session_id,
                person.c.login == self._word(session.c.beamLineOperator),
            )
            ways.append((sa.literal("beamLineOperator"), operates))
        return ways

    @limits("codes closed to staff")
    def _not_closed(self, session: sa.FromClause) -> Condition:
        """Sessions of a proposal whose code is closed are not for staff or local contacts."""
        proposal = self._alias("Proposal")
        closed = sa.select(proposal.c.proposalId).where(
            self._word(proposal.c.proposalCode).in_(
                sa.bindparam("closed_codes", expanding=True, type_=sa.String)
            )
        )
        return session.c.proposalId.not_in(closed)

    def staff_session(self, viewer: Viewer, session: sa.FromClause) -> Condition:
        """The sessions that the viewer is staff of."""
        staff = sa.or_(self._beamline_staff(viewer, session), self._local_contact(viewer, session))
        return sa.and_(staff, self._not_closed(session))

    def takes_part(self, viewer: Viewer, session: sa.FromClause) -> Condition:
        """The sessions that the viewer is a participant or the local contact of."""
        contact = sa.and_(self._local_contact(viewer, session), self._not_closed(session))
        return sa.or_(self._participant(viewer, session), contact)

    def _sees_session(self, viewer: Viewer, session: sa.FromClause) -> Condition:
        return sa.or_(
            self._of_member(viewer, session.c.proposalId),
            self._visitor(viewer, session),
            self.staff_session(viewer, session),
        )

    @grants("members write in their proposal")
    def _member_writes(self, viewer: Viewer, proposal_id: sa.ColumnElement[int]) -> Condition:
        """Members create, change and delete what belongs to their proposal."""
        return self.member(viewer, proposal_id)

    @grants("service accounts write where their beamlines are")
    def _service_writes(self, viewer: Viewer, proposal_id: sa.ColumnElement[int]) -> Condition:
        """A service account writes, within its scope, in the proposals that it sees."""
        return self.staff_proposal(viewer, proposal_id) if viewer.service else sa.false()

    def _writes(self, viewer: Viewer, proposal_id: sa.ColumnElement[int]) -> Condition:
        return sa.or_(
            self._member_writes(viewer, proposal_id), self._service_writes(viewer, proposal_id)
        )

    @grants("staff write the sessions of their beamlines")
    def _staff_writes(self, viewer: Viewer, session: sa.FromClause) -> Condition:
        """Staff of a beamline make and change its sessions, rights-bearing columns included."""
        staff = sa.and_(self._beamline_staff(viewer, session), self._not_closed(session))
        return sa.and_(staff, self._within_reach(viewer, session))

    @limits("staff set dates only where they see the proposal")
    def _within_reach(self, viewer: Viewer, session: sa.FromClause) -> Condition:
        """Nobody opens a proposal to themselves by moving an old session into the window."""
        return self._insider(viewer, session.c.proposalId)

    @grants("staff comment their sessions")
    def _staff_comments(self, viewer: Viewer, session: sa.FromClause) -> Condition:
        """Staff and the local contact change the plain columns of their sessions, of any time."""
        return self.staff_session(viewer, session)

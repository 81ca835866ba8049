"""Who belongs to a proposal and who takes part in a session."""

from pyispyb_chassis.nouns.noun import Noun
from pyispyb_chassis.permissions import Permission
from pyispyb_core.rules import Level

proposal_members = Noun(
    table="ProposalHasPerson",
    path="proposal-members",
    singular="member",
    area="proposals",
    doc="A member of a proposal besides its person, who sees everything in it",
    level=Level.TEAM,
    within="proposalId",
    segment="members",
    key="personId",
    belongs_to=("proposalId",),
    read=Permission.PROPOSAL_MEMBERS_READ,
    write=Permission.PROPOSAL_MEMBERS_WRITE,
    writable=("proposalId", "personId", "role"),
    includes=("Proposal", "Person"),
    sort="personId",
)

session_people = Noun(
    table="Session_has_Person",
    path="session-people",
    singular="person of this session",
    area="proposals",
    doc="Somebody who takes part in a session, on the spot or from afar, or looks after it",
    level=Level.CREW,
    within="sessionId",
    segment="people",
    key="personId",
    belongs_to=("sessionId",),
    read=Permission.SESSION_PEOPLE_READ,
    write=Permission.SESSION_PEOPLE_WRITE,
    writable=("sessionId", "personId", "role", "remote"),
    includes=("BLSession", "Person"),
    sort="personId",
)

NOUNS = (proposal_members, session_people)

"""Proposals and their sessions (visits) on a beamline."""

from pyispyb_chassis.nouns.noun import KEPT, Name, Noun
from pyispyb_chassis.permissions import Permission
from pyispyb_core.rules import Level

proposals = Noun(
    table="Proposal",
    path="proposals",
    area="proposals",
    doc="A proposal for beam time, known by its code and number, as MX1001",
    level=Level.ROOT,
    read=Permission.PROPOSALS_READ,
    write=Permission.PROPOSALS_WRITE,
    actions=KEPT,
    writable=("title",),
    rights=(
        "personId", "proposalCode", "proposalNumber", "proposalType", "externalId", "state",
        "startDate", "endDate",
    ),
    required=("personId", "proposalCode", "proposalNumber"),
    shared=("personId",),
    includes=("Person", "BLSession", "Shipping", "Protein", "LabContact", "ProposalHasPerson"),
    search=("title",),
    sort="proposalCode,proposalNumber",
    names={"proposal": Name(("proposalCode", "proposalNumber"), "code and number, as MX1001")},
    known_as="proposal",
    stamps={"bltimeStamp": "write"},
    patterns={"proposalCode": r"[A-Za-z]{1,45}", "proposalNumber": r"[0-9_-][A-Za-z0-9_-]{0,44}"},
)  # fmt: skip

sessions = Noun(
    table="BLSession",
    path="sessions",
    area="proposals",
    doc="A visit of a proposal to a beamline",
    level=Level.SESSION,
    belongs_to=("proposalId",),
    read=Permission.SESSIONS_READ,
    write=Permission.SESSIONS_WRITE,
    actions=KEPT,
    writable=("proposalId", "comments"),
    rights=(
        "beamLineName", "startDate", "endDate", "scheduled", "nbShifts", "beamLineOperator",
        "visit_number", "usedFlag", "archived", "riskRating", "externalId", "beamLineSetupId",
    ),
    fixed=("proposalId",),
    required=("beamLineName", "startDate", "endDate"),
    includes=(
        "Proposal", "BeamLineSetup", "DataCollectionGroup", "Container", "Session_has_Person",
    ),
    search=("beamLineName", "comments"),
    sort="-startDate",
    names={
        "proposal": Name(("proposalCode", "proposalNumber"), "its proposal", via="proposalId")
    },
    defaults={"visit_number": None},
    stamps={"bltimeStamp": "create", "lastUpdate": "write"},
)  # fmt: skip

NOUNS = (proposals, sessions)

"""Dewars that come again: registered under one facility code, and the proposals that use them."""

from pyispyb_chassis.nouns.noun import READS, Noun
from pyispyb_chassis.permissions import Permission
from pyispyb_core.rules import Level

dewar_registry = Noun(
    table="DewarRegistry",
    path="dewar-registry",
    singular="registered dewar",
    area="shipping",
    doc="A dewar that a facility knows by its code, whoever uses it",
    level=Level.PROPOSAL,
    # Where a site still keeps it, the column says whose it is; else the proposals attached to it.
    belongs_to=("proposalId",),
    named_by=("dewar-registry-proposals.dewarRegistryId",),
    read=Permission.DEWAR_REGISTRY_READ,
    write=Permission.DEWAR_REGISTRY_WRITE,
    writable=(
        "facilityCode", "type", "proposalId", "labContactId", "purchaseDate",
        "manufacturerSerialNumber",
    ),
    includes=("Proposal", "LabContact", "DewarRegistry_has_Proposal", "Dewar"),
    search=("facilityCode", "manufacturerSerialNumber"),
    sort="facilityCode",
    stamps={"bltimestamp": "write"},
    patterns={"facilityCode": r"[A-Za-z0-9_-]+"},
)  # fmt: skip

dewar_registry_proposals = Noun(
    table="DewarRegistry_has_Proposal",
    path="dewar-registry-proposals",
    area="shipping",
    doc="That a proposal uses a registered dewar; detached by deleting it",
    level=Level.PROPOSAL,
    belongs_to=("proposalId",),
    read=Permission.DEWAR_REGISTRY_PROPOSALS_READ,
    write=Permission.DEWAR_REGISTRY_PROPOSALS_WRITE,
    actions=(*READS, "create", "delete"),
    writable=("dewarRegistryId", "proposalId", "labContactId"),
    required=("dewarRegistryId",),
    shared=("dewarRegistryId",),
    includes=("DewarRegistry", "Proposal", "LabContact"),
    sort="-dewarRegistryHasProposalId",
    stamps={"recordTimestamp": "create"},
)

NOUNS = (dewar_registry, dewar_registry_proposals)

"""Persons, their laboratories, and who is written to about a shipment."""

from pyispyb_chassis.nouns.noun import KEPT, Noun
from pyispyb_chassis.permissions import Permission
from pyispyb_core.rules import Level

persons = Noun(
    table="Person",
    path="persons",
    area="people",
    doc="A person that a proposal, a session or a shipment knows of",
    level=Level.PERSON,
    read=Permission.PERSONS_READ,
    write=Permission.PERSONS_WRITE,
    actions=KEPT,
    writable=(
        "laboratoryId", "familyName", "givenName", "title", "emailAddress", "phoneNumber",
        "faxNumber",
    ),
    rights=("login", "externalId", "siteId", "personUUID"),
    required=("familyName",),
    includes=("Laboratory",),
    nested=("laboratoryId",),
    search=("familyName", "givenName", "login"),
    sort="familyName,givenName",
    hidden=(
        "recordTimeStamp", "laboratoryId", "siteId", "personUUID", "emailAddress", "phoneNumber",
        "login", "faxNumber", "cache", "externalId",
    ),
    stamps={"recordTimeStamp": "create"},
)  # fmt: skip

laboratories = Noun(
    table="Laboratory",
    path="laboratories",
    singular="laboratory",
    area="people",
    doc="A laboratory that persons belong to and dewars are sent from",
    level=Level.LABORATORY,
    read=Permission.LABORATORIES_READ,
    write=Permission.LABORATORIES_WRITE,
    writable=(
        "name",
        "address",
        "city",
        "postcode",
        "country",
        "url",
        "organization",
        "EORINumber",
    ),
    rights=("laboratoryUUID", "laboratoryPk"),
    required=("name",),
    search=("name", "city", "country"),
    sort="name",
    stamps={"recordTimeStamp": "create"},
)

labcontacts = Noun(
    table="LabContact",
    path="labcontacts",
    area="people",
    doc="A person as the sender or receiver of a proposal's shipments",
    level=Level.CONTACT,
    belongs_to=("proposalId",),
    read=Permission.LABCONTACTS_READ,
    write=Permission.LABCONTACTS_WRITE,
    writable=(
        "personId", "cardName", "proposalId", "dewarAvgCustomsValue", "dewarAvgTransportValue",
        "defaultCourrierCompany", "courierAccount", "billingReference",
    ),
    includes=("Person", "Proposal"),
    nested=("personId",),
    search=("cardName",),
    sort="cardName",
    stamps={"recordTimeStamp": "create"},
)  # fmt: skip

NOUNS = (persons, laboratories, labcontacts)

"""The demo cast's rows: proposals, sessions, a shipment, samples, and who is in which group."""

from datetime import UTC, datetime, timedelta
from typing import Any, cast

import sqlalchemy as sa

OPEN = "sent to facility"
CLOSED = "closed"

# name, acronym, molecular mass, safety level
_LYSOZYME = ("Lysozyme", "LYSO", 14313.0, "GREEN")
_THAUMATIN = ("Thaumatin", "THAU", 22205.0, "GREEN")
_INSULIN = ("Insulin", "INS", 5808.0, "GREEN")

_FORM = (
    *("name", "spaceGroup"),
    *("cell_a", "cell_b", "cell_c", "cell_alpha", "cell_beta", "cell_gamma"),
)
_FORMS = {
    "LYSO": (
        ("LYSO-tetragonal", "P43212", 78.5, 78.5, 37.9, 90.0, 90.0, 90.0),
        ("LYSO-monoclinic", "P21", 27.5, 62.5, 59.6, 90.0, 90.6, 90.0),
    ),
    "THAU": (
        ("THAU-tetragonal", "P41212", 57.8, 57.8, 150.2, 90.0, 90.0, 90.0),
        ("THAU-orthorhombic", "P212121", 44.3, 63.7, 72.7, 90.0, 90.0, 90.0),
    ),
    "INS": (("INS-cubic", "I213", 78.0, 78.0, 78.0, 90.0, 90.0, 90.0),),
}


def make_demo(connection: sa.Connection, metadata: sa.MetaData, now: datetime) -> bool:
    """Insert the demo cast's rows, with times around `now` (aware, in the database's zone).

    Does nothing and gives False when the demo is already there.
    """
    proposal = metadata.tables["Proposal"]
    there = sa.select(sa.func.count()).where(
        proposal.c.proposalCode == "MX", proposal.c.proposalNumber == "1001"
    )
    if connection.scalar(there):
        return False
    demo = _Demo(connection, metadata, now)
    people = demo.add_people()
    demo.add_groups(people)
    demo.add_mx1001(people)
    demo.add_mx1002(people)
    demo.add_in2001(people)
    return True


class _Demo:
    """One run of inserts; every method adds one part of the story."""

    def __init__(self, connection: sa.Connection, metadata: sa.MetaData, now: datetime) -> None:
        self._connection = connection
        self._tables = metadata.tables
        self._now = now.replace(microsecond=0)

    def _add(self, table: str, **values: Any) -> int:
        target = self._tables[table]
        values = {name: value for name, value in values.items() if name in target.c}
        inserted = self._connection.execute(sa.insert(target).values(values))
        return int(cast("tuple[int, ...]", inserted.inserted_primary_key)[0])

    def _at(self, **distance: float) -> datetime:
        """What a DATETIME column holds: no zone, the database's own time."""
        return (self._now + timedelta(**distance)).replace(tzinfo=None)

    def _stamp(self, **distance: float) -> datetime:
        """What a TIMESTAMP column is given over a connection at +00:00."""
        return (self._now + timedelta(**distance)).astimezone(UTC).replace(tzinfo=None)

    def add_people(self) -> dict[str, int]:
        """The cast, and two contacts who never log in."""
        laboratories = {
            name: self._add("Laboratory", name=name, city=city, organization=name)
            for name, city in (
                ("Riverside Institute", "Riverside"),
                ("Hillside University", "Hillside"),
                ("The Facility", "Ringtown"),
            )
        }
        people: dict[str, int] = {}
        for login, given, family, laboratory in (
            ("alice", "Alice", "Member", "Riverside Institute"),
            ("bob", "Bob", "Participant", "Hillside University"),
            ("carol", "Carol", "Staff", "The Facility"),
            ("dave", "Dave", "Goods", "The Facility"),
            ("erin", "Erin", "Administrator", "The Facility"),
            ("oscar", "Oscar", "Newcomer", None),
            (None, "Riverside", "Stores", "Riverside Institute"),
            (None, "Industry", "Contact", None),
        ):
            name = login or f"{given} {family}"
            people[name] = self._add(
                "Person",
                login=login,
                givenName=given,
                familyName=family,
                laboratoryId=laboratories[laboratory] if laboratory else None,
                emailAddress=f"{name.lower().replace(' ', '.')}@example.org",
                phoneNumber=f"+00 555 {len(people):04}",
            )
        return people

    def add_groups(self, people: dict[str, int]) -> None:
        """Memberships; what each group means stands in [permissions.groups] of ispyb.toml."""
        for group, login in (("BL1 staff", "carol"), ("goods", "dave"), ("administrators", "erin")):
            self._add(
                "UserGroup_has_Person",
                userGroupId=self._add("UserGroup", name=group),
                personId=people[login],
            )

    def add_mx1001(self, people: dict[str, int]) -> None:
        """alice's proposal: a past, a running and a coming session, a shipment of 20 samples."""
        proposal = self._proposal(
            "MX", "1001", "Lysozyme and thaumatin crystal forms", people["alice"]
        )
        past = self._session(proposal, 1, "BL2", self._at(days=-90), self._at(days=-89))
        self._session(proposal, 2, "BL1", self._at(hours=-4), self._at(hours=20))
        self._session(proposal, 3, "BL1", self._at(days=14), self._at(days=15))
        self._add("Session_has_Person", sessionId=past, personId=people["bob"], role="Team Member")
        contact = self._contact(proposal, people["alice"], "MX1001-contact")
        shipment = self._shipment(proposal, "MX1001-shipment", OPEN, contact)
        crystals = self._crystals(proposal, _LYSOZYME) + self._crystals(proposal, _THAUMATIN)
        samples: list[int] = []
        for number in range(1, 5):
            if number % 2:
                dewar = self._dewar(shipment, f"MX1001-dewar-{number // 2 + 1}")
            puck = self._puck(dewar, f"MX1001-puck-{number}")
            samples += self._samples(puck, crystals, "MX1001", start=len(samples), count=5)
        self._use(past, samples[0], samples[1])

    def add_mx1002(self, people: dict[str, int]) -> None:
        """bob's proposal: a session to come, an open shipment and one that is over."""
        proposal = self._proposal("MX", "1002", "Insulin at room temperature", people["bob"])
        self._session(proposal, 1, "BL2", self._at(days=3), self._at(days=4))
        contact = self._contact(proposal, people["Riverside Stores"], "MX1002-contact")
        shipment = self._shipment(proposal, "MX1002-shipment", OPEN, contact)
        puck = self._puck(self._dewar(shipment, "MX1002-dewar-1"), "MX1002-puck-1")
        self._samples(puck, self._crystals(proposal, _INSULIN), "MX1002", start=0, count=3)
        over = self._shipment(proposal, "MX1002-closed-shipment", CLOSED, contact)
        self._dewar(over, "MX1002-closed-dewar")

    def add_in2001(self, people: dict[str, int]) -> None:
        """A proposal whose code is closed to staff, running on carol's beamline."""
        proposal = self._proposal("IN", "2001", "Proprietary research", people["Industry Contact"])
        self._session(proposal, 1, "BL1", self._at(days=-1), self._at(days=1))

    def _proposal(self, code: str, number: str, title: str, investigator: int) -> int:
        proposal = self._add(
            "Proposal",
            personId=investigator,
            proposalCode=code,
            proposalNumber=number,
            title=title,
            proposalType=code,
            state="Open",
            bltimeStamp=self._stamp(days=-120),
        )
        self._add(
            "ProposalHasPerson",
            proposalId=proposal,
            personId=investigator,
            role="Principal Investigator",
        )
        return proposal

    def _session(
        self, proposal: int, visit: int, beamline: str, start: datetime, end: datetime
    ) -> int:
        return self._add(
            "BLSession",
            proposalId=proposal,
            visit_number=visit,
            beamLineName=beamline,
            startDate=start,
            endDate=end,
            scheduled=1,
            nbShifts=3,
            beamLineOperator=f"{beamline} staff",
        )

    def _contact(self, proposal: int, person: int, card: str) -> int:
        return self._add(
            "LabContact",
            proposalId=proposal,
            personId=person,
            cardName=card,
            defaultCourrierCompany="Courier",
        )

    def _shipment(self, proposal: int, name: str, status: str, contact: int) -> int:
        return self._add(
            "Shipping",
            proposalId=proposal,
            shippingName=name,
            shippingStatus=status,
            sendingLabContactId=contact,
            returnLabContactId=contact,
            creationDate=self._at(days=-5),
            shippingType="DewarTracking",
            SAFETYLEVEL="GREEN",
        )

    def _dewar(self, shipment: int, code: str) -> int:
        return self._add(
            "Dewar", shippingId=shipment, code=code, barCode=code, type="Dewar", dewarStatus=OPEN
        )

    def _puck(self, dewar: int, code: str) -> int:
        return self._add(
            "Container",
            dewarId=dewar,
            code=code,
            barcode=code,
            containerType="Unipuck",
            capacity=16,
            # The column's default points to a ProcessingPipeline that a new database lacks.
            priorityPipelineId=None,
        )

    def _crystals(self, proposal: int, protein: tuple[str, str, float, str]) -> list[int]:
        name, acronym, mass, safety = protein
        owner = self._add(
            "Protein",
            proposalId=proposal,
            name=name,
            acronym=acronym,
            molecularMass=mass,
            safetyLevel=safety,
            proteinType="ORGANIC",
        )
        return [
            self._add("Crystal", proteinId=owner, **dict(zip(_FORM, form, strict=True)))
            for form in _FORMS[acronym]
        ]

    def _samples(
        self, puck: int, crystals: list[int], prefix: str, *, start: int, count: int
    ) -> list[int]:
        return [
            self._add(
                "BLSample",
                containerId=puck,
                crystalId=crystals[number % len(crystals)],
                name=f"{prefix}-s{number + 1:02}",
                code=f"{prefix}-pin-{number + 1:02}",
                location=str(number - start + 1),
                holderLength=22.0,
                loopType="Nylon",
                blSampleStatus="CREATED",
            )
            for number in range(start, start + count)
        ]

    def _use(self, session: int, collected: int, mounted: int) -> None:
        """Two samples were used in the session: one has data, the other was only on the robot."""
        self._add(
            "DataCollectionGroup",
            sessionId=session,
            blSampleId=collected,
            experimentType="OSC",
            startTime=self._at(days=-90, hours=2),
            endTime=self._at(days=-90, hours=2.2),
        )
        self._add(
            "RobotAction",
            blsessionId=session,
            blsampleId=mounted,
            actionType="LOAD",
            status="SUCCESS",
            startTimestamp=self._stamp(days=-90, hours=3),
            endTimestamp=self._stamp(days=-90, hours=3.01),
        )

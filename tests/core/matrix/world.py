"""The rows that the matrix speaks of: the demo cast's, and the situations that the demo lacks."""

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa
from tests.core.matrix.world_of_data import add_data, add_plans, add_processing, add_words
from tests.core.matrix.world_of_microscopy import add_microscopy
from tests.core.matrix.world_of_named import KINDS_OF_NAMED, add_named
from tests.core.matrix.world_of_parts import KINDS_OF_PARTS, add_parts
from tests.core.matrix.world_of_phasing import KINDS_OF_PHASING, add_phasing
from tests.core.matrix.world_of_words import KINDS_OF_WORDS, add_lookups
from tests.core.matrix.world_within import add_within

from pyispyb_core.demo import make_demo


@dataclass(frozen=True, slots=True)
class Kind:
    """What the matrix knows of a noun: its table, its key, the column that `?search=` reads."""

    table: str
    key: str
    word: str | None


KINDS = {
    "persons": Kind("Person", "personId", "familyName"),
    "laboratories": Kind("Laboratory", "laboratoryId", "name"),
    "labcontacts": Kind("LabContact", "labContactId", "cardName"),
    "proposals": Kind("Proposal", "proposalId", "title"),
    "sessions": Kind("BLSession", "sessionId", "comments"),
    "shippings": Kind("Shipping", "shippingId", "shippingName"),
    "dewars": Kind("Dewar", "dewarId", "code"),
    "containers": Kind("Container", "containerId", "code"),
    "samples": Kind("BLSample", "blSampleId", "name"),
    "crystals": Kind("Crystal", "crystalId", "name"),
    "proteins": Kind("Protein", "proteinId", "acronym"),
    "dewar-transport-history": Kind(
        "DewarTransportHistory", "DewarTransportHistoryId", "storageLocation"
    ),
    "container-history": Kind("ContainerHistory", "containerHistoryId", "location"),
    "container-queue": Kind("ContainerQueue", "containerQueueId", None),
    "container-queue-samples": Kind("ContainerQueueSample", "containerQueueSampleId", "status"),
    "sub-samples": Kind("BLSubSample", "blSubSampleId", "comments"),
    "sample-images": Kind("BLSampleImage", "blSampleImageId", "comments"),
    "sample-groups": Kind("BLSampleGroup", "blSampleGroupId", "name"),
    "ligands": Kind("Ligand", "ligandId", "name"),
    "diffraction-plans": Kind("DiffractionPlan", "diffractionPlanId", "comments"),
    "beamline-setups": Kind("BeamLineSetup", "beamLineSetupId", "beamlineName"),
    "detectors": Kind("Detector", "detectorId", "detectorModel"),
    "beam-calendars": Kind("BeamCalendar", "beamCalendarId", "run"),
    "container-types": Kind("ContainerType", "containerTypeId", "name"),
    "experiment-types": Kind("ExperimentType", "experimentTypeId", "name"),
    "component-types": Kind("ComponentType", "componentTypeId", "name"),
    "datacollection-groups": Kind("DataCollectionGroup", "dataCollectionGroupId", "comments"),
    "datacollections": Kind("DataCollection", "dataCollectionId", "imagePrefix"),
    "images": Kind("Image", "imageId", "fileName"),
    "grid-infos": Kind("GridInfo", "gridInfoId", None),
    "datacollection-attachments": Kind(
        "DataCollectionFileAttachment", "dataCollectionFileAttachmentId", "fileFullPath"
    ),
    "robot-actions": Kind("RobotAction", "robotActionId", "message"),
    "energy-scans": Kind("EnergyScan", "energyScanId", "element"),
    "xfe-spectra": Kind("XFEFluorescenceSpectrum", "xfeFluorescenceSpectrumId", "filename"),
    "processing-jobs": Kind("ProcessingJob", "processingJobId", "displayName"),
    "processing-job-parameters": Kind(
        "ProcessingJobParameter", "processingJobParameterId", "parameterKey"
    ),
    "screenings": Kind("Screening", "screeningId", "shortComments"),
    "screening-outputs": Kind("ScreeningOutput", "screeningOutputId", "statusDescription"),
    "screening-output-lattices": Kind(
        "ScreeningOutputLattice", "screeningOutputLatticeId", "spaceGroup"
    ),
    "screening-strategies": Kind("ScreeningStrategy", "screeningStrategyId", "program"),
    "xray-centrings": Kind("XrayCentring", "xrayCentringId", None),
    "xray-centring-results": Kind("XrayCentringResult", "xrayCentringResultId", None),
    "autoproc-programs": Kind("AutoProcProgram", "autoProcProgramId", "processingPrograms"),
    "autoprocs": Kind("AutoProc", "autoProcId", "spaceGroup"),
    "autoproc-integrations": Kind("AutoProcIntegration", "autoProcIntegrationId", None),
    "autoproc-scalings": Kind("AutoProcScaling", "autoProcScalingId", None),
    "autoproc-scaling-statistics": Kind(
        "AutoProcScalingStatistics", "autoProcScalingStatisticsId", "comments"
    ),
    "autoproc-program-attachments": Kind(
        "AutoProcProgramAttachment", "autoProcProgramAttachmentId", "fileName"
    ),
    "autoproc-program-messages": Kind(
        "AutoProcProgramMessage", "autoProcProgramMessageId", "message"
    ),
    "atlases": Kind("Atlas", "atlasId", "atlasImage"),
    "grid-squares": Kind("GridSquare", "gridSquareId", "gridSquareImage"),
    "foil-holes": Kind("FoilHole", "foilHoleId", "foilHoleLabel"),
    "movies": Kind("Movie", "movieId", "movieFullPath"),
    "motion-corrections": Kind("MotionCorrection", "motionCorrectionId", "micrographFullPath"),
    "ctfs": Kind("CTF", "ctfId", "comments"),
    "particle-pickers": Kind("ParticlePicker", "particlePickerId", "particlePickingTemplate"),
    "particle-classification-groups": Kind(
        "ParticleClassificationGroup", "particleClassificationGroupId", "symmetry"
    ),
    "particle-classifications": Kind(
        "ParticleClassification", "particleClassificationId", "classImageFullPath"
    ),
    "tomograms": Kind("Tomogram", "tomogramId", "volumeFile"),
    "user-groups": Kind("UserGroup", "userGroupId", "name"),
    "permissions": Kind("Permission", "permissionId", "type"),
}
KINDS |= {
    noun: Kind(*kind)
    for noun, kind in (KINDS_OF_PARTS | KINDS_OF_NAMED | KINDS_OF_WORDS | KINDS_OF_PHASING).items()
}


@dataclass(slots=True)
class World:
    """Every row of every noun by its name."""

    connection: sa.Connection
    metadata: sa.MetaData
    rows: dict[str, tuple[str, int]] = field(default_factory=dict)
    _names: dict[tuple[str, int], str] = field(default_factory=dict)

    def __getitem__(self, name: str) -> int:
        """The id of the row with this name."""
        return self.rows[name][1]

    def name_of(self, noun: str, key: int) -> str:
        """The name of the row with this id."""
        return self._names.get((noun, key), f"{noun} {key}, which has no name")

    def find(self, name: str, noun: str, /, **values: Any) -> None:
        """Name a row that is already there."""
        kind = KINDS[noun]
        table = self.metadata.tables[kind.table]
        found = sa.select(table.c[kind.key]).filter_by(**values)
        self._name(name, noun, self.connection.execute(found).scalar_one())

    def add(self, name: str, noun: str, /, **values: Any) -> int:
        """Insert a row and name it."""
        key = int(self.link(KINDS[noun].table, **values)[0])
        self._name(name, noun, key)
        return key

    def change(self, name: str, noun: str, /, **values: Any) -> None:
        """Lay values over a row."""
        kind = KINDS[noun]
        table = self.metadata.tables[kind.table]
        row = sa.update(table).where(table.c[kind.key] == self[name])
        self.connection.execute(row.values(values))

    def link(self, table: str, /, **values: Any) -> tuple[Any, ...]:
        """Insert a row that is no noun of the matrix."""
        done = self.connection.execute(sa.insert(self.metadata.tables[table]).values(values))
        return tuple(done.inserted_primary_key or ())

    def _name(self, name: str, noun: str, key: int) -> None:
        if name in self.rows:
            raise LookupError(f"{name} is named twice")
        self.rows[name] = (noun, key)
        self._names[noun, key] = name


def make_world(connection: sa.Connection, metadata: sa.MetaData, now: datetime) -> World:
    """The demo, and around it all that the matrix needs; `now` is aware."""
    make_demo(connection, metadata, now)
    world = World(connection, metadata)
    _name_the_demo(world)
    _add_people(world)
    _add_proposals(world, now)
    _add_contacts(world)
    _add_shipments(world)
    _add_containers(world)
    _add_samples(world)
    add_data(world, now)
    add_processing(world)
    add_microscopy(world, now)
    add_plans(world)
    add_words(world, now)
    add_lookups(world)
    add_parts(world)
    add_within(world)
    add_named(world)
    add_phasing(world)
    return world


def _name_the_demo(world: World) -> None:
    for login in ("alice", "bob", "carol", "dave", "erin", "oscar"):
        world.find(login, "persons", login=login)
    world.find("stores", "persons", familyName="Stores")
    world.find("industry contact", "persons", givenName="Industry")
    for name in ("Riverside Institute", "Hillside University", "The Facility"):
        world.find(name, "laboratories", name=name)
    for group in ("BL1 staff", "goods", "administrators"):
        world.find(group, "user-groups", name=group)
    for code, number in (("MX", "1001"), ("MX", "1002"), ("IN", "2001")):
        world.find(code + number, "proposals", proposalCode=code, proposalNumber=number)
    for proposal, visits in (
        ("MX1001", ("past session", "running session", "coming session")),
        ("MX1002", ("session",)),
        ("IN2001", ("session",)),
    ):
        for count, visit in enumerate(visits, 1):
            key = {"proposalId": world[proposal], "visit_number": count}
            world.find(f"{proposal}/{visit}", "sessions", **key)
    _name_what_is_shipped(world)


def _name_what_is_shipped(world: World) -> None:
    for proposal in ("MX1001", "MX1002"):
        world.find(f"{proposal}/contact", "labcontacts", proposalId=world[proposal])
    world.find("MX1001/shipment", "shippings", shippingName="MX1001-shipment")
    world.find("MX1002/shipment", "shippings", shippingName="MX1002-shipment")
    world.find("MX1002/closed shipment", "shippings", shippingName="MX1002-closed-shipment")
    world.find("MX1001/dewar 1", "dewars", code="MX1001-dewar-1")
    world.find("MX1001/dewar 2", "dewars", code="MX1001-dewar-2")
    world.find("MX1002/dewar", "dewars", code="MX1002-dewar-1")
    world.find("MX1002/closed dewar", "dewars", code="MX1002-closed-dewar")
    for puck in range(1, 5):
        world.find(f"MX1001/puck {puck}", "containers", code=f"MX1001-puck-{puck}")
    world.find("MX1002/puck", "containers", code="MX1002-puck-1")
    world.find("MX1001/collected sample", "samples", name="MX1001-s01")
    world.find("MX1001/mounted sample", "samples", name="MX1001-s02")
    for number in range(3, 21):
        world.find(f"MX1001/sample {number}", "samples", name=f"MX1001-s{number:02}")
    for number in range(1, 4):
        world.find(f"MX1002/sample {number}", "samples", name=f"MX1002-s{number:02}")
    for name in ("LYSO-tetragonal", "LYSO-monoclinic", "THAU-tetragonal", "THAU-orthorhombic"):
        world.find(f"MX1001/{name}", "crystals", name=name)
    world.find("MX1002/INS-cubic", "crystals", name="INS-cubic")
    for proposal, acronym in (("MX1001", "LYSO"), ("MX1001", "THAU"), ("MX1002", "INS")):
        world.find(f"{proposal}/{acronym}", "proteins", acronym=acronym)


def _add_people(world: World) -> None:
    """Logins that only the matrix has are named by their role; contacts have no login."""
    for name in ("Lakeside College", "Quayside Works", "Harbour Store", "Empty Laboratory"):
        world.add(name, "laboratories", name=name, city="Harbourtown")
    for login, laboratory in (
        ("localcontact", "The Facility"),
        ("investigator", "Lakeside College"),
        ("overseer", None),
        ("registrar", None),
    ):
        _add_person(world, login, laboratory, login=login, siteId=len(world.rows))
    for name, laboratory in (
        ("owner", None),
        ("contact person", "Quayside Works"),
        ("return contact person", None),
        ("idle contact person", None),
        ("shared contact person", None),
        ("closed contact person", "Harbour Store"),
        ("stranger", None),
    ):
        _add_person(world, name, laboratory)
    for group, login in (
        ("overseers", "overseer"),
        ("registrars", "registrar"),
        # A name that means much at other sites and nothing here: it is not in ispyb.toml.
        ("super_admin", "oscar"),
    ):
        number = world.add(group, "user-groups", name=group)
        world.link("UserGroup_has_Person", userGroupId=number, personId=world[login])
    world.add("mx_admin", "permissions", type="mx_admin", description="of another program")
    world.link(
        "UserGroup_has_Permission",
        userGroupId=world["administrators"],
        permissionId=world["mx_admin"],
    )


def _add_person(world: World, name: str, laboratory: str | None, **values: Any) -> None:
    world.add(
        name,
        "persons",
        givenName="Some",
        familyName=f"Role {len(world.rows)}",  # holds no login: a search must not find one by it
        emailAddress=f"{name.replace(' ', '.')}@example.org",
        phoneNumber="+00 555 1000",
        laboratoryId=world[laboratory] if laboratory else None,
        **values,
    )


def _add_proposals(world: World, now: datetime) -> None:
    # MX1003 is alice's by Proposal.personId alone, MX1004 by ProposalHasPerson alone.
    for number, owner in (("1003", "alice"), ("1004", "owner"), ("1005", "owner")):
        world.add(
            f"MX{number}",
            "proposals",
            proposalCode="MX",
            proposalNumber=number,
            title=f"Proposal MX{number}",
            personId=world[owner],
        )
    for proposal, person, role in (
        ("MX1001", "investigator", "Co-Investigator"),
        ("MX1004", "alice", "Associate"),
    ):
        world.link(
            "ProposalHasPerson", proposalId=world[proposal], personId=world[person], role=role
        )
    # proposal/session, beamline, first and last day from now
    for name, beamline, first, last in (
        ("MX1002/second session", "BL3", 10, 11),
        ("MX1003/old session", "BL1", -200, -199),
        ("MX1003/far session", "BL1", 61, 62),
        ("MX1003/undated session", "BL1", None, None),
        ("MX1003/unplaced session", None, -1, 1),
        ("MX1004/recent session", "BL1", -70, -59),
        ("MX1004/elsewhere session", "BL2", -1, 1),
        ("MX1005/session", "BL1", 59, 63),
    ):
        world.add(
            name,
            "sessions",
            proposalId=world[name.split("/")[0]],
            visit_number=100 + len(world.rows),
            beamLineName=beamline,
            startDate=None if first is None else _day(now, first),
            endDate=None if last is None else _day(now, last),
            comments=f"of {name}",
        )
    world.change("MX1003/far session", "sessions", beamLineOperator="LocalContact ")
    for session, person, role in (
        ("MX1002/session", "localcontact", "Local Contact"),
        ("MX1003/old session", "localcontact", "Local Contact 2"),
        ("IN2001/session", "localcontact", "Local Contact"),
        ("IN2001/session", "investigator", "Team Member"),
    ):
        world.link(
            "Session_has_Person", sessionId=world[session], personId=world[person], role=role
        )


def _day(now: datetime, distance: int) -> datetime:
    return (now + timedelta(days=distance)).replace(tzinfo=None, microsecond=0)


def _add_contacts(world: World) -> None:
    for name, person in (
        ("MX1002/closed contact", "closed contact person"),
        ("MX1002/shared contact", "shared contact person"),
        ("MX1003/contact", "contact person"),
        ("MX1003/return contact", "return contact person"),
        ("MX1003/idle contact", "idle contact person"),
        ("MX1003/shared contact", "shared contact person"),
        ("IN2001/contact", "industry contact"),
    ):
        world.add(
            name,
            "labcontacts",
            proposalId=world[name.split("/")[0]],
            personId=world[person],
            cardName=name,
        )


def _add_shipments(world: World) -> None:
    for name, status, sending, returning in (
        ("MX1001/empty shipment", "opened", None, None),
        ("MX1003/unset shipment", None, "MX1003/contact", "MX1003/return contact"),
        ("MX1003/finished shipment", "Closed", None, None),
        ("MX1004/shipment", "opened", None, None),
        ("IN2001/shipment", "at facility", "IN2001/contact", None),
    ):
        world.add(
            name,
            "shippings",
            proposalId=world[name.split("/")[0]],
            shippingName=name,
            shippingStatus=status,
            sendingLabContactId=world[sending] if sending else None,
            returnLabContactId=world[returning] if returning else None,
        )
    shipping = world.metadata.tables["Shipping"]
    world.connection.execute(
        sa.update(shipping)
        .where(shipping.c.shippingId == world["MX1002/closed shipment"])
        .values(sendingLabContactId=world["MX1002/closed contact"])
    )
    for name, shipment in (
        ("MX1001/empty dewar", "MX1001/shipment"),
        ("MX1003/unset dewar", "MX1003/unset shipment"),
        ("MX1003/finished dewar", "MX1003/finished shipment"),
        ("MX1004/dewar", "MX1004/shipment"),
        ("IN2001/dewar", "IN2001/shipment"),
    ):
        world.add(name, "dewars", shippingId=world[shipment], code=name)


def _add_containers(world: World) -> None:
    for name, dewar, session in (
        ("MX1001/empty container", "MX1001/dewar 1", None),
        ("MX1001/session container", None, "MX1001/running session"),
        ("MX1002/session container", None, "MX1002/session"),
        ("MX1003/puck", "MX1003/unset dewar", None),
        ("MX1003/old session container", None, "MX1003/old session"),
        ("MX1004/puck", "MX1004/dewar", None),
        ("IN2001/puck", "IN2001/dewar", None),
        ("IN2001/session container", None, "IN2001/session"),
        ("broken container", "MX1001/dewar 1", "MX1002/session"),
        ("ownerless container", None, None),
    ):
        world.add(
            name,
            "containers",
            dewarId=world[dewar] if dewar else None,
            sessionId=world[session] if session else None,
            code=name,
            priorityPipelineId=None,
        )


def _add_samples(world: World) -> None:
    for name, proposal in (
        ("MX1001/UNUSED", "MX1001"),
        ("MX1002/UNUSED", "MX1002"),
        ("MX1003/PROT", "MX1003"),
        ("MX1004/PROT", "MX1004"),
        ("IN2001/PROT", "IN2001"),
    ):
        world.add(name, "proteins", proposalId=world[proposal], acronym=name)
    for name, protein in (
        ("MX1001/unused crystal", "MX1001/LYSO"),
        ("MX1002/unused crystal", "MX1002/INS"),
        ("MX1003/crystal", "MX1003/PROT"),
        ("MX1004/crystal", "MX1004/PROT"),
        ("IN2001/crystal", "IN2001/PROT"),
    ):
        world.add(name, "crystals", proteinId=world[protein], name=name)
    for name, crystal, container in (
        ("MX1001/sample without crystal", None, "MX1001/puck 1"),
        ("MX1001/loose sample", "MX1001/LYSO-tetragonal", None),
        ("MX1001/session sample", None, "MX1001/session container"),
        ("MX1003/sample", "MX1003/crystal", "MX1003/puck"),
        ("MX1004/sample", "MX1004/crystal", "MX1004/puck"),
        ("IN2001/sample", "IN2001/crystal", "IN2001/puck"),
        ("IN2001/other sample", "IN2001/crystal", "IN2001/puck"),
        ("broken sample", "MX1001/THAU-tetragonal", "MX1002/puck"),
        ("sample in broken container", None, "broken container"),
        ("ownerless sample", None, None),
    ):
        world.add(
            name,
            "samples",
            crystalId=world[crystal] if crystal else None,
            containerId=world[container] if container else None,
            name=name,
        )

"""What was recorded and made in the sessions of the world, the plans, and a site's own words."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from tests.core.matrix.world import World

# One session that is over, one that runs, one whose proposal is closed to staff.
RECORDED = ("MX1001/past session", "MX1001/running session", "IN2001/session")
OTHERS = ("MX1002/session", "MX1003/old session")


def add_data(world: World, now: datetime) -> None:
    """A group, a collection and one of everything else in each recorded session."""
    for session in (*RECORDED, *OTHERS):
        group = world.add(
            f"{session}/group",
            "datacollection-groups",
            sessionId=world[session],
            experimentType="OSC",
            comments=f"group of {session}",
        )
        world.add(
            f"{session}/collection",
            "datacollections",
            dataCollectionGroupId=group,
            imagePrefix=f"c{len(world.rows)}",
            comments=f"collection of {session}",
        )
    for session in RECORDED:
        _add_below_collection(world, session)
        _add_in_session(world, session, now)
    _add_uses(world, now)


def _add_below_collection(world: World, session: str) -> None:
    number = len(world.rows)
    collection = {"dataCollectionId": world[f"{session}/collection"]}
    group = {"dataCollectionGroupId": world[f"{session}/group"]}
    world.add(f"{session}/image", "images", **collection, fileName=f"i{number}.cbf")
    world.add(f"{session}/grid", "grid-infos", **collection, steps_x=3.0)
    world.add(
        f"{session}/file",
        "datacollection-attachments",
        **collection,
        fileFullPath=f"/data/f{number}.log",
    )
    job = world.add(f"{session}/job", "processing-jobs", **collection, displayName=f"j{number}")
    world.add(
        f"{session}/parameter",
        "processing-job-parameters",
        processingJobId=job,
        parameterKey=f"p{number}",
    )
    screening = world.add(f"{session}/screening", "screenings", **group, shortComments=f"s{number}")
    output = world.add(
        f"{session}/screened",
        "screening-outputs",
        screeningId=screening,
        statusDescription=f"o{number}",
    )
    world.add(
        f"{session}/lattice",
        "screening-output-lattices",
        screeningOutputId=output,
        spaceGroup=f"P{number}",
    )
    world.add(
        f"{session}/strategy",
        "screening-strategies",
        screeningOutputId=output,
        program=f"t{number}",
    )
    centring = world.add(f"{session}/centring", "xray-centrings", **group, status="success")
    world.add(
        f"{session}/centre", "xray-centring-results", xrayCentringId=centring, numberOfVoxels=3
    )


def _add_in_session(world: World, session: str, now: datetime) -> None:
    number = len(world.rows)
    world.add(f"{session}/scan", "energy-scans", sessionId=world[session], element=f"Se{number}")
    world.add(
        f"{session}/spectrum", "xfe-spectra", sessionId=world[session], filename=f"x{number}.dat"
    )
    _add_robot_action(world, f"{session}/action", now, session=session, message=f"m{number}")


def _add_robot_action(
    world: World, name: str, now: datetime, *, session: str, **values: Any
) -> None:
    at = now.astimezone(UTC).replace(tzinfo=None, microsecond=0)
    world.add(
        name,
        "robot-actions",
        blsessionId=world[session],
        actionType="LOAD",
        startTimestamp=at,
        endTimestamp=at,
        **values,
    )


def _add_uses(world: World, now: datetime) -> None:
    """Samples used in a session; those of another proposal or of a broken chain show nothing."""
    world.find("demo's group", "datacollection-groups", blSampleId=world["MX1001/collected sample"])
    world.find("demo's action", "robot-actions", blsampleId=world["MX1001/mounted sample"])
    for name, session, sample in (
        ("group of another crystal", "MX1001/past session", "MX1001/sample without crystal"),
        ("group of a strange sample", "MX1001/past session", "MX1003/sample"),
        ("group of a broken sample", "MX1001/past session", "broken sample"),
        ("old group", "MX1003/old session", "MX1003/sample"),
        ("industry group", "IN2001/session", "IN2001/sample"),
    ):
        world.add(
            name,
            "datacollection-groups",
            sessionId=world[session],
            blSampleId=world[sample],
            comments=name,
        )
    _add_robot_action(
        world,
        "action on a strange sample",
        now,
        session="MX1001/past session",
        blsampleId=world["MX1003/sample"],
    )


def add_processing(world: World) -> None:
    """Programs with a job, one that only an integration leads to, one that nothing leads to."""
    for session in RECORDED:
        program = world.add(
            f"{session}/program",
            "autoproc-programs",
            processingJobId=world[f"{session}/job"],
            processingPrograms=f"g{len(world.rows)}",
        )
        _add_results(world, session, program)
    integrated = world.add(
        "integrated program", "autoproc-programs", processingPrograms="integrating"
    )
    world.add(
        "integration",
        "autoproc-integrations",
        dataCollectionId=world["MX1001/past session/collection"],
        autoProcProgramId=integrated,
    )
    world.add("lost program", "autoproc-programs", processingPrograms="lost")


def _add_results(world: World, session: str, program: int) -> None:
    number = len(world.rows)
    found = world.add(
        f"{session}/cell", "autoprocs", autoProcProgramId=program, spaceGroup=f"C{number}"
    )
    scaling = world.add(f"{session}/scaling", "autoproc-scalings", autoProcId=found)
    world.add(
        f"{session}/statistics",
        "autoproc-scaling-statistics",
        autoProcScalingId=scaling,
        comments=f"q{number}",
    )
    world.add(
        f"{session}/integration",
        "autoproc-integrations",
        dataCollectionId=world[f"{session}/collection"],
        autoProcProgramId=program,
    )
    world.add(
        f"{session}/log",
        "autoproc-program-attachments",
        autoProcProgramId=program,
        fileName=f"l{number}.log",
    )
    world.add(
        f"{session}/message",
        "autoproc-program-messages",
        autoProcProgramId=program,
        severity="INFO",
        message=f"n{number}",
    )


def add_plans(world: World) -> None:
    """Plans of a proposal, of samples, of a crystal, of two proposals, of nothing."""
    for name, proposal in (
        ("MX1001/plan", "MX1001"),
        ("MX1001/sample plan", None),
        ("shared plan", None),
        ("IN2001/crystal plan", None),
        ("lost plan", None),
    ):
        world.add(
            name,
            "diffraction-plans",
            presetForProposalId=world[proposal] if proposal else None,
            comments=f"plan {len(world.rows)}",
        )
    for noun, row, plan in (
        ("samples", "MX1001/collected sample", "MX1001/sample plan"),
        ("samples", "MX1001/sample 19", "shared plan"),
        ("samples", "MX1002/sample 1", "shared plan"),
        ("crystals", "IN2001/crystal", "IN2001/crystal plan"),
    ):
        world.change(row, noun, diffractionPlanId=world[plan])
    for name, sample in (
        ("MX1001/place", "MX1001/sample 3"),
        ("MX1002/place", "MX1002/sample 1"),
    ):
        world.add(name, "sub-samples", blSampleId=world[sample], comments=name)
        world.add(f"{name} picture", "sample-images", blSampleId=world[sample], comments=name)
    for proposal in ("MX1001", "MX1002"):
        world.add(f"{proposal}/set", "sample-groups", proposalId=world[proposal], name=proposal)
        world.add(f"{proposal}/ligand", "ligands", proposalId=world[proposal], name=proposal)


def add_words(world: World, now: datetime) -> None:
    """What stands at the beamlines and what the site calls things; where things have been."""
    world.add("BL1 setup", "beamline-setups", beamlineName="BL1", active=1)
    world.add("detector", "detectors", detectorModel="M1")
    at = now.replace(tzinfo=None, microsecond=0)
    world.add(
        "run",
        "beam-calendars",
        run="2031-1",
        beamStatus="User",
        startDate=at,
        endDate=at + timedelta(days=1),
    )
    world.add("container type", "container-types", name="Tray")
    world.add("experiment type", "experiment-types", name="Sweep")
    world.add("component type", "component-types", name="Buffer")
    for dewar in ("MX1001/dewar 1", "MX1002/closed dewar"):
        world.add(
            f"{dewar} was seen",
            "dewar-transport-history",
            dewarId=world[dewar],
            dewarStatus="at facility",
            storageLocation=f"shelf {len(world.rows)}",
            arrivalDate=at,
        )
    world.add(
        "puck 1 was seen",
        "container-history",
        containerId=world["MX1001/puck 1"],
        location="3",
        status="processing",
    )
    for proposal, puck, sample in (
        ("MX1001", "puck 2", "sample 3"),
        ("MX1002", "puck", "sample 1"),
    ):
        queued = world.add(
            f"{proposal}/{puck} waits", "container-queue", containerId=world[f"{proposal}/{puck}"]
        )
        world.add(
            f"{proposal}/{sample} waits",
            "container-queue-samples",
            containerQueueId=queued,
            blSampleId=world[f"{proposal}/{sample}"],
            status=f"w{len(world.rows)}",
        )

"""What samples are made of, how plates are looked at, and the finer parts of screenings."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tests.core.matrix.world_of_data import RECORDED

if TYPE_CHECKING:
    from tests.core.matrix.world import World

# Table, key, and the column that `?search=` reads.
KINDS_OF_PARTS: dict[str, tuple[str, str, str | None]] = {
    "components": ("Component", "componentId", "name"),
    "protein-components": ("Protein_has_Component", "proteinHasComponentId", None),
    "component-lattices": ("ComponentLattice", "componentLatticeId", "spaceGroup"),
    "sample-compositions": ("SampleComposition", "sampleCompositionId", None),
    "crystal-compositions": ("CrystalComposition", "crystalCompositionId", None),
    "screens": ("Screen", "screenId", "name"),
    "screen-component-groups": ("ScreenComponentGroup", "screenComponentGroupId", None),
    "screen-components": ("ScreenComponent", "screenComponentId", None),
    "sample-positions": ("BLSamplePosition", "blSamplePositionId", None),
    "schedules": ("Schedule", "scheduleId", "name"),
    "schedule-components": ("ScheduleComponent", "scheduleComponentId", None),
    "container-inspections": ("ContainerInspection", "containerInspectionId", None),
    "energy-scan-samples": ("BLSample_has_EnergyScan", "blSampleHasEnergyScanId", None),
    "processing-job-image-sweeps": (
        "ProcessingJobImageSweep",
        "processingJobImageSweepId",
        None,
    ),
    "screening-inputs": ("ScreeningInput", "screeningInputId", None),
    "screening-strategy-wedges": (
        "ScreeningStrategyWedge",
        "screeningStrategyWedgeId",
        "comments",
    ),
    "screening-strategy-sub-wedges": (
        "ScreeningStrategySubWedge",
        "screeningStrategySubWedgeId",
        "comments",
    ),
    "autoproc-scaling-integrations": (
        "AutoProcScaling_has_Int",
        "autoProcScaling_has_IntId",
        None,
    ),
}
BODIES_OF_PARTS: dict[str, dict[str, Any]] = {
    "components": {"name": "next", "componentTypeId": "@component type"},
    "protein-components": {"componentId": "@MX1001/component"},
    "component-lattices": {"spaceGroup": "P1"},
    "sample-compositions": {"componentId": "@MX1001/component", "abundance": 2.0},
    "crystal-compositions": {"componentId": "@MX1001/component", "ratio": 0.5},
    "screens": {"name": "next"},
    "screen-component-groups": {"position": 2},
    "screen-components": {"componentId": "@MX1001/LYSO", "concentration": 2.0},
    "sample-positions": {"posX": 1.5, "positionType": "dispensing"},
    "schedules": {"name": "next"},
    "schedule-components": {"scheduleId": "@schedule", "offset_hours": 12},
    "container-inspections": {"inspectionTypeId": "@inspection type", "state": "Queued"},
    "energy-scan-samples": {"blSampleId": "@MX1001/collected sample"},
    "processing-job-image-sweeps": {
        "dataCollectionId": "@MX1001/past session/collection",
        "startImage": 1,
        "endImage": 100,
    },
    "screening-inputs": {"beamX": 100.5},
    "screening-strategy-wedges": {"wedgeNumber": 2},
    "screening-strategy-sub-wedges": {"subWedgeNumber": 2},
    "autoproc-programs": {"processingPrograms": "next"},
    "autoprocs": {"spaceGroup": "P1"},
    "autoproc-integrations": {"startImageNumber": 1, "endImageNumber": 100},
    "autoproc-scalings": {},
    "autoproc-scaling-statistics": {"scalingStatisticsType": "overall", "comments": "next"},
    "autoproc-scaling-integrations": {"autoProcScalingId": "@MX1001/past session/scaling"},
    "autoproc-program-attachments": {"fileName": "next.log", "fileType": "Log"},
    "autoproc-program-messages": {"severity": "INFO", "message": "next"},
}
PARENTS_OF_PARTS = {("component-lattices", "proteins"): "componentId"}


def add_parts(world: World) -> None:
    """One of each in both proposals, and in each recorded session."""
    world.add("schedule", "schedules", name="Daily")
    world.add("first look", "schedule-components", scheduleId=world["schedule"], offset_hours=6)
    for proposal, protein, crystal, sample, puck in (
        ("MX1001", "LYSO", "LYSO-tetragonal", "sample 3", "puck 2"),
        ("MX1002", "INS", "INS-cubic", "sample 1", "puck"),
    ):
        component = world.add(
            f"{proposal}/component",
            "components",
            proposalId=world[proposal],
            componentTypeId=world["component type"],
            name=f"b{len(world.rows)}",
        )
        held = {"componentId": component}
        of_protein = world[f"{proposal}/{protein}"]
        of_sample = {"blSampleId": world[f"{proposal}/{sample}"]}
        of_crystal = {"crystalId": world[f"{proposal}/{crystal}"]}
        world.add(f"{proposal}/addition", "protein-components", proteinId=of_protein, **held)
        world.add(
            f"{proposal}/form",
            "component-lattices",
            componentId=of_protein,
            spaceGroup=f"F{len(world.rows)}",
        )
        world.add(f"{proposal}/drop", "sample-compositions", **of_sample, **held)
        world.add(f"{proposal}/liquor", "crystal-compositions", **of_crystal, **held)
        screen = world.add(
            f"{proposal}/screen",
            "screens",
            proposalId=world[proposal],
            name=f"screen{len(world.rows)}",
        )
        well = world.add(f"{proposal}/well", "screen-component-groups", screenId=screen, position=1)
        world.add(
            f"{proposal}/filling",
            "screen-components",
            screenComponentGroupId=well,
            componentId=of_protein,
            concentration=0.5,
        )
        world.add(f"{proposal}/mark", "sample-positions", **of_sample, posX=1.5)
        world.add(
            f"{proposal}/look",
            "container-inspections",
            containerId=world[f"{proposal}/{puck}"],
            inspectionTypeId=world["inspection type"],
        )
    for session in RECORDED:
        _add_in_session(world, session)


def _add_in_session(world: World, session: str) -> None:
    number = len(world.rows)
    sample = "IN2001/sample" if session.startswith("IN") else "MX1001/sample 3"
    world.add(
        f"{session}/scanned",
        "energy-scan-samples",
        energyScanId=world[f"{session}/scan"],
        blSampleId=world[sample],
    )
    world.add(
        f"{session}/sweep",
        "processing-job-image-sweeps",
        processingJobId=world[f"{session}/job"],
        dataCollectionId=world[f"{session}/collection"],
    )
    world.add(f"{session}/input", "screening-inputs", screeningId=world[f"{session}/screening"])
    wedge = world.add(
        f"{session}/wedge",
        "screening-strategy-wedges",
        screeningStrategyId=world[f"{session}/strategy"],
        comments=f"y{number}",
    )
    world.add(
        f"{session}/sub-wedge",
        "screening-strategy-sub-wedges",
        screeningStrategyWedgeId=wedge,
        comments=f"z{number}",
    )
    world.add(
        f"{session}/taken in",
        "autoproc-scaling-integrations",
        autoProcIntegrationId=world[f"{session}/integration"],
        autoProcScalingId=world[f"{session}/scaling"],
    )

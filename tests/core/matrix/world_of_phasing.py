"""What was made of the scaling of each recorded session to solve a structure."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tests.core.matrix.world_of_data import RECORDED

if TYPE_CHECKING:
    from tests.core.matrix.world import World

# Table, key, and the column that `?search=` reads.
KINDS_OF_PHASING: dict[str, tuple[str, str, str | None]] = {
    "phasing-analyses": ("PhasingAnalysis", "phasingAnalysisId", None),
    "phasing-scalings": ("Phasing_has_Scaling", "phasingHasScalingId", None),
    "phasing-program-runs": ("PhasingProgramRun", "phasingProgramRunId", "phasingPrograms"),
    "phasing-program-attachments": (
        "PhasingProgramAttachment",
        "phasingProgramAttachmentId",
        "fileName",
    ),
    "phasing-preparations": ("PreparePhasingData", "preparePhasingDataId", None),
    "substructure-determinations": (
        "SubstructureDetermination",
        "substructureDeterminationId",
        None,
    ),
    "phasings": ("Phasing", "phasingId", None),
    "model-buildings": ("ModelBuilding", "modelBuildingId", None),
    "phasing-steps": ("PhasingStep", "phasingStepId", "method"),
    "phasing-statistics": ("PhasingStatistics", "phasingStatisticsId", None),
}
_RUN = {"phasingProgramRunId": "@MX1001/running session/run"}
BODIES_OF_PHASING: dict[str, dict[str, Any]] = {
    "phasing-analyses": {},
    "phasing-scalings": {
        "phasingAnalysisId": "@MX1001/running session/analysis",
        "datasetNumber": 2,
    },
    "phasing-program-runs": {"phasingPrograms": "next"},
    "phasing-program-attachments": {"fileName": "next.map", "fileType": "Map"},
    "phasing-preparations": {**_RUN, "spaceGroupId": "@space group"},
    "substructure-determinations": {**_RUN, "lowRes": 20.5},
    "phasings": {**_RUN, "solventContent": 0.5},
    "model-buildings": {**_RUN, "highRes": 1.5},
    "phasing-steps": {"phasingAnalysisId": "@MX1001/running session/analysis", "method": "next"},
    "phasing-statistics": {"binNumber": 1, "phasingStepId": "@MX1001/running session/step"},
}
PARENTS_OF_PHASING = {("phasing-statistics", "phasing-scalings"): "phasingHasScalingId1"}


def add_phasing(world: World) -> None:
    """One of each in each recorded session; an analysis and a run that nothing names."""
    world.add("lost analysis", "phasing-analyses")
    world.add("lost run", "phasing-program-runs", phasingPrograms="lost")
    for session in RECORDED:
        number = len(world.rows)
        analysis = world.add(f"{session}/analysis", "phasing-analyses")
        scaling = world[f"{session}/scaling"]
        phased = world.add(
            f"{session}/phased",
            "phasing-scalings",
            phasingAnalysisId=analysis,
            autoProcScalingId=scaling,
        )
        run = world.add(f"{session}/run", "phasing-program-runs", phasingPrograms=f"j{number}")
        world.add(
            f"{session}/map",
            "phasing-program-attachments",
            phasingProgramRunId=run,
            fileName=f"m{number}.map",
        )
        for name, noun in (
            ("preparation", "phasing-preparations"),
            ("substructure", "substructure-determinations"),
            ("phases", "phasings"),
            ("built model", "model-buildings"),
        ):
            made = {"phasingAnalysisId": analysis, "phasingProgramRunId": run}
            world.add(f"{session}/{name}", noun, **made)
        step = world.add(
            f"{session}/step",
            "phasing-steps",
            autoProcScalingId=scaling,
            phasingAnalysisId=analysis,
            programRunId=run,
            method=f"k{number}",
        )
        world.add(
            f"{session}/shell",
            "phasing-statistics",
            phasingHasScalingId1=phased,
            phasingStepId=step,
        )

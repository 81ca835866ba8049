"""Rows that have no owner but what names them: structures, positions, rankings, dewars."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tests.core.matrix.world_of_data import RECORDED

if TYPE_CHECKING:
    from tests.core.matrix.world import World

# Table, key, and the column that `?search=` reads.
KINDS_OF_NAMED: dict[str, tuple[str, str, str | None]] = {
    "dewar-registry": ("DewarRegistry", "dewarRegistryId", "facilityCode"),
    "dewar-registry-proposals": (
        "DewarRegistry_has_Proposal",
        "dewarRegistryHasProposalId",
        None,
    ),
    "structures": ("PDB", "pdbId", "name"),
    "protein-structures": ("Protein_has_PDB", "proteinhaspdbid", None),
    "positions": ("Position", "positionId", None),
    "motor-positions": ("MotorPosition", "motorPositionId", None),
    "workflows": ("Workflow", "workflowId", None),
    "workflow-steps": ("WorkflowStep", "workflowStepId", None),
    "workflow-meshes": ("WorkflowMesh", "workflowMeshId", None),
    "screening-rank-sets": ("ScreeningRankSet", "screeningRankSetId", "rankEngine"),
    "screening-ranks": ("ScreeningRank", "screeningRankId", "rankInformation"),
}
BODIES_OF_NAMED: dict[str, dict[str, Any]] = {
    "dewar-registry": {"facilityCode": "DLS-NEXT"},
    "dewar-registry-proposals": {"dewarRegistryId": "@shared dewar"},
    "structures": {"name": "next", "code": "1ABC"},
    "protein-structures": {"pdbid": "@MX1001/structure"},
    "positions": {"posX": 1.5},
    "motor-positions": {"omega": 90.0},
    "workflows": {"workflowTitle": "next"},
    "workflow-steps": {"type": "next"},
    "workflow-meshes": {"value1": 1.5},
    "screening-rank-sets": {"rankEngine": "next"},
    "screening-ranks": {
        "screeningRankSetId": "@MX1001/past session/ranking",
        "rankInformation": "next",
    },
}
PARENTS_OF_NAMED = {("protein-structures", "proteins"): "proteinid"}


def add_named(world: World) -> None:
    """Named by one proposal, by two, by none."""
    _add_dewars(world)
    _add_structures(world)
    for proposal in ("MX1001", "MX1002"):
        point = world.add(f"{proposal}/point", "positions", posX=float(len(world.rows)))
        world.change(f"{proposal}/place", "sub-samples", positionId=point)
    for session in RECORDED:
        number = len(world.rows)
        motors = world.add(f"{session}/motors", "motor-positions", omega=float(number))
        world.change(f"{session}/collection", "datacollections", startPositionId=motors)
        workflow = world.add(f"{session}/workflow", "workflows", workflowTitle=f"w{number}")
        world.change(f"{session}/group", "datacollection-groups", workflowId=workflow)
        of_it = {"workflowId": workflow}
        world.add(f"{session}/stage", "workflow-steps", **of_it, type=f"s{number}")
        world.add(f"{session}/mesh", "workflow-meshes", **of_it, value1=float(number))
        ranking = world.add(f"{session}/ranking", "screening-rank-sets", rankEngine=f"v{number}")
        world.add(
            f"{session}/rank",
            "screening-ranks",
            screeningId=world[f"{session}/screening"],
            screeningRankSetId=ranking,
            rankInformation=f"r{number}",
        )


def _add_dewars(world: World) -> None:
    for name, proposal in (
        ("MX1001/registered", "MX1001"),
        ("shared dewar", None),
        ("nobody's dewar", None),
    ):
        world.add(
            name,
            "dewar-registry",
            facilityCode=f"DLS-{len(world.rows)}",
            proposalId=world[proposal] if proposal else None,
        )
    world.change("MX1001/dewar 1", "dewars", dewarRegistryId=world["MX1001/registered"])
    for proposal in ("MX1001", "MX1002"):
        world.add(
            f"{proposal}/attached",
            "dewar-registry-proposals",
            proposalId=world[proposal],
            dewarRegistryId=world["shared dewar"],
        )


def _add_structures(world: World) -> None:
    for name in (
        "MX1001/structure",
        "MX1001/ligand structure",
        "shared structure",
        "lost structure",
    ):
        world.add(name, "structures", name=f"structure{len(world.rows)}")
    for name, protein, structure in (
        ("MX1001/model", "MX1001/LYSO", "MX1001/structure"),
        ("MX1001/second model", "MX1001/LYSO", "shared structure"),
        ("MX1002/model", "MX1002/INS", "shared structure"),
    ):
        world.add(name, "protein-structures", proteinid=world[protein], pdbid=world[structure])
    for proposal, sample, structure in (
        ("MX1001", "MX1001/sample 3", "MX1001/ligand structure"),
        ("MX1002", "MX1002/sample 1", "shared structure"),
    ):
        ligand = world.add(
            f"{proposal}/soaked",
            "ligands",
            proposalId=world[proposal],
            name=f"soaked{len(world.rows)}",
        )
        world.link("Ligand_has_PDB", ligandId=ligand, pdbId=world[structure])
        world.link("BLSample_has_Ligand", blSampleId=world[sample], ligandId=ligand)

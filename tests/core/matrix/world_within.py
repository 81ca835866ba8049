"""The rows of the matrix that stand within others', and how a table names them."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tests.core.matrix.world import World


@dataclass(frozen=True, slots=True)
class Within:
    """What the matrix knows of such a noun: its table, its path, its two columns."""

    table: str
    parent: str
    segment: str
    columns: tuple[str, str]

    def path(self, parent: int) -> str:
        """Where its list is."""
        return f"{self.parent}/{parent}/{self.segment}"


WITHIN = {
    "proposal-members": Within(
        "ProposalHasPerson", "proposals", "members", ("proposalId", "personId")
    ),
    "session-people": Within("Session_has_Person", "sessions", "people", ("sessionId", "personId")),
    "sample-group-members": Within(
        "BLSampleGroup_has_BLSample", "sample-groups", "samples", ("blSampleGroupId", "blSampleId")
    ),
    "image-quality": Within(
        "ImageQualityIndicators",
        "datacollections",
        "image-quality",
        ("dataCollectionId", "imageNumber"),
    ),
    "user-group-people": Within(
        "UserGroup_has_Person", "user-groups", "people", ("userGroupId", "personId")
    ),
    "user-group-permissions": Within(
        "UserGroup_has_Permission", "user-groups", "permissions", ("userGroupId", "permissionId")
    ),
    "ligand-structures": Within("Ligand_has_PDB", "ligands", "structures", ("ligandId", "pdbId")),
    "sample-ligands": Within(
        "BLSample_has_Ligand", "samples", "ligands", ("blSampleId", "ligandId")
    ),
    "protein-sub-types": Within(
        "Component_has_SubType", "proteins", "sub-types", ("componentId", "componentSubTypeId")
    ),
    "tilt-alignments": Within(
        "TiltImageAlignment", "tomograms", "tilt-alignments", ("tomogramId", "movieId")
    ),
}


def add_within(world: "World") -> None:
    """Members of groups, qualities of images, alignments; people are there already."""
    for group, sample in (("MX1001/set", "MX1001/sample 19"), ("MX1002/set", "MX1002/sample 1")):
        ids = {"blSampleGroupId": world[group], "blSampleId": world[sample]}
        world.link("BLSampleGroup_has_BLSample", **ids, groupOrder=1)
    for protein in ("MX1001/LYSO", "MX1002/INS"):
        ids = {"componentId": world[protein], "componentSubTypeId": world["component sub-type"]}
        world.link("Component_has_SubType", **ids)
    for session in ("MX1001/past session", "MX1001/running session", "IN2001/session"):
        collection = world[f"{session}/collection"]
        world.link("ImageQualityIndicators", dataCollectionId=collection, imageNumber=1)
    for session in ("MX1001/past session", "IN2001/session"):
        ids = {"tomogramId": world[f"{session}/tomogram"], "movieId": world[f"{session}/movie"]}
        world.link("TiltImageAlignment", **ids, resolution=4.0)

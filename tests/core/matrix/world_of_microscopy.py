"""What an electron microscope recorded in the sessions of the world, and what was made of it."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

from tests.core.matrix.world_of_data import RECORDED

if TYPE_CHECKING:
    from tests.core.matrix.world import World


def add_microscopy(world: World, now: datetime) -> None:
    """A grid from its atlas to one class of its particles, and a tomogram, in each session."""
    for session in RECORDED:
        _add_grid(world, session)
        _add_micrograph(world, session, now)
        _add_particles(world, session)


def _add_grid(world: World, session: str) -> None:
    number = len(world.rows)
    atlas = world.add(
        f"{session}/atlas",
        "atlases",
        dataCollectionGroupId=world[f"{session}/group"],
        atlasImage=f"/data/a{number}.jpg",
        pixelSize=1.5,
    )
    square = world.add(
        f"{session}/square",
        "grid-squares",
        atlasId=atlas,
        gridSquareImage=f"/data/q{number}.jpg",
    )
    world.add(f"{session}/hole", "foil-holes", gridSquareId=square, foilHoleLabel=f"h{number}")


def _add_micrograph(world: World, session: str, now: datetime) -> None:
    number = len(world.rows)
    collection = {"dataCollectionId": world[f"{session}/collection"]}
    movie = world.add(
        f"{session}/movie",
        "movies",
        **collection,
        foilHoleId=world[f"{session}/hole"],
        movieFullPath=f"/data/v{number}.tiff",
        createdTimeStamp=now.replace(tzinfo=None, microsecond=0),
    )
    corrected = world.add(
        f"{session}/summed",
        "motion-corrections",
        movieId=movie,
        micrographFullPath=f"/data/u{number}.mrc",
    )
    world.add(f"{session}/ctf", "ctfs", motionCorrectionId=corrected, comments=f"t{number}")
    world.add(f"{session}/tomogram", "tomograms", **collection, volumeFile=f"/data/w{number}.mrc")


def _add_particles(world: World, session: str) -> None:
    number = len(world.rows)
    picker = world.add(
        f"{session}/picker",
        "particle-pickers",
        firstMotionCorrectionId=world[f"{session}/summed"],
        particlePickingTemplate=f"k{number}",
    )
    sorting = world.add(
        f"{session}/sorting",
        "particle-classification-groups",
        particlePickerId=picker,
        symmetry=f"D{number}",
    )
    world.add(
        f"{session}/class",
        "particle-classifications",
        particleClassificationGroupId=sorting,
        classImageFullPath=f"/data/z{number}.png",
    )

"""What a detector sees of lysozyme crystals on a chip: hits, spots, lattices, cells."""

from typing import Any

import numpy as np
import numpy.typing as npt

# Hen egg-white lysozyme at room temperature.
SPACE_GROUP = "P43212"
CELL = np.array([79.0, 79.0, 38.0, 90.0, 90.0, 90.0])
CELL_SPREAD = np.array([0.16, 0.16, 0.09, 0.08, 0.08, 0.08])
HIT_RATE = 0.32
INDEXING_RATE = 0.68
SECOND_LATTICE, THIRD_LATTICE = 0.09, 0.015  # of the indexed images
SPOTS_OF_NOTHING = 5.0  # ice, salt and noise in an image without a crystal
FRAME_SECONDS = 0.01
# How well an experiment goes changes as it goes on: the chip dries, the beam drifts.
DRIFT, DRIFT_IMAGES = 0.25, 9000.0

Columns = dict[str, list[Any]]


def see_images(first: int, count: int, *, seed: int = 0) -> Columns:
    """The columns of images `first` to `first + count - 1`, always the same for one seed."""
    random = np.random.default_rng([seed, first])
    numbers = np.arange(first, first + count)
    rate = HIT_RATE * (1 + DRIFT * np.sin(numbers / DRIFT_IMAGES))
    hit = random.random(count) < rate
    spots = np.where(
        hit, random.lognormal(4.3, 0.6, count) + 15, random.poisson(SPOTS_OF_NOTHING, count)
    ).astype(int)
    # An image with many spots is indexed more often than one with few.
    chance = INDEXING_RATE * np.clip(0.55 + spots / 180, 0, 1.3)
    indexed = hit & (random.random(count) < chance)
    resolution = np.clip(2.6 - 0.22 * np.log(np.maximum(spots, 1)), 1.2, 4)
    resolution += random.normal(0, 0.12, count)
    return {
        "imageNumber": numbers.tolist(),
        "hit": hit.tolist(),
        "nSpots": spots.tolist(),
        "indexed": indexed.tolist(),
        "time": np.round((numbers - 1) * FRAME_SECONDS, 4).tolist(),
        "resolution": [
            round(value, 2) if is_hit else None
            for value, is_hit in zip(resolution.tolist(), hit.tolist(), strict=True)
        ],
        "lattices": [
            _lattices(random, n) if is_indexed else []
            for n, is_indexed in zip(spots.tolist(), indexed.tolist(), strict=True)
        ],
    }


def _lattices(random: np.random.Generator, spots: int) -> list[dict[str, Any]]:
    """One lattice, now and then two or three; each takes most of the spots that are left."""
    luck = random.random()
    count = 3 if luck < THIRD_LATTICE else 2 if luck < SECOND_LATTICE else 1
    lattices = []
    for _ in range(count):
        taken = int(spots * random.uniform(0.5, 0.9))
        spots -= taken
        lattices.append(
            {"cell": _cell(random), "spaceGroup": SPACE_GROUP, "nIndexed": max(taken, 4)}
        )
    return lattices


def _cell(random: np.random.Generator) -> list[float]:
    cell: npt.NDArray[np.float64] = random.normal(CELL, CELL_SPREAD)
    return [round(value, 3) for value in cell.tolist()]

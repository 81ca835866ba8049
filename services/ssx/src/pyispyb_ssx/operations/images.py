"""Reading back what was stored: the images of a run, a page of them or all."""

import itertools
from collections.abc import Iterator
from typing import Any

import numpy as np
import sqlalchemy as sa
from sqlalchemy.engine import Connection

from pyispyb_chassis.nouns.reading import Row
from pyispyb_chassis.principal import Principal
from pyispyb_ssx.operations.coding import decode
from pyispyb_ssx.operations.columns import NULL, Images
from pyispyb_ssx.operations.store import Store
from pyispyb_ssx.tables import TABLES


def page_of_images(store: Store, run_id: int, caller: Principal, *, limit: int, skip: int) -> Row:
    """A page of a run's images in list form; only the batches that it lies in are read."""
    with store.database.reading() as connection:
        store.run(connection, run_id, store.viewers(caller))
        sizes = _sizes(connection, run_id)
        rows: list[Row] = []
        passed = 0
        for n, size in sizes:
            first, last = max(skip - passed, 0), min(skip + limit - passed, size)
            if first < last:
                rows += rows_of(_read(connection, run_id, n))[first:last]
            passed += size
    more = limit > 0 and skip + limit < passed
    return {
        "total": passed,
        "results": rows,
        "limit": limit,
        "skip": skip,
        "next": skip + limit if more else None,
    }


def all_images(store: Store, run_id: int, caller: Principal) -> Iterator[list[Row]]:
    """All images of a run, batch by batch; a connection is held for one batch at a time.

    Raises NotFound before the first one is asked for.
    """
    with store.database.reading() as connection:
        store.run(connection, run_id, store.viewers(caller))
        sizes = _sizes(connection, run_id)

    def batches() -> Iterator[list[Row]]:
        for n, _ in sizes:
            with store.database.reading() as connection:
                images = _read(connection, run_id, n)
            yield rows_of(images)

    return batches()


def rows_of(images: Images) -> list[Row]:
    """Each image as one object; its numbers are 32-bit floats still."""
    lattices = _lattices(images)
    return [
        {
            "imageNumber": number,
            "hit": hit,
            "nSpots": None if n_spots == NULL else n_spots,
            "indexed": indexed,
            "time": _or_null(time),
            "resolution": _or_null(resolution),
            "lattices": list(itertools.islice(lattices, count)),
        }
        for number, hit, n_spots, indexed, time, resolution, count in zip(
            images.image_number.tolist(),
            images.hit.tolist(),
            images.n_spots.tolist(),
            images.indexed.tolist(),
            images.time,
            images.resolution,
            images.lattice_count.tolist(),
            strict=True,
        )
    ]


def _lattices(images: Images) -> Iterator[Row]:
    for cell, group, n_indexed in zip(
        images.cell, images.space_group.tolist(), images.n_indexed.tolist(), strict=True
    ):
        yield {
            "cell": list(cell),
            "spaceGroup": None if group == NULL else images.space_groups[group],
            "nIndexed": None if n_indexed == NULL else n_indexed,
        }


def _or_null(number: np.float32) -> np.float32 | None:
    return None if np.isnan(number) else number


def _sizes(connection: Connection, run_id: int) -> list[tuple[int, int]]:
    """The batches in the order of their images, with how many each has."""
    batch = TABLES.batch
    statement = (
        sa.select(batch.c.n, batch.c.images)
        .where(batch.c.runId == run_id)
        .order_by(batch.c.firstImage)
    )
    return [(row.n, row.images) for row in connection.execute(statement)]


def _read(connection: Connection, run_id: int, n: int) -> Images:
    batch = TABLES.batch
    statement = sa.select(batch.c.frame).where(batch.c.runId == run_id, batch.c.n == n)
    frame: Any = connection.execute(statement).scalar_one()
    return decode(frame)

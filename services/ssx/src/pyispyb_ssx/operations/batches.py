"""Storing a batch: once, whole, with the run's totals in the same transaction."""

import threading
from collections.abc import Callable
from datetime import datetime
from typing import Any

import numpy as np
import sqlalchemy as sa
from sqlalchemy.engine import Connection

from pyispyb_chassis.database import Database
from pyispyb_chassis.errors import Conflict, Forbidden, NotFound, Unavailable
from pyispyb_chassis.nouns.reading import Row
from pyispyb_chassis.principal import Principal
from pyispyb_ssx.operations.coding import decode_numbers, digest, encode, encode_numbers
from pyispyb_ssx.operations.columns import NULL, Images, Integers
from pyispyb_ssx.operations.store import LARGEST_ID, Store, count_of, now
from pyispyb_ssx.operations.verifications import forget, is_noted, note
from pyispyb_ssx.operations.viewers import name_of
from pyispyb_ssx.tables import CELL, TABLES

MOST_NOTED = 10_000
_COUNTS = ("images", "hits", "indexed", "lattices")

# What is to be kept of the caller's verification: their name, and when core was asked.
Verified = tuple[str, datetime]


class Batches:
    """Takes batches; remembers which verifications this process has already kept."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._noted: dict[tuple[int, str], datetime] = {}
        self._lock = threading.Lock()

    def put(
        self, run_id: int, n: int, caller: Principal, read: Callable[[], Images]
    ) -> tuple[Row, bool]:
        """Store what `read` gives as batch `n`; the batch's figures, and whether it is new.

        `read` is called only for a caller who may record the run. Raises NotFound, Forbidden, or
        Conflict for a closed run, for other content under the same `n`, and for images that
        another batch has.
        """
        if max(run_id, n) > LARGEST_ID:
            raise NotFound("no such run")
        verified = self._admit(run_id, caller)
        row, new = store_batch(self._store.database, run_id, n, read(), caller.login, verified)
        if new and verified is not None:
            self._remember(run_id, verified)
        return row, new

    def _admit(self, run_id: int, caller: Principal) -> Verified | None:
        """Hold the caller against the rules; while core is down, against what was last found."""
        name = name_of(caller)
        try:
            answer = self._store.viewers.answer(caller)
        except Unavailable:
            with self._store.database.reading() as connection:
                if is_noted(connection, run_id, name):
                    return None
            raise
        try:
            with self._store.database.reading() as connection:
                self._store.need_recordable(connection, run_id, answer.viewer)
        except (NotFound, Forbidden):
            self._take_back(run_id, name)
            raise
        if self._noted.get((run_id, name)) == answer.asked_at:
            return None
        return name, answer.asked_at

    def _remember(self, run_id: int, verified: Verified) -> None:
        with self._lock:
            if len(self._noted) >= MOST_NOTED:
                self._noted.clear()
            self._noted[run_id, verified[0]] = verified[1]

    def _take_back(self, run_id: int, name: str) -> None:
        with self._store.database.reading() as connection:
            known = is_noted(connection, run_id, name)
        if known:
            with self._store.database.writing() as connection:
                forget(connection, run_id, name)


def store_batch(
    database: Database,
    run_id: int,
    n: int,
    images: Images,
    login: str,
    verified: Verified | None = None,
) -> tuple[Row, bool]:
    """Write a batch and its run's totals; the batch's figures, and whether it is new."""
    values = _values(run_id, n, images, login)
    with database.writing() as connection:
        try:
            connection.execute(TABLES.batch.insert().values(values))
        except sa.exc.IntegrityError:
            return _repeated(connection, run_id, n, values["digest"]), False
        _count(connection, values)
        # From here to the commit this run is ours: whoever was first is seen, all others wait.
        _refuse_overlap(connection, run_id, n, images.image_number)
        _count_cells(connection, run_id, images)
        if verified is not None:
            note(connection, run_id, *verified)
    return _figures(values), True


def _values(run_id: int, n: int, images: Images, login: str) -> dict[str, Any]:
    return {
        "runId": run_id,
        "n": n,
        "digest": digest(images),
        "images": len(images),
        "hits": int(images.hit.sum()),
        "indexed": int(images.indexed.sum()),
        "lattices": len(images.cell),
        "firstImage": int(images.image_number[0]),
        "lastImage": int(images.image_number[-1]),
        "imageNumbers": encode_numbers(images.image_number),
        "frame": encode(images),
        "login": login,
        "time": now(),
    }


def _figures(batch: Any) -> Row:
    return {name: batch[name] for name in ("runId", "n", *_COUNTS)}


def _repeated(connection: Connection, run_id: int, n: int, sent: bytes) -> Row:
    """The stored batch's figures. Raises Conflict where its values are others than those sent."""
    batch = TABLES.batch
    statement = sa.select(batch.c.runId, batch.c.n, batch.c.digest, *[batch.c[c] for c in _COUNTS])
    stored = (
        connection.execute(statement.where(batch.c.runId == run_id, batch.c.n == n))
        .mappings()
        .one()
    )
    if stored["digest"] != sent:
        raise Conflict(f"batch {n} is stored with other content")
    return _figures(stored)


def _count(connection: Connection, values: dict[str, Any]) -> None:
    """Add a batch to its run's totals. Raises Conflict where the run is closed.

    The batch's foreign key holds the run's row until the commit, so that nobody closes it between.
    """
    total, run = TABLES.total, TABLES.run
    is_open = sa.exists().where(run.c.runId == values["runId"], run.c.state == "open")
    added = connection.execute(
        total.update()
        .where(total.c.runId == values["runId"], is_open)
        .values(
            batches=total.c.batches + 1,
            **{name: total.c[name] + values[name] for name in _COUNTS},
        )
    )
    if not count_of(added):
        raise Conflict("the run is closed")


def _refuse_overlap(connection: Connection, run_id: int, n: int, numbers: Integers) -> None:
    """An image counts once in a run. Raises Conflict that names the batch that has it."""
    batch = TABLES.batch
    near = connection.execute(
        sa.select(batch.c.n, batch.c.firstImage, batch.c.lastImage, batch.c.imageNumbers).where(
            batch.c.runId == run_id,
            batch.c.n != n,
            batch.c.firstImage <= int(numbers[-1]),
            batch.c.lastImage >= int(numbers[0]),
        )
    )
    for other in near:
        if other.imageNumbers is None:
            both = numbers[(numbers >= other.firstImage) & (numbers <= other.lastImage)]
        else:
            theirs = decode_numbers(other.imageNumbers)
            both = np.intersect1d(numbers, theirs, assume_unique=True)
        if len(both):
            more = f" and {len(both) - 1} more are" if len(both) > 1 else " is"
            raise Conflict(
                f"batch {other.n} has images of this batch",
                errors=[("imageNumber", f"{both[0]}{more} in batch {other.n}")],
            )


def _count_cells(connection: Connection, run_id: int, images: Images) -> None:
    """Add the batch's cells to the run's sums, which give means and deviations."""
    cells = TABLES.cells
    for index in np.unique(images.space_group):
        mine = images.cell[images.space_group == index].astype(np.float64)
        group = "" if index == NULL else images.space_groups[index]
        sums = {"lattices": len(mine)}
        sums |= dict(zip([f"sum_{c}" for c in CELL], mine.sum(axis=0).tolist(), strict=True))
        squares = np.square(mine).sum(axis=0).tolist()
        sums |= dict(zip([f"squares_{c}" for c in CELL], squares, strict=True))
        added = connection.execute(
            cells.update()
            .where(cells.c.runId == run_id, cells.c.spaceGroup == group)
            .values({name: cells.c[name] + value for name, value in sums.items()})
        )
        if not count_of(added):
            connection.execute(cells.insert().values(runId=run_id, spaceGroup=group, **sums))

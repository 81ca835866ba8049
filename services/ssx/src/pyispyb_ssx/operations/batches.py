"""Storing a batch: once, whole, with the run's totals in the same transaction."""

import threading
from collections.abc import Callable, Iterable
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
        row, new = store_batch(self._store.database, run_id, n, read(), caller.name, verified)
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
            connection.execute(_NEW_BATCH, values)
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
    added = {"of_run": values["runId"], **{f"more_{name}": values[name] for name in _COUNTS}}
    if not count_of(connection.execute(_COUNT, added)):
        raise Conflict("the run is closed")


def _refuse_overlap(connection: Connection, run_id: int, n: int, numbers: Integers) -> None:
    """An image counts once in a run. Raises Conflict that names the batch that has it."""
    own = {"of_run": run_id, "own": n, "first": int(numbers[0]), "last": int(numbers[-1])}
    near = connection.execute(_NEAR, own)
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
    for index in np.unique(images.space_group):
        mine = images.cell[images.space_group == index].astype(np.float64)
        group = "" if index == NULL else images.space_groups[index]
        sums: list[float] = [*mine.sum(axis=0).tolist(), *np.square(mine).sum(axis=0).tolist()]
        figures = {"lattices": len(mine), **dict(zip(_SUMS, sums, strict=True))}
        more = {f"more_{name}": value for name, value in figures.items()}
        added = connection.execute(_COUNT_CELLS, {"of_run": run_id, "group": group, **more})
        if not count_of(added):
            new = {"runId": run_id, "spaceGroup": group, **figures}
            connection.execute(_NEW_CELLS, new)


# Built once: building them would cost more than their execution.


def _more(table: sa.Table, names: Iterable[str]) -> dict[str, sa.ColumnElement[Any]]:
    return {name: table.c[name] + sa.bindparam(f"more_{name}") for name in names}


def _of_run(table: sa.Table) -> sa.ColumnElement[bool]:
    return table.c.runId == sa.bindparam("of_run")


_SUMS = [f"{kind}_{name}" for kind in ("sum", "squares") for name in CELL]
_NEW_BATCH = TABLES.batch.insert()
_IS_OPEN = sa.exists().where(_of_run(TABLES.run), TABLES.run.c.state == "open")
_COUNT = (
    TABLES.total.update()
    .where(_of_run(TABLES.total), _IS_OPEN)
    .values(batches=TABLES.total.c.batches + 1, **_more(TABLES.total, _COUNTS))
)
_NEAR = sa.select(
    *[TABLES.batch.c[name] for name in ("n", "firstImage", "lastImage", "imageNumbers")]
).where(
    _of_run(TABLES.batch),
    TABLES.batch.c.n != sa.bindparam("own"),
    TABLES.batch.c.firstImage <= sa.bindparam("last"),
    TABLES.batch.c.lastImage >= sa.bindparam("first"),
)
_NEW_CELLS = TABLES.cells.insert()
_COUNT_CELLS = (
    TABLES.cells.update()
    .where(_of_run(TABLES.cells), TABLES.cells.c.spaceGroup == sa.bindparam("group"))
    .values(**_more(TABLES.cells, ["lattices", *_SUMS]))
)

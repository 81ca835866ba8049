"""Opening and closing a run, and what it sums up to."""

from collections.abc import Mapping
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from pyispyb_chassis.errors import NotFound, Unprocessable
from pyispyb_chassis.nouns.ledger import Attempt
from pyispyb_chassis.nouns.reading import Row
from pyispyb_chassis.principal import Principal
from pyispyb_ssx.operations.store import Store, now
from pyispyb_ssx.operations.verifications import note
from pyispyb_ssx.operations.viewers import name_of
from pyispyb_ssx.tables import CELL, TABLES


def open_run(
    store: Store, described: Mapping[str, Any], caller: Principal, attempt: Attempt | None = None
) -> Row:
    """Open a run in a session that the caller may record in.

    Proposal and beamline are the session's own. Raises NotFound where they do not see the session.
    """
    answer = store.viewers.answer(caller)
    placed = {**described, **_place(store, int(described["sessionId"]), caller)}
    with store.database.writing() as connection:
        if attempt is not None:
            answered = TABLES.ledger.begin(connection, attempt)
            if answered is not None:
                store.need_recordable(connection, int(answered), answer.viewer)
                return store.run(connection, int(answered), answer.viewer)
        run_id = insert_run(connection, placed, caller.login, caller.issuer)
        # The rules are asked about the new row; a refusal takes it back.
        store.need_recordable(connection, run_id, answer.viewer)
        note(connection, run_id, name_of(caller), answer.asked_at)
        TABLES.ledger.record(connection, "runs", run_id, "create", caller.name, placed)
        if attempt is not None:
            TABLES.ledger.finish(connection, attempt, run_id)
        return store.run(connection, run_id, answer.viewer)


def insert_run(connection: Connection, values: Mapping[str, Any], login: str, issuer: str) -> int:
    """Write an open run and its totals of nothing; gives its id."""
    written = connection.execute(
        TABLES.run.insert().values(
            **values, state="open", login=login, issuer=issuer, startTime=now()
        )
    )
    run_id = int(written.inserted_primary_key[0])  # type: ignore[index]
    connection.execute(
        TABLES.total.insert().values(
            runId=run_id, batches=0, images=0, hits=0, indexed=0, lattices=0
        )
    )
    return run_id


def _place(store: Store, session_id: int, caller: Principal) -> dict[str, Any]:
    """The proposal and beamline of a session, as core tells the caller."""
    try:
        session = store.core.get(f"/core/sessions/{session_id}", caller)
    except NotFound as error:
        raise NotFound("no such session") from error
    if session.get("proposalId") is None:
        raise Unprocessable(
            "the body has faults", errors=[("sessionId", "a session that has no proposal")]
        )
    return {"proposalId": session["proposalId"], "beamLineName": session["beamLineName"]}


def close_run(store: Store, run_id: int, caller: Principal) -> Row:
    """Close a run: it takes no batch any more. Closing it again changes nothing."""
    viewer = store.viewers(caller)
    with store.database.writing() as connection:
        store.need_recordable(connection, run_id, viewer)
        if mark_closed(connection, run_id):
            TABLES.ledger.record(connection, "runs", run_id, "close", caller.name, ("state",))
        return store.run(connection, run_id, viewer)


def mark_closed(connection: Connection, run_id: int) -> bool:
    """Write the end of an open run; False where it was closed before."""
    run = TABLES.run
    closed: Any = connection.execute(
        run.update()
        .where(run.c.runId == run_id, run.c.state == "open")
        .values(state="closed", endTime=now())
    )
    return bool(closed.rowcount)


def summarise(store: Store, run_id: int, caller: Principal) -> Row:
    """What is known of a run from its totals alone; its images are not read."""
    viewer = store.viewers(caller)
    with store.database.reading() as connection:
        run = store.run(connection, run_id, viewer)
        total = connection.execute(
            sa.select(TABLES.total).where(TABLES.total.c.runId == run_id)
        ).one()
        cells = connection.execute(
            sa.select(TABLES.cells)
            .where(TABLES.cells.c.runId == run_id)
            .order_by(TABLES.cells.c.lattices.desc(), TABLES.cells.c.spaceGroup)
        ).mappings()
        return {
            "runId": run_id,
            "state": run["state"],
            "batches": total.batches,
            "images": total.images,
            "hits": total.hits,
            "indexed": total.indexed,
            "lattices": total.lattices,
            "hitRate": total.hits / total.images if total.images else None,
            "indexingRate": total.indexed / total.hits if total.hits else None,
            "cells": [_cell(row) for row in cells],
        }


def _cell(row: Mapping[Any, Any]) -> Row:
    """Mean and standard deviation of the cells in one space group, in Å and degrees."""
    count = row["lattices"]
    mean = [row[f"sum_{name}"] / count for name in CELL]
    squares = [row[f"squares_{name}"] / count for name in CELL]
    variance = [square - one * one for square, one in zip(squares, mean, strict=True)]
    return {
        "spaceGroup": row["spaceGroup"] or None,
        "lattices": count,
        "mean": [round(one, 4) for one in mean],
        "deviation": [round(max(one, 0.0) ** 0.5, 4) for one in variance],
    }

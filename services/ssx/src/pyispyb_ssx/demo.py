"""The demo's finished run: written straight to the database, by the operations of every run."""

from dataclasses import dataclass

import orjson
import sqlalchemy as sa

from pyispyb_chassis.database import Database
from pyispyb_ssx.operations.batches import store_batch
from pyispyb_ssx.operations.columns import read_json
from pyispyb_ssx.operations.runs import insert_run, mark_closed
from pyispyb_ssx.simulation.crystals import FRAME_SECONDS, see_images
from pyispyb_ssx.tables import TABLES

NAME = "demo: lysozyme on a chip of 25,600 wells"
LOGIN, ISSUER = "mxcube", "suite"
BATCH = 1000


@dataclass(frozen=True, slots=True)
class Place:
    """The session that the run is in, as core knows it."""

    proposal_id: int
    session_id: int
    beamline: str


def make_demo(database: Database, place: Place, images: int) -> tuple[int, bool]:
    """Make the run, or what is missing of it; gives its id, and whether anything was missing."""
    run = TABLES.run
    with database.writing() as connection:
        found = connection.execute(
            sa.select(run.c.runId, run.c.state).where(
                run.c.name == NAME, run.c.sessionId == place.session_id
            )
        ).first()
        if found is not None and found.state == "closed":
            return int(found.runId), False
        run_id = (
            int(found.runId)
            if found
            else insert_run(connection, _run(place, images), LOGIN, ISSUER)
        )
    # A batch that an interrupted demo has stored already is the same again.
    for n, first in enumerate(range(1, images + 1, BATCH)):
        columns = see_images(first, min(BATCH, images + 1 - first))
        store_batch(database, run_id, n, read_json(orjson.dumps(columns), most=BATCH), LOGIN)
    with database.writing() as connection:
        mark_closed(connection, run_id)
    return run_id, True


def _run(place: Place, images: int) -> dict[str, object]:
    return {
        "proposalId": place.proposal_id,
        "sessionId": place.session_id,
        "beamLineName": place.beamline,
        "name": NAME,
        "experimentType": "Serial Fixed",
        "numberOfImages": images,
        "exposureTime": FRAME_SECONDS,
        "wavelength": 0.9763,
        "detectorDistance": 150.0,
        "transmission": 100.0,
    }

"""Who was lately found to be allowed to record a run: what a batch goes on while core is down."""

from datetime import datetime, timedelta

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from pyispyb_ssx.operations.store import count_of, now
from pyispyb_ssx.tables import TABLES

# In the database, so that every worker and every replica knows of it.
HOLDS_FOR = timedelta(minutes=15)


def note(connection: Connection, run_id: int, caller: str, asked_at: datetime) -> None:
    """Keep that core's answer of `asked_at` lets this caller record this run."""
    writer = TABLES.writer
    where = (writer.c.runId == run_id, writer.c.caller == caller)
    at = asked_at.replace(microsecond=0)
    if not count_of(connection.execute(writer.update().where(*where).values(verifiedAt=at))):
        connection.execute(writer.insert().values(runId=run_id, caller=caller, verifiedAt=at))


def is_noted(connection: Connection, run_id: int, caller: str) -> bool:
    """Whether this caller was found to be allowed to record this run in the last 15 minutes."""
    writer = TABLES.writer
    statement = sa.select(writer.c.runId).where(
        writer.c.runId == run_id,
        writer.c.caller == caller,
        writer.c.verifiedAt >= now() - HOLDS_FOR,
    )
    return connection.execute(statement).first() is not None


def forget(connection: Connection, run_id: int, caller: str) -> None:
    """Take back what was noted: core has said otherwise since."""
    writer = TABLES.writer
    connection.execute(writer.delete().where(writer.c.runId == run_id, writer.c.caller == caller))

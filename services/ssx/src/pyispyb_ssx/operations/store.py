"""What the operations stand on: the database, the noun of runs, the rules, and who calls."""

from collections.abc import Hashable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from pyispyb_chassis.database import Database
from pyispyb_chassis.errors import Forbidden, NotFound
from pyispyb_chassis.nouns.catalogue import Bound
from pyispyb_chassis.nouns.query import Query
from pyispyb_chassis.nouns.reading import Reader, Row
from pyispyb_chassis.sibling import Sibling
from pyispyb_ssx.operations.viewers import Viewers
from pyispyb_ssx.rules import Rules, Viewer
from pyispyb_ssx.tables import TABLES

LARGEST_ID = 2**31 - 1
MOST_STATEMENTS = 256


@dataclass(frozen=True, slots=True)
class Store:
    """One per app."""

    database: Database
    runs: Bound
    reader: Reader[Viewer]
    rules: Rules
    viewers: Viewers
    core: Sibling
    _built: dict[Hashable, sa.Select[Any]] = field(default_factory=dict)

    def run(self, connection: Connection, run_id: int, viewer: Viewer) -> Row:
        """A run as the viewer sees it. Raises NotFound where they do not."""
        if run_id > LARGEST_ID:
            raise NotFound("no such run")
        return self.reader.item(connection, self.runs, run_id, viewer, Query(total=False))

    def need_recordable(self, connection: Connection, run_id: int, viewer: Viewer) -> None:
        """Raise NotFound for a run the viewer does not see, Forbidden where they only see it."""
        found = None
        if run_id <= LARGEST_ID:
            values = {"this_run": run_id, **self.rules.parameters(viewer)}
            found = connection.execute(self._recordable(viewer), values).first()
        if found is None:
            raise NotFound("no such run")
        if not found.may:
            raise Forbidden("you may not record this run")

    def _recordable(self, viewer: Viewer) -> sa.Select[Any]:
        """Whether a visible run may be recorded; built once for each shape of viewer."""
        shape = self.rules.shape(viewer)
        statement = self._built.get(shape)
        if statement is None:
            run = TABLES.run.alias()
            statement = sa.select(self.rules.records(viewer, run).label("may")).where(
                run.c.runId == sa.bindparam("this_run"), self.rules.sees(self.runs, viewer, run)
            )
            if len(self._built) >= MOST_STATEMENTS:
                self._built.clear()
            self._built[shape] = statement
        return statement


def now() -> datetime:
    """The moment as the database keeps it: UTC, whole seconds."""
    return datetime.now(UTC).replace(tzinfo=None, microsecond=0)


def count_of(result: Any) -> int:
    """The number of rows that a statement changed."""
    return int(result.rowcount)

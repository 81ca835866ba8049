"""Brings one proposal to what a user office says of it, in one transaction, again and again."""

from typing import Any

from pyispyb_chassis.database import Database
from pyispyb_chassis.errors import Unavailable, Unprocessable
from pyispyb_chassis.nouns.catalogue import Catalogue
from pyispyb_chassis.nouns.fields import Field, field_of
from pyispyb_chassis.nouns.writing import Writer
from pyispyb_core.operations.sync.described import schema_of
from pyispyb_core.operations.sync.run import Run
from pyispyb_core.operations.sync.sheet import PROPOSAL, Given, Sheet
from pyispyb_core.rules import Viewer
from pyispyb_core.tables import Tables

# Two syncs may mean one person or one laboratory, whichever their proposals are.
TURN = "user-office sync"
LINKS = {"ProposalHasPerson": ("role",), "Session_has_Person": ("role", "remote")}


class _OnlyLooked(Exception):
    """Takes back everything that was written to see what it would do."""


class Sync:
    """Reads a user office's JSON and writes what differs."""

    def __init__(
        self, catalogue: Catalogue, database: Database, tables: Tables, writer: Writer[Viewer]
    ) -> None:
        self._catalogue = catalogue
        self._database = database
        self._tables = tables
        self._writer = writer
        self._links: dict[str, dict[str, Field]] = {
            table: {
                name: field_of(
                    tables[table].c[name], catalogue["persons"].zone, unit=None, pattern=None
                )
                for name in names
            }
            for table, names in LINKS.items()
        }

    def body_schema(self) -> dict[str, Any]:
        """The JSON Schema of what `proposal` takes."""
        return schema_of(PROPOSAL, self._catalogue, self._links)

    def proposal(self, body: Given, *, by: Viewer, only_look: bool) -> dict[str, Any]:
        """What was created, changed, removed, kept or unchanged; `only_look` writes nothing.

        Raises Unprocessable with every fault and its path.
        """
        sheet = Sheet(self._catalogue, self._links)
        root = sheet.read(body)
        answer: dict[str, Any] = {}
        try:
            with self._database.writing() as connection:
                if not self._tables.ledger.is_there(connection):
                    raise Unavailable("read-only: the service's own tables are missing")
                self._tables.turns.take(self._database, connection, [TURN])
                run = Run(
                    connection,
                    self._catalogue,
                    self._tables,
                    self._database,
                    self._writer,
                    by,
                    sheet.faults,
                )
                proposal = run.proposal(root)
                if sheet.faults:
                    raise Unprocessable("the body has faults", errors=dict.fromkeys(sheet.faults))
                answer = {**proposal, "committed": not only_look, **run.pen.report.shown()}
                if only_look:
                    raise _OnlyLooked
        except _OnlyLooked:
            return answer
        return answer

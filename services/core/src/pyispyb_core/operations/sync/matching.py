"""Which stored row an object of a user office's JSON means."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from pyispyb_chassis.nouns.catalogue import Bound, Catalogue
from pyispyb_core.operations.sync.sheet import Entry, Fault
from pyispyb_core.tables import Tables

Row = Mapping[str, Any]
# Where a proposal has people of its own, without a login perhaps.
USES = ("ProposalHasPerson", "Proposal", "LabContact")


def folded(value: Any) -> Any:
    """A text as ISPyB's databases compare it, accents apart: without case and trailing blanks."""
    return value.rstrip(" ").casefold() if isinstance(value, str) else value


class Matches:
    """Reads the rows that a body may mean, each list by one statement, and locks those it gives."""

    def __init__(self, connection: Connection, catalogue: Catalogue, tables: Tables) -> None:
        self._connection = connection
        self._catalogue = catalogue
        self._tables = tables

    def rows(self, noun: Bound, *conditions: sa.ColumnElement[bool]) -> list[Row]:
        """Rows of a noun, by id."""
        statement = sa.select(noun.table).where(*conditions).order_by(noun.table.c[noun.key])
        return [dict(row) for row in self._connection.execute(statement).mappings()]

    def proposals(self, entry: Entry) -> list[Row]:
        """Those with this externalId, or this code and number."""
        noun = self._catalogue["proposals"]
        table, values = noun.table, entry.values
        ways = []
        if values.get("externalId") is not None:
            ways.append(table.c.externalId == values["externalId"])
        if values.get("proposalCode") and values.get("proposalNumber"):
            ways.append(
                sa.and_(
                    table.c.proposalCode == values["proposalCode"],
                    table.c.proposalNumber == values["proposalNumber"],
                )
            )
        return self.rows(noun, sa.or_(*ways)) if ways else []

    def laboratories(self, entries: Sequence[Entry]) -> list[Row]:
        """Those with a name or UUID of the body."""
        noun = self._catalogue["laboratories"]
        return self._with(noun, entries, ("name", "laboratoryUUID"))

    def people(self, entries: Sequence[Entry]) -> list[Row]:
        """Those with a login or externalId of the body."""
        noun = self._catalogue["persons"]
        return self._with(noun, entries, ("login", "externalId"))

    def people_of(self, proposal_id: int) -> list[Row]:
        """The people that the proposal has already, in whatever way."""
        noun = self._catalogue["persons"]
        ways = [self._used_by(name, proposal_id) for name in USES]
        part, session = self._tables["Session_has_Person"], self._tables["BLSession"]
        joined = part.join(session, session.c.sessionId == part.c.sessionId)
        there = sa.select(part.c.personId).select_from(joined)
        ways.append(there.where(session.c.proposalId == proposal_id))
        return self.rows(noun, sa.or_(*[noun.table.c.personId.in_(way) for way in ways]))

    def of_proposal(self, path: str, proposal_id: int | None) -> list[Row]:
        """All rows of a noun in the proposal."""
        if proposal_id is None:
            return []
        noun = self._catalogue[path]
        return self.rows(noun, noun.table.c.proposalId == proposal_id)

    def links(self, table: str, column: str, keys: Iterable[Any]) -> list[Row]:
        """The rows of a linking table that lead to these."""
        source = self._tables[table]
        statement = sa.select(source).where(source.c[column].in_(list(keys)))
        statement = statement.order_by(*source.primary_key.columns)
        return [dict(row) for row in self._connection.execute(statement).mappings()]

    def _used_by(self, table: str, proposal_id: int) -> sa.Select[Any]:
        use = self._tables[table]
        return sa.select(use.c.personId).where(use.c.proposalId == proposal_id)

    def _with(self, noun: Bound, entries: Sequence[Entry], names: Sequence[str]) -> list[Row]:
        ways = []
        for name in names:
            wanted = {entry.values[name] for entry in entries if entry.values.get(name)}
            if wanted:
                ways.append(noun.table.c[name].in_(sorted(wanted)))
        return self.rows(noun, sa.or_(*ways)) if ways else []


class Finder:
    """Gives each object of one list its row by the first way that finds one, each row once."""

    def __init__(self, rows: Sequence[Row], key: str, faults: list[Fault]) -> None:
        self._rows = rows
        self._key = key
        self._faults = faults
        self._taken: dict[Any, str] = {}

    def find(self, entry: Entry, *ways: Sequence[str]) -> Row | None:
        """The row that agrees with the object in all columns of a way, the strongest way first.

        A way counts where the object says its first column. Whoever has another word for a
        stronger way is somebody else.
        """
        said = [way for way in ways if entry.values.get(way[0]) is not None]
        if said:
            self._once(entry, (said[0], _of(entry.values, said[0])), "says the same as")
        for n, way in enumerate(said):
            for row in self._rows:
                if _of(row, way) == _of(entry.values, way) and not any(
                    row[stronger[0]] is not None
                    and folded(row[stronger[0]]) != folded(entry.values[stronger[0]])
                    for stronger in said[:n]
                ):
                    self._once(entry, row[self._key], "is the same row as")
                    return row
        return None

    def _once(self, entry: Entry, key: Any, told: str) -> None:
        before = self._taken.setdefault(key, entry.path)
        if before != entry.path:
            self._faults.append((entry.path, f"{told} {before}"))


def _of(row: Row, way: Sequence[str]) -> tuple[Any, ...]:
    return tuple(folded(row.get(name)) for name in way)

"""One sync inside its transaction: each list matched, then written in the order of its keys."""

from collections.abc import Mapping
from typing import Any

from sqlalchemy.engine import Connection

from pyispyb_chassis.database import Database
from pyispyb_chassis.nouns.catalogue import Bound, Catalogue
from pyispyb_chassis.nouns.writing import Writer
from pyispyb_core.operations.sync.links import Links
from pyispyb_core.operations.sync.matching import Finder, Matches, Row
from pyispyb_core.operations.sync.pen import Pen
from pyispyb_core.operations.sync.sheet import Entry, Fault, is_told
from pyispyb_core.rules import Viewer
from pyispyb_core.tables import Tables

Ids = dict[str, Any]
# What goes with a session that nothing else refers to.
GOES_WITH = {"sessions": frozenset({"Session_has_Person"})}


class Run:
    """Matches and writes; after the first fault it only matches, so that all faults are told."""

    def __init__(
        self,
        connection: Connection,
        catalogue: Catalogue,
        tables: Tables,
        database: Database,
        writer: Writer[Viewer],
        by: Viewer,
        faults: list[Fault],
    ) -> None:
        self._connection = connection
        self._catalogue = catalogue
        self._tables = tables
        self._database = database
        self._writer = writer
        self._faults = faults
        self._find = Matches(connection, catalogue, tables)
        self.pen = Pen(connection, tables.ledger, by.login, faults)
        self._links = Links(tables, self._find, self.pen, faults)

    def proposal(self, root: Entry) -> dict[str, Any]:
        """Everything that the body says of a proposal; gives its id and name."""
        stored = self._stored_proposal(root)
        found = None if stored is None else int(stored["proposalId"])
        if found is not None:
            self._tables.turns.take(self._database, self._connection, [f"rows of {found}"])
        laboratories = self._laboratories(root)
        people = self._people(root, laboratories, found)
        lead = root.refers.get("principalInvestigator")
        if lead is not None and people.get(lead) is not None:
            root.values["personId"] = people[lead]
        elif found is None and lead is None:
            self._require(root, "principalInvestigator")
        proposals = self._catalogue["proposals"]
        proposal_id = self._put("proposals", proposals, root, stored)
        self._links.members(root, proposal_id, people)
        self._lab_contacts(root, proposal_id, people)
        self._sessions(root, proposal_id, people)
        self._proteins(root, proposal_id)
        values = {**(stored or {}), **root.values}
        name = f"{values.get('proposalCode')}{values.get('proposalNumber')}"
        return {"proposalId": proposal_id, "proposal": name}

    def _stored_proposal(self, root: Entry) -> Row | None:
        rows = self._find.proposals(root)
        if len(rows) > 1:
            told = "is another proposal's than proposalCode and proposalNumber"
            self._faults.append(("externalId", told))
        if rows:
            return rows[0]
        return None

    def _laboratories(self, root: Entry) -> Ids:
        entries = root.lists.get("laboratories", [])
        noun = self._catalogue["laboratories"]
        finder = Finder(self._find.laboratories(entries), noun.key, self._faults)
        ids: Ids = {}
        for entry in entries:
            row = finder.find(entry, ("laboratoryUUID",), ("name", "city", "country"))
            ids[entry.key or entry.path] = self._put("laboratories", noun, entry, row)
        return ids

    def _people(self, root: Entry, laboratories: Ids, proposal_id: int | None) -> Ids:
        entries = root.lists.get("people", [])
        noun = self._catalogue["persons"]
        known = Finder(self._find.people(entries), noun.key, self._faults)
        own = [] if proposal_id is None else self._find.people_of(proposal_id)
        nameless = Finder(own, noun.key, self._faults)
        ids: Ids = {}
        for entry in entries:
            if "laboratory" in entry.refers:
                entry.values["laboratoryId"] = laboratories.get(entry.refers["laboratory"] or "")
            if entry.values.get("externalId") is None and entry.values.get("login") is None:
                row = nameless.find(entry, *_by_name(entry))
            else:
                row = known.find(entry, ("externalId",), ("login",))
            ids[entry.key or entry.path] = self._put("people", noun, entry, row)
        return ids

    def _lab_contacts(self, root: Entry, proposal_id: int | None, people: Ids) -> None:
        if "labContacts" not in root.lists:
            return
        noun = self._catalogue["labcontacts"]
        rows = self._find.of_proposal("labcontacts", proposal_id)
        finder = Finder(rows, noun.key, self._faults)
        met: set[Any] = set()
        for entry in root.lists["labContacts"]:
            person = self._person_of(entry, people)
            entry.values |= {"personId": person, "proposalId": proposal_id}
            row = finder.find(entry, ("personId",))
            met.add(self._put("labContacts", noun, entry, row))
        self._keep(rows, noun, "labContacts", met)

    def _sessions(self, root: Entry, proposal_id: int | None, people: Ids) -> None:
        if "sessions" not in root.lists:
            return
        noun = self._catalogue["sessions"]
        rows = self._find.of_proposal("sessions", proposal_id)
        finder = Finder(rows, noun.key, self._faults)
        ids: Ids = {}
        for entry in root.lists["sessions"]:
            entry.values["proposalId"] = proposal_id
            ways = ("externalId",), ("visit_number",), ("startDate", "beamLineName")
            row = finder.find(entry, *ways)
            ids[entry.path] = self._put("sessions", noun, entry, row)
            self._refuse_backwards(entry, row)
        self._links.of_sessions(root.lists["sessions"], ids, people)
        self._take_out_absent(rows, noun, "sessions", set(ids.values()))

    def _proteins(self, root: Entry, proposal_id: int | None) -> None:
        if "proteins" not in root.lists:
            return
        noun = self._catalogue["proteins"]
        rows = self._find.of_proposal("proteins", proposal_id)
        finder = Finder(rows, noun.key, self._faults)
        met: set[Any] = set()
        for entry in root.lists["proteins"]:
            entry.values["proposalId"] = proposal_id
            row = finder.find(entry, ("externalId",), ("acronym",))
            met.add(self._put("proteins", noun, entry, row))
        self._take_out_absent(rows, noun, "proteins", met)

    def _put(self, kind: str, noun: Bound, entry: Entry, row: Row | None) -> Any:
        """Write an object; gives the row's id, None where it is new and there are faults."""
        if row is None:
            for name in noun.required:
                if entry.values.get(name) is None and name not in entry.refers:
                    self._require(entry, name)
            return self.pen.insert(kind, noun, entry.values, entry.path)
        key = row[noun.key]
        changed = self.pen.update(kind, noun, key, row, entry.values, entry.path)
        self._writer.keep_those_below_apart(self._connection, noun, key, changed)
        return key

    def _require(self, entry: Entry, name: str) -> None:
        """Tell that a new row needs a column, where the body could have said it."""
        if name in {"personId", "proposalId"} or is_told(self._faults, entry.at(name)):
            return
        self._faults.append((entry.at(name), "is required"))

    def _person_of(self, entry: Entry, people: Ids) -> Any:
        key = entry.refers.get("person")
        if key is None and not is_told(self._faults, entry.at("person")):
            self._faults.append((entry.at("person"), "is required"))
        return None if key is None else people.get(key)

    def _refuse_backwards(self, entry: Entry, row: Row | None) -> None:
        values = {**(row or {}), **entry.values}
        start, end = values.get("startDate"), values.get("endDate")
        if start is not None and end is not None and end < start:
            self._faults.append((entry.at("endDate"), "is before startDate"))

    def _take_out_absent(self, rows: list[Row], noun: Bound, kind: str, met: set[Any]) -> None:
        """Rows of the user office's that it names no more, where nothing hangs on them.

        What it never named (without an externalId) was made here, and stays.
        """
        for row in self._absent(rows, noun, met):
            key = row[noun.key]
            hanging = dict(self._writer.referring(self._connection, noun, key))
            goes_with = GOES_WITH.get(noun.path, frozenset())
            if row["externalId"] is None or hanging.keys() - goes_with:
                self.pen.report.note("kept", kind, key)
                continue
            if hanging:
                self._links.take_out_all(key)
            self.pen.delete(kind, noun, key)

    def _keep(self, rows: list[Row], noun: Bound, kind: str, met: set[Any]) -> None:
        for row in self._absent(rows, noun, met):
            self.pen.report.note("kept", kind, row[noun.key])

    def _absent(self, rows: list[Row], noun: Bound, met: set[Any]) -> list[Row]:
        return [row for row in rows if row[noun.key] not in met]


def _by_name(entry: Entry) -> tuple[tuple[str, ...], ...]:
    """Nobody but the people of the proposal is known by their name alone."""
    names: Mapping[str, Any] = entry.values
    with_address = ("familyName", "givenName", "emailAddress")
    return (with_address,) if names.get("emailAddress") else (with_address[:2],)

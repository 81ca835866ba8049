"""Who is a member of the proposal and who takes part in its sessions: lists that are complete."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import sqlalchemy as sa

from pyispyb_core.operations.sync.matching import Matches, Row
from pyispyb_core.operations.sync.pen import Pen, Values
from pyispyb_core.operations.sync.report import Outcome
from pyispyb_core.operations.sync.sheet import Entry, Fault, is_told
from pyispyb_core.rules.proposals import LOCAL_CONTACT_ROLES
from pyispyb_core.rules.teams import LEADING_ROLE
from pyispyb_core.tables import Tables

MEMBERS, PARTS = "ProposalHasPerson", "Session_has_Person"
LOCAL_CONTACT = LOCAL_CONTACT_ROLES[0]


class Links:
    """Writes the rows of the two tables by which people have rights in a proposal."""

    def __init__(self, tables: Tables, find: Matches, pen: Pen, faults: list[Fault]) -> None:
        self._tables = tables
        self._find = find
        self._pen = pen
        self._faults = faults

    def members(self, root: Entry, proposal_id: int | None, people: Mapping[str, Any]) -> None:
        """Who is in the list is a member, the principal investigator too, and nobody else."""
        if "members" not in root.lists:
            return
        wanted = self._people_of(root, ["members"], people)
        lead = root.values.get("personId")
        if lead is not None and lead not in wanted:
            wanted[lead] = ("principalInvestigator", {"role": LEADING_ROLE})
        stored = self._find.links(MEMBERS, "proposalId", [proposal_id])
        kept: set[Any] = set()
        for row in stored:
            path, values = wanted.get(row["personId"], ("", None))
            if values is None or row["personId"] in kept:
                self._take_out(MEMBERS, row, "members")
                continue
            kept.add(row["personId"])
            self._change(MEMBERS, row, values, path)
        table = self._tables[MEMBERS]
        for person, (path, values) in wanted.items():
            if person is not None and person not in kept:
                row = {"proposalId": proposal_id, "personId": person, **values}
                self._add(MEMBERS, table.insert().values(row), row, path)

    def of_sessions(
        self, entries: Sequence[Entry], ids: Mapping[str, Any], people: Mapping[str, Any]
    ) -> None:
        """For each session whose people or local contacts are listed: those and no others."""
        by_session: dict[Any, list[Row]] = {}
        for row in self._find.links(PARTS, "sessionId", filter(None, ids.values())):
            by_session.setdefault(row["sessionId"], []).append(row)
        for entry in entries:
            session_id = ids[entry.path]
            self._of_session(entry, session_id, by_session.get(session_id, []), people)

    def take_out_all(self, session_id: int) -> None:
        """Everybody leaves a session that is about to go."""
        for row in self._find.links(PARTS, "sessionId", [session_id]):
            self._take_out(PARTS, row, "sessions")

    def _of_session(
        self, entry: Entry, session_id: Any, stored: Iterable[Row], people: Mapping[str, Any]
    ) -> None:
        lists = [name for name in ("people", "localContacts") if name in entry.lists]
        for one in entry.lists.get("localContacts", []):
            one.values["role"] = LOCAL_CONTACT
        wanted = self._people_of(entry, lists, people)
        present: set[Any] = set()
        for row in stored:
            path, values = wanted.get(row["personId"], ("", None))
            is_listed = _list_of(row) in lists
            if values is not None:
                present.add(row["personId"])
                self._change(PARTS, row, values, path)
            elif is_listed:
                self._take_out(PARTS, row, "sessions")
        table = self._tables[PARTS]
        for person, (path, values) in wanted.items():
            if person is not None and person not in present:
                row = {"sessionId": session_id, "personId": person, **values}
                self._add(PARTS, table.insert().values(row), row, path)

    def _people_of(
        self, entry: Entry, lists: Sequence[str], people: Mapping[str, Any]
    ) -> dict[Any, tuple[str, Values]]:
        """Each person of the lists once: where they stand, and what is said of them."""
        wanted: dict[Any, tuple[str, Values]] = {}
        keys: dict[str, str] = {}
        for one in [one for name in lists for one in entry.lists[name]]:
            key = one.refers.get("person")
            if key is None:
                if not is_told(self._faults, one.at("person")):
                    self._faults.append((one.at("person"), "is required"))
            elif key in keys:
                self._faults.append((one.at("person"), f"stands in {keys[key]} too"))
            else:
                keys[key] = one.path
                wanted[people.get(key)] = (one.path, one.values)
        return wanted

    def _add(self, table: str, statement: sa.Insert, row: Values, path: str) -> None:
        if self._pen.link(statement, path):
            self._note("created", table, row, "create", row)

    def _change(self, table: str, row: Row, values: Values, path: str) -> None:
        changed = {name: value for name, value in values.items() if row[name] != value}
        if not changed:
            self._note("unchanged", table, row, None, {})
            return
        statement = self._tables[table].update().where(self._is(table, row)).values(changed)
        if self._pen.link(statement, path):
            self._note("changed", table, row, "patch", changed)

    def _take_out(self, table: str, row: Row, path: str) -> None:
        if self._pen.link(self._tables[table].delete().where(self._is(table, row)), path):
            self._note("removed", table, row, "delete", {})

    def _is(self, table: str, row: Row) -> sa.ColumnElement[bool]:
        """By the table's own key: somebody may be a member twice."""
        keys = self._tables[table].primary_key.columns
        return sa.and_(*[key == row[key.name] for key in keys])

    def _note(
        self, outcome: Outcome, table: str, row: Values, action: str | None, fields: Values
    ) -> None:
        """Tell of a link by the ids of its two ends, in the answer and in the history."""
        parent, kind, noun = _CALLED[table]
        ends = {parent: row[parent], "personId": row["personId"]}
        self._pen.report.note(outcome, kind, ends)
        if action is not None:
            key = "/".join(str(one) for one in ends.values())
            self._pen.record_link(noun, key, action, fields)


# By table: the column of its other end, its name in the answer, its name in the history.
_CALLED = {
    MEMBERS: ("proposalId", "members", "proposal-members"),
    PARTS: ("sessionId", "sessionPeople", "session-people"),
}


def _list_of(row: Row) -> str:
    """The list of a session that somebody stands in."""
    return "localContacts" if row["role"] in LOCAL_CONTACT_ROLES else "people"

"""The JSON of a user office, read: values as the database takes them, references, every fault."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from pyispyb_chassis.nouns.catalogue import Catalogue
from pyispyb_chassis.nouns.fields import Field, Refused
from pyispyb_chassis.nouns.proposing import accepted

MOST = 500
Given = Mapping[str, Any]
Fault = tuple[str, str]


@dataclass(frozen=True, slots=True)
class Shape:
    """What one object of the JSON may say: columns of a noun, and words of its own.

    `without` are columns that the sync finds out by itself, `refers` are keys of other lists,
    `lists` are lists of objects, `known_as` is the column that is its key where none is given.
    """

    noun: str
    without: frozenset[str] = frozenset()
    refers: Mapping[str, str] = field(default_factory=dict)
    lists: Mapping[str, "Shape | Link"] = field(default_factory=dict)
    known_as: str | None = None


@dataclass(frozen=True, slots=True)
class Link:
    """A person's part in something, and columns of the table that says so."""

    table: str
    columns: tuple[str, ...]
    refers: Mapping[str, str] = field(default_factory=lambda: {"person": "people"})


@dataclass(slots=True)
class Entry:
    """One object of the JSON: where it stands, its columns, what it refers to, its lists."""

    path: str
    given: Given
    values: dict[str, Any] = field(default_factory=dict)
    refers: dict[str, str | None] = field(default_factory=dict)
    lists: dict[str, list["Entry"]] = field(default_factory=dict)
    key: str | None = None

    def at(self, name: str) -> str:
        """The path of one of its fields."""
        return f"{self.path}.{name}" if self.path else name


SESSION = Shape(
    "sessions",
    without=frozenset({"proposalId", "beamLineSetupId"}),
    lists={
        "people": Link("Session_has_Person", ("role", "remote")),
        "localContacts": Link("Session_has_Person", ()),
    },
)
PROPOSAL = Shape(
    "proposals",
    without=frozenset({"personId"}),
    refers={"principalInvestigator": "people"},
    lists={
        "laboratories": Shape("laboratories", known_as="name"),
        "people": Shape(
            "persons",
            without=frozenset({"laboratoryId"}),
            refers={"laboratory": "laboratories"},
            known_as="login",
        ),
        "members": Link("ProposalHasPerson", ("role",)),
        "labContacts": Shape(
            "labcontacts",
            without=frozenset({"personId", "proposalId"}),
            refers={"person": "people"},
        ),
        "sessions": SESSION,
        "proteins": Shape("proteins", without=frozenset({"proposalId"})),
    },
)


class Sheet:
    """Reads one body; `faults` are all of them, each with the path of its field."""

    def __init__(self, catalogue: Catalogue, links: Mapping[str, Mapping[str, Field]]) -> None:
        self._catalogue = catalogue
        self._links = links
        self.faults: list[Fault] = []

    def read(self, body: Given) -> Entry:
        """The whole JSON, its references resolved to keys that are there."""
        root = self._entry(PROPOSAL, "", body)
        keys = {name: self._keys(root, name) for name in ("laboratories", "people")}
        self._resolve(PROPOSAL, root, keys)
        return root

    def _entry(self, shape: Shape | Link, path: str, given: Given) -> Entry:
        entry = Entry(path, given)
        keyed = isinstance(shape, Shape) and shape.known_as is not None
        lists = shape.lists if isinstance(shape, Shape) else {}
        columns = self._columns(shape)
        own = {*(("key",) if keyed else ()), *shape.refers, *lists}
        for name, value in given.items():
            if name in columns:
                self._take(shape, entry, name, value)
            elif name == "key" and keyed:
                entry.key = self._text(entry.at(name), value)
            elif name in shape.refers:
                entry.refers[name] = None if value is None else self._text(entry.at(name), value)
            elif name in lists:
                entry.lists[name] = self._list(lists[name], entry.at(name), value)
            else:
                allowed = ", ".join(sorted({*columns, *own}))
                self.faults.append((entry.at(name)[:100], f"no such field; allowed: {allowed}"))
        if isinstance(shape, Shape) and shape.known_as is not None and entry.key is None:
            known = given.get(shape.known_as)
            entry.key = known if isinstance(known, str) else None
        return entry

    def _columns(self, shape: Shape | Link) -> frozenset[str]:
        if isinstance(shape, Link):
            return frozenset(shape.columns)
        return self._catalogue[shape.noun].settable - shape.without

    def _take(self, shape: Shape | Link, entry: Entry, name: str, value: Any) -> None:
        try:
            if isinstance(shape, Shape):
                entry.values[name] = accepted(self._catalogue[shape.noun], name, value)
            else:
                field_of_link = self._links[shape.table][name]
                entry.values[name] = None if value is None else field_of_link.accept(value)
        except Refused as refused:
            told = str(refused)
            told = told if isinstance(shape, Shape) else f"takes {told}"
            self.faults.append((entry.at(name), told))

    def _text(self, path: str, value: Any) -> str | None:
        if isinstance(value, str) and value:
            return value
        self.faults.append((path, "takes a text"))
        return None

    def _list(self, shape: Shape | Link, path: str, value: Any) -> list[Entry]:
        if not isinstance(value, list) or len(value) > MOST:
            self.faults.append((path, f"takes a list of at most {MOST} objects"))
            return []
        entries: list[Entry] = []
        for n, one in enumerate(value):
            if isinstance(one, dict):
                entries.append(self._entry(shape, f"{path}[{n}]", one))
            else:
                self.faults.append((f"{path}[{n}]", "takes an object"))
        return entries

    def _keys(self, root: Entry, name: str) -> frozenset[str]:
        """The keys of a list, each of which stands there once."""
        known: dict[str, str] = {}
        for entry in root.lists.get(name, []):
            if entry.key is not None and entry.key in known:
                told = f"is the key of {known[entry.key]} too"
                self.faults.append((entry.at("key"), told))
            elif entry.key is not None:
                known[entry.key] = entry.path
        return frozenset(known)

    def _resolve(
        self, shape: Shape | Link, entry: Entry, keys: Mapping[str, frozenset[str]]
    ) -> None:
        for name, target in shape.refers.items():
            wanted = entry.refers.get(name)
            if wanted is not None and wanted not in keys[target]:
                self.faults.append((entry.at(name), f"no such key in {target}"))
                entry.refers[name] = None
        for name, below in (shape.lists if isinstance(shape, Shape) else {}).items():
            for one in entry.lists.get(name, []):
                self._resolve(below, one, keys)


def is_told(faults: Sequence[Fault], path: str) -> bool:
    """Whether a field has a fault already."""
    return any(told == path for told, _ in faults)

"""What a noun is: one declaration, from which routes, queries, rules and docs follow."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from pyispyb_chassis.permissions import Permission

Action = Literal["list", "get", "create", "patch", "delete"]
READS: tuple[Action, ...] = ("list", "get")
# What is corrected, and not taken back: a record of the night, a person, a proposal.
KEPT: tuple[Action, ...] = (*READS, "create", "patch")


@dataclass(frozen=True, slots=True)
class Name:
    """A word a row is known by: `columns` of the row itself, or of the row `via` refers to.

    The first column is letters, the rest of the word is the second: MX1001 is MX and 1001.
    """

    columns: tuple[str, str]
    doc: str
    via: str | None = None


@dataclass(frozen=True, slots=True)
class Sought:
    """What a row can be looked up by that stands in a row above it.

    Each of `ways` is a chain of foreign keys, and at its end a column or a name of that noun; one
    that leads to the value is enough. A row on the way that the viewer does not see ends it.
    """

    doc: str
    ways: tuple[tuple[str, ...], ...]


@dataclass(frozen=True, kw_only=True, slots=True)
class Noun:
    """A table as the API shows it; columns are named as ISPyB names them.

    `belongs_to` are the foreign keys that lead to the owner, the first that is set decides;
    `writable` is what any writer may set, `rights` what only those whom a rule names may set,
    `fixed` what only an administrator may change once the row exists; nothing else is ever
    written. `named_by` are foreign keys of other nouns, as `images.motorPositionId`, whose rows
    lend their owner to what they name. `stamps` are the time columns that the engine sets on
    create or on every write. `singular` is what one of them is called where it is not the path
    without its s. `leads` are columns that lead to rows of a table without being declared as
    foreign keys.
    One that stands `within` another has its routes below that one's items, at `segment`: `within`
    is the column that leads there, `key` the one that tells its rows apart in there.
    `nested` are foreign keys that a new row may tell by an object instead, under the include's
    name: `Person` for `personId`; the row that it describes is made too, in one transaction.
    """

    table: str
    path: str
    area: str
    doc: str
    level: str
    read: Permission
    write: Permission
    actions: tuple[Action, ...] = (*READS, "create", "patch", "delete")
    belongs_to: tuple[str, ...] = ()
    named_by: tuple[str, ...] = ()
    writable: tuple[str, ...] = ()
    rights: tuple[str, ...] = ()
    fixed: tuple[str, ...] = ()
    required: tuple[str, ...] = ()
    includes: tuple[str, ...] = ()
    nested: tuple[str, ...] = ()
    search: tuple[str, ...] = ()
    sort: str = ""
    owns: tuple[str, ...] = ()
    shared: tuple[str, ...] = ()
    hidden: tuple[str, ...] = ()
    names: Mapping[str, Name] = field(default_factory=dict)
    sought: Mapping[str, Sought] = field(default_factory=dict)
    known_as: str | None = None
    singular: str | None = None
    defaults: Mapping[str, Any] = field(default_factory=dict)
    stamps: Mapping[str, Literal["create", "write"]] = field(default_factory=dict)
    leads: Mapping[str, str] = field(default_factory=dict)
    within: str | None = None
    segment: str = ""
    key: str | None = None
    units: Mapping[str, str] = field(default_factory=dict)
    patterns: Mapping[str, str] = field(default_factory=dict)

    @property
    def one(self) -> str:
        """What one of them is called in a sentence."""
        return self.singular or self.path.removesuffix("s")

"""What a service's rules answer, in SQL, for every read and every write of the engine."""

from collections.abc import Hashable, Mapping
from typing import Any, Protocol, TypeVar

import sqlalchemy as sa

from pyispyb_chassis.nouns.catalogue import Bound
from pyispyb_chassis.permissions import Permission


class Viewer(Protocol):
    """Whoever asks: a login, with whatever the service knows of it."""

    @property
    def login(self) -> str:
        """The name that change rows are kept under."""


V = TypeVar("V", bound=Viewer, contravariant=True)
Condition = sa.ColumnElement[bool]

# The owner of what has none, a Person say: it fits every proposal.
OWNERLESS = -1

# The rules that the engine applies by itself, where the policy guards them.
BOTH_ENDS = "a move needs the right on both ends"
SAME_OWNER = "a foreign key stays within the proposal"
SEEN_KEYS = "a foreign key must be visible"
STILL_NEEDED = "what others refer to stays"
UNSEEN_INCLUDES = "an include follows the rules of its noun"


class Policy(Protocol[V]):
    """The access rules of one service; `row` is always an alias of the noun's table.

    Conditions name the viewer by bound parameters (`parameters`), so that a statement is built
    once for all viewers of one `shape`.
    """

    def shape(self, viewer: V) -> Hashable:
        """What of the viewer changes the form of a statement."""

    def parameters(self, viewer: V) -> Mapping[str, Any]:
        """The values of the parameters that conditions use."""

    def may(self, viewer: V, permission: Permission) -> bool:
        """Whether the viewer holds a permission at all."""

    def sees(self, noun: Bound, viewer: V, row: sa.FromClause) -> Condition:
        """The rows that exist for the viewer."""

    def implies(self, noun: Bound, viewer: V, column: str) -> bool:
        """Whether a viewer who sees a row sees what a column of it leads to, without a look."""

    def shows(self, noun: Bound, viewer: V, row: sa.FromClause, column: str) -> Condition | None:
        """Where a column of a visible row may be read; None: wherever the row is seen."""

    def creates(self, noun: Bound, viewer: V, row: sa.FromClause) -> Condition:
        """The rows that the viewer may make."""

    def begets(self, noun: Bound, viewer: V, row: sa.FromClause, column: str) -> Condition:
        """The rows that the viewer may make with one of `noun`, which `column` then leads to."""

    def sets(self, noun: Bound, viewer: V, row: sa.FromClause, column: str) -> Condition:
        """The rows in which the viewer may change a column."""

    def touches(self, noun: Bound, viewer: V, row: sa.FromClause) -> Condition:
        """The rows in which the viewer may change anything at all."""

    def deletes(self, noun: Bound, viewer: V, row: sa.FromClause) -> Condition:
        """The rows that the viewer may delete."""

    def owner(self, noun: Bound, row: sa.FromClause) -> sa.ColumnElement[Any] | None:
        """What a row belongs to (core: its proposalId); None where the noun has no owner."""

    def sound(self, noun: Bound, row: sa.FromClause) -> Condition:
        """Whether all chains of a row lead to one owner."""

    def names(self, noun: Bound, viewer: V, column: str, row: sa.FromClause) -> Condition:
        """The rows that a foreign key in a body may name; `row` is of the noun it leads to."""

    def recalls(self, noun: Bound, viewer: V, row: sa.FromClause) -> Condition:
        """The visible rows whose history the viewer may read."""

    def recalls_deleted(self, noun: Bound, viewer: V) -> bool:
        """Whether the viewer may read the history of rows that are gone."""

    def guards(self, rule: str) -> bool:
        """Whether a rule that the engine itself applies to writes is in force."""

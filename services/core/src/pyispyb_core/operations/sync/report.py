"""What a sync did, or would do: for each kind of row the ids, by what became of them."""

from typing import Any, Literal

Outcome = Literal["created", "changed", "removed", "kept", "unchanged"]
OUTCOMES: tuple[Outcome, ...] = ("created", "changed", "removed", "kept", "unchanged")
KINDS = (
    "proposals",
    "laboratories",
    "people",
    "members",
    "labContacts",
    "sessions",
    "sessionPeople",
    "proteins",
)


class Report:
    """Collects ids; a row that was created is not changed too."""

    def __init__(self) -> None:
        self._ids: dict[Outcome, dict[str, list[Any]]] = {
            outcome: {kind: [] for kind in KINDS} for outcome in OUTCOMES
        }

    def note(self, outcome: Outcome, kind: str, key: Any) -> None:
        """Tell what became of a row."""
        self._ids[outcome][kind].append(key)

    def shown(self) -> dict[str, Any]:
        """The report as JSON, kinds in the order in which they are written."""
        return {outcome: self._ids[outcome] for outcome in OUTCOMES}

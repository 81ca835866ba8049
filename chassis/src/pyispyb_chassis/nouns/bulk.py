"""Many new rows in one body: judged one by one, every fault told at once with its row's place."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy.sql import visitors

from pyispyb_chassis.errors import Forbidden, NotFound, ServiceError, Unprocessable
from pyispyb_chassis.nouns.catalogue import Bound
from pyispyb_chassis.nouns.policy import Policy, V
from pyispyb_chassis.nouns.proposing import Body

MOST_AT_ONCE = 100


@dataclass(frozen=True, slots=True)
class Passed:
    """The bodies that the rules let pass, as far as the rules look at them."""

    looked_at: frozenset[str]
    rights: frozenset[str]
    known: set[tuple[Any, ...]] = field(default_factory=set)

    @classmethod
    def of(cls, noun: Bound, policy: Policy[V], viewer: V) -> "Passed":
        """For new rows of a noun: the columns that its rules name, and its foreign keys."""
        row = noun.alias()
        conditions: list[Any] = [policy.creates(noun, viewer, row), policy.sound(noun, row)]
        conditions += [policy.sets(noun, viewer, row, name) for name in noun.noun.rights]
        owner = policy.owner(noun, row)
        named = {
            str(getattr(part, "name", ""))
            for condition in [*conditions, *([] if owner is None else [owner])]
            for part in visitors.iterate(condition)
            if getattr(part, "table", None) is row
        }
        return cls(frozenset(named) | noun.by_column.keys(), frozenset(noun.noun.rights))

    def has(self, body: Body) -> bool:
        """Whether one like it has passed."""
        return self._of(body) in self.known

    def add(self, body: Body) -> None:
        """Note that it has passed."""
        self.known.add(self._of(body))

    def _of(self, body: Body) -> tuple[Any, ...]:
        looked_at = sorted((name, body.values[name]) for name in self.looked_at & set(body.values))
        return (*looked_at, *sorted(self.rights & set(body.values)))


def judged_all(given: Sequence[Any], judge: Callable[[Mapping[str, Any]], Body]) -> list[Body]:
    """All bodies, or the error that tells every fault of all of them."""
    bodies: list[Body] = []
    forbidden: list[tuple[str, str]] = []
    faults: list[tuple[str, str]] = []
    for n, one in enumerate(given):
        if not isinstance(one, dict):
            faults.append((f"[{n}]", "takes an object"))
            continue
        try:
            bodies.append(judge(one))
        except NotFound as error:
            raise NotFound(f"[{n}]: {error.detail}") from error
        except Forbidden as error:
            forbidden += _placed(n, error)
        except Unprocessable as error:
            faults += _placed(n, error)
    if forbidden:
        raise Forbidden("you may not write this", errors=forbidden)
    if faults:
        raise Unprocessable("the body has faults", errors=faults)
    return bodies


def _placed(n: int, error: ServiceError) -> list[tuple[str, str]]:
    named = [(f"[{n}].{name}", told) for name, told in error.errors]
    return named or [(f"[{n}]", error.detail)]

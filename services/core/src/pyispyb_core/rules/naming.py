"""A rule has a name and one English sentence, and can be taken out by its name."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import wraps
from typing import Any, Protocol

import sqlalchemy as sa

from pyispyb_chassis.nouns.policy import Condition


@dataclass(frozen=True, slots=True)
class Rule:
    """A rule's name and sentence; `grants` or limits."""

    name: str
    sentence: str
    grants: bool


class Lawful(Protocol):
    """Whatever has rules: `without` names those that are taken out."""

    without: frozenset[str]


NAMED: dict[str, Rule] = {}
Method = Callable[..., Condition]


def _rule(name: str, *, grants: bool) -> Callable[[Method], Method]:
    def register(method: Method) -> Method:
        sentence = " ".join((method.__doc__ or "").split())
        NAMED[name] = Rule(name, sentence, grants)

        @wraps(method)
        def ruled(self: Lawful, *args: Any) -> Condition:
            if name in self.without:
                return sa.false() if grants else sa.true()
            return method(self, *args)

        return ruled

    return register


def grants(name: str) -> Callable[[Method], Method]:
    """A rule that lets somebody see or do something; without it nobody is let."""
    return _rule(name, grants=True)


def limits(name: str) -> Callable[[Method], Method]:
    """A rule that keeps something from somebody; without it nothing is kept."""
    return _rule(name, grants=False)

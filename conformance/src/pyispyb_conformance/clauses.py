"""The clauses of docs/plug-in-authentication.md, and what came of trying one."""

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pyispyb_conformance.subject import Subject

Check = Callable[["Subject"], str]


class Level(StrEnum):
    """How much a clause matters."""

    REQUIRED = "required"
    RECOMMENDED = "recommended"
    INFORMATION = "information"


class Outcome(StrEnum):
    """What came of trying a clause."""

    HOLDS = "holds"
    BROKEN = "BROKEN"
    NOT_TRIED = "not tried"


class Broken(Exception):
    """The clause does not hold; the text says what was seen."""


class NotTried(Exception):
    """The clause cannot be tried here; the text says why."""


class CannotRun(Exception):
    """Nothing can be said of this service: it is not in reach, or the login is not good."""


@dataclass(frozen=True, slots=True)
class Clause:
    """One sentence of the contract: its number there, how much it matters, how it is tried."""

    number: str
    level: Level
    name: str
    sentence: str
    check: Check

    def tried(self, subject: "Subject") -> "Finding":
        """What came of it."""
        try:
            return Finding(self, Outcome.HOLDS, self.check(subject))
        except Broken as broken:
            return Finding(self, Outcome.BROKEN, str(broken))
        except NotTried as untried:
            return Finding(self, Outcome.NOT_TRIED, str(untried))


@dataclass(frozen=True, slots=True)
class Finding:
    """What came of one clause, and what was seen."""

    clause: Clause
    outcome: Outcome
    seen: str


CLAUSES: list[Clause] = []


def clause(number: str, level: Level, name: str) -> Callable[[Check], Check]:
    """Registers a check; its docstring is the sentence of the contract."""

    def register(check: Check) -> Check:
        sentence = " ".join((check.__doc__ or "").split())
        CLAUSES.append(Clause(number, level, name, sentence, check))
        return check

    return register

"""What a rule is, what it finds, and the list of all of them."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from pyispyb_gateway.document import Document

Fault = tuple[int, str]


@dataclass(frozen=True, order=True)
class Finding:
    """One fault of the file."""

    line: int
    rule: str
    what: str
    cure: str

    def shown(self, path: Path) -> str:
        """The finding as one line of output."""
        return f"{path}:{self.line}: {self.rule}: {self.what}; {self.cure}"


@dataclass(frozen=True)
class Rule:
    """A named check; its cure is the same for each of its faults."""

    name: str
    cure: str
    faults: Callable[[Document], Iterator[Fault]]


RULES: list[Rule] = []


def rule(name: str, cure: str) -> Callable[[Callable[[Document], Iterator[Fault]]], None]:
    """Add a check to the list."""

    def add(faults: Callable[[Document], Iterator[Fault]]) -> None:
        RULES.append(Rule(name, cure, faults))

    return add

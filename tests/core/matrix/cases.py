"""A case of the matrix: one question to core, and what is wrong with the answer."""

from collections.abc import Callable, Iterable
from typing import NamedTuple

from tests.core.matrix.stage import Stage


class Case(NamedTuple):
    """`check` gives None when core answers as the tables say, else one line that says how not."""

    group: str
    what: str
    check: Callable[[Stage], str | None]


def faults(stage: Stage, cases: list[Case]) -> list[str]:
    """Every fault that these cases find."""
    found = ((case, case.check(stage)) for case in cases)
    return [f"{case.group}: {case.what}: {fault}" for case, fault in found if fault]


def grouped(cases: Iterable[Case]) -> dict[str, list[Case]]:
    """The cases of each group: one person, and one noun or part of a table."""
    groups: dict[str, list[Case]] = {}
    for case in cases:
        groups.setdefault(case.group, []).append(case)
    return groups

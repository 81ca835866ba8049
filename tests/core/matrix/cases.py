"""A case of the matrix: one question to core, and what is wrong with the answer."""

from collections.abc import Callable
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

"""How many statements a request costs: few, and the same number for one row and for many."""

from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from sqlalchemy import event
from tests.cast import ALICE, CAROL, ERIN, Somebody
from tests.core.conftest import Core

# Rows and total, or the row; who the caller is was looked up and is kept.
STATEMENTS = [
    (ALICE, "/samples", 2),
    (ALICE, "/samples?total=false", 1),
    (CAROL, "/samples?include=Crystal.Protein,Container,DiffractionPlan&limit=20", 2),
    (ALICE, "/sessions?include=Proposal", 2),
    (ALICE, "/proposals/MX1001", 1),
]
LOOKED_UP = 3  # the caller's groups, their proposals, their sessions


@contextmanager
def counted(core: Core) -> Iterator[list[str]]:
    """The statements that core's read engine runs meanwhile."""
    seen: list[str] = []
    (database,) = core.client.application.extensions["pyispyb_databases"]

    def note(_connection: object, _cursor: object, statement: str, *_: object) -> None:
        seen.append(statement)

    event.listen(database.read_engine, "after_cursor_execute", note)
    try:
        yield seen
    finally:
        event.remove(database.read_engine, "after_cursor_execute", note)


def run(core: Core, who: Somebody, *paths: str) -> list[str]:
    """The statements of these requests, which come with one token, after a first one with it."""
    headers = core.issuing.bearer(who)
    statuses = [core.client.get("/core/persons?limit=1", headers=headers).status_code]
    with counted(core) as seen:
        statuses += [core.client.get(f"/core{path}", headers=headers).status_code for path in paths]
    assert set(statuses) == {200}
    return seen


@pytest.mark.parametrize(("who", "path", "number"), STATEMENTS)
def test_statements(keeping_core: Core, who: Somebody, path: str, number: int) -> None:
    seen = run(keeping_core, who, path)
    assert len(seen) == number, seen


def test_a_caller_is_looked_up_once(keeping_core: Core) -> None:
    headers = keeping_core.issuing.bearer(ERIN)
    with counted(keeping_core) as seen:
        for _ in range(3):
            answer = keeping_core.client.get("/core/proposals/MX1001", headers=headers)
            assert answer.status_code == 200
    assert len(seen) == LOOKED_UP + 3, seen

"""How many statements a request costs: few, and the same number for one row and for many."""

from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from sqlalchemy import event
from tests.cast import ALICE, CAROL, Somebody
from tests.core.conftest import Core

# One looks the caller up (not at all while that is kept), then rows and total, or the row.
STATEMENTS = [
    (ALICE, "/samples", 4),
    (ALICE, "/samples?total=false", 3),
    (CAROL, "/samples?include=Crystal.Protein,Container&limit=20", 4),
    (ALICE, "/sessions?include=Proposal", 4),
    (ALICE, "/proposals/MX1001", 3),
]


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


@pytest.mark.parametrize(("who", "path", "most"), STATEMENTS)
def test_statements(core: Core, who: Somebody, path: str, most: int) -> None:
    core.get(who, path)
    with counted(core) as seen:
        core.get(who, path)
    assert 0 < len(seen) <= most, seen

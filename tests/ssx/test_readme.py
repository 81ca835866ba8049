"""The tables of the README are what the code says."""

import re
from pathlib import Path

from tests.ssx.conftest import Ssx

from pyispyb_chassis.access import Public, Requires, marks
from pyispyb_ssx.operations.columns import COLUMNS
from pyispyb_ssx.settings import SsxSettings

README = Path(__file__).parents[2] / "services/ssx/README.md"


def rows_under(header: str) -> list[list[str]]:
    """The cells of the table that begins with this column."""
    text = README.read_text(encoding="utf-8")
    table = text.split(f"| {header} |", 1)[1].split("\n\n", 1)[0]
    return [
        [cell.strip() for cell in line.strip("|").split("|")] for line in table.splitlines()[2:]
    ]


def plain(cell: str) -> str:
    """What stands between the first backquotes, or the cell as it is."""
    found = re.match(r"`([^`]+)`", cell)
    return found[1] if found else cell


def test_endpoints_and_who_may_call_them(ssx: Ssx) -> None:
    told = {plain(row[0]): plain(row[1]) for row in rows_under("Endpoint")}
    expected: dict[str, str] = {}
    for path, method, mark in marks(ssx.client.application):
        if path.endswith("/docs/"):
            continue
        who = "open" if isinstance(mark, Public) else "any login"
        if isinstance(mark, Requires) and mark.permissions:
            who = " ".join(mark.permissions)
        expected[f"{method} {re.sub('<[a-z]+:', '<', path)}"] = who
    # The one route that asks for its permission itself, because it goes on while core is down.
    expected["PUT /ssx/runs/<run_id>/batches/<n>"] = "runs:write"
    assert told == expected


def test_variables_and_their_defaults() -> None:
    told = {plain(row[0]): plain(row[1]) for row in rows_under("Variable")}
    settings = SsxSettings()
    expected: dict[str, str] = {}
    for name in SsxSettings.model_fields:
        value = getattr(settings, name)
        value = value.get_secret_value() if name == "database_url" else value
        shown = f"{value:g}" if isinstance(value, float) else str(value)
        expected[f"ISPYB_SSX__{name.upper()}"] = shown
    assert told == expected


def test_columns() -> None:
    assert tuple(plain(row[0]) for row in rows_under("Column")) == COLUMNS

"""The tables of auth's and core's README are what the code says."""

import json
import re
from pathlib import Path

import pytest

from pyispyb_auth.settings import AuthSettings
from pyispyb_chassis.configuration import ServiceSection
from pyispyb_chassis.nouns.noun import Noun
from pyispyb_core.catalogue import NOUNS
from pyispyb_core.settings import CoreSettings
from pyispyb_core.tables import tables_for

SERVICES = Path(__file__).parents[2] / "services"
PAGES = {"openapi.json", "docs", "docs/<file>"}


def rows_under(service: str, header: str) -> dict[str, str]:
    """The first two cells of each row of the table that begins with this column."""
    text = (SERVICES / service / "README.md").read_text(encoding="utf-8")
    table = text.split(f"| {header} |", 1)[1].split("\n\n", 1)[0]
    cells = [line.strip("|").split("|") for line in table.splitlines()[2:]]
    return {row[0].strip().strip("`"): row[1].strip().strip("`") for row in cells}


@pytest.mark.parametrize("service", ["auth", "core"])
def test_endpoints_and_who_may_call_them(service: str) -> None:
    contract = json.loads((SERVICES / service / "openapi.json").read_text(encoding="utf-8"))
    expected = {f"GET /{service}/{page}": "open" for page in PAGES}
    if service == "core":
        expected["GET /"] = "open"
    nouns = rows_under("core", "Noun") if service == "core" else {}
    for path, operations in contract["paths"].items():
        if path.split("/")[2] in nouns:
            continue
        for method, operation in operations.items():
            who = operation.get("x-permission") or "any login"
            named = re.sub(r"\{(\w+)\}", r"<\1>", path)
            expected[f"{method.upper()} {named}"] = who if operation["security"] else "open"
    assert rows_under(service, "Endpoint") == expected


def test_nouns_and_what_they_do() -> None:
    contract = json.loads((SERVICES / "core" / "openapi.json").read_text(encoding="utf-8"))
    letters = {
        "L": ("", "get"),
        "G": ("/{key}", "get"),
        "C": ("", "post"),
        "P": ("/{key}", "patch"),
        "D": ("/{key}", "delete"),
    }
    expected = {
        mount.replace("{parent}", "<id>"): "".join(
            letter
            for letter, (path, method) in letters.items()
            if method in contract["paths"].get(f"/core/{mount}{path}", {})
        )
        for mount in map(mount_of, NOUNS)
    }
    assert rows_under("core", "Noun") == expected


def mount_of(noun: Noun) -> str:
    """Where the routes of a noun are: one that stands within another has them below that one's."""
    if noun.within is None:
        return noun.path
    tables = tables_for(sqlite=True, own_schema="own").known.tables
    named = {key.column.table.name for key in tables[noun.table].columns[noun.within].foreign_keys}
    named = named or {  # a column without a key in the package: by the name of what it leads to
        one.table
        for one in NOUNS
        if [*tables[one.table].primary_key.columns.keys()] == [noun.within]
    }
    [parent] = [one.path for one in NOUNS if one.table in named]
    return f"{parent}/{{parent}}/{noun.segment}"


@pytest.mark.parametrize(("service", "kind"), [("auth", AuthSettings), ("core", CoreSettings)])
def test_variables_and_their_defaults(service: str, kind: type[ServiceSection]) -> None:
    settings = kind()
    expected: dict[str, str] = {}
    for name in kind.model_fields:
        value = getattr(settings, name)
        if name == "database_url":
            value = value.get_secret_value()
        if isinstance(value, frozenset):
            value = json.dumps(sorted(value))
        shown = f"{value:g}" if isinstance(value, float) else str(value)
        expected[f"ISPYB_{service.upper()}__{name.upper()}"] = shown
    assert rows_under(service, "Variable") == expected

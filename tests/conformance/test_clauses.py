"""Each clause of the kit, broken once in a stand-in of another language: the kit says so."""

import json
from pathlib import Path
from typing import Any

import pytest
from tests.peers.standin import BROKEN, StandIn, breakers

from pyispyb_conformance.checks import CLAUSES
from pyispyb_conformance.clauses import Level
from pyispyb_conformance.cli import run

LEVELS = {one.number: one.level for one in CLAUSES}
BREAKERS = breakers()
SHORT = {"TOKEN_SECONDS": "2"}  # its end can be waited for


def tried(
    stand_in: StandIn, folder: Path, capsys: pytest.CaptureFixture[str], *only: str
) -> tuple[int, dict[str, Any]]:
    """The exit code, and the finding of each clause."""
    file = folder / "ispyb.toml"
    more = {"revocations_url": f"{stand_in.url}/revocations"}
    file.write_text(stand_in.block(jwks_url=f"{stand_in.url}/site/keys.json", **more))
    words = [stand_in.url, "--login", "alice", "--password", "alice-demo"]
    code = run([*words, "--issuer-block", str(file), "--json", *only])
    rows = json.loads(capsys.readouterr().out)["clauses"]
    return code, {row["clause"]: row for row in rows}


def test_every_clause_can_be_broken() -> None:
    breakable = {number for number, level in LEVELS.items() if level is not Level.INFORMATION}
    assert {name.split()[0] for name in BREAKERS} == breakable


def test_unbroken_every_clause_is_tried_and_holds(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with StandIn(BROKEN, **SHORT) as stand_in:
        code, found = tried(stand_in, tmp_path, capsys)
    assert {number: row["seen"] for number, row in found.items() if row["outcome"] != "holds"} == {}
    assert code == 0
    assert list(found) == [one.number for one in CLAUSES]


@pytest.mark.parametrize("what", BREAKERS)
def test_a_broken_clause_is_named(
    what: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    number = what.split()[0]
    with StandIn(BROKEN, BREAK=what, **(SHORT if number == "7.7" else {})) as stand_in:
        code, found = tried(stand_in, tmp_path, capsys, "--only", number)
        assert stand_in.process.poll() is None
    assert found[number]["outcome"] == "broken", found[number]["seen"]
    assert code == (LEVELS[number] is Level.REQUIRED)

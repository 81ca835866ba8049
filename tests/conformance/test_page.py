"""docs/plug-in-authentication.md says what the kit tries, and its examples are what is read."""

import re
import tomllib
from pathlib import Path

import pytest

from pyispyb_chassis.configuration import Issuer
from pyispyb_conformance.checks import CLAUSES
from pyispyb_gateway.settings import GatewaySettings

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs/plug-in-authentication.md").read_text(encoding="utf-8")
ROW = re.compile(r"^\| (\d+\.\d+) \| (\w+) \| (.*) \|$", re.MULTILINE)
BLOCKS = re.findall(r"```toml\n(.*?)```", PAGE, re.DOTALL)


def test_the_page_and_the_kit_have_the_same_clauses() -> None:
    assert ROW.findall(PAGE) == [(one.number, one.level, one.sentence) for one in CLAUSES]


def test_a_clause_has_one_number_and_one_sentence() -> None:
    assert len({one.number for one in CLAUSES}) == len(CLAUSES)
    assert all(one.sentence.endswith(".") for one in CLAUSES)


@pytest.mark.parametrize("uncommented", [False, True])
def test_the_issuer_block_is_one_that_the_services_read(*, uncommented: bool) -> None:
    text = re.sub(r"^# ", "", BLOCKS[0], flags=re.MULTILINE) if uncommented else BLOCKS[0]
    (block,) = tomllib.loads(text)["issuers"].values()
    read = Issuer.model_validate(block)
    assert read.audience == "ispyb"
    assert read.people is (True if uncommented else None)


def test_the_gateway_settings_are_ones_that_it_reads() -> None:
    told = tomllib.loads(BLOCKS[1])["gateway"]
    read = GatewaySettings.model_validate(told)
    assert {name: getattr(read, name) for name in told} == told
    assert len(told) == 2

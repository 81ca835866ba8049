"""What ssx keeps of a caller is kept for that caller alone, whichever issuer signed."""

from dataclasses import replace
from typing import Any

import pytest

from pyispyb_chassis.principal import Principal
from pyispyb_ssx.operations.viewers import name_of

ALICE = Principal(login="alice", issuer="suite", expires=1, token="one")


@pytest.mark.parametrize(
    ("change", "same"),
    [
        ({"token": "another", "expires": 2}, True),
        ({"login": "bob"}, False),
        ({"issuer": "keycloak"}, False),
        ({"person": False}, False),
        ({"service": True}, False),
        ({"scope": frozenset()}, False),
        ({"scope": frozenset({"runs:read"})}, False),
        ({"beamlines": frozenset({"BL1"})}, False),
        ({"only_beamlines": frozenset()}, False),
        ({"groups": frozenset({"goods"})}, False),
        ({"administrator": True}, False),
    ],
    ids=str,
)
def test_one_name_for_what_core_answers_alike(change: dict[str, Any], *, same: bool) -> None:
    assert (name_of(replace(ALICE, **change)) == name_of(ALICE)) == same

"""The people of the matrix: their column, their login, and what their token says."""

from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True, slots=True)
class Somebody:
    """A column of the tables; `claims` are what the token carries besides the login."""

    column: str
    login: str
    claims: dict[str, Any] = field(default_factory=dict)


def _service(login: str, beamline: str, *scope: str) -> Somebody:
    claims = {"client_id": login, "scope": " ".join(scope), "beamlines": [beamline]}
    return Somebody(login, login, claims)


PEOPLE = (
    Somebody("alice", "alice"),
    Somebody("bob", "bob"),
    Somebody("carol", "carol"),
    Somebody("dave", "dave"),
    Somebody("erin", "erin"),
    # Groups in a token are believed only where the issuer's block says so; here it does not.
    Somebody("oscar", "oscar", {"groups": ["administrators", "BL1 staff", "goods"]}),
    _service(
        "mxcube",
        "BL1",
        *("containers:read", "containers:write", "crystals:read", "proposals:read"),
        *("proteins:read", "samples:read", "samples:write", "sessions:read", "sessions:write"),
    ),
    Somebody("local", "localcontact"),
    Somebody("coinv", "investigator"),
    Somebody("seeall", "overseer"),
    Somebody("people", "registrar"),
    Somebody("new", "newcomer"),
    Somebody(
        "narrow",
        "alice",
        {"scope": "proposals:read sessions:read samples:read samples:write"},
    ),
    Somebody("enarrow", "erin", {"scope": "proposals:read persons:read"}),
    _service("watch", "BL2", "sessions:read"),
)
BY_COLUMN = {somebody.column: somebody for somebody in PEOPLE}
NOBODY = "nobody"

# The part of ispyb.toml that gives the groups of the matrix their rights.
GROUPS = """
[permissions.groups."BL1 staff"]
staff_of = ["BL1"]
[permissions.groups.goods]
goods = true
[permissions.groups.administrators]
administrator = true
[permissions.groups.overseers]
permissions = ["proposals:read-all"]
[permissions.groups.registrars]
permissions = ["persons:read-all"]
"""

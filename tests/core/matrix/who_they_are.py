"""The people of the matrix: the columns of its tables, and whose token each one carries."""

from tests.cast import ALICE, BOB, CAROL, DAVE, ERIN, MXCUBE, Somebody

NOBODY = "nobody"
PEOPLE = {
    "alice": ALICE,
    "bob": BOB,
    "carol": CAROL,
    "dave": DAVE,
    "erin": ERIN,
    # Groups in a token are believed only where the issuer's block says so; here it does not.
    "oscar": Somebody("oscar", {"groups": ["administrators", "BL1 staff", "goods"]}),
    "mxcube": MXCUBE,
    "local": Somebody("localcontact"),
    "coinv": Somebody("investigator"),
    "seeall": Somebody("overseer"),
    "people": Somebody("registrar"),
    "new": Somebody("newcomer"),
    "narrow": Somebody(
        "alice", {"scope": "proposals:read sessions:read samples:read samples:write"}
    ),
    "enarrow": Somebody("erin", {"scope": "proposals:read persons:read"}),
    "watch": Somebody(
        "watch", {"client_id": "watch", "beamlines": ["BL2"], "scope": "sessions:read"}
    ),
}

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

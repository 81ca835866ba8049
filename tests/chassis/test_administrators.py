"""Who is an administrator by configuration or by a group that is believed."""

import pytest

from pyispyb_chassis.administrators import is_administrator
from pyispyb_chassis.configuration import Administrators
from pyispyb_chassis.principal import Principal

NAMED = Administrators(logins=frozenset({"erin", "mxcube"}))


@pytest.mark.parametrize(
    ("login", "by_group", "service", "expected"),
    [
        ("erin", False, False, True),
        ("alice", True, False, True),
        ("alice", False, False, False),
        ("ERIN", False, False, False),
        # a service account is none, whatever its name or its groups
        ("mxcube", False, True, False),
        ("mxcube", True, True, False),
    ],
)
def test_who_is_one(login: str, *, by_group: bool, service: bool, expected: bool) -> None:
    caller = Principal(login, "suite", 0, "", service=service, administrator=by_group)
    assert is_administrator(caller, NAMED) == expected

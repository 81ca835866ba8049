"""Who the caller is to core, and what siblings are told that the caller reaches."""

import pytest
from tests.cast import ALICE, BOB, CAROL, DAVE, ERIN, MXCUBE, OSCAR, Issuing, Somebody
from tests.core.conftest import Core

from pyispyb_chassis.configuration import load
from pyispyb_core.app import create_app

STRANGER = Somebody("stranger")
CAROL_AT_BL2 = Somebody("carol", {"only_beamlines": ["BL2"]})
CAROL_AT_BOTH = Somebody("carol", {"only_beamlines": ["BL1", "BL2"]})
MXCUBE_AT_BL2 = Somebody("mxcube", {**MXCUBE.claims, "only_beamlines": ["BL2"]})


@pytest.mark.parametrize(
    ("who", "person", "staff_of", "goods", "everything"),
    [
        (ALICE, True, [], False, False),
        (CAROL, True, ["BL1"], False, False),
        (DAVE, True, [], True, False),
        (ERIN, True, [], False, True),
        (MXCUBE, False, ["BL1"], False, False),
        (STRANGER, False, [], False, False),
        # a token that is for some beamlines makes nobody staff of more, nor of these
        (CAROL_AT_BL2, True, [], False, False),
        (CAROL_AT_BOTH, True, ["BL1"], False, False),
        (MXCUBE_AT_BL2, False, [], False, False),
    ],
)
def test_current(
    core: Core, who: Somebody, *, person: bool, staff_of: list[str], goods: bool, everything: bool
) -> None:
    answer = core.get(who, "/user/current")
    assert answer["login"] == who.login
    assert (answer["personId"] is not None) == person
    assert (answer["staffOf"], answer["goods"]) == (staff_of, goods)
    assert ("everything:read-all" in answer["permissions"]) == everything


def test_the_configuration_makes_administrators_and_no_service_is_one(
    core: Core, issuing: Issuing
) -> None:
    file = core.file.with_name("named.toml")
    named = '[administrators]\nlogins = ["oscar", "mxcube"]\n'
    file.write_text(core.file.read_text("utf-8") + named, "utf-8")
    app = create_app(load(file, environ={}))
    try:
        for who, expected in ((OSCAR, True), (ALICE, False), (MXCUBE, False)):
            answer = app.test_client().get("/core/user/current", headers=issuing.bearer(who))
            held = {"everything:read-all", "everything:write-all"} & set(
                answer.get_json()["permissions"]
            )
            assert bool(held) == expected, who
    finally:
        for database in app.extensions["pyispyb_databases"]:
            database.dispose()


def test_nobody_is_401(core: Core) -> None:
    for path in ("/user/current", "/user/access"):
        answer = core.call(None, "GET", path)
        assert answer.status_code == 401
        assert answer.headers["WWW-Authenticate"] == "Bearer"


# who, member of, takes part in, staff of within the window, never reached as staff
ACCESS: list[tuple[Somebody, list[str], list[str], list[str], list[str]]] = [
    (ALICE, ["MX1001"], [], [], []),
    (BOB, ["MX1002"], ["MX1001-1"], [], []),
    (CAROL, [], [], ["MX1001"], ["IN2001"]),
    (MXCUBE, [], [], ["MX1001"], ["IN2001"]),
    (OSCAR, [], [], [], []),
    (STRANGER, [], [], [], []),
]


@pytest.mark.parametrize(("who", "member", "part", "staff", "closed"), ACCESS)
def test_access(
    core: Core,
    who: Somebody,
    member: list[str],
    part: list[str],
    staff: list[str],
    closed: list[str],
) -> None:
    proposals = {
        row["proposalId"]: row["proposal"] for row in core.get(ERIN, "/proposals")["results"]
    }
    sessions = {
        row["sessionId"]: f"{row['proposal']}-{row['visit_number']}"
        for row in core.get(ERIN, "/sessions")["results"]
    }
    answer = core.get(who, "/user/access")
    assert answer["all"] is False
    assert [proposals[key] for key in answer["proposals"]] == member
    assert [sessions[key] for key in answer["sessions"]] == part
    assert [proposals[key] for key in answer["staffProposals"]] == staff
    assert [proposals[key] for key in answer["exceptProposals"]] == closed


def test_an_administrator_reaches_all(core: Core) -> None:
    assert core.get(ERIN, "/user/access")["all"] is True


@pytest.mark.parametrize(
    ("scope", "path", "status"),
    [
        ("samples:read", "/samples", 200),
        ("samples:read", "/sessions", 403),
        ("", "/samples", 403),
        ("samples:read everything:read-all", "/proposals", 403),
    ],
)
def test_a_scope_narrows(core: Core, scope: str, path: str, status: int) -> None:
    assert core.call(Somebody("alice", {"scope": scope}), "GET", path).status_code == status

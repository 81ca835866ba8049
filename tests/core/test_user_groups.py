"""Groups and who is in them: administrators alone, and what they write gives rights at once."""

from collections.abc import Iterator
from typing import Any

import pytest
from tests.cast import ALICE, CAROL, DAVE, ERIN, MXCUBE, OSCAR, Issuing, Somebody
from tests.core.conftest import Core, make_core
from tests.peers.mariadb import url_of_new

# Rights that reach far, and not so far as this.
WIDE = """
[permissions.groups.wide]
permissions = [
    "proposals:read-all", "persons:read-all", "user-groups:read", "user-groups:write",
    "user-group-people:read", "user-group-people:write", "permissions:read", "permissions:write",
]
"""
ACCOUNT = Somebody(
    "mxcube",
    {**MXCUBE.claims, "scope": "user-groups:read user-groups:write user-group-people:write"},
)
NARROW = Somebody("erin", {"scope": "user-groups:read"})
WORD, LONG = "x" * 31, "x" * 32


@pytest.fixture(scope="module", params=["sqlite", "mariadb"])
def core(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory, issuing: Issuing
) -> Iterator[Core]:
    """A core where a group has rights that reach far."""
    folder = tmp_path_factory.mktemp("groups")
    made = make_core(url_of_new(request, folder), folder, issuing, more=WIDE)
    yield made
    made.close()


def group(core: Core, name: str) -> str:
    """The path of the group with this name, made where there is none."""
    found = core.get(ERIN, f"/user-groups?name={name}")["results"]
    if not found:
        found = [core.call(ERIN, "POST", "/user-groups", {"name": name}).get_json()]
    return f"/user-groups/{found[0]['userGroupId']}"


def person(core: Core, who: Somebody) -> int:
    """The personId of somebody."""
    return int(core.one(f"/persons?login={who.login}")["personId"])


def put(core: Core, who: Somebody, name: str) -> str:
    """Put somebody into a group; gives the path of the membership."""
    people, key = f"{group(core, name)}/people", person(core, who)
    answer = core.call(ERIN, "POST", people, {"personId": key})
    assert answer.status_code == 201, answer.text
    assert answer.headers["Location"] == f"/core{people}/{key}"
    return f"{people}/{key}"


def test_who_is_put_in_has_the_rights_and_who_is_taken_out_has_not(core: Core) -> None:
    assert core.get(OSCAR, "/user/current")["staffOf"] == []
    member = put(core, OSCAR, "BL1 staff")
    assert core.get(OSCAR, "/user/current")["staffOf"] == ["BL1"]
    assert core.get(OSCAR, "/sessions?beamLineName=BL1")["total"] > 0
    assert core.call(ERIN, "DELETE", member).status_code == 204
    assert core.get(OSCAR, "/user/current")["staffOf"] == []
    assert core.get(OSCAR, "/sessions?beamLineName=BL1")["total"] == 0


def test_a_new_name_takes_the_rights_away_and_gives_them_back(core: Core) -> None:
    goods = group(core, "goods")
    for name, held in (("no goods", False), ("goods", True)):
        answer = core.call(ERIN, "PATCH", goods, {"name": name})
        assert answer.status_code == 200, answer.text
        assert core.get(DAVE, "/user/current")["goods"] == held
    told = core.get(ERIN, f"{goods}/history")["results"]
    assert [(one["action"], one["login"], one["fields"]) for one in told] == [
        ("patch", "erin", ["name"])
    ] * 2


def test_the_history_tells_who_put_somebody_in_and_took_them_out(core: Core) -> None:
    member = put(core, ALICE, "watched")
    assert core.call(ERIN, "DELETE", member).status_code == 204
    told = core.get(ERIN, f"{member}/history")["results"]
    assert [(one["action"], one["login"]) for one in told] == [
        ("delete", "erin"),
        ("create", "erin"),
    ]


@pytest.mark.parametrize(
    ("who", "listed", "made"),
    [
        (None, 401, 401),
        (ALICE, 403, 403),
        (CAROL, 403, 403),
        (DAVE, 403, 403),
        (OSCAR, 403, 403),
        (MXCUBE, 403, 403),
    ],
)
@pytest.mark.parametrize("path", ["/user-groups", "/permissions"])
def test_others_are_refused(
    core: Core, who: Somebody | None, path: str, listed: int, made: int
) -> None:
    word = {"name": "mine"} if path == "/user-groups" else {"type": "mine"}
    assert core.call(who, "GET", path).status_code == listed
    assert core.call(who, "POST", path, word).status_code == made


@pytest.mark.parametrize("who", [ACCOUNT, NARROW, OSCAR], ids=["account", "narrow", "wide"])
def test_no_other_permission_reaches_them(core: Core, who: Somebody) -> None:
    """Neither a scope that names them, nor read-all for proposals and persons."""
    administrators = group(core, "administrators")
    member = put(core, OSCAR, "wide")
    mine = {"personId": person(core, OSCAR)}
    before = core.rows("UserGroup"), core.rows("UserGroup_has_Person")
    assert core.get(who, "/user-groups")["total"] == 0
    assert core.get(who, "/user-groups?name=administrators")["total"] == 0
    assert core.call(who, "GET", administrators).status_code == 404
    for method, path, body in (
        ("POST", "/user-groups", {"name": "mine"}),
        ("POST", f"{administrators}/people", mine),
        ("PATCH", administrators, {"name": "mine"}),
        ("DELETE", administrators, None),
        ("DELETE", member, None),
    ):
        answer = core.call(who, method, path, body)
        assert answer.status_code in {403, 404}, f"{method} {path}: {answer.text}"
    assert (core.rows("UserGroup"), core.rows("UserGroup_has_Person")) == before
    assert core.call(ERIN, "DELETE", member).status_code == 204


@pytest.mark.parametrize(
    ("path", "body", "status", "fields"),
    [
        ("/user-groups", {"name": LONG}, 422, {"name"}),
        ("/user-groups", {}, 422, {"name"}),
        ("/user-groups", {"name": None}, 422, {"name"}),
        ("/user-groups", {"name": 7, "colour": "red"}, 422, {"name", "colour"}),
        ("/user-groups", {"name": "goods"}, 409, set()),
        ("/permissions", {"type": "x" * 16}, 422, {"type"}),
        (
            "/permissions",
            {"type": "x" * 16, "description": "x" * 101},
            422,
            {"type", "description"},
        ),
        ("goods/people", {"personId": 2_000_000_000}, 422, {"personId"}),
        ("goods/people", {}, 422, {"personId"}),
        ("goods/people", {"personId": DAVE}, 409, {"personId"}),
        ("goods/permissions", {"permissionId": 2_000_000_000}, 422, {"permissionId"}),
        ("/user-groups/2000000000/people", {"personId": DAVE}, 404, set()),
    ],
)
def test_what_the_tables_cannot_hold(
    core: Core, path: str, body: dict[str, Any], status: int, fields: set[str]
) -> None:
    if not path.startswith("/"):
        name, _, rest = path.partition("/")
        path = f"{group(core, name)}/{rest}"
    body = {k: person(core, v) if isinstance(v, Somebody) else v for k, v in body.items()}
    answer = core.call(ERIN, "POST", path, body)
    assert answer.status_code == status, answer.text
    assert {error["field"] for error in answer.get_json().get("errors", ())} >= fields


def test_the_longest_word_is_held(core: Core) -> None:
    path = group(core, WORD)
    assert core.get(ERIN, path)["name"] == WORD
    assert core.call(ERIN, "PATCH", path, {"name": LONG}).status_code == 422
    assert core.call(ERIN, "DELETE", path).status_code == 204


def test_a_group_with_people_stays(core: Core) -> None:
    member = put(core, OSCAR, "full")
    refused = core.call(ERIN, "DELETE", group(core, "full"))
    assert refused.status_code == 409
    told = [{"field": "UserGroup_has_Person", "detail": "1 rows refer to it"}]
    assert refused.get_json()["errors"] == told
    shown = core.get(ERIN, f"{group(core, 'full')}?include=UserGroup_has_Person.Person")
    assert [one["Person"]["login"] for one in shown["UserGroup_has_Person"]] == ["oscar"]
    assert core.call(ERIN, "DELETE", member).status_code == 204
    assert core.call(ERIN, "DELETE", group(core, "full")).status_code == 204

"""Rows that stand within another's: the whole language of queries and writes, below its path."""

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from tests.cast import ALICE, BOB, CAROL, ERIN, MXCUBE, OSCAR, Somebody
from tests.core.conftest import Core


@pytest.fixture(scope="module")
def collection(core: Core) -> str:
    """The path of the qualities of a collection's images: 40 of them, every third without spots."""
    group = {"sessionId": running(core), "experimentType": "OSC"}
    made = core.call(ALICE, "POST", "/datacollection-groups", group).get_json()
    body = {"dataCollectionGroupId": made["dataCollectionGroupId"], "numberOfImages": 40}
    made = core.call(ALICE, "POST", "/datacollections", body).get_json()
    path = f"/datacollections/{made['dataCollectionId']}/image-quality"
    sent = [
        {"imageNumber": n, "spotTotal": None if n % 3 == 0 else n, "method1Res": 1.5 + n}
        for n in range(40, 0, -1)
    ]
    answer = core.call(ALICE, "POST", path, sent, Idempotency_Key="forty")
    assert answer.status_code == 201, answer.text
    assert [row["imageNumber"] for row in answer.get_json()["results"]] == [*range(40, 0, -1)]
    return path


def running(core: Core) -> int:
    found = core.get(CAROL, "/sessions?proposal=MX1001&sort=startDate&beamLineName=BL1")
    return int(found["results"][-1]["sessionId"])


def numbers(page: dict[str, Any]) -> list[int]:
    return [row["imageNumber"] for row in page["results"]]


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("limit=3", [1, 2, 3]),
        ("sort=-imageNumber&limit=2", [40, 39]),
        ("spotTotal[null]=true&limit=2", [3, 6]),
        ("imageNumber[in]=7,5", [5, 7]),
        ("method1Res[lt]=3.6", [1, 2]),
        ("sort=spotTotal&limit=1&skip=26", [40]),
    ],
)
def test_what_is_asked(core: Core, collection: str, query: str, expected: list[int]) -> None:
    assert numbers(core.get(ALICE, f"{collection}?{query}")) == expected


def test_cursors_and_skips_agree(core: Core, collection: str) -> None:
    for sort in ("imageNumber", "-spotTotal"):
        by_cursor, page = [], core.get(ALICE, f"{collection}?sort={sort}&limit=7")
        by_cursor += numbers(page)
        while page["next"]:
            assert page["next"].startswith(f"/core{collection}?")
            page = core.get(ALICE, page["next"].removeprefix("/core"))
            by_cursor += numbers(page)
        by_skip = [
            number
            for skip in range(0, 40, 7)
            for number in numbers(core.get(ALICE, f"{collection}?sort={sort}&limit=7&skip={skip}"))
        ]
        assert by_cursor == by_skip
        assert sorted(by_cursor) == [*range(1, 41)]


def test_a_cursor_is_of_its_parents_list_alone(core: Core, collection: str) -> None:
    cursor = core.get(ALICE, f"{collection}?limit=1")["next"].partition("after=")[2]
    group = core.get(ALICE, "/datacollection-groups?limit=1")["results"][0]
    body = {"dataCollectionGroupId": group["dataCollectionGroupId"]}
    other = core.call(ALICE, "POST", "/datacollections", body).get_json()
    elsewhere = f"/datacollections/{other['dataCollectionId']}/image-quality"
    assert core.get(ALICE, elsewhere)["total"] == 0
    assert core.call(ALICE, "GET", f"{elsewhere}?after={cursor}").status_code == 400


def test_an_export_has_all(core: Core, collection: str) -> None:
    answer = core.call(ALICE, "GET", f"{collection}?fields=imageNumber", Accept="text/csv")
    assert answer.text.split() == ["imageNumber", *map(str, range(1, 41))]


def test_an_item_its_version_and_its_history(core: Core, collection: str) -> None:
    item = core.call(ALICE, "GET", f"{collection}/7")
    assert item.get_json()["spotTotal"] == 7
    tag = item.headers["ETag"]
    changed = core.call(ALICE, "PATCH", f"{collection}/7", {"spotTotal": 70}, If_Match=tag)
    assert (changed.status_code, changed.get_json()["spotTotal"]) == (200, 70)
    again = core.call(ALICE, "PATCH", f"{collection}/7", {"spotTotal": 71}, If_Match=tag)
    assert again.status_code == 412
    told = core.get(ALICE, f"{collection}/7/history")["results"]
    assert [one["action"] for one in told] == ["patch", "create"]
    assert core.call(ALICE, "PATCH", f"{collection}/7", {"spotTotal": 7}).status_code == 200
    assert core.get(ALICE, f"{collection}/8/history")["total"] == 1


def test_the_same_key_is_answered_the_same(core: Core, collection: str) -> None:
    body = {"imageNumber": 100, "spotTotal": 1}
    first = core.call(ALICE, "POST", collection, body, Idempotency_Key="one")
    second = core.call(ALICE, "POST", collection, body, Idempotency_Key="one")
    assert (first.status_code, second.status_code) == (201, 201)
    assert first.get_json() == second.get_json()
    assert first.headers["Location"] == second.headers["Location"] == f"/core{collection}/100"
    many = [{"imageNumber": 101}, {"imageNumber": 102}]
    first = core.call(ALICE, "POST", collection, many, Idempotency_Key="many")
    second = core.call(ALICE, "POST", collection, many, Idempotency_Key="many")
    assert first.get_json() == second.get_json()
    with core.database.writing() as connection:
        table = core.tables["ImageQualityIndicators"]
        connection.execute(table.delete().where(table.c.imageNumber >= 100))


@pytest.mark.parametrize(
    ("body", "status", "fields"),
    [
        ({}, 422, {"imageNumber"}),
        ({"imageNumber": 5}, 409, {"imageNumber"}),
        ({"imageNumber": 200, "dataCollectionId": 999}, 422, {"dataCollectionId"}),
        ({"imageNumber": "x", "colour": "red"}, 422, {"imageNumber", "colour"}),
        ([{"imageNumber": 201}, {"imageNumber": 201}], 409, {"[1].imageNumber"}),
        ([{"imageNumber": 201}, {}], 422, {"[1].imageNumber"}),
    ],
)
def test_what_a_body_must_be(
    core: Core, collection: str, body: Any, status: int, fields: set[str]
) -> None:
    before = core.rows("ImageQualityIndicators")
    answer = core.call(ALICE, "POST", collection, body)
    assert answer.status_code == status, answer.text
    assert {error["field"] for error in answer.get_json()["errors"]} == fields
    assert core.rows("ImageQualityIndicators") == before


@pytest.mark.parametrize("parent", ["999999", "nonsense", "0", "9" * 30])
def test_below_what_is_not_there_is_nothing(core: Core, parent: str) -> None:
    for method, path in (
        ("GET", f"/proposals/{parent}/members"),
        ("GET", f"/proposals/{parent}/members/1"),
        ("POST", f"/proposals/{parent}/members"),
        ("DELETE", f"/proposals/{parent}/members/1"),
        ("GET", f"/proposals/{parent}/members/1/history"),
    ):
        body = {"personId": 1} if method == "POST" else None
        assert core.call(ALICE, method, path, body).status_code == 404, path


def test_a_parent_goes_by_its_name_too(core: Core) -> None:
    proposal = core.one("/proposals?proposal=MX1001")["proposalId"]
    by_name = core.get(ALICE, "/proposals/MX1001/members?include=Person")
    by_id = core.get(ALICE, f"/proposals/{proposal}/members?include=Person")
    assert by_name["results"] == by_id["results"]
    assert [row["Person"]["login"] for row in by_name["results"]] == ["alice"]
    whole = core.get(ALICE, "/proposals/MX1001?include=ProposalHasPerson.Person")
    assert [row["personId"] for row in whole["ProposalHasPerson"]] == [
        row["personId"] for row in by_name["results"]
    ]


def test_a_member_sees_the_proposal_at_once_and_no_longer_when_they_leave(core: Core) -> None:
    oscar = core.get(OSCAR, "/user/current")["personId"]
    assert core.call(OSCAR, "GET", "/proposals/MX1002").status_code == 404
    made = core.call(ERIN, "POST", "/proposals/MX1002/members", {"personId": oscar})
    assert made.status_code == 201, made.text
    assert core.call(OSCAR, "GET", "/proposals/MX1002").status_code == 200
    assert core.call(BOB, "DELETE", f"/proposals/MX1002/members/{oscar}").status_code == 204
    assert core.call(OSCAR, "GET", "/proposals/MX1002").status_code == 404
    told = core.get(ERIN, f"/proposals/MX1002/members/{oscar}/history")["results"]
    done = [(one["action"], one["login"]) for one in told]
    assert done == [("delete", "bob"), ("create", "erin")]


def test_of_eight_at_once_one_makes_the_member(core: Core) -> None:
    """ProposalHasPerson has no unique key of its own."""
    oscar = core.get(OSCAR, "/user/current")["personId"]
    with ThreadPoolExecutor(8) as threads:
        answers = threads.map(
            lambda _: core.call(ERIN, "POST", "/proposals/MX1001/members", {"personId": oscar}),
            range(8),
        )
    statuses = sorted(answer.status_code for answer in answers)
    assert statuses.count(201) == 1
    assert set(statuses) <= {201, 409, 503}
    stored = [row for row in core.rows("ProposalHasPerson") if row.personId == oscar]
    assert len(stored) == 1
    assert core.call(ERIN, "DELETE", f"/proposals/MX1001/members/{oscar}").status_code == 204


def test_two_rows_of_one_member_are_one_member(core: Core) -> None:
    """As older programs left them."""
    oscar = core.get(OSCAR, "/user/current")["personId"]
    proposal = core.one("/proposals?proposal=MX1001")["proposalId"]
    table = core.tables["ProposalHasPerson"]
    with core.database.writing() as connection:
        for _ in range(2):
            connection.execute(table.insert().values(proposalId=proposal, personId=oscar))
    path = f"/proposals/MX1001/members/{oscar}"
    assert core.get(ALICE, path)["role"] is None
    changed = core.call(ALICE, "PATCH", path, {"role": "Associate"})
    assert changed.status_code == 200, changed.text
    stored = [row.role for row in core.rows("ProposalHasPerson") if row.personId == oscar]
    assert stored == ["Associate", "Associate"]
    pages, page = 0, core.get(ALICE, "/proposals/MX1001/members?limit=1")
    while page["next"]:
        pages, page = pages + 1, core.get(ALICE, page["next"].removeprefix("/core"))
    assert pages + 1 == page["total"]
    assert core.call(ALICE, "DELETE", path).status_code == 204
    assert all(row.personId != oscar for row in core.rows("ProposalHasPerson"))


LOOKERS: list[tuple[Somebody | None, int]] = [
    (None, 401),
    (ALICE, 200),
    (BOB, 404),
    (CAROL, 200),
    (ERIN, 200),
    (OSCAR, 404),
    (MXCUBE, 200),
]


@pytest.mark.parametrize(("who", "status"), LOOKERS)
def test_the_local_contacts_of_a_session(core: Core, who: Somebody | None, status: int) -> None:
    session, carol = running(core), core.get(CAROL, "/user/current")["personId"]
    body = {"personId": carol, "role": "Local Contact"}
    made = core.call(CAROL, "POST", f"/sessions/{session}/people", body)
    assert made.status_code == 201, made.text
    answer = core.call(who, "GET", f"/sessions/{session}/local-contacts")
    assert core.call(CAROL, "DELETE", f"/sessions/{session}/people/{carol}").status_code == 204
    assert answer.status_code == status
    if status == 200:
        (contact,) = answer.get_json()["results"]
        assert (contact["personId"], contact["role"]) == (carol, "Local Contact")
        assert set(contact) == {"personId", "givenName", "familyName", "title", "role"}

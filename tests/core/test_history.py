"""What became of a row, and who is told."""

from typing import Any

import pytest
from tests.cast import ALICE, BOB, CAROL, DAVE, ERIN, OSCAR, Somebody
from tests.core.conftest import Core


@pytest.fixture(scope="module")
def shipping(core: Core) -> str:
    """The path of a shipment of MX1001 that was made and changed."""
    proposal = core.one("/proposals?proposal=MX1001")["proposalId"]
    body = {"proposalId": proposal, "shippingName": "told of"}
    made = core.call(ALICE, "POST", "/shippings", body, X_Request_ID="made-it")
    path = f"/shippings/{made.get_json()['shippingId']}"
    core.call(ALICE, "PATCH", path, {"comments": "x", "SAFETYLEVEL": "GREEN"})
    core.call(ERIN, "PATCH", path, {"comments": "y"})
    return path


def test_the_latest_change_comes_first(core: Core, shipping: str) -> None:
    page = core.get(ALICE, f"{shipping}/history")
    assert (page["total"], page["limit"], page["skip"], page["next"]) == (3, 25, 0, None)
    told = [(row["action"], row["login"], row["fields"]) for row in page["results"]]
    assert told == [
        ("patch", "erin", ["comments"]),
        ("patch", "alice", ["SAFETYLEVEL", "comments"]),
        ("create", "alice", ["proposalId", "shippingName"]),
    ]
    first = page["results"][-1]
    assert first["requestId"] == "made-it"
    assert first["time"][:10] == core.get(ALICE, shipping)["creationDate"][:10]
    assert first["time"][-6:] in {"+01:00", "+02:00"}  # the site's zone


def test_it_comes_in_pages(core: Core, shipping: str) -> None:
    first = core.get(ALICE, f"{shipping}/history?limit=2")
    rest = core.get(ALICE, first["next"].removeprefix("/core"))
    whole = core.get(ALICE, f"{shipping}/history")["results"]
    assert first["results"] + rest["results"] == whole
    assert rest["next"] is None


WHO: list[tuple[Somebody | None, int]] = [
    (None, 401),
    (ALICE, 200),
    (CAROL, 200),  # staff of BL1, where MX1001 has a session just now
    (ERIN, 200),
    (BOB, 404),  # took part in a session: he does not see its shipments
    (DAVE, 403),  # handles goods: he sees the shipment
    (OSCAR, 404),
]


@pytest.mark.parametrize(("who", "status"), WHO)
def test_who_reads_a_shipments(
    core: Core, shipping: str, who: Somebody | None, status: int
) -> None:
    assert core.call(who, "GET", f"{shipping}/history").status_code == status


def test_a_proposals_is_found_by_its_name_and_not_for_participants(core: Core) -> None:
    assert core.call(ALICE, "GET", "/proposals/MX1001/history").status_code == 200
    assert core.call(BOB, "GET", "/proposals/MX1001/history").status_code == 403
    assert core.call(ALICE, "GET", "/proposals/MX9999/history").status_code == 404


def test_a_persons_is_their_own(core: Core) -> None:
    alice = core.get(ALICE, "/user/current")["personId"]
    path = f"/persons/{alice}/history"
    for who, status in ((ALICE, 200), (ERIN, 200), (OSCAR, 404)):
        assert core.call(who, "GET", path).status_code == status
    # carol sees alice as a lab contact of a proposal with a session on her beamline
    assert core.call(CAROL, "GET", f"/persons/{alice}").status_code == 200
    assert core.call(CAROL, "GET", path).status_code == 403


def test_what_is_gone_is_told_to_those_who_see_every_row(core: Core) -> None:
    proposal = core.one("/proposals?proposal=MX1001")["proposalId"]
    body = {"proposalId": proposal, "shippingName": "gone"}
    made = core.call(ALICE, "POST", "/shippings", body).get_json()["shippingId"]
    assert core.call(ALICE, "DELETE", f"/shippings/{made}").status_code == 204
    assert core.call(ALICE, "GET", f"/shippings/{made}/history").status_code == 404
    told = core.get(ERIN, f"/shippings/{made}/history")["results"]
    assert [row["action"] for row in told] == ["delete", "create"]


@pytest.mark.parametrize("key", ["99999999", "9" * 30, "x", "%00"])
def test_what_never_was_has_none(core: Core, key: str) -> None:
    assert core.call(ERIN, "GET", f"/shippings/{key}/history").status_code == 404


REFUSED: list[tuple[str, Any]] = [
    ("limit=1001", "limit"),
    ("skip=-1", "skip"),
    ("limit=x", "limit"),
    ("sort=time", "sort"),
    ("limit=1&limit=1", "limit"),
]


@pytest.mark.parametrize(("query", "field"), REFUSED)
def test_a_history_takes_paging_only(core: Core, shipping: str, query: str, field: str) -> None:
    answer = core.call(ALICE, "GET", f"{shipping}/history?{query}")
    assert answer.status_code == 400
    assert [error["field"] for error in answer.get_json()["errors"]] == [field]

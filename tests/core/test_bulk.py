"""Many rows by one POST: all or none, every fault with its place, once for one key."""

from typing import Any

import pytest
from tests.cast import ALICE, BOB, CAROL, OSCAR, Somebody
from tests.core.conftest import Core


def bodies(core: Core, *names: Any) -> list[dict[str, Any]]:
    proposal = core.one("/proposals?proposal=MX1001")["proposalId"]
    return [{"proposalId": proposal, "shippingName": name} for name in names]


def test_all_are_made_in_their_order(core: Core) -> None:
    names = [f"bulk {n}" for n in (3, 1, 2)]
    answer = core.call(ALICE, "POST", "/shippings", bodies(core, *names))
    assert answer.status_code == 201, answer.text
    page = answer.get_json()
    assert (page["total"], page["next"]) == (3, None)
    assert [row["shippingName"] for row in page["results"]] == names
    for row in page["results"]:
        assert core.get(ALICE, f"/shippings/{row['shippingId']}") == row
        (change,) = core.get(ALICE, f"/shippings/{row['shippingId']}/history")["results"]
        assert change["action"] == "create"


def test_every_fault_is_told_with_its_place_and_nothing_is_stored(core: Core) -> None:
    before = core.rows("Shipping")
    sent: list[Any] = bodies(core, "good", 1, "also good")
    sent += [7, {**sent[0], "colour": "red", "returnLabContactId": 999999}]
    answer = core.call(ALICE, "POST", "/shippings", sent)
    assert answer.status_code == 422, answer.text
    assert {error["field"] for error in answer.get_json()["errors"]} == {
        "[1].shippingName",
        "[3]",
        "[4].colour",
        "[4].returnLabContactId",
    }
    assert core.rows("Shipping") == before


@pytest.mark.parametrize(("who", "status"), [(None, 401), (BOB, 403), (CAROL, 403), (OSCAR, 404)])
def test_who_may_not_makes_none(core: Core, who: Somebody | None, status: int) -> None:
    before = core.rows("Shipping")
    assert core.call(who, "POST", "/shippings", bodies(core, "a", "b")).status_code == status
    assert core.rows("Shipping") == before


def test_one_row_of_anothers_proposal_takes_all_back(core: Core) -> None:
    """The rules look at each row: one that passed lets no other in."""
    before = core.rows("Shipping")
    theirs = core.one("/proposals?proposal=MX1002")["proposalId"]
    sent = bodies(core, "a", "b", "c")
    sent[2]["proposalId"] = theirs
    answer = core.call(ALICE, "POST", "/shippings", sent)
    assert answer.status_code == 404
    assert answer.get_json()["detail"] == "[2]: no such proposal"
    contact = core.get(BOB, "/labcontacts?limit=1")["results"][0]["labContactId"]
    sent = bodies(core, "a", "b", "c")
    sent[1]["returnLabContactId"] = contact
    answer = core.call(ALICE, "POST", "/shippings", sent)
    assert answer.status_code == 422
    (error,) = answer.get_json()["errors"]
    assert error["field"] == "[1].returnLabContactId"
    assert core.rows("Shipping") == before


def test_one_key_counts_for_all(core: Core) -> None:
    sent = bodies(core, "keyed 1", "keyed 2")
    first = core.call(ALICE, "POST", "/shippings", sent, Idempotency_Key="bulk")
    again = core.call(ALICE, "POST", "/shippings", sent, Idempotency_Key="bulk")
    assert (first.status_code, again.status_code) == (201, 201)
    assert again.get_json() == first.get_json()
    assert core.get(ALICE, "/shippings?shippingName[like]=keyed*")["total"] == 2
    other = core.call(ALICE, "POST", "/shippings", sent[:1], Idempotency_Key="bulk")
    assert other.status_code == 409


@pytest.mark.parametrize("number", [0, 101])
def test_an_array_has_its_bounds(core: Core, number: int) -> None:
    answer = core.call(ALICE, "POST", "/shippings", bodies(core, *["x"] * number))
    assert answer.status_code == 422
    assert "1 to 100" in answer.get_json()["detail"]

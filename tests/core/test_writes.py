"""Writes over HTTP: what a body may hold, what is kept, what a retry finds."""

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
import sqlalchemy as sa
from tests.cast import ALICE, BOB, CAROL, ERIN, OSCAR, Somebody
from tests.core.conftest import Core

FAULTS: list[tuple[dict[str, Any], dict[str, str]]] = [
    ({"shippingName": "x" * 46}, {"shippingName": "at most 45"}),
    ({"shippingName": 1}, {"shippingName": "a text"}),
    ({"shippingName": None}, {"shippingName": "required"}),
    ({}, {"shippingName": "required"}),
    ({"shippingName": "a\0b"}, {"shippingName": "NUL"}),
    ({"shippingName": "x", "colour": 1}, {"colour": "allowed"}),
    ({"shippingName": "x", "bltimeStamp": "2026-01-01"}, {"bltimeStamp": "never written"}),
    ({"shippingName": "x", "shippingId": 7}, {"shippingId": "never written"}),
    ({"shippingName": "x", "isStorageShipping": 128}, {"isStorageShipping": "127"}),
    (
        {"shippingName": "x", "deliveryAgent_shippingDate": "soon"},
        {"deliveryAgent_shippingDate": "date"},
    ),
    ({"shippingName": "x", "readyByTime": "25:00"}, {"readyByTime": "time"}),
    ({"shippingName": "x", "dateOfShippingToUser": "0001-01-01"}, {"dateOfShippingToUser": "year"}),
    (
        {"shippingName": "x", "sendingLabContactId": 999999},
        {"sendingLabContactId": "no such labcontact"},
    ),
    (
        {"shippingName": 1, "colour": 1, "readyByTime": 3, "returnLabContactId": "me"},
        {
            "shippingName": "text",
            "colour": "no such",
            "readyByTime": "time",
            "returnLabContactId": "whole",
        },
    ),
]


@pytest.mark.parametrize(("body", "told"), FAULTS)
def test_a_body_gets_every_fault_at_once_and_nothing_is_written(
    core: Core, body: dict[str, Any], told: dict[str, str]
) -> None:
    before = core.rows("Shipping")
    proposal = core.one("/proposals?proposal=MX1001")["proposalId"]
    answer = core.call(ALICE, "POST", "/shippings", {"proposalId": proposal, **body})
    assert answer.status_code == 422, answer.text
    errors = {error["field"]: error["detail"] for error in answer.get_json()["errors"]}
    assert set(errors) == set(told)
    for field, part in told.items():
        assert part in errors[field]
    assert core.rows("Shipping") == before


@pytest.mark.parametrize(
    ("column", "value", "part"),
    [
        ("type", "Bucket", "Dewar, Toolbox, Parcel"),
        ("weight", 1e39, "finite"),
        ("weight", True, "number"),
        ("customsValue", 2**31, "2147483647"),
        ("customsValue", 1.5, "whole"),
        ("code", None, "null"),
    ],
)
def test_a_patch_is_held_to_the_column(core: Core, column: str, value: Any, part: str) -> None:
    dewar = core.get(ALICE, "/dewars?limit=1")["results"][0]["dewarId"]
    answer = core.call(ALICE, "PATCH", f"/dewars/{dewar}", {column: value})
    assert answer.status_code == 422
    (error,) = answer.get_json()["errors"]
    assert error["field"] == column
    assert part in error["detail"]


@pytest.mark.parametrize(
    ("data", "kind", "status"),
    [
        ("{", "application/json", 400),
        ("[]", "application/json", 422),
        ("3", "application/json", 400),
        ("", "application/json", 400),
        ('{"a": NaN}', "application/json", 400),
        ("\ud800", "application/json", 400),
        ("a=1", "application/x-www-form-urlencoded", 415),
        ("{}", "text/plain", 415),
        ("{}", "", 415),
    ],
)
def test_what_is_not_a_json_object(core: Core, data: str, kind: str, status: int) -> None:
    answer = core.client.post(
        "/core/shippings",
        data=data.encode("utf-8", "surrogatepass"),
        content_type=kind,
        headers=core.issuing.bearer(ALICE),
    )
    assert answer.status_code == status
    assert answer.mimetype == "application/problem+json"


@pytest.mark.parametrize(
    ("who", "status"), [(None, 401), (ALICE, 201), (BOB, 403), (CAROL, 403), (OSCAR, 404)]
)
def test_who_creates_in_mx1001(core: Core, who: Somebody | None, status: int) -> None:
    proposal = core.one("/proposals?proposal=MX1001")["proposalId"]
    body = {"proposalId": proposal, "shippingName": "who"}
    assert core.call(who, "POST", "/shippings", body).status_code == status


def test_created_patched_deleted_and_every_change_is_kept(core: Core) -> None:
    proposal = core.one("/proposals?proposal=MX1001")["proposalId"]
    made = core.call(ALICE, "POST", "/shippings", {"proposalId": proposal, "shippingName": "kept"})
    assert made.status_code == 201
    place = made.headers["Location"]
    key = made.get_json()["shippingId"]
    assert place == f"/core/shippings/{key}"
    patched = core.call(ALICE, "PATCH", f"/shippings/{key}", {"comments": "Grüße, Å"})
    assert patched.get_json()["comments"] == "Grüße, Å"
    assert patched.get_json() == core.get(ALICE, f"/shippings/{key}")
    assert core.call(ALICE, "DELETE", f"/shippings/{key}").status_code == 204
    assert core.call(ALICE, "GET", f"/shippings/{key}").status_code == 404
    change = core.tables.ledger.change
    with core.database.reading() as connection:
        rows = connection.execute(
            sa.select(change.c.action, change.c.login, change.c.fields).where(
                change.c.noun == "shippings", change.c.rowId == str(key)
            )
        ).all()
    assert [tuple(row) for row in rows] == [
        ("create", "alice", "proposalId,shippingName"),
        ("patch", "alice", "comments"),
        ("delete", "alice", ""),
    ]


def test_what_others_refer_to_is_not_deleted(core: Core) -> None:
    shipping = core.one("/shippings?shippingName=MX1001-shipment")["shippingId"]
    answer = core.call(ALICE, "DELETE", f"/shippings/{shipping}")
    assert answer.status_code == 409
    assert answer.get_json()["errors"] == [{"field": "Dewar", "detail": "2 rows refer to it"}]
    assert core.get(ALICE, f"/shippings/{shipping}")["shippingId"] == shipping


def test_a_word_that_is_taken_is_a_conflict(core: Core) -> None:
    proposal = core.get(ALICE, "/proposals/MX1001")
    person = core.get(ALICE, "/user/current")["personId"]
    body = {"proposalId": proposal["proposalId"], "personId": person, "cardName": "again"}
    assert core.call(ALICE, "POST", "/labcontacts", body).status_code == 409


def test_the_same_key_is_done_once(core: Core) -> None:
    proposal = core.one("/proposals?proposal=MX1001")["proposalId"]
    body = {"proposalId": proposal, "shippingName": "once"}

    def send(_n: int) -> tuple[int, Any]:
        with core.client.application.test_client() as client:
            headers = {**core.issuing.bearer(ALICE), "Idempotency-Key": "once"}
            answer = client.post("/core/shippings", json=body, headers=headers)
            return answer.status_code, answer.get_json().get("shippingId")

    with ThreadPoolExecutor(8) as threads:
        answers = list(threads.map(send, range(8)))
    done = {key for status, key in answers if status == 201}
    assert {status for status, _ in answers} <= {201, 409}
    assert len(done) == 1
    assert core.get(ALICE, "/shippings?shippingName=once")["total"] == 1
    other = core.call(
        ALICE, "POST", "/shippings", {**body, "shippingName": "two"}, Idempotency_Key="once"
    )
    assert other.status_code == 409
    somebody_else = core.call(ERIN, "POST", "/shippings", body, Idempotency_Key="once")
    assert somebody_else.status_code == 201
    assert somebody_else.get_json()["shippingId"] not in done


def test_a_failed_attempt_does_not_use_up_its_key(core: Core) -> None:
    proposal = core.one("/proposals?proposal=MX1001")["proposalId"]
    bad = {"proposalId": proposal, "shippingName": 1}
    good = {"proposalId": proposal, "shippingName": "second try"}
    assert core.call(ALICE, "POST", "/shippings", bad, Idempotency_Key="try").status_code == 422
    assert core.call(ALICE, "POST", "/shippings", good, Idempotency_Key="try").status_code == 201


@pytest.mark.parametrize("key", ["", "x" * 256])
def test_an_unusable_key_is_400(core: Core, key: str) -> None:
    assert core.call(ALICE, "POST", "/shippings", {}, Idempotency_Key=key).status_code == 400


def test_a_move_leaves_nothing_below_in_two_proposals(core: Core) -> None:
    """A container with MX1001's crystals cannot go to MX1002, not even by an administrator."""
    target = core.get(BOB, "/dewars?limit=1")["results"][0]
    puck = core.one("/containers?code=MX1001-puck-1")["containerId"]
    before = core.rows("Container")
    answer = core.call(ERIN, "PATCH", f"/containers/{puck}", {"dewarId": target["dewarId"]})
    assert answer.status_code == 422
    assert "samples" in answer.get_json()["detail"]
    assert core.rows("Container") == before


def test_times_carry_the_sites_offset(core: Core) -> None:
    session = core.one("/sessions?proposal=MX1001&beamLineName=BL2")
    key = session["sessionId"]
    sent = {"startDate": "2026-07-01T08:00:00Z", "endDate": "2026-07-02 08:00:00"}
    answer = core.call(ERIN, "PATCH", f"/sessions/{key}", sent)
    assert answer.get_json()["startDate"] == "2026-07-01T10:00:00+02:00"
    assert answer.get_json()["endDate"] == "2026-07-02T08:00:00+02:00"
    back = {name: session[name] for name in ("startDate", "endDate")}
    restored = core.call(ERIN, "PATCH", f"/sessions/{key}", back).get_json()
    assert {name: restored[name] for name in back} == back

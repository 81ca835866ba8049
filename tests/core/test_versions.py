"""Which version of a row was read, and that a write meant for it meets no other."""

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
import sqlalchemy as sa
from tests.cast import ALICE, BOB, ERIN
from tests.core.conftest import Core

RACERS = 8


@pytest.fixture
def shipping(core: Core) -> str:
    """The path of a new shipment of MX1001."""
    proposal = core.one("/proposals?proposal=MX1001")["proposalId"]
    body = {"proposalId": proposal, "shippingName": "read by many"}
    made = core.call(ALICE, "POST", "/shippings", body)
    return f"/shippings/{made.get_json()['shippingId']}"


def tag(core: Core, path: str) -> str:
    return str(core.call(ALICE, "GET", path).headers["ETag"])


def test_a_tag_is_the_same_for_every_projection(core: Core, shipping: str) -> None:
    whole = tag(core, shipping)
    assert whole.startswith('"')
    for query in ("fields=comments", "include=Proposal,Dewar", "fields=shippingName,Dewar.code"):
        more = "&include=Dewar" if "Dewar.code" in query else ""
        assert tag(core, f"{shipping}?{query}{more}") == whole
    chosen = core.get(ALICE, f"{shipping}?fields=comments,shippingName")
    assert set(chosen) == {"comments", "shippingName"}
    named = core.get(ALICE, "/proposals/MX1001?fields=proposal")
    assert named == {"proposal": "MX1001"}


def test_a_tag_comes_with_what_is_written(core: Core, shipping: str) -> None:
    before = tag(core, shipping)
    patched = core.call(ALICE, "PATCH", shipping, {"comments": "x"})
    assert patched.headers["ETag"] == tag(core, shipping) != before


@pytest.mark.parametrize(
    ("header", "status"),
    [
        ("{tag}", 200),
        ('"other", {tag}', 200),
        ("*", 200),
        ('"other"', 412),
        ("W/{tag}", 200),
        ("{tag}x", 400),
        ("unquoted", 400),
        ("", 400),
        ('"a",', 400),
    ],
)
def test_a_patch_meant_for_a_version(core: Core, shipping: str, header: str, status: int) -> None:
    meant = header.format(tag=tag(core, shipping))
    answer = core.call(ALICE, "PATCH", shipping, {"comments": "meant"}, If_Match=meant)
    assert answer.status_code == status, answer.text
    assert (core.get(ALICE, shipping)["comments"] == "meant") == (status == 200)


def test_a_delete_meant_for_a_version(core: Core, shipping: str) -> None:
    assert core.call(ALICE, "DELETE", shipping, If_Match='"other"').status_code == 412
    assert core.call(ALICE, "GET", shipping).status_code == 200
    meant = tag(core, shipping)
    assert core.call(ALICE, "DELETE", shipping, If_Match=meant).status_code == 204


def test_unseen_and_forbidden_come_before_stale(core: Core, shipping: str) -> None:
    stale = {"If_Match": '"other"'}
    proposal = core.one("/proposals?proposal=MX1001")["proposalId"]
    assert core.call(BOB, "PATCH", shipping, {"comments": "x"}, **stale).status_code == 404
    path = f"/proposals/{proposal}"
    assert core.call(BOB, "PATCH", path, {"title": "x"}, **stale).status_code == 403


def test_a_change_by_raw_sql_is_seen(core: Core, shipping: str) -> None:
    meant = tag(core, shipping)
    table = core.tables["Shipping"]
    row = table.c.shippingId == int(shipping.rpartition("/")[2])
    with core.database.writing() as connection:
        connection.execute(table.update().where(row).values(physicalLocation="rack 7"))
    answer = core.call(ALICE, "PATCH", shipping, {"comments": "x"}, If_Match=meant)
    assert answer.status_code == 412
    assert answer.mimetype == "application/problem+json"
    fresh = tag(core, shipping)
    answer = core.call(ALICE, "PATCH", shipping, {"comments": "x"}, If_Match=fresh)
    assert answer.status_code == 200


def test_of_racing_patches_one_wins(core: Core, shipping: str) -> None:
    meant = tag(core, shipping)

    def patch(n: int) -> int:
        with core.client.application.test_client() as client:
            headers = {**core.issuing.bearer(ALICE), "If-Match": meant}
            body: dict[str, Any] = {"comments": f"racer {n}"}
            return client.patch(f"/core{shipping}", json=body, headers=headers).status_code

    with ThreadPoolExecutor(RACERS) as threads:
        statuses = sorted(threads.map(patch, range(RACERS)))
    assert statuses == [200, *[412] * (RACERS - 1)]
    change = core.tables.ledger.change
    key = shipping.rpartition("/")[2]
    with core.database.reading() as connection:
        kept = connection.execute(
            sa.select(sa.func.count()).where(
                change.c.noun == "shippings", change.c.rowId == key, change.c.action == "patch"
            )
        ).scalar_one()
    assert kept == 1


def test_who_has_the_version_is_not_sent_it_again(core: Core, shipping: str) -> None:
    have = tag(core, shipping)
    for header, status in ((have, 304), (f'W/{have}, "x"', 304), ("*", 304), ('"x"', 200)):
        answer = core.call(ALICE, "GET", shipping, If_None_Match=header)
        assert answer.status_code == status
        assert answer.headers["ETag"] == have
        assert (answer.data == b"") == (status == 304)
    assert core.call(ALICE, "GET", shipping, If_None_Match="x").status_code == 400


def test_a_tag_tells_nothing_of_what_is_hidden(core: Core) -> None:
    """bob sees alice's name only: her telephone number is no part of the tag that he is given."""
    alice = core.get(ALICE, "/user/current")["personId"]
    path = f"/persons/{alice}"
    if core.call(BOB, "GET", path).status_code == 404:
        proposal = core.one("/proposals?proposal=MX1002")["proposalId"]
        with core.database.writing() as connection:
            member = core.tables["ProposalHasPerson"].insert()
            connection.execute(member.values(proposalId=proposal, personId=alice))
    theirs, own = core.call(BOB, "GET", path), tag(core, path)
    assert core.call(ERIN, "PATCH", path, {"phoneNumber": "0123"}).status_code == 200
    assert core.call(BOB, "GET", path).headers["ETag"] == theirs.headers["ETag"]
    assert tag(core, path) != own

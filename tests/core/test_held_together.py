"""Races, moves and floods that once got through: retries, chains, foreign keys, huge input."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from tests.cast import ALICE, BOB, DAVE, ERIN, OSCAR, Issuing, Somebody
from tests.core.conftest import Core, make_core
from tests.peers.mariadb import MariaDb

ROUNDS = 6


@pytest.fixture
def both(each_database: str, issuing: Issuing, tmp_path: Path) -> Any:
    """Core, where alice is a member of MX1002 as well."""
    core = make_core(each_database, tmp_path, issuing)
    with core.database.writing() as connection:
        alice = core.get(ALICE, "/user/current")["personId"]
        proposal = core.one("/proposals?proposal=MX1002")["proposalId"]
        member = core.tables["ProposalHasPerson"].insert()
        connection.execute(member.values(proposalId=proposal, personId=alice))
    yield core
    core.close()


def at_once(core: Core, *asks: tuple[Somebody, str, str, Any, dict[str, str]]) -> list[int]:
    """The statuses of requests sent at the same time, each on a client of its own."""

    def ask(one: tuple[Somebody, str, str, Any, dict[str, str]]) -> int:
        who, method, path, body, more = one
        with core.client.application.test_client() as client:
            headers = {**core.issuing.bearer(who), **more}
            return client.open(
                f"/core{path}", method=method, json=body, headers=headers
            ).status_code

    with ThreadPoolExecutor(len(asks)) as threads:
        return list(threads.map(ask, asks))


def test_one_key_makes_one_row_however_many_send_it(both: Core) -> None:
    proposal = both.one("/proposals?proposal=MX1001")["proposalId"]
    for n in range(ROUNDS):
        body = {"proposalId": proposal, "shippingName": f"round {n}"}
        key = {"Idempotency-Key": f"round-{n}"}
        statuses = at_once(both, *[(ALICE, "POST", "/shippings", body, key)] * 8)
        assert set(statuses) <= {201, 409}
        assert 201 in statuses
        assert both.get(ALICE, f"/shippings?shippingName=round {n}")["total"] == 1


def test_a_sample_and_a_move_of_its_dewar_cannot_both_win(both: Core) -> None:
    mine = both.one("/shippings?shippingName=MX1001-shipment")["shippingId"]
    theirs = both.get(BOB, "/shippings?limit=1")["results"][0]["shippingId"]
    crystal = both.get(ALICE, "/crystals?name[like]=LYSO*&limit=1")["results"][0]["crystalId"]
    for n in range(ROUNDS):
        dewar = both.call(ALICE, "POST", "/dewars", {"shippingId": mine, "code": f"d{n}"})
        dewar_id = dewar.get_json()["dewarId"]
        puck = both.call(ALICE, "POST", "/containers", {"dewarId": dewar_id, "code": f"p{n}"})
        sample = {"crystalId": crystal, "containerId": puck.get_json()["containerId"]}
        at_once(
            both,
            (ALICE, "POST", "/samples", {**sample, "name": f"s{n}"}, {}),
            (ALICE, "PATCH", f"/dewars/{dewar_id}", {"shippingId": theirs}, {}),
        )
    made = both.get(ERIN, "/samples?name[like]=s*&limit=1000")["results"]
    seen = {row["blSampleId"] for row in both.get(ALICE, "/samples?limit=1000")["results"]}
    assert {row["blSampleId"] for row in made} <= seen


def move_contact(core: Core, to: int) -> tuple[str, dict[str, Any]]:
    contact = core.get(ALICE, "/shippings?shippingName=MX1001-shipment")["results"][0]
    return f"/labcontacts/{contact['sendingLabContactId']}", {"proposalId": to}


def move_shipment(core: Core, to: int) -> tuple[str, dict[str, Any]]:
    proposal = core.one("/proposals?proposal=MX1001")["proposalId"]
    session = core.get(ALICE, "/sessions?proposal=MX1001&limit=1")["results"][0]["sessionId"]
    sent = {"proposalId": proposal, "shippingName": "moving"}
    shipping = core.call(ALICE, "POST", "/shippings", sent).get_json()["shippingId"]
    dewar = {"shippingId": shipping, "code": "moving", "firstExperimentId": session}
    assert core.call(ALICE, "POST", "/dewars", dewar).status_code == 201
    return f"/shippings/{shipping}", {"proposalId": to}


def move_dewar(core: Core, _to: int) -> tuple[str, dict[str, Any]]:
    mine = core.one("/shippings?shippingName=MX1001-shipment")["shippingId"]
    theirs = core.get(BOB, "/shippings?limit=1")["results"][0]["shippingId"]
    dewar = core.call(ALICE, "POST", "/dewars", {"shippingId": mine, "code": "wanted"}).get_json()
    puck = core.one("/containers?code=MX1001-puck-1")["containerId"]
    named = {"currentDewarId": dewar["dewarId"]}
    assert core.call(ALICE, "PATCH", f"/containers/{puck}", named).status_code == 200
    return f"/dewars/{dewar['dewarId']}", {"shippingId": theirs}


@pytest.mark.parametrize("move", [move_contact, move_shipment, move_dewar])
def test_a_move_leaves_no_foreign_key_across_proposals(
    both: Core, move: Callable[[Core, int], tuple[str, dict[str, Any]]]
) -> None:
    path, body = move(both, both.one("/proposals?proposal=MX1002")["proposalId"])
    answer = both.call(ALICE, "PATCH", path, body)
    assert answer.status_code == 422, answer.text
    assert {error["field"] for error in answer.get_json()["errors"]} == set(body)


def test_a_closed_shipment_stays_closed_however_it_is_spelt(both: Core) -> None:
    closed = both.get(ERIN, "/shippings?shippingStatus[in]=closed,processing done")["results"][0]
    path = f"/shippings/{closed['shippingId']}"
    for word in ("closed ", "Closed", "PROCESSING DONE  "):
        assert both.call(ERIN, "PATCH", path, {"shippingStatus": word}).status_code == 200
        assert both.call(DAVE, "GET", path).status_code == 404


def test_a_flood_of_unknown_names_is_answered_shortly(both: Core) -> None:
    container = both.get(ALICE, "/containers?limit=1")["results"][0]["containerId"]
    body = {f"{'x' * 100}{n}": n for n in range(20_000)}
    for who, method, path in (
        (OSCAR, "POST", "/containers"),
        (ALICE, "PATCH", f"/containers/{container}"),
    ):
        answer = both.call(who, method, path, body)
        assert answer.status_code == 422
        assert len(answer.data) < 10_000
        assert "19949 more" in answer.get_json()["errors"][50]["detail"]


@pytest.mark.parametrize("number", [2**31, 2**63 - 1, 2**63, 10**19 - 1, 10**30])
def test_an_id_beyond_every_column_is_nobody(both: Core, number: int) -> None:
    assert both.call(ALICE, "GET", f"/samples/{number}").status_code == 404
    if number < 2**64:
        body = {"proposalId": number, "shippingName": "x"}
        assert both.call(ALICE, "POST", "/shippings", body).status_code == 404


@pytest.mark.parametrize(
    "query", ["&".join(["url="] * 51), "search=%00", "name=%00", "name[like]=%00"]
)
def test_what_a_query_cannot_hold_is_400(both: Core, query: str) -> None:
    assert both.call(ALICE, "GET", f"/laboratories?{query}").status_code == 400


def test_a_name_can_be_said_back(both: Core) -> None:
    person = both.get(ALICE, "/user/current")["personId"]
    body = {"personId": person, "proposalCode": "MX", "proposalNumber": "A12"}
    assert both.call(ERIN, "POST", "/proposals", body).status_code == 422
    made = both.call(ERIN, "POST", "/proposals", {**body, "proposalNumber": "12A"})
    assert made.status_code == 201
    assert both.get(ERIN, "/proposals/MX12A")["proposalId"] == made.get_json()["proposalId"]


def test_a_query_that_waits_too_long_is_503_and_gone_from_the_server(
    mariadb: MariaDb, issuing: Issuing, tmp_path: Path
) -> None:
    core = make_core(mariadb.url(), tmp_path, issuing, more="query_timeout = 0.5")
    with core.database.reading() as connection:
        connection.exec_driver_sql("LOCK TABLES Shipping WRITE")
        answer = core.call(ALICE, "GET", "/shippings")
        assert answer.status_code == 503, answer.text
        assert answer.headers["Retry-After"]
        running = connection.exec_driver_sql("SHOW FULL PROCESSLIST").all()
        assert not [row for row in running if row[7] and "c0" in row[7]]
        connection.exec_driver_sql("UNLOCK TABLES")
    assert core.call(ALICE, "GET", "/shippings").status_code == 200
    core.close()

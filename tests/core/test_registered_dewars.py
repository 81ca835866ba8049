"""Dewars that come again: one code each, attached and detached, their last use, the orphans."""

from typing import Any

import pytest
from tests.cast import ALICE, BOB, DAVE, ERIN, OSCAR
from tests.core.conftest import Core


@pytest.fixture(scope="module")
def registered(core: Core) -> dict[str, Any]:
    """A dewar that alice has registered for MX1001."""
    proposal = core.one("/proposals?proposalNumber=1001")["proposalId"]
    body = {"facilityCode": "DLS-MX-0001", "proposalId": proposal}
    answer = core.call(ALICE, "POST", "/dewar-registry", body)
    assert answer.status_code == 201, answer.text
    return dict(answer.get_json())


def test_a_code_is_registered_once(core: Core, registered: dict[str, Any]) -> None:
    theirs = core.one("/proposals?proposalNumber=1002")["proposalId"]
    for who, proposal in ((ALICE, registered["proposalId"]), (BOB, theirs)):
        body = {"facilityCode": "dls-mx-0001", "proposalId": proposal}
        answer = core.call(who, "POST", "/dewar-registry", body)
        assert answer.status_code == 409
        assert answer.get_json()["errors"] == [
            {
                "field": "facilityCode",
                "detail": f"registered dewar {registered['dewarRegistryId']} "
                "has this facility code",
            }
        ]


def test_a_proposal_is_attached_once_and_detached(core: Core, registered: dict[str, Any]) -> None:
    key = registered["dewarRegistryId"]
    other = core.one("/proposals?proposalNumber=1002")["proposalId"]
    assert core.call(BOB, "GET", f"/dewar-registry/{key}").status_code == 404
    body = {"dewarRegistryId": key, "proposalId": other}
    # bob does not see what he would attach; alice does not see the proposal; erin sees both
    assert core.call(BOB, "POST", "/dewar-registry-proposals", body).status_code == 422
    assert core.call(ALICE, "POST", "/dewar-registry-proposals", body).status_code == 404
    made = core.call(ERIN, "POST", "/dewar-registry-proposals", body)
    assert made.status_code == 201, made.text
    again = core.call(ERIN, "POST", "/dewar-registry-proposals", body)
    assert again.status_code == 409
    assert again.get_json()["errors"][0]["field"] == "dewarRegistryId"
    assert core.get(BOB, f"/dewar-registry/{key}")["facilityCode"] == "DLS-MX-0001"
    link = made.get_json()["dewarRegistryHasProposalId"]
    assert core.call(ALICE, "DELETE", f"/dewar-registry-proposals/{link}").status_code == 404
    assert core.call(BOB, "DELETE", f"/dewar-registry-proposals/{link}").status_code == 204
    assert core.call(BOB, "GET", f"/dewar-registry/{key}").status_code == 404


def test_the_last_use_is_the_latest_shipment_that_the_asker_sees(
    core: Core, registered: dict[str, Any]
) -> None:
    path = f"/dewar-registry/{registered['dewarRegistryId']}/last-use"
    assert core.get(ALICE, path)["shippingId"] is None
    dewar = core.one("/dewars?code=MX1001-dewar-1")
    body = {"facilityCode": registered["facilityCode"]}
    assert core.call(ALICE, "PATCH", f"/dewars/{dewar['dewarId']}", body).status_code == 200
    used = core.get(ALICE, path)
    assert (used["dewarId"], used["shippingId"]) == (dewar["dewarId"], dewar["shippingId"])
    shipped = core.get(ALICE, f"/shippings/{dewar['shippingId']}")
    assert used["creationDate"] == shipped["creationDate"]
    named = {"dewarRegistryId": registered["dewarRegistryId"]}
    second = core.one("/dewars?code=MX1001-dewar-2")["dewarId"]
    assert core.call(ALICE, "PATCH", f"/dewars/{second}", named).status_code == 200
    assert core.get(ALICE, path)["dewarId"] == second
    assert core.get(DAVE, path)["dewarId"] == second  # the shipment is open
    for who in (BOB, OSCAR):
        assert core.call(who, "GET", path).status_code == 404


def test_orphans_are_those_that_no_proposal_has(core: Core, registered: dict[str, Any]) -> None:
    made = core.call(ERIN, "POST", "/dewar-registry", {"facilityCode": "DLS-MX-0002"})
    assert made.status_code == 201, made.text
    orphan = {
        "dewarRegistryId": made.get_json()["dewarRegistryId"], "facilityCode": "DLS-MX-0002",
    }  # fmt: skip
    found = core.get(ERIN, "/dewar-registry/orphans")
    assert (found["total"], found["results"]) == (1, [orphan])
    assert registered["dewarRegistryId"] != orphan["dewarRegistryId"]
    assert core.get(ALICE, "/dewar-registry/orphans")["total"] == 0
    assert core.call(None, "GET", "/dewar-registry/orphans").status_code == 401

"""Personal tokens and service accounts through the gateway: what they open in core and ssx."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import requests
from tests.suite.running import Caller, Run, wait_for

pytestmark = [pytest.mark.suite, pytest.mark.timeout(900)]

HONOURED_WITHIN = 30.0
TOMORROW = (datetime.now(UTC) + timedelta(days=1)).isoformat(timespec="seconds")


def entered(run: Run, login: str, secret: str) -> requests.Response:
    """What the gateway answers to a login."""
    sent = {"login": login, "password": secret}
    return requests.post(f"{run.clone.url}/auth/login", json=sent, timeout=10)


def narrowed(run: Run, login: str, secret: str) -> Caller:
    """A caller with the access token that a secret gives."""
    caller = Caller(run.clone.url, login)
    answer = entered(run, login, secret)
    assert answer.status_code == 200, answer.text
    caller.headers = {"Authorization": f"Bearer {answer.json()['token']}"}
    return caller


def statuses(caller: Caller, proposal: int) -> dict[str, int]:
    """What each of these requests is answered."""
    shipment: dict[str, Any] = {"proposalId": proposal, "shippingName": "by a script"}
    asked = {
        "read proposals": caller.ask("/core/proposals"),
        "read samples": caller.ask("/core/samples"),
        "write a proposal": caller.ask(
            f"/core/proposals/{proposal}", method="PATCH", json={"title": "by a script"}
        ),
        "write a shipment": caller.ask("/core/shippings", method="POST", json=shipment),
        "read runs": caller.ask("/ssx/runs"),
        "manage accounts": caller.ask("/auth/service-accounts"),
        "make a personal token": caller.ask("/auth/personal-tokens", method="POST", json={}),
    }
    return {what: answer.status_code for what, answer in asked.items()}


def test_a_personal_token_may_read_what_its_scope_says_and_write_nothing(first_run: Run) -> None:
    alice = Caller(first_run.clone.url, "alice")
    (proposal,) = alice.ask("/core/proposals?proposalCode=MX&proposalNumber=1001").json()["results"]
    made = alice.ask(
        "/auth/personal-tokens",
        method="POST",
        json={"name": "suite", "scope": ["proposals:read"], "expiresAt": TOMORROW},
    )
    assert made.status_code == 201, made.text
    script = narrowed(first_run, "alice", made.json()["token"])
    assert statuses(script, proposal["proposalId"]) == {
        "read proposals": 200,
        "read samples": 403,
        "write a proposal": 403,
        "write a shipment": 403,
        "read runs": 403,
        "manage accounts": 403,
        "make a personal token": 403,
    }
    seen = [row["proposalId"] for row in script.ask("/core/proposals").json()["results"]]
    assert seen == [proposal["proposalId"]]

    ended = alice.ask(f"/auth/personal-tokens/{made.json()['tokenId']}", method="DELETE")
    assert ended.status_code == 204
    assert entered(first_run, "alice", made.json()["token"]).status_code == 401
    for path in ("/core/proposals", "/ssx/runs"):
        wait_for(lambda path=path: script.ask(path).status_code == 401, HONOURED_WITHIN)


def test_a_service_account_sees_its_beamline_and_no_more(first_run: Run) -> None:
    erin = Caller(first_run.clone.url, "erin")
    made = erin.ask(
        "/auth/service-accounts",
        method="POST",
        json={"login": "bl2-pipeline", "scope": ["sessions:read"], "beamlines": ["BL2"]},
    )
    assert made.status_code == 201, made.text
    answer = entered(first_run, "bl2-pipeline", made.json()["secret"])
    assert answer.status_code == 200, answer.text
    headers = {"Authorization": f"Bearer {answer.json()['token']}"}
    told = requests.get(f"{first_run.clone.url}/core/sessions", headers=headers, timeout=10)
    assert told.status_code == 200
    assert {row["beamLineName"] for row in told.json()["results"]} == {"BL2"}
    refused = requests.get(f"{first_run.clone.url}/core/proposals", headers=headers, timeout=10)
    assert refused.status_code == 403
    assert erin.ask("/auth/service-accounts/bl2-pipeline", method="DELETE").status_code == 204
    assert entered(first_run, "bl2-pipeline", made.json()["secret"]).status_code == 401
    url = f"{first_run.clone.url}/core/sessions"
    wait_for(
        lambda: requests.get(url, headers=headers, timeout=10).status_code == 401, HONOURED_WITHIN
    )

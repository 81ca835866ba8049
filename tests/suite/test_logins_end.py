"""Logins end, and signing keys change, for every service behind the gateway."""

import json
import socket
import subprocess
import time
from collections.abc import Iterator

import jwt
import pytest
import requests
from tests.suite.conftest import free_port
from tests.suite.running import Caller, Clone, Run, wait_for

pytestmark = [pytest.mark.suite, pytest.mark.timeout(300)]

HONOURED_WITHIN = 30.0
LEAD, KEYS_EVERY = 10, 1
JSON = {"Content-Type": "application/json"}
PATHS = ("/core/proposals", "/ssx/runs", "/auth/userinfo")


@pytest.fixture(scope="module")
def run(clone: Clone) -> Iterator[Run]:
    """A suite of these tests' own, in which a new key signs soon."""
    variables = {
        "ISPYB_AUTH__KEY_LEAD_SECONDS": str(LEAD),
        # Whoever keeps our keys must look more often than the lead: the gateway took five seconds,
        # and a lead of five was over before its look now and then.
        "ISPYB_GATEWAY__KEYS_EVERY": str(KEYS_EVERY),
    }
    with clone.twin("state of logins", free_port(clone.port), **variables).start() as run:
        yield run


def command(run: Run, *words: str) -> subprocess.CompletedProcess[str]:
    """pyispyb-auth, as an operator calls it."""
    return subprocess.run(
        [run.clone.root / ".venv" / "bin" / "pyispyb-auth", *words],
        cwd=run.clone.root,
        env={**run.clone.environment, "ISPYB_STATE": str(run.clone.state)},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def answers(caller: Caller) -> set[int]:
    """What all services answer this caller."""
    return {caller.ask(path).status_code for path in PATHS}


def test_a_logout_ends_the_access_token_everywhere(run: Run) -> None:
    alice = Caller(run.clone.url, "alice")
    assert answers(alice) == {200}
    assert alice.ask("/auth/logout", method="POST").status_code == 204
    wait_for(lambda: answers(alice) == {401}, HONOURED_WITHIN, pause=0.5)
    assert answers(Caller(run.clone.url, "alice")) == {200}


def test_an_administrator_ends_all_logins_of_a_person_and_nobody_else_does(run: Run) -> None:
    bob, alice, erin = (Caller(run.clone.url, login) for login in ("bob", "alice", "erin"))
    assert alice.ask("/auth/logins/bob/revoke", method="POST").status_code == 403
    assert answers(bob) == {200}
    assert erin.ask("/auth/logins/bob/revoke", method="POST").ok
    wait_for(lambda: answers(bob) == {401}, HONOURED_WITHIN, pause=0.5)
    assert answers(alice) == {200}
    wait_for(lambda: answers(Caller(run.clone.url, "bob")) == {200}, 20, pause=1.1)


def test_an_answer_that_was_lost_on_the_way_costs_no_login(run: Run) -> None:
    sent = {"login": "alice", "password": "alice-demo"}
    first = requests.post(f"{run.clone.url}/auth/login", json=sent, timeout=10).json()
    body = json.dumps({"refreshToken": first["refreshToken"]}).encode()
    head = (
        f"POST /auth/refresh HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\n"
        f"Content-Length: {len(body)}\r\n\r\n"
    )
    used = "SELECT COUNT(*) FROM RefreshToken WHERE usedAt IS NOT NULL"
    ((before,),) = run.clone.rows("auth", used)
    with socket.create_connection(("127.0.0.1", run.clone.port)) as lost:
        lost.sendall(head.encode() + body)
        wait_for(lambda: run.clone.rows("auth", used) == [(before + 1,)], 10)
    again = requests.post(f"{run.clone.url}/auth/refresh", data=body, headers=JSON, timeout=10)
    assert again.status_code == 200
    token = again.json()["refreshToken"]
    following = requests.post(
        f"{run.clone.url}/auth/refresh", json={"refreshToken": token}, timeout=10
    )
    assert following.status_code == 200
    late = requests.post(f"{run.clone.url}/auth/refresh", data=body, headers=JSON, timeout=10)
    assert late.status_code == 401
    token = following.json()["refreshToken"]
    ended = requests.post(f"{run.clone.url}/auth/refresh", json={"refreshToken": token}, timeout=10)
    assert ended.status_code == 401


def kid(caller: Caller) -> str:
    """Which key signed this caller's token."""
    token = caller.headers["Authorization"].removeprefix("Bearer ")
    return str(jwt.get_unverified_header(token)["kid"])


def test_a_rotation_refuses_nobody_and_a_leaked_key_is_taken_out(run: Run) -> None:
    before = Caller(run.clone.url, "alice")
    old = kid(before)
    begun = time.monotonic()  # the lead runs from the moment at which the command writes the key
    rotated = command(run, "keys", "rotate")
    assert rotated.returncode == 0, rotated.stderr
    told: list[set[int]] = []

    def signs_anew() -> bool:
        caller = Caller(run.clone.url, "alice")
        told.extend([answers(before), answers(caller)])
        return kid(caller) != old

    wait_for(signs_anew, LEAD + 30)
    assert time.monotonic() - begun >= LEAD - 1
    for _ in range(10):
        told.extend([answers(before), answers(Caller(run.clone.url, "alice"))])
    assert set().union(*told) == {200}

    kept = command(run, "keys", "retire", old)
    assert kept.returncode == 1
    assert kept.stderr.count("\n") == 1
    assert answers(before) == {200}
    taken = command(run, "keys", "retire", old, "--now")
    assert taken.returncode == 0, taken.stderr
    wait_for(lambda: answers(before) == {401}, HONOURED_WITHIN, pause=0.5)
    assert answers(Caller(run.clone.url, "alice")) == {200}
    listed = requests.get(f"{run.clone.url}/auth/.well-known/jwks.json", timeout=10).json()
    assert old not in {key["kid"] for key in listed["keys"]}

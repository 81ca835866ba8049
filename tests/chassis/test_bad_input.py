"""What bad tokens get from a real service: 401, or 431 where the server refuses the form."""

import http.client
import json
import secrets
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import jwt
import pytest
from tests.cast import Issuing
from tests.chassis.served import Served, serving
from tests.chassis.test_serving import children
from tests.peers.http import Answering
from tests.token_forms import BAD, BAD_HEADERS, Make, encoded

from pyispyb_chassis.configuration import Issuer

# Longer header lines than this gunicorn does not read.
LONGEST_LINE = 8190
FLOOD, SETTLED = 1300, 300
# Random, so that a thousand that were kept would be 6 MB.
PADDING = 4500
MAY_GROW_BY = 4 * 2**20


@dataclass(frozen=True, slots=True)
class Stand:
    """The small service under gunicorn, and the issuer that it asks."""

    served: Served
    issuing: Issuing
    keys: Answering

    def ask(self, *authorization: str) -> tuple[int, bytes, str | None]:
        """Status, body and challenge of one request with these Authorization headers."""
        connection = http.client.HTTPConnection("127.0.0.1", self.served.port, timeout=10)
        try:
            connection.putrequest("GET", "/hello/things")
            for value in authorization:
                connection.putheader("Authorization", value)
            connection.endheaders()
            answer = connection.getresponse()
            return answer.status, answer.read(), answer.headers["WWW-Authenticate"]
        finally:
            connection.close()


@pytest.fixture(scope="module")
def stand(tmp_path_factory: pytest.TempPathFactory, issuing: Issuing) -> Iterator[Stand]:
    folder = tmp_path_factory.mktemp("bad")
    with Answering(issuing.jwks()) as keys:
        block = Issuer(issuer=issuing.issuer, jwks_url=f"{keys.url}/jwks.json")
        with serving(folder, issuer=block) as served:
            yield Stand(served, issuing, keys)


def test_a_good_token_is_taken(stand: Stand) -> None:
    status, body, _ = stand.ask(f"Bearer {stand.issuing.token('alice')}")
    assert (status, json.loads(body)["login"]) == (200, "alice")


@pytest.mark.parametrize("make", BAD.values(), ids=BAD.keys())
def test_a_bad_token_is_refused(stand: Stand, make: Make) -> None:
    sent = f"Bearer {make(stand.issuing)}"
    status, body, challenge = stand.ask(sent)
    if len(sent) > LONGEST_LINE:
        assert status == 431
    else:
        assert (status, challenge) == (401, "Bearer")
        assert json.loads(body)["detail"] == "a valid access token is needed"


@pytest.mark.parametrize("headers", BAD_HEADERS, ids=str)
def test_a_bad_header_is_refused(stand: Stand, headers: list[str]) -> None:
    token = stand.issuing.token("alice")
    status, _, challenge = stand.ask(*[value.replace("TOKEN", token) for value in headers])
    assert (status, challenge) == (401, "Bearer")


def unknown_kid(issuing: Issuing) -> str:
    claims: dict[str, object] = {"iss": issuing.issuer, "sub": "alice", "iat": 1, "exp": 2**33}
    claims["padding"] = secrets.token_urlsafe(PADDING)[:PADDING]
    kid = {"kid": secrets.token_hex(8)}
    return jwt.encode(claims, issuing.key, algorithm="ES256", headers=kid)


def not_signed_rightly(issuing: Issuing) -> str:
    head, _, _ = issuing.token(secrets.token_urlsafe(PADDING)[:PADDING]).rpartition(".")
    return f"{head}.{encoded(secrets.token_bytes(64))}"


@pytest.mark.parametrize(
    "make",
    [unknown_kid, not_signed_rightly, lambda _: secrets.token_urlsafe(PADDING)],
    ids=["unknown kids", "wrong signatures", "random bearers"],
)
def test_a_flood_costs_no_fetch_and_no_memory(stand: Stand, make: Make) -> None:
    stand.ask(f"Bearer {stand.issuing.token('alice')}")
    (worker,) = children(stand.served.process.pid)
    connection = http.client.HTTPConnection("127.0.0.1", stand.served.port, timeout=10)
    began, fetched, settled = time.monotonic(), len(stand.keys.asked), 0
    for n in range(FLOOD):
        headers = {"Authorization": f"Bearer {make(stand.issuing)}"}
        connection.request("GET", "/hello/things", headers=headers)
        answer = connection.getresponse()
        answer.read()
        assert answer.status == 401
        if n == SETTLED:
            settled = memory(worker)
    connection.close()
    grown = memory(worker) - settled
    # One for strangers each 30 s, and the worker's own each minute.
    most = 1 + (time.monotonic() - began) // 30 + 1 + (time.monotonic() - began) // 60
    assert len(stand.keys.asked) - fetched <= most
    assert grown < MAY_GROW_BY
    assert stand.ask(f"Bearer {stand.issuing.token('bob')}")[0] == 200


def memory(pid: int) -> int:
    """Resident bytes of a process."""
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    (resident,) = [line for line in lines if line.startswith("VmRSS:")]
    return int(resident.split()[1]) * 1024

"""Every form of a bad token against the gateway: refused, or left to the services, never a 500."""

import contextlib
import http.client
from collections.abc import Iterator

import pytest
from tests.cast import Issuing
from tests.gateway.stand import Stand, running
from tests.gateway.tokens import Key
from tests.token_forms import BAD, BAD_HEADERS

REFUSED = {400, 401, 431}
# Rightly signed and in time: whether their claims and headers say enough is the services' question.
LEFT_TO_THE_SERVICES = {
    "jwk beside the right signature",
    "jku",
    "x5u",
    "x5c",
    "no kid",
    "crit",
    "header typ of an ID token",
    "header typ of a logout token",
    "another issuer",
    "the issuer with a slash",
    "no issuer",
    "no iat",
    "issued in the future",
    "no sub",
    "an empty sub",
    "a sub that is no login",
    "a login with a line feed",
    "a login that is too long",
    "nonce",
    "at_hash",
    "c_hash",
    "typ ID",
    "typ Refresh",
}


@pytest.fixture(scope="module")
def issuing(tmp_path_factory: pytest.TempPathFactory) -> Issuing:
    return Issuing(tmp_path_factory.mktemp("issuing"))


@pytest.fixture(scope="module")
def stand(issuing: Issuing, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stand]:
    key = Key(issuing.kid)
    key.private = issuing.key
    with running(tmp_path_factory.mktemp("forms"), [key]) as found:
        yield found


def status(stand: Stand, authorizations: list[str], path: str) -> int:
    connection = http.client.HTTPConnection("127.0.0.1", stand.ports["gateway"], timeout=20)
    connection.putrequest("GET", path)
    for value in authorizations:
        connection.putheader("Authorization", value)
    with contextlib.closing(connection):
        # A gateway that has seen enough of a header answers and hangs up: the answer counts.
        with contextlib.suppress(BrokenPipeError, ConnectionResetError):
            connection.endheaders()
        return connection.getresponse().status


@pytest.mark.parametrize("form", BAD)
def test_a_bad_token(stand: Stand, issuing: Issuing, form: str) -> None:
    found = status(stand, [f"Bearer {BAD[form](issuing)}"], "/core/proposals")
    if form in LEFT_TO_THE_SERVICES:
        assert found == 200
    else:
        assert found in REFUSED


@pytest.mark.parametrize("headers", BAD_HEADERS, ids=str)
def test_bad_headers(stand: Stand, issuing: Issuing, headers: list[str]) -> None:
    sent = [header.replace("TOKEN", issuing.token("alice")) for header in headers]
    assert status(stand, sent, "/core/proposals") in REFUSED

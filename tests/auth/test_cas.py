"""Logins by a real CAS server: tickets that a client has, browsers, and answers that are none."""

from collections.abc import Callable, Iterator
from typing import Any
from urllib.parse import urlsplit

import jwt
import pytest
from tests.auth.conftest import ISSUER, Auth
from tests.peers.cas import Cas
from tests.peers.http import Answering

pytestmark = pytest.mark.parametrize("each_database", ["sqlite"], indirect=True)

SERVICE = "http://127.0.0.1:1/mxcube"
CALLBACK = f"{ISSUER}/browser/cas/callback"


@pytest.fixture(scope="module")
def site() -> Iterator[Cas]:
    """One CAS server for all of these."""
    with Cas() as server:
        yield server


def block(url: str, more: str = "") -> str:
    """A provider of this server's people."""
    return f"""
[auth.providers.cas]
kind = "cas"
url = "{url}"
service = "{SERVICE}"
timeout_seconds = 2
refusal_seconds = 0.1
groups = {{bl1 = "BL1 staff"}}
{more}
"""


def claims_of(token: str) -> dict[str, Any]:
    """Unverified: others test how our tokens are signed."""
    return dict(jwt.decode(token, options={"verify_signature": False}))


ALICE = {"sub": "alice", "name": "Alice C", "email": "alice@example.org", "groups": ["BL1 staff"]}


def test_a_ticket_counts_once_for_its_own_login(make_auth: Callable[..., Auth], site: Cas) -> None:
    auth = make_auth(block(site.url))
    ticket = site.ticket(SERVICE)
    answer = auth.post("/login", login="alice", token=ticket)
    assert answer.status_code == 200, answer.text
    claims = claims_of(answer.get_json()["token"])
    assert {name: claims[name] for name in ALICE} == ALICE
    assert auth.refresh(answer.get_json()["refreshToken"]).status_code == 200
    refused = {
        "used": ("alice", ticket),
        "another's": ("bob", site.ticket(SERVICE)),
        "for another service": ("alice", site.ticket("http://127.0.0.1:1/other")),
        "made up": ("alice", "ST-made-up"),
        "no ticket": ("alice", "x&ticket=y"),
        "of another kind": ("alice", "PGT-1"),
    }
    for what, (login, token) in refused.items():
        answer = auth.post("/login", login=login, token=token, plugin="cas")
        assert answer.status_code == 401, what


def test_a_browser_logs_in(make_auth: Callable[..., Auth], site: Cas) -> None:
    auth = make_auth(block(site.url))
    (told, _) = auth.client.get("/auth/config").get_json()["providers"]
    assert (told["takes"], told["url"], told["service"]) == (
        ["browser", "token"], site.url, SERVICE,
    )  # fmt: skip
    left = auth.client.get("/auth/browser/cas?return_to=/core/docs")
    back = site.log_in(left.headers["Location"])
    assert back.startswith(f"{CALLBACK}?state=")
    onward = auth.client.get(f"{urlsplit(back).path}?{urlsplit(back).query}").headers["Location"]
    path, _, code = onward.partition("#login_code=")
    assert path == "/core/docs"
    answer = auth.post("/browser/tokens", code=code)
    assert answer.status_code == 200, answer.text
    assert claims_of(answer.get_json()["token"])["sub"] == "alice"


@pytest.mark.parametrize("query", ["ticket=ST-made-up", "ticket=", "", "ticket=../x"])
def test_a_browser_without_a_good_ticket_is_refused(
    make_auth: Callable[..., Auth], site: Cas, query: str
) -> None:
    auth = make_auth(block(site.url))
    left = auth.client.get("/auth/browser/cas?return_to=/core/docs").headers["Location"]
    state = left.partition("state%3D")[2]
    answer = auth.client.get(f"/auth/browser/cas/callback?state={state}&{query}")
    assert answer.headers["Location"] == "/core/docs#login_error=refused"


def answered(inner: str, before: str = "") -> bytes:
    """What a CAS server might answer."""
    space = 'xmlns:cas="http://www.yale.edu/tp/cas"'
    return f"{before}<cas:serviceResponse {space}>{inner}</cas:serviceResponse>".encode()


BOMB = '<!DOCTYPE x [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;">]>'
FILE = '<!DOCTYPE x [<!ENTITY a SYSTEM "file:///etc/passwd">]>'
USER = "<cas:authenticationSuccess><cas:user>{}</cas:user></cas:authenticationSuccess>"
FAILURE = '<cas:authenticationFailure code="{}">x</cas:authenticationFailure>'


@pytest.mark.parametrize(
    ("answer", "status", "expected"),
    [
        (answered(USER.format("alice")), 200, 200),
        (answered(USER.format("bob")), 200, 401),
        (answered(USER.format("")), 200, 401),
        (answered(FAILURE.format("INVALID_TICKET")), 200, 401),
        (answered(FAILURE.format("INTERNAL_ERROR")), 200, 503),
        (answered(FAILURE.format("UNAUTHORIZED_SERVICE")), 200, 503),
        (answered(USER.format("&b;"), BOMB), 200, 503),
        (answered(USER.format("&a;"), FILE), 200, 503),
        (answered(""), 200, 503),
        (answered(USER.format("alice"), '<?xml version="1.0" encoding="none-such"?>'), 200, 503),
        (answered(USER.format("alice")) + b"\xff", 200, 503),
        (b"<html>", 200, 503),
        (b"", 200, 503),
        (answered(USER.format("alice")), 500, 503),
        (answered(USER.format("alice")), 302, 503),
        (b"x" * 1_000_100, 200, 503),
    ],
)
def test_what_the_server_answers(
    make_auth: Callable[..., Auth], answer: bytes, status: int, expected: int
) -> None:
    with Answering(body=answer, status=status) as server:
        auth = make_auth(block(server.url))
        got = auth.post("/login", login="alice", token="ST-1", plugin="cas")
        assert got.status_code == expected, got.text
        if expected == 503:
            assert got.get_json()["detail"] == "the provider cas does not answer"

"""Logins by a real OpenID provider: tokens that a client has, browsers, and what is no proof."""

import base64
import hashlib
import hmac
import json
import time
from collections.abc import Callable, Iterator
from typing import Any

import jwt
import pytest
from tests.auth.conftest import ISSUER, Auth
from tests.cast import Issuing
from tests.peers.http import Answering
from tests.peers.oidc import SECRET, Oidc
from tests.peers.ports import free_port

pytestmark = pytest.mark.parametrize("each_database", ["sqlite"], indirect=True)

CALLBACK = f"{ISSUER}/browser/oidc/callback"


@pytest.fixture(scope="module")
def site() -> Iterator[Oidc]:
    """One OpenID provider for all of these."""
    with Oidc(CALLBACK) as provider:
        yield provider


def block(issuer: str, more: str = "") -> str:
    """A provider of this issuer's people."""
    return f"""
[auth.providers.oidc]
kind = "oidc"
title = "The site"
issuer = "{issuer}"
client_id = "ispyb"
client_secret = "{SECRET}"
audience = "suite"
timeout_seconds = 2
refusal_seconds = 0.1
groups = {{"/bl1" = "BL1 staff"}}
{more}
"""


def claims_of(token: str) -> dict[str, Any]:
    """Unverified: others test how our tokens are signed."""
    return dict(jwt.decode(token, options={"verify_signature": False}))


def test_the_access_token_of_another_client_is_taken(
    make_auth: Callable[..., Auth], site: Oidc
) -> None:
    """As MXCuBE sends it: {plugin, login, token}."""
    auth = make_auth(block(site.issuer))
    token = site.tokens("alice")["access_token"]
    for body in ({"plugin": "oidc"}, {}):
        answer = auth.post("/login", login="alice", token=token, **body)
        assert answer.status_code == 200, answer.text
        claims = claims_of(answer.get_json()["token"])
        said = {name: claims.get(name) for name in ("sub", "name", "email", "groups")}
        assert said["sub"] == "alice"
        assert auth.refresh(answer.get_json()["refreshToken"]).status_code == 200
    assert auth.post("/login", login="bob", token=token).status_code == 401
    assert auth.post("/login", login="alice", token=token, plugin="static").status_code == 422
    with_password = auth.post("/login", login="alice", password="x", plugin="oidc")
    (fault,) = with_password.get_json()["errors"]
    said_of_it = "not taken by oidc; a password is taken by static"
    assert fault == {"field": "password", "detail": said_of_it}


def test_only_the_kind_of_token_that_is_asked_for(
    make_auth: Callable[..., Auth], site: Oidc
) -> None:
    tokens = site.tokens("alice")
    strict = make_auth(block(site.issuer))
    assert strict.post("/login", login="alice", token=tokens["id_token"]).status_code == 401
    own = make_auth(block(site.issuer, "id_tokens = true").replace('"ispyb"', '"mxcube"'))
    for kind in ("id_token", "access_token"):
        assert own.post("/login", login="alice", token=tokens[kind]).status_code == 200
    for_another = make_auth(block(site.issuer, "id_tokens = true"))
    assert for_another.post("/login", login="alice", token=tokens["id_token"]).status_code == 401


@pytest.mark.parametrize("more", ['clients = ["mxcube"]', 'clients = ["gda"]'])
def test_only_tokens_of_the_clients_that_are_named(
    make_auth: Callable[..., Auth], site: Oidc, more: str
) -> None:
    auth = make_auth(block(site.issuer, more))
    token = site.tokens("alice")["access_token"]
    expected = 200 if "mxcube" in more else 401
    assert auth.post("/login", login="alice", token=token).status_code == expected


SIGNED: list[tuple[str, dict[str, Any], int]] = [
    ("as it should be", {}, 200),
    ("one audience of several", {"aud": ["suite", "other"]}, 200),
    ("another's", {"preferred_username": "bob"}, 401),
    ("for another audience", {"aud": "other"}, 401),
    ("for nobody", {"aud": None}, 401),
    ("of another issuer", {"iss": "https://other.example.org"}, 401),
    ("expired", {"exp": 1}, 401),
    ("without an end", {"exp": None}, 401),
    ("not yet in force", {"nbf": 4102444800}, 401),
    ("without a subject", {"sub": None}, 401),
    ("an ID token, as it says", {"typ": "ID"}, 401),
    ("an ID token, by its nonce", {"nonce": "x"}, 401),
    ("an ID token, by its hash", {"at_hash": "x"}, 401),
    ("a login that is no text", {"preferred_username": ["alice"]}, 401),
    ("no login", {"preferred_username": None}, 401),
]


@pytest.mark.parametrize(("what", "claims", "status"), SIGNED, ids=[row[0] for row in SIGNED])
def test_what_a_signed_token_has_to_say(
    make_auth: Callable[..., Auth],
    tmp_path_factory: pytest.TempPathFactory,
    what: str,
    claims: dict[str, Any],
    status: int,
) -> None:
    with Answering() as server:
        issuing = Issuing(tmp_path_factory.mktemp("idp"), issuer=server.url)
        server.body = {**issuing.jwks(), "issuer": server.url, "jwks_uri": f"{server.url}/jwks"}
        auth = make_auth(block(server.url))
        usual = {"aud": "suite", "preferred_username": "alice"}
        token = issuing.token("id-of-alice", **{**usual, **claims})
        answer = auth.post("/login", login="alice", token=token, plugin="oidc")
        assert answer.status_code == status, what


def test_what_is_not_signed_by_it_is_refused_without_a_flood_of_fetches(
    make_auth: Callable[..., Auth], tmp_path_factory: pytest.TempPathFactory
) -> None:
    with Answering() as server:
        issuing = Issuing(tmp_path_factory.mktemp("idp"), issuer=server.url)
        server.body = {**issuing.jwks(), "issuer": server.url, "jwks_uri": f"{server.url}/jwks"}
        auth = make_auth(block(server.url))
        usual = {"aud": "suite", "preferred_username": "alice"}
        good = issuing.token("x", **usual)
        head, body, signature = good.split(".")
        payload = claims_of(good)
        public = issuing.pem_file.read_text()
        bad = {
            "tampered": f"{head}.{body}.{signature[:-4]}AAAA",
            "none": jwt.encode(payload, None, algorithm="none"),
            "hmac": _hmac(payload, public, issuing.kid),
            "garbage": "a.b.c",
            "no token": "x",
        }
        stranger = Issuing(tmp_path_factory.mktemp("stranger"), issuer=server.url)
        bad["another key"] = stranger.token("x", **usual)
        for n in range(3):  # fewer in all than are slowed down
            stranger.kid = f"kid-{n}"
            bad[stranger.kid] = stranger.token("x", **usual)
        assert auth.post("/login", login="alice", token=good).status_code == 200
        for what, token in bad.items():
            answer = auth.post("/login", login="alice", token=token, plugin="oidc")
            assert answer.status_code == 401, what
        assert len(server.asked) <= 4, "documents and keys once, and once for the strangers"


def _hmac(payload: dict[str, Any], public: str, kid: str) -> str:
    """A token that takes the public key for a shared secret; PyJWT refuses to make one."""

    def part(data: bytes) -> str:
        return base64.urlsafe_b64encode(data).rstrip(b"=").decode()

    header = part(json.dumps({"alg": "HS256", "kid": kid}).encode())
    signed = f"{header}.{part(json.dumps(payload).encode())}"
    return f"{signed}.{part(hmac.digest(public.encode(), signed.encode(), hashlib.sha256))}"


@pytest.mark.parametrize("fate", ["down", "hangs", "another's document", "no document", "no keys"])
def test_an_openid_provider_that_is_down_is_503_and_the_others_go_on(
    make_auth: Callable[..., Auth], tmp_path_factory: pytest.TempPathFactory, fate: str
) -> None:
    with Answering(delay=20 if fate == "hangs" else 0) as server:
        issuer = f"http://127.0.0.1:{free_port()}" if fate == "down" else server.url
        server.body = {
            "no document": b"<html>",
            "no keys": {"issuer": server.url, "jwks_uri": f"{server.url}/jwks", "keys": [7]},
        }.get(fate, {"issuer": "https://other"})
        auth = make_auth(block(issuer, "timeout_seconds = 1").replace("timeout_seconds = 2", ""))
        token = Issuing(tmp_path_factory.mktemp("idp"), issuer=issuer).token("x", aud="suite")
        before = time.monotonic()
        answer = auth.post("/login", login="alice", token=token)
        assert (answer.status_code, time.monotonic() - before < 10) == (503, True)
        assert answer.get_json()["detail"] == "the provider oidc does not answer"
        assert int(answer.headers["Retry-After"]) > 0
        assert auth.log_in("alice")
        left = auth.client.get("/auth/browser/oidc?return_to=/core/docs")
        assert (left.status_code, left.headers["Location"]) == (
            303, "/core/docs#login_error=unavailable",
        )  # fmt: skip


def test_the_others_are_told_how(make_auth: Callable[..., Auth], site: Oidc) -> None:
    auth = make_auth(block(site.issuer, 'login_pattern = "[a-z]+"'))
    told = auth.client.get("/auth/config").get_json()["providers"]
    assert told == [
        {
            "name": "oidc",
            "kind": "oidc",
            "title": "The site",
            "takes": ["browser", "token"],
            "loginPattern": "[a-z]+",
            "browser": "/auth/browser/oidc",
            "issuer": site.issuer,
            "clientId": "ispyb",
        },
        {"name": "static", "kind": "static", "title": "static", "takes": ["password"]},
    ]
    assert SECRET not in auth.client.get("/auth/config").text

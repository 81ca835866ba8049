"""Logging in: who gets what tokens, and what everybody else is told."""

import statistics
import time
from typing import Any

import jwt
import pytest
from tests.auth.conftest import ISSUER, Auth


def claims_of(auth: Auth, token: str) -> dict[str, Any]:
    """The claims, verified by the published key."""
    keys = jwt.PyJWKSet.from_dict(auth.client.get("/auth/.well-known/jwks.json").get_json())
    kid = jwt.get_unverified_header(token)["kid"]
    (key,) = [key for key in keys.keys if key.key_id == kid]
    return dict(jwt.decode(token, key.key, algorithms=["ES256"], issuer=ISSUER))


@pytest.mark.parametrize("login", ["alice", "bob", "carol", "dave", "erin", "oscar"])
def test_a_person_gets_a_token_that_the_published_key_verifies(auth: Auth, login: str) -> None:
    tokens = auth.log_in(login)
    assert set(tokens) == {"token", "refreshToken", "expiresIn", "tokenType", "login"}
    assert (tokens["tokenType"], tokens["expiresIn"], tokens["login"]) == ("Bearer", 900, login)
    claims = claims_of(auth, tokens["token"])
    assert set(claims) >= {"iss", "sub", "iat", "exp", "jti", "sid"}
    assert claims["sub"] == login
    assert claims["exp"] - claims["iat"] == 900
    assert not {"scope", "client_id", "beamlines"} & set(claims)


def test_a_service_account_carries_its_scope_and_beamlines(auth: Auth) -> None:
    claims = claims_of(auth, auth.log_in("mxcube")["token"])
    assert claims["client_id"] == claims["sub"] == "mxcube"
    assert claims["beamlines"] == ["BL1"]
    assert {"sessions:read", "runs:write"} <= set(claims["scope"].split())


BODIES: list[tuple[dict[str, Any], int, set[str]]] = [
    ({"login": "alice", "password": "wrong"}, 401, set()),
    ({"login": "ghost", "password": "ghost-demo"}, 401, set()),
    ({"login": "ALICE", "password": "alice-demo"}, 401, set()),
    ({"login": "alice", "password": "alice-demo "}, 401, set()),
    ({"login": "alice", "password": ""}, 422, {"password"}),
    ({"login": "alice"}, 422, {"password"}),
    ({"login": "alice", "password": "x", "token": "y"}, 422, {"password"}),
    ({"password": "x"}, 422, {"login"}),
    ({"login": 1, "password": ["x"], "colour": 1}, 422, {"login", "password", "colour"}),
    ({"login": "a" * 256, "password": "x"}, 422, {"login"}),
    ({"login": "alice", "password": "x" * 8193}, 422, {"password"}),
    ({"login": "alice", "password": "alice-demo", "plugin": "ldap"}, 422, {"plugin"}),
    ({"login": "alice", "token": "x"}, 422, {"token"}),
    ({"login": 1, "token": "x", "plugin": "ldap", "a": 1}, 422, {"login", "token", "plugin", "a"}),
    ({"login": "alice", "password": "alice-demo", "plugin": "static"}, 200, set()),
    ({"login": "alice", "password": "alice-demo", "token": None, "plugin": None}, 200, set()),
]


@pytest.mark.parametrize(("body", "status", "fields"), BODIES)
def test_bodies(auth: Auth, body: dict[str, Any], status: int, fields: set[str]) -> None:
    answer = auth.post("/login", **body)
    assert answer.status_code == status, answer.text
    told = {error["field"] for error in answer.get_json().get("errors", [])}
    assert told == fields


@pytest.mark.parametrize(
    ("data", "kind", "status"),
    [("{", "application/json", 400), ("[]", "application/json", 400), ("{}", "text/plain", 415)],
)
def test_what_is_not_json(auth: Auth, data: str, kind: str, status: int) -> None:
    assert auth.client.post("/auth/login", data=data, content_type=kind).status_code == status


def test_unknown_and_wrong_are_told_the_same(auth: Auth) -> None:
    wrong = auth.post("/login", login="alice", password="wrong")
    unknown = auth.post("/login", login="ghost", password="wrong")
    for answer in (wrong, unknown):
        assert answer.status_code == 401
        assert answer.headers["WWW-Authenticate"] == "Bearer"
    same = {"type", "title", "status", "detail", "instance"}
    assert {k: wrong.get_json()[k] for k in same} == {k: unknown.get_json()[k] for k in same}


def test_unknown_and_wrong_take_the_same_time(auth: Auth) -> None:
    """A hash is computed either way; without it an unknown login answers tens of times faster."""

    def took(login: str) -> float:
        start = time.perf_counter()
        auth.post("/login", login=login, password="wrong")
        return time.perf_counter() - start

    took("alice")
    pairs = [(took("alice"), took("ghost")) for _ in range(9)]
    ratio = statistics.median(unknown / wrong for wrong, unknown in pairs)
    assert 0.5 < ratio < 2


def test_who_provides(auth: Auth) -> None:
    assert auth.client.get("/auth/config").get_json() == {
        "providers": [
            {"name": "static", "kind": "static", "title": "static", "takes": ["password"]}
        ],
        "issuer": ISSUER,
        "expiresIn": 900,
    }


def test_an_unknown_plugin_is_told_the_configured_ones(auth: Auth) -> None:
    answer = auth.post("/login", login="alice", password="alice-demo", plugin="ldap")
    (fault,) = answer.get_json()["errors"]
    assert fault == {"field": "plugin", "detail": "no such plugin; configured: static"}


@pytest.mark.parametrize(
    ("path", "kept"), [("login", "no-store"), (".well-known/jwks.json", "public, max-age=60")]
)
def test_what_may_be_kept_on_the_way(auth: Auth, path: str, kept: str) -> None:
    if path == "login":
        answer = auth.post("/login", login="alice", password="alice-demo")
    else:
        answer = auth.client.get(f"/auth/{path}")
    assert answer.headers["Cache-Control"] == kept


def test_no_password_or_token_is_in_the_log(auth: Auth, capfd: pytest.CaptureFixture[str]) -> None:
    tokens = auth.log_in()
    auth.post("/login", login="alice", password="a wrong one")
    auth.refresh(tokens["refreshToken"])
    written = "".join(capfd.readouterr())
    for secret in ("alice-demo", "a wrong one", tokens["token"], tokens["refreshToken"]):
        assert secret not in written

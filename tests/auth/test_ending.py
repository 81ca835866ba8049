"""What ends before it expires, who is held up, and which key signs: the database and the folder."""

import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import jwt
import pytest
import sqlalchemy as sa
from tests.auth.conftest import ISSUER, Auth, run
from werkzeug.test import TestResponse

from pyispyb_auth.operations import keyring, keys
from pyispyb_auth.tables import login_failure, refresh_family, revocation


def listed(auth: Auth) -> dict[str, Any]:
    """The list on the inside port, verified by the published key."""
    answer = auth.client.get("/revocations", environ_overrides={"SERVER_PORT": "9101"})
    assert (answer.status_code, answer.mimetype) == (200, "application/jwt")
    token = answer.get_data(as_text=True)
    published = auth.client.get("/auth/.well-known/jwks.json").get_json()
    header = jwt.get_unverified_header(token)
    assert header["typ"] == "revocations+jwt"
    key = jwt.PyJWKSet.from_dict(published)[header["kid"]]
    return dict(jwt.decode(token, key, algorithms=["ES256"], issuer=ISSUER))


def claims(tokens: dict[str, Any]) -> dict[str, Any]:
    return dict(jwt.decode(tokens["token"], options={"verify_signature": False}))


def form(auth: Auth, path: str, **fields: Any) -> TestResponse:
    return auth.client.post(f"/auth{path}", data=fields)


WAYS: list[tuple[str, str, bool]] = [
    # how it ends, what is listed, whether the login goes on
    ("logout", "sid", False),
    ("revoked refresh token", "sid", False),
    ("revoked access token", "jti", True),
    ("reuse", "sid", False),
    ("withdrawn", "sid", False),
    ("by login", "login", False),
    ("by sid", "sid", False),
    ("by jti", "jti", True),
]


@pytest.mark.parametrize(("how", "kind", "goes_on"), WAYS)
def test_each_end_is_listed(auth: Auth, how: str, kind: str, *, goes_on: bool) -> None:
    tokens = auth.log_in()
    said = claims(tokens)
    first, sid, jti = tokens["refreshToken"], said["sid"], said["jti"]
    if how == "logout":
        auth.post("/logout", refreshToken=first)
    elif how == "revoked refresh token":
        assert form(auth, "/revoke", token=first).status_code == 200
    elif how == "revoked access token":
        assert form(auth, "/revoke", token=tokens["token"]).status_code == 200
    elif how == "reuse":
        second = auth.refresh(first).get_json()["refreshToken"]
        auth.refresh(second)
        assert auth.refresh(first).status_code == 401
    elif how == "withdrawn":
        (auth.folder / "accounts.toml").write_text("[accounts]\n")
        assert auth.refresh(first).status_code == 401
    else:
        words = {"by login": ["alice"], "by sid": ["--sid", sid], "by jti": ["--jti", jti]}[how]
        done = run(auth.file, "revoke", *words)
        assert done.returncode == 0, done.stderr
        assert '"event":"' in done.stderr
    told = listed(auth)
    assert (sid in told["revoked_sid"]) == (kind in {"sid", "login"})
    assert (jti in told["revoked_jti"]) == (kind == "jti")
    assert (told["not_before"].get("alice", 0) > said["iat"]) == (kind == "login")
    assert (auth.refresh(first).status_code == 200) == goes_on
    lines = run(auth.file, "revoked").stdout
    assert (sid if kind != "jti" else jti) in lines


def test_entries_expire_and_nothing_else_is_listed(auth: Auth) -> None:
    auth.post("/logout", refreshToken=auth.log_in()["refreshToken"])
    with auth.database.writing() as connection:
        past = datetime(2020, 1, 1, tzinfo=UTC).replace(tzinfo=None)
        connection.execute(revocation.update().values(expiresAt=past))
    auth.log_in("bob")
    told = listed(auth)
    assert (told["revoked_sid"], told["revoked_jti"], told["not_before"]) == ([], [], {})


@pytest.mark.parametrize("token", ["x", "a.b.c", "ispyb_pat_x"])
def test_a_token_of_nobody_is_revoked_already(auth: Auth, token: str) -> None:
    assert form(auth, "/revoke", token=token).status_code == 200
    assert listed(auth)["revoked_sid"] == []


GRANTS: list[tuple[dict[str, Any], int, str]] = [
    ({}, 400, "invalid_request"),
    ({"grant_type": "password"}, 400, "unsupported_grant_type"),
    ({"grant_type": "refresh_token"}, 400, "invalid_request"),
    ({"grant_type": "refresh_token", "refresh_token": "x"}, 400, "invalid_grant"),
    ({"grant_type": ["refresh_token", "x"], "refresh_token": "x"}, 400, "invalid_request"),
    ({"grant_type": "refresh_token", "refresh_token": "x", "scope": "a"}, 400, "invalid_scope"),
]


@pytest.mark.parametrize(("fields", "status", "error"), GRANTS)
def test_refusals_are_as_oauth_says(
    auth: Auth, fields: dict[str, Any], status: int, error: str
) -> None:
    answer = form(auth, "/token", **fields)
    assert (answer.status_code, answer.get_json()["error"]) == (status, error)
    assert answer.headers["Cache-Control"] == "no-store"


def test_the_token_endpoint_refreshes_and_metadata_says_where_it_is(auth: Auth) -> None:
    first = auth.log_in()
    given = form(
        auth, "/token", grant_type="refresh_token", refresh_token=first["refreshToken"]
    ).get_json()
    assert (given["token_type"], given["expires_in"]) == ("Bearer", 900)
    assert auth.refresh(given["refresh_token"]).status_code == 200
    said = auth.client.get(
        "/auth/userinfo", headers={"Authorization": f"Bearer {given['access_token']}"}
    )
    assert said.get_json()["sub"] == "alice"
    assert auth.client.get("/auth/userinfo").status_code == 401
    well_known = "/.well-known/oauth-authorization-server"
    told = auth.client.get(f"/auth{well_known}").get_json()
    assert told == auth.client.get(f"{well_known}/auth").get_json()
    assert (told["issuer"], told["token_endpoint"]) == (ISSUER, f"{ISSUER}/token")
    assert auth.client.post("/auth/token", json={}).get_json()["error"] == "invalid_request"


LIMITS = """
throttle_after = 2
throttle_login_after = 4
throttle_address_after = 6
throttle_longest_seconds = 60
"""


def attempt(auth: Auth, login: str, address: str, *, right: bool = False) -> TestResponse:
    password = f"{login}-demo" if right else "wrong"
    body = {"login": login, "password": password}
    return auth.client.post("/auth/login", json=body, headers={"X-Real-IP": address})


def test_who_guesses_waits_and_nobody_else(make_auth: Callable[..., Auth]) -> None:
    auth = make_auth(LIMITS)
    home, away, third = "192.0.2.1", "192.0.2.2", "192.0.2.3"
    assert attempt(auth, "alice", home, right=True).status_code == 200
    assert [attempt(auth, "alice", away).status_code for _ in range(3)] == [401, 401, 429]
    held = attempt(auth, "alice", away, right=True)  # a right word is told the same
    assert held.status_code == 429
    assert 1 <= int(held.headers["Retry-After"]) <= 60
    assert held.get_json()["detail"] == "too many refused logins; try again later"
    assert attempt(auth, "bob", away, right=True).status_code == 200
    assert [attempt(auth, "alice", third).status_code for _ in range(3)] == [401, 401, 429]
    # Four from everywhere: alice waits at a new place, and not where she has been before.
    assert attempt(auth, "alice", "192.0.2.4", right=True).status_code == 429
    assert attempt(auth, "alice", home, right=True).status_code == 200
    with auth.database.writing() as connection:
        connection.execute(login_failure.update().values(heldUntil=0))
    assert attempt(auth, "alice", away, right=True).status_code == 200


def test_a_flood_of_names_is_held_by_its_address(make_auth: Callable[..., Auth]) -> None:
    auth = make_auth(LIMITS)
    flood = "2001:db8::"
    told = [attempt(auth, f"nobody{n}", f"{flood}{n}").status_code for n in range(12)]
    assert told == [401] * 6 + [429] * 6
    assert attempt(auth, "alice", "2001:db8:1::1", right=True).status_code == 200
    with auth.database.reading() as connection:
        rows = connection.execute(sa.select(sa.func.count()).select_from(login_failure)).scalar()
    assert rows == 13


def test_a_new_key_is_published_then_signs_then_the_old_one_may_go(
    make_auth: Callable[..., Auth],
) -> None:
    auth = make_auth("key_lead_seconds = 100\ntoken_seconds = 60")
    folder = auth.folder / "keys"
    old = keys.keys_in(folder)[0]
    assert run(auth.file, "keys", "retire", old.kid).returncode == 1
    assert run(auth.file, "keys", "retire", "unknown").returncode == 1
    assert run(auth.file, "keys", "rotate").returncode == 0
    new = next(key for key in keys.keys_in(folder) if key.kid != old.kid)
    lead, start = timedelta(seconds=100), new.made
    both = sorted([old, new], key=lambda key: (key.made, key.kid), reverse=True)
    older = keyring.signing([new], lead, start)
    assert older == new  # alone it signs at once
    for later, signs in ((0, both[1]), (99, both[1]), (101, both[0])):
        assert keyring.signing(both, lead, start + timedelta(seconds=later)) == signs
    assert run(auth.file, "keys", "retire", both[1].kid).returncode == 1
    done = run(auth.file, "keys", "retire", both[1].kid, "--now")
    assert done.returncode == 0, done.stderr
    assert '"event":"key retired"' in done.stderr
    assert "signs" in done.stdout
    assert len(keys.keys_in(folder)) == 1


def test_a_running_auth_follows_its_folder(make_auth: Callable[..., Auth]) -> None:
    auth = make_auth("key_lead_seconds = 0")
    old = auth.log_in()["token"]
    time.sleep(1.1)
    assert run(auth.file, "keys", "rotate").returncode == 0
    time.sleep(1.2)
    new = auth.log_in("bob")["token"]
    kids = [jwt.get_unverified_header(token)["kid"] for token in (old, new)]
    assert kids[0] != kids[1]
    published = auth.client.get("/auth/.well-known/jwks.json").get_json()["keys"]
    assert {key["kid"] for key in published} == set(kids)
    for token in (old, new):
        bearer = {"Authorization": f"Bearer {token}"}
        assert auth.client.get("/auth/userinfo", headers=bearer).status_code == 200


def test_an_administrator_signs_somebody_out(make_auth: Callable[..., Auth]) -> None:
    auth = make_auth()
    tokens = auth.log_in()
    bearer = {"Authorization": f"Bearer {tokens['token']}"}
    assert auth.client.post("/auth/logins/alice/revoke").status_code == 401
    assert auth.client.post("/auth/logins/bob/revoke", headers=bearer).status_code == 403
    with auth.database.reading() as connection:
        assert connection.execute(sa.select(refresh_family.c.endedAt)).scalars().all() == [None]

"""Logins by a browser, on both databases: away to a real OpenID provider, back, to tokens."""

import re
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
import sqlalchemy as sa
from tests.auth.conftest import Auth
from tests.auth.test_oidc import CALLBACK, block, claims_of
from tests.peers.oidc import Oidc
from werkzeug.test import TestResponse

from pyispyb_auth.tables import browser_login

on_sqlite = pytest.mark.parametrize("each_database", ["sqlite"], indirect=True)


@pytest.fixture(scope="module")
def site() -> Iterator[Oidc]:
    """One OpenID provider for all of these."""
    with Oidc(CALLBACK) as provider:
        yield provider


def leave(auth: Auth, return_to: str = "/core/docs?x=1") -> str:
    """Where a browser is sent."""
    answer = auth.client.get("/auth/browser/oidc", query_string={"return_to": return_to})
    assert answer.status_code == 302, answer.text
    cookie = answer.headers["Set-Cookie"]
    for attribute in ("HttpOnly", "SameSite=Lax", "Path=/auth/browser", "Max-Age=660"):
        assert attribute in cookie
    return answer.headers["Location"]


def come_back(auth: Auth, url: str) -> str:
    """Where it goes on from the callback."""
    parts = urlsplit(url)
    answer = auth.client.get(f"{parts.path}?{parts.query}")
    assert answer.status_code == 303, answer.text
    assert answer.headers["Cache-Control"] == "no-store"
    assert answer.headers["Referrer-Policy"] == "no-referrer"
    return answer.headers["Location"]


def redeem(auth: Auth, location: str) -> TestResponse:
    """The tokens for the code in a location."""
    return auth.post(
        "/browser/tokens", code=urlsplit(location).fragment.removeprefix("login_code=")
    )


def test_a_browser_logs_in_and_its_code_counts_once(
    make_auth: Callable[..., Auth], site: Oidc
) -> None:
    auth = make_auth(block(site.issuer))
    url = leave(auth)
    asked = {name: values[0] for name, values in parse_qs(urlsplit(url).query).items()}
    assert asked["code_challenge_method"] == "S256"
    assert asked["redirect_uri"] == CALLBACK
    back = site.log_in(url, "alice")
    location = come_back(auth, back)
    assert re.fullmatch(r"/core/docs\?x=1#login_code=[\w-]{43}", location)
    with auth.database.reading() as connection:
        (row,) = connection.execute(sa.select(browser_login)).all()
    assert urlsplit(location).fragment.partition("=")[2] not in str(row)
    answer = redeem(auth, location)
    assert answer.status_code == 200, answer.text
    assert set(answer.get_json()) == {
        "token", "refreshToken", "expiresIn", "tokenType", "login",
    }  # fmt: skip
    claims = claims_of(answer.get_json()["token"])
    said = {name: claims[name] for name in ("sub", "name", "email", "groups")}
    assert said == {
        "sub": "alice", "name": "alice O", "email": "alice@example.org", "groups": ["BL1 staff"],
    }  # fmt: skip
    assert auth.refresh(answer.get_json()["refreshToken"]).status_code == 200
    assert redeem(auth, location).status_code == 401
    assert come_back(auth, back) == "/#login_error=expired"


def test_two_windows_log_in_at_once(make_auth: Callable[..., Auth], site: Oidc) -> None:
    auth = make_auth(block(site.issuer))
    one, other = leave(auth, "/core/docs"), leave(auth, "/ssx/docs")
    left = {"alice": one, "bob": other}
    on = {login: come_back(auth, site.log_in(url, login)) for login, url in left.items()}
    assert {login: redeem(auth, where).get_json()["login"] for login, where in on.items()} == {
        "alice": "alice", "bob": "bob",
    }  # fmt: skip


def test_nobody_goes_on_with_what_another_browser_began(
    make_auth: Callable[..., Auth], site: Oidc
) -> None:
    auth = make_auth(block(site.issuer))
    back = site.log_in(leave(auth), "alice")
    other = Auth(auth.client.application.test_client(), *[
        getattr(auth, name) for name in ("database", "folder", "file", "configuration")
    ])  # fmt: skip
    assert come_back(other, back) == "/#login_error=expired"
    location = come_back(auth, back)
    assert redeem(other, location).status_code == 401
    assert redeem(auth, location).status_code == 200


def altered(name: str) -> Any:
    """What is kept for a browser, with one letter more in this."""
    return sa.func.replace(browser_login.c.kept, f'"{name}": "', f'"{name}": "x')


@on_sqlite
@pytest.mark.parametrize(
    ("what", "expected"),
    [
        ("the person said no", "/core/docs?x=1#login_error=refused"),
        ("a code of nobody", "/core/docs?x=1#login_error=refused"),
        ("another state", "/#login_error=expired"),
        ("no state", "/#login_error=expired"),
        ("an answer of another provider", "/core/docs?x=1#login_error=refused"),
        ("too late", "/#login_error=expired"),
        ("it went down meanwhile", "/core/docs?x=1#login_error=unavailable"),
        ("another's login", "/core/docs?x=1#login_error=refused"),
        ("another's nonce", "/core/docs?x=1#login_error=refused"),
        ("another's verifier", "/core/docs?x=1#login_error=refused"),
    ],
)
def test_a_browser_that_does_not_come_back_well(
    make_auth: Callable[..., Auth], site: Oidc, what: str, expected: str
) -> None:
    pattern = 'login_pattern = "a.*"' if what == "another's login" else ""
    auth = make_auth(block(site.issuer, pattern))
    url = leave(auth)
    state = parse_qs(urlsplit(url).query)["state"][0]
    back = f"{CALLBACK}?state={state}&"
    match what:
        case "the person said no":
            back += "error=access_denied"
        case "a code of nobody":
            back += "code=nobody"
        case "another's login":
            back = site.log_in(url, "bob")
        case _:
            back = site.log_in(url, "alice")
    if what == "another state":
        back = back.replace(state, "x" * len(state))
    elif what == "no state":
        back = back.replace(f"state={state}", "")
    elif what == "an answer of another provider":
        back = re.sub(r"iss=[^&]*", "iss=https://other.example.org", back)
    changes: dict[str, Any] = {
        "too late": {"expiresAt": sa.text("'2020-01-01 00:00:00'")},
        "another's nonce": {"kept": altered("nonce")},
        "another's verifier": {"kept": altered("verifier")},
    }.get(what, {})
    if changes:
        with auth.database.writing() as connection:
            connection.execute(sa.update(browser_login).values(**changes))
    if what == "it went down meanwhile":
        site.kill()
    try:
        assert come_back(auth, back) == expected
    finally:
        if what == "it went down meanwhile":
            site.start()


def test_of_many_that_redeem_a_code_at_once_one_gets_tokens(
    make_auth: Callable[..., Auth], site: Oidc
) -> None:
    auth = make_auth(block(site.issuer))
    left = auth.client.get("/auth/browser/oidc?return_to=/core/docs")
    cookie = left.headers["Set-Cookie"].partition(";")[0]
    location = come_back(auth, site.log_in(left.headers["Location"], "alice"))
    code = urlsplit(location).fragment.removeprefix("login_code=")

    def redeemed(_n: int) -> int:
        with auth.client.application.test_client(use_cookies=False) as client:
            headers = {"Cookie": cookie}
            answer = client.post("/auth/browser/tokens", json={"code": code}, headers=headers)
            return answer.status_code

    with ThreadPoolExecutor(4) as threads:
        assert sorted(threads.map(redeemed, range(4))) == [200, 401, 401, 401]


@on_sqlite
def test_a_code_lives_for_a_minute(make_auth: Callable[..., Auth], site: Oidc) -> None:
    auth = make_auth(block(site.issuer))
    location = come_back(auth, site.log_in(leave(auth), "alice"))
    with auth.database.writing() as connection:
        (row,) = connection.execute(sa.select(browser_login.c.expiresAt, browser_login.c.arrivedAt))
        assert (row.expiresAt - row.arrivedAt).total_seconds() <= 62
        old = sa.update(browser_login).values(expiresAt=sa.text("'2020-01-01 00:00:00'"))
        connection.execute(old)
    assert redeem(auth, location).status_code == 401


@on_sqlite
@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/auth/browser/oidc", 400),
        ("/auth/browser/oidc?return_to=core", 400),
        ("/auth/browser/oidc?return_to=//evil.example.org", 400),
        ("/auth/browser/oidc?return_to=/%5Cevil.example.org", 400),
        ("/auth/browser/oidc?return_to=/%09/evil.example.org", 400),
        ("/auth/browser/oidc?return_to=https://evil.example.org", 400),
        ("/auth/browser/oidc?return_to=/x%0d%0aSet-Cookie:%20a=b", 400),
        ("/auth/browser/oidc?return_to=/x%23login_code=y", 400),
        ("/auth/browser/oidc?return_to=/a&return_to=/b", 400),
        ("/auth/browser/static?return_to=/", 404),
        ("/auth/browser/nobody?return_to=/", 404),
        ("/auth/browser/nobody/callback?state=x", 404),
        ("/auth/browser/oidc?return_to=/", 302),
    ],
)
def test_where_a_browser_may_be_sent_back_to(
    make_auth: Callable[..., Auth], site: Oidc, path: str, status: int
) -> None:
    auth = make_auth(block(site.issuer))
    assert auth.client.get(path).status_code == status

"""Logins by a site's own HTTP service: what it is asked, and what its answers mean."""

import json
import time
from collections.abc import Callable
from typing import Any

import jwt
import pytest
from tests.auth.conftest import Auth
from tests.peers.http import Answering
from tests.peers.ports import free_port

pytestmark = pytest.mark.parametrize("each_database", ["sqlite"], indirect=True)


def block(url: str, more: str = "") -> str:
    """A provider that asks this service."""
    return f"""
[auth.providers.remote]
kind = "remote"
url = "{url}/prove"
secret = "by which it knows us"
timeout_seconds = 1
refusal_seconds = 0.1
{more}
"""


def site(asked: dict[str, str]) -> tuple[int, Any]:
    """A service that knows gail, and answers look-ups."""
    identity = {"name": "Gail R", "email": "gail@example.org", "groups": ["BL2 staff"], "x": 1}
    if "password" not in asked:
        return (200, identity) if asked["login"] == "gail" else (404, None)
    return (200, identity) if asked == {"login": "gail", "password": "right"} else (401, None)


def test_who_gets_in(make_auth: Callable[..., Auth]) -> None:
    with Answering(body=site) as server:
        auth = make_auth(block(server.url))
        answer = auth.post("/login", login="gail", password="right")
        assert answer.status_code == 200, answer.text
        claims = jwt.decode(answer.get_json()["token"], options={"verify_signature": False})
        assert (claims["sub"], claims["name"], claims["groups"]) == (
            "gail", "Gail R", ["BL2 staff"],
        )  # fmt: skip
        (asked,) = server.asked
        assert json.loads(asked.body) == {"login": "gail", "password": "right"}
        assert asked.headers["Authorization"] == "Bearer by which it knows us"
        assert auth.refresh(answer.get_json()["refreshToken"]).status_code == 200
        for login, password in (("gail", "wrong"), ("ghost", "right")):
            assert auth.post("/login", login=login, password=password).status_code == 401


def test_with_lookups_it_is_asked_before_it_is_told_and_at_each_refresh(
    make_auth: Callable[..., Auth],
) -> None:
    known = {"gail"}

    def answer(asked: dict[str, str]) -> tuple[int, Any]:
        return site(asked) if asked["login"] in known else (404, None)

    with Answering(body=answer) as server:
        auth = make_auth(block(server.url, "lookups = true"))
        assert auth.log_in("alice"), "its password is for the accounts file"
        assert [json.loads(one.body) for one in server.asked] == [{"login": "alice"}]
        token = auth.post("/login", login="gail", password="right").get_json()["refreshToken"]
        known.clear()
        assert auth.refresh(token).status_code == 401


@pytest.mark.parametrize(
    ("status", "body", "expected"),
    [
        (200, {}, 200),
        (200, {"login": "gail"}, 200),
        (200, {"login": ""}, 503),
        (200, {"login": 7}, 503),
        (200, {"groups": "all"}, 503),
        (200, [], 503),
        (200, b"<html>", 503),
        (401, {}, 401),
        (403, {}, 503),
        (404, {}, 503),
        (302, {}, 503),
        (500, {}, 503),
    ],
)
def test_what_an_answer_means(
    make_auth: Callable[..., Auth], status: int, body: Any, expected: int
) -> None:
    with Answering(status=status, body=body) as server:
        auth = make_auth(block(server.url))
        answer = auth.post("/login", login="gail", password="right", plugin="remote")
        assert answer.status_code == expected, answer.text


@pytest.mark.parametrize("fate", ["down", "hangs"])
def test_a_service_that_does_not_answer_is_503_and_the_others_go_on(
    make_auth: Callable[..., Auth], fate: str
) -> None:
    with Answering(delay=20) as server:
        url = server.url if fate == "hangs" else f"http://127.0.0.1:{free_port()}"
        auth = make_auth(block(url))
        before = time.monotonic()
        for _ in range(2):
            answer = auth.post("/login", login="gail", password="right")
            assert answer.status_code == 503
            assert answer.get_json()["detail"] == "the provider remote does not answer"
        assert time.monotonic() - before < 10
        assert len(server.asked) == (fate == "hangs"), "the second is refused without asking"
        assert auth.log_in("alice")
        ready = auth.client.get("/health/ready", base_url="http://127.0.0.1:9101").get_json()
        assert ready["ready"], "the others go on"
        assert ready["noted"]["provider remote"] == "the provider remote does not answer"

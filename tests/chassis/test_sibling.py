"""Asking a sibling: as the caller, under the request's id, never for long."""

import time
from collections.abc import Iterator
from typing import Any

import pytest
from flask import Flask
from tests.peers.http import Answering

from pyispyb_chassis.errors import ServiceError
from pyispyb_chassis.principal import Principal
from pyispyb_chassis.sibling import Sibling

ALICE = Principal(login="alice", issuer="suite", expires=2**40, token="the.callers.token")


@pytest.fixture
def request_under_way() -> Iterator[None]:
    with Flask("hello").test_request_context("/", headers={"X-Request-ID": "one-id"}):
        yield


def outcome(sibling: Sibling) -> Any:
    try:
        return sibling.get("/core/user/access", ALICE)
    except ServiceError as error:
        return type(error).__name__


@pytest.mark.usefixtures("request_under_way")
def test_it_is_asked_as_the_caller_under_the_same_id(monkeypatch: pytest.MonkeyPatch) -> None:
    with Answering({"all": False}) as server, Answering({}) as proxy:
        monkeypatch.setenv("http_proxy", proxy.url)
        assert outcome(Sibling("core", server.url + "/")) == {"all": False}
        (asked,) = server.asked
        assert asked.path == "/core/user/access"
        assert asked.headers["Authorization"] == "Bearer the.callers.token"
        assert asked.headers["X-Request-ID"] == "one-id"
        assert proxy.asked == []


@pytest.mark.usefixtures("request_under_way")
@pytest.mark.parametrize(
    ("status", "body", "told"),
    [
        (200, [1], [1]),
        (200, b"not JSON", "Unavailable"),
        (401, {}, "Unauthenticated"),
        (403, {}, "Forbidden"),
        (404, {}, "NotFound"),
        (302, {}, "Unavailable"),
        (400, {}, "Unavailable"),
        (429, {}, "Unavailable"),
        (500, {}, "Unavailable"),
        (503, {}, "Unavailable"),
    ],
)
def test_what_its_answer_becomes(status: int, body: object, told: object) -> None:
    with Answering(body, status=status) as server:
        assert outcome(Sibling("core", server.url)) == told


@pytest.mark.usefixtures("request_under_way")
def test_a_sibling_that_hangs_costs_its_time_out_once() -> None:
    with Answering({}, delay=20) as server:
        sibling = Sibling("core", server.url, timeout=0.3)
        began = time.monotonic()
        assert outcome(sibling) == "Unavailable"
        assert time.monotonic() - began < 10
        assert [outcome(sibling) for _ in range(20)] == ["Unavailable"] * 20
        assert time.monotonic() - began < 10
        assert len(server.asked) == 1


@pytest.mark.usefixtures("request_under_way")
def test_a_sibling_that_went_and_came_back() -> None:
    server = Answering({"well": True})
    sibling = Sibling("core", server.url)
    with server:
        assert outcome(sibling) == {"well": True}
    assert outcome(sibling) == "Unavailable"
    with server:
        time.sleep(1.1)
        assert outcome(sibling) == {"well": True}


@pytest.mark.usefixtures("request_under_way")
def test_a_refusal_is_an_answer_and_opens_no_breaker() -> None:
    with Answering({}, status=404) as server:
        sibling = Sibling("core", server.url)
        assert [outcome(sibling) for _ in range(3)] == ["NotFound"] * 3
        assert len(server.asked) == 3

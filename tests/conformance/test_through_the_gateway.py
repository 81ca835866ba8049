"""The kit against our own auth and against the stand-in in its place, with real core and ssx."""

import json
import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest
import requests
from tests.conformance.parts import Parts
from tests.peers.standin import StandIn

from pyispyb_conformance.cli import run

LIST = {"5.4", "5.5"}  # the block names no list of revoked tokens
LONG = {"7.7"}  # a token that lives for a quarter of an hour is not waited for
WITHOUT = {"6.2", "6.3"}  # an auth without config and metadata
PLACE = 'auth_url = "{url}"\nauth_health_path = ""'


@dataclass(frozen=True, slots=True)
class Suite:
    """A running suite, and the clauses that may be left untried."""

    parts: Parts
    may_be_left: set[str]


@pytest.fixture(scope="module")
def parts(tmp_path_factory: pytest.TempPathFactory) -> Parts:
    """Databases and accounts, made once."""
    return Parts(tmp_path_factory.mktemp("parts"))


@pytest.fixture(scope="module", params=["ours", "another"])
def suite(parts: Parts, request: pytest.FixtureRequest) -> Iterator[Suite]:
    """The same suite with our auth, and with the stand-in in its place."""
    if request.param == "ours":
        parts.configure()
        with parts.running("auth", "core", "ssx"):
            yield Suite(parts, LONG)
        return
    with StandIn(issuer="https://login.example.org", TOKEN_SECONDS="10") as stand_in:
        # All that is said of another auth: its issuer block, its URL and that it has no health.
        parts.configure(stand_in.block(), PLACE.format(url=stand_in.url))
        with parts.running("core", "ssx"):
            yield Suite(parts, WITHOUT | LIST)


def test_every_clause_holds(suite: Suite, capsys: pytest.CaptureFixture[str]) -> None:
    url = suite.parts.url
    wait_until_served(url)
    words = [url, "--login", "alice", "--password", "alice-demo", "--json"]
    code = run([*words, "--issuer-block", str(suite.parts.file)])
    rows: list[dict[str, Any]] = json.loads(capsys.readouterr().out)["clauses"]
    seen = {
        outcome: {row["clause"]: row["seen"] for row in rows if row["outcome"] == outcome}
        for outcome in ("broken", "not tried")
    }
    assert seen["broken"] == {}
    assert set(seen["not tried"]) <= suite.may_be_left, seen["not tried"]
    assert code == 0


def wait_until_served(url: str, seconds: float = 20) -> None:
    """Until the gateway reaches auth, core and ssx: it asks some of them for their health first."""
    deadline = time.monotonic() + seconds
    waiting = ["/auth/.well-known/jwks.json", "/core/version", "/ssx/version"]
    while waiting and time.monotonic() < deadline:
        waiting = [path for path in waiting if not requests.get(url + path, timeout=5).ok]
        time.sleep(0.1)
    assert not waiting

"""Who is turned away for asking too often, and who never is."""

import contextlib
import http.client
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from tests.gateway.stand import Stand, running
from tests.gateway.tokens import Key, bearer

from pyispyb_gateway.settings import GatewaySettings

PER_TOKEN = 8
PER_ADDRESS = 6


@pytest.fixture(scope="module")
def stand(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stand]:
    folder = tmp_path_factory.mktemp("limits")
    limits = {"rate_per_token": PER_TOKEN, "rate_per_address": PER_ADDRESS}
    with running(folder, [Key("now")], **limits) as found:
        yield found


@pytest.mark.parametrize(
    ("path", "with_token", "allowed"),
    [
        ("/core/proposals", True, PER_TOKEN),
        ("/ssx/runs", True, PER_TOKEN),
        ("/auth/login", False, PER_ADDRESS),
        ("/core/version", False, PER_ADDRESS),
        ("/ssx/docs", False, PER_ADDRESS),
        ("/corexyz", False, PER_ADDRESS),
        ("/metrics", False, PER_ADDRESS),
    ],
)
def test_too_many(stand: Stand, path: str, with_token: bool, allowed: int) -> None:  # noqa: FBT001
    headers = bearer(stand.keys[0].token(jti=path)) if with_token else {}
    expected = 404 if path in {"/corexyz", "/metrics"} else 200
    answers = [stand.ask(path, headers=headers) for _ in range(allowed + 3)]
    assert [answer.status for answer in answers] == [expected] * allowed + [429] * 3
    for answer in answers[allowed:]:
        assert 1 <= int(answer.headers["retry-after"]) <= 60
        assert answer.json["message"] == "API rate limit exceeded"
        assert set(answer.json) <= {"message", "request_id"}


def test_another_token_has_its_own_limit(stand: Stand) -> None:
    first, second = (bearer(stand.keys[0].token(jti=name)) for name in ("first", "second"))
    for _ in range(PER_TOKEN + 1):
        last = stand.ask("/core/proposals", headers=first)
    assert last.status == 429
    assert stand.ask("/core/proposals", headers=second).status == 200


def test_each_service_has_its_own_limit(stand: Stand) -> None:
    headers = bearer(stand.keys[0].token(jti="both"))
    for _ in range(PER_TOKEN + 1):
        last = stand.ask("/core/proposals", headers=headers)
    assert last.status == 429
    assert stand.ask("/ssx/runs", headers=headers).status == 200


def test_a_bad_token_uses_up_nobodys_limit(stand: Stand) -> None:
    good = bearer(stand.keys[0].token(jti="good"))
    for _ in range(PER_TOKEN * 2):
        assert stand.ask("/core/proposals", headers=bearer("a.b.c")).status == 401
    assert stand.ask("/core/proposals", headers=good).status == 200


def test_batches_have_no_limit(stand: Stand) -> None:
    headers = bearer(stand.token)
    found = {
        stand.ask(f"/ssx/runs/1/batches/{number}", "PUT", headers, b"{}").status
        for number in range(PER_TOKEN * 10)
    }
    assert found == {200}


# What one address sends in a minute: who, how, to where, how often; each line has a connection.
A_NIGHT = [
    *[("pollers", "GET", "/core/proposals", 10 * 60)] * 20,  # one login, ten times a second each
    *[("feeder", "PUT", "/ssx/runs/1/batches/7", 10 * 60)] * 4,
    ("beamline", "POST", "/core/datacollections", 600),
    (None, "POST", "/auth/login", 25 * 10),  # all of them log in, ten times
    (None, "GET", "/core/version", 600),
]


def test_the_defaults_let_a_beamline_through(tmp_path: Path) -> None:
    with running(tmp_path, [Key("now")]) as stand, ThreadPoolExecutor(len(A_NIGHT)) as pool:
        settings = GatewaySettings()
        assert sum(line[3] for line in A_NIGHT if line[0] == "pollers") >= settings.rate_per_token
        told = [pool.submit(ask_often, stand, *line) for line in A_NIGHT]
        assert [one.result() for one in told] == [{200: often} for *_, often in A_NIGHT]


def ask_often(stand: Stand, who: str | None, method: str, path: str, often: int) -> dict[int, int]:
    """Ask again and again on one connection; how often each status was the answer."""
    headers = bearer(stand.keys[0].token(sub=who)) if who else {}
    counted: dict[int, int] = {}
    connection = http.client.HTTPConnection("127.0.0.1", stand.ports["gateway"], timeout=20)
    with contextlib.closing(connection):
        for _ in range(often):
            connection.request(method, path, b"{}" if method != "GET" else None, headers)
            answer = connection.getresponse()
            answer.read()
            counted[answer.status] = counted.get(answer.status, 0) + 1
    return counted

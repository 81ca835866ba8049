"""The whole suite on MariaDB: a job from end to end, and the server killed or hung under it."""

import time
from collections.abc import Callable, Iterator

import pymysql
import pytest
import requests
from tests.peers.mariadb import MariaDb
from tests.suite.conftest import free_port
from tests.suite.running import Caller, Clone, Run, wait_for

pytestmark = [pytest.mark.suite, pytest.mark.timeout(300)]

ANSWERS_WHEN_KILLED, ANSWERS_WHEN_HUNG, BACK_WITHIN = 4.0, 12.0, 20.0
PATHS = ("/core/proposals", "/ssx/runs")
SERVICES = ("auth", "core", "ssx")


@pytest.fixture(scope="module")
def server() -> Iterator[MariaDb]:
    """A MariaDB of these tests' own, since they kill it."""
    server = MariaDb()
    yield server
    server.close()


@pytest.fixture(scope="module")
def run(clone: Clone, server: MariaDb) -> Iterator[Run]:
    """The suite with all three databases there."""
    variables = {
        f"ISPYB_{name.upper()}__DATABASE_URL": server.url(f"suite_{name}") for name in SERVICES
    }
    variables["ISPYB_CORE__OWN_SCHEMA"] = "suite_core_own"
    with clone.twin("state on mariadb", free_port(clone.port), **variables).start() as run:
        yield run


@pytest.fixture
def caller(run: Run) -> Caller:
    """alice, whom every service serves."""
    alice = Caller(run.clone.url, "alice")
    for path in PATHS:
        wait_for(lambda path=path: alice.is_served(path), 20)
    return alice


def counted(server: MariaDb, query: str) -> int:
    """A number that the database itself gives."""
    connection = pymysql.connect(user="root", unix_socket=str(server.socket))
    try:
        with connection.cursor() as cursor:
            cursor.execute(query)
            (number,) = cursor.fetchone() or (0,)
            return int(number)
    finally:
        connection.close()


def log_in(caller: Caller) -> requests.Response:
    """What auth answers to alice."""
    login = {"login": "alice", "password": "alice-demo"}
    return requests.post(f"{caller.url}/auth/login", json=login, timeout=20)


def logins_are_back(caller: Caller) -> bool:
    """Several times: each worker comes back by itself."""
    return all(log_in(caller).status_code == requests.codes.ok for _ in range(4))


def asks(caller: Caller) -> list[Callable[[], requests.Response]]:
    """A read of core, a write of core, a read of ssx, a login."""
    shipping = {"proposalId": 1, "shippingName": "while it is down"}
    return [
        lambda: caller.ask(PATHS[0], seconds=20),
        lambda: caller.ask("/core/shippings", method="POST", json=shipping, seconds=20),
        lambda: caller.ask(PATHS[1], seconds=20),
        lambda: log_in(caller),
    ]


def test_a_job_from_end_to_end(caller: Caller, server: MariaDb) -> None:
    assert [row["proposal"] for row in caller.ask(PATHS[0]).json()["results"]] == ["MX1001"]
    proposal = caller.ask("/core/proposals/MX1001").json()["proposalId"]
    body = {"proposalId": proposal, "shippingName": "on MariaDB"}
    assert caller.ask("/core/shippings", method="POST", json=body).status_code == 201
    stored = "SELECT COUNT(*) FROM suite_core.Shipping WHERE shippingName = 'on MariaDB'"
    assert counted(server, stored) == 1
    session = caller.ask("/core/sessions?beamLineName=BL1&sort=startDate").json()["results"][0]
    made = caller.ask("/ssx/runs", method="POST", json={"sessionId": session["sessionId"]})
    path = f"/ssx/runs/{made.json()['runId']}"
    columns = {"imageNumber": [1, 2], "hit": [True, False]}
    assert caller.ask(f"{path}/batches/0", method="PUT", json=columns).status_code == 201
    summary = caller.ask(f"{path}/summary").json()
    assert (summary["images"], summary["hits"], summary["hitRate"]) == (2, 1, 0.5)


def test_a_killed_server_is_said_quickly_and_nothing_is_lost(
    run: Run, caller: Caller, server: MariaDb
) -> None:
    gateway = run.clone.mark("gateway")
    before = counted(server, "SELECT COUNT(*) FROM suite_core.Shipping")
    server.kill()
    for ask in asks(caller):
        begun = time.monotonic()
        answer = ask()
        assert answer.status_code == 503, answer.text
        assert int(answer.headers["Retry-After"]) > 0
        assert time.monotonic() - begun < ANSWERS_WHEN_KILLED
    server.start()
    for path in PATHS:
        wait_for(lambda path=path: caller.is_served(path), BACK_WITHIN)
    wait_for(lambda: logins_are_back(caller), BACK_WITHIN)
    assert counted(server, "SELECT COUNT(*) FROM suite_core.Shipping") == before
    assert run.clone.mark("gateway") == gateway


def test_a_hung_server_is_given_up_on_and_nothing_is_doubled(
    caller: Caller, server: MariaDb
) -> None:
    body = {"proposalId": 1, "shippingName": "sent again and again"}
    again = {"Idempotency-Key": "again"}

    def send() -> requests.Response:
        return caller.ask("/core/shippings", method="POST", json=body, headers=again, seconds=20)

    server.pause()
    try:
        for ask in [*asks(caller), send]:
            begun = time.monotonic()
            assert ask().status_code in {503, 504}
            assert time.monotonic() - begun < ANSWERS_WHEN_HUNG
    finally:
        server.resume()
    wait_for(lambda: caller.is_served(PATHS[0]), BACK_WITHIN)

    def is_answered_alike() -> bool:
        # Several times: each worker comes back by itself.
        return all(send().status_code == requests.codes.created for _ in range(6))

    wait_for(is_answered_alike, BACK_WITHIN)
    wait_for(lambda: logins_are_back(caller), BACK_WITHIN)
    stored = "SELECT COUNT(*) FROM suite_core.Shipping WHERE shippingName = '{}'"
    assert counted(server, stored.format("sent again and again")) == 1

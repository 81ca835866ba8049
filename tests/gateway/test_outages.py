"""A service that is killed or hangs, and its return: its own prefix alone is touched."""

import contextlib
import http.client
import subprocess
import threading
import time
from collections.abc import Iterator

import pytest
from tests.gateway.stand import SERVICES, Stand, running
from tests.gateway.tokens import Key, bearer
from tests.peers.pausing import pause, resume

PATHS = {"auth": "/auth/login", "core": "/core/proposals", "ssx": "/ssx/runs"}
METHODS = ["GET", "POST"]


@pytest.fixture(scope="module")
def stand(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stand]:
    with running(tmp_path_factory.mktemp("outages"), [Key("now")]) as found:
        yield found


@pytest.fixture(autouse=True)
def gateway_stays(stand: Stand) -> Iterator[None]:
    yield
    assert stand.processes["gateway"].poll() is None


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("service", SERVICES)
def test_killed(stand: Stand, service: str, method: str) -> None:
    headers = bearer(stand.token)
    stand.processes[service].kill()
    stand.processes[service].wait()
    statuses = set()
    until = time.monotonic() + 4
    while time.monotonic() < until:
        answer = stand.ask(PATHS[service], method, headers)
        statuses.add(answer.status)
        assert answer.took < 4
        assert set(answer.json) <= {"message", "request_id"}
        for other in set(SERVICES) - {service}:
            assert stand.ask(PATHS[other], method, headers).status == 200
        time.sleep(0.2)
    assert statuses <= {502, 503}
    returned = time.monotonic()
    stand.start_service(service)
    assert wait_for_200(stand, service, method) - returned < 15


@pytest.mark.parametrize("service", SERVICES)
@pytest.mark.parametrize("method", METHODS)
def test_hung(stand: Stand, service: str, method: str) -> None:
    headers = bearer(stand.token)
    with stopped(stand.processes[service]):
        answers = []
        first = threading.Thread(
            target=lambda: answers.append(stand.ask(PATHS[service], method, headers))
        )
        first.start()
        for other in set(SERVICES) - {service}:
            answer = stand.ask(PATHS[other], method, headers)
            assert answer.status == 200
            assert answer.took < 4
        first.join()
        answers.append(stand.ask(PATHS[service], method, headers))
        returned = time.monotonic()
    for answer in answers:
        assert answer.status in {502, 503, 504}
        assert answer.took < 12
        assert set(answer.json) <= {"message", "request_id"}
    assert wait_for_200(stand, service, method) - returned < 15


def test_a_client_that_reads_slowly_gets_all(stand: Stand) -> None:
    connection = http.client.HTTPConnection("127.0.0.1", stand.ports["gateway"], timeout=20)
    with contextlib.closing(connection):
        padding = {"X-Padding": str(40 * 2**20)}
        connection.request("GET", PATHS["core"], headers=bearer(stand.token) | padding)
        response = connection.getresponse()
        first = response.read(1000)
        time.sleep(6)
        assert len(first + response.read()) > 40 * 2**20


def test_a_client_that_sends_slowly_is_waited_for(stand: Stand) -> None:
    def pieces() -> Iterator[bytes]:
        yield b"a"
        time.sleep(6)
        yield b"b"

    answer = stand.ask(PATHS["core"], "POST", bearer(stand.token), pieces())
    assert (answer.status, answer.json["bytes"]) == (200, 2)


def test_the_line_of_a_failure_is_an_error(stand: Stand) -> None:
    stand.processes["core"].kill()
    stand.processes["core"].wait()
    answer = stand.ask("/core/version")
    stand.start_service("core")
    [line] = stand.lines(answer.headers["x-request-id"])
    assert line["level"] == "ERROR"
    assert line["status"] in {502, 503}
    wait_for_200(stand, "core", "GET")


def test_every_read_survives_the_loss_of_a_replica(
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    """Two targets of core: the second is killed while reads and writes go on."""
    folder = tmp_path_factory.mktemp("replicas")
    stand = Stand(folder, [Key("now")])
    text = stand.configuration.read_text()
    one, two = stand.ports["core"], stand.ports["ssx"]
    text = text.replace(
        f'core_targets = ["127.0.0.1:{one}"]',
        f'core_targets = ["127.0.0.1:{one}", "127.0.0.1:{two}"]',
    )
    stand.configuration.write_text(text)
    try:
        stand.start()
        headers = bearer(stand.token)
        seen = {stand.ask("/core/proposals", headers=headers).json["service"] for _ in range(20)}
        assert seen == {"core", "ssx"}
        stand.processes["ssx"].kill()
        stand.processes["ssx"].wait()
        found = [stand.ask("/core/proposals", method, headers).status for method in METHODS * 60]
        assert set(found) == {200}
    finally:
        stand.stop()


@contextlib.contextmanager
def stopped(process: subprocess.Popen[bytes]) -> Iterator[None]:
    pause(process)
    try:
        yield
    finally:
        resume(process)


def wait_for_200(stand: Stand, service: str, method: str) -> float:
    """When the service answered again; the moment the test must not wait past is 20 s."""
    headers = bearer(stand.token)
    until = time.monotonic() + 20
    while time.monotonic() < until:
        if stand.ask(PATHS[service], method, headers).status == 200:
            return time.monotonic()
        time.sleep(0.1)
    raise AssertionError(f"{service} is not back")

"""A service killed or hung: quick answers for its own prefix, the rest goes on, nothing is lost."""

import signal
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest
import requests
from tests.suite.running import Caller, Clone, Run, wait_for

pytestmark = [pytest.mark.suite, pytest.mark.timeout(300)]

PATHS = {"auth": "/auth/.well-known/jwks.json", "core": "/core/proposals", "ssx": "/ssx/runs"}
ANSWERS_WHEN_KILLED, ANSWERS_WHEN_HUNG, BACK_WITHIN = 4.0, 12.0, 20.0
ACCESS_IS_FRESH_FOR = 15.0
DOWN = {502, 503, 504}


@pytest.fixture
def caller(clone: Clone, first_run: Run) -> Caller:
    """alice, whom every service has served just now."""
    assert first_run.process.poll() is None
    alice = Caller(clone.url, "alice")
    for path in PATHS.values():
        wait_for(lambda path=path: alice.is_served(path), 20)
    return alice


@pytest.fixture
def open_run(caller: Caller) -> str:
    """The path of an open run of alice's, with its first batch in it."""
    session = caller.ask("/core/sessions?beamLineName=BL1&sort=startDate").json()["results"][0]
    answer = caller.ask("/ssx/runs", method="POST", json={"sessionId": session["sessionId"]})
    path = f"/ssx/runs/{answer.json()['runId']}"
    assert put_batch(caller, path, 0).status_code == 201
    return path


def put_batch(caller: Caller, run: str, n: int, size: int = 100) -> requests.Response:
    """Send batch n of a run: images that follow those of batch n - 1."""
    numbers = list(range(n * size + 1, (n + 1) * size + 1))
    columns = {"imageNumber": numbers, "hit": [True] * size, "indexed": [False] * size}
    return caller.ask(f"{run}/batches/{n}", method="PUT", json={**columns, "nSpots": [20] * size})


def timed(ask: Callable[[], requests.Response]) -> tuple[int, float]:
    """The answer's status, and the seconds it took."""
    begun = time.monotonic()
    return ask().status_code, time.monotonic() - begun


def is_ready(clone: Clone, service: str) -> bool:
    """Has the service itself come back, as its inside port says."""
    try:
        url = f"http://127.0.0.1:{clone.inside_port(service)}/health/ready"
        return requests.get(url, timeout=2).status_code == 200
    except requests.RequestException:
        return False


@contextmanager
def hung(clone: Clone, service: str) -> Iterator[None]:
    """Stop every process of a service, and let them go on."""
    clone.tell(service, signal.SIGSTOP)
    try:
        yield
    finally:
        clone.tell(service, signal.SIGCONT)


def others(service: str) -> list[str]:
    """The paths of the services that nothing was done to."""
    return [path for name, path in PATHS.items() if name != service]


@pytest.mark.parametrize("service", list(PATHS))
def test_a_killed_service_is_said_to_be_down_and_comes_back(
    clone: Clone, caller: Caller, service: str
) -> None:
    gateway, before = clone.mark("gateway"), clone.mark(service)
    clone.tell(service, signal.SIGKILL)
    status, seconds = timed(lambda: caller.ask(PATHS[service]))
    for path in others(service):
        assert caller.is_served(path), path
    assert status in {502, 503}
    assert seconds < ANSWERS_WHEN_KILLED
    wait_for(lambda: is_ready(clone, service), 30)
    wait_for(lambda: caller.is_served(PATHS[service]), BACK_WITHIN)
    assert clone.mark("gateway") == gateway
    assert clone.mark(service) != before


@pytest.mark.parametrize("service", list(PATHS))
def test_a_hung_service_is_said_to_be_down_and_comes_back(
    clone: Clone, caller: Caller, service: str
) -> None:
    gateway, before = clone.mark("gateway"), clone.mark(service)
    with hung(clone, service):
        status, seconds = timed(lambda: caller.ask(PATHS[service], seconds=20))
        for path in others(service):
            assert caller.is_served(path), path
    assert status in DOWN
    assert seconds < ANSWERS_WHEN_HUNG
    wait_for(lambda: caller.is_served(PATHS[service]), BACK_WITHIN)
    assert (clone.mark("gateway"), clone.mark(service)) == (gateway, before)


def test_without_core_ssx_lives_on_its_last_answer(
    clone: Clone, caller: Caller, open_run: str
) -> None:
    time.sleep(ACCESS_IS_FRESH_FOR + 1)
    assert caller.is_served("/ssx/runs")  # a new answer, of whichever worker
    with hung(clone, "core"):
        time.sleep(ACCESS_IS_FRESH_FOR + 1)
        for _ in range(8):
            assert caller.ask("/ssx/runs").status_code == 200
        assert put_batch(caller, open_run, 1).status_code == 201
        stranger = {"Authorization": caller.headers["Authorization"] + "x"}
        assert (
            requests.get(f"{clone.url}/ssx/runs", headers=stranger, timeout=10).status_code == 401
        )
    wait_for(lambda: caller.is_served(PATHS["core"]), BACK_WITHIN)


def test_without_auth_a_service_that_starts_anew_goes_on_by_the_keys_that_it_kept(
    clone: Clone, caller: Caller
) -> None:
    with hung(clone, "auth"):
        clone.tell("core", signal.SIGKILL)
        wait_for(lambda: caller.is_served("/core/health/live"), 30)
        wait_for(lambda: caller.is_served(PATHS["core"]), BACK_WITHIN)
        stranger = {"Authorization": caller.headers["Authorization"] + "x"}
        answer = requests.get(f"{clone.url}{PATHS['core']}", headers=stranger, timeout=10)
        assert answer.status_code == 401
    for service in ("auth", "core"):
        wait_for(lambda service=service: caller.is_served(PATHS[service]), BACK_WITHIN)


def until_done(ask: Callable[[], requests.Response], seconds: float = 60) -> int:
    """What a beamline does: the same request again until it is accepted; the last status."""
    deadline = time.monotonic() + seconds
    while True:
        try:
            status = ask().status_code
        except requests.RequestException:
            status = 0
        if 200 <= status < 300 or time.monotonic() > deadline:
            return status
        time.sleep(0.1)


@contextmanager
def killing(clone: Clone, service: str, times: int) -> Iterator[None]:
    """Kill a service again and again, each time once it is back, while the block writes."""
    over = threading.Event()

    def kill() -> None:
        for _ in range(times):
            if over.wait(1):
                return
            clone.tell(service, signal.SIGKILL)
            wait_for(lambda: is_ready(clone, service), 30)

    killer = threading.Thread(target=kill)
    killer.start()
    try:
        yield
    finally:
        killer.join()
        over.set()


def test_no_shipment_is_lost_or_doubled_by_kills(clone: Clone, caller: Caller) -> None:
    proposal = caller.ask("/core/proposals/MX1001").json()["proposalId"]
    statuses: dict[str, int] = {}

    def book(writer: int) -> None:
        for n in range(25):
            name = f"kill drill {writer}-{n}"
            statuses[name] = until_done(
                lambda name=name: caller.ask(
                    "/core/shippings",
                    method="POST",
                    json={"proposalId": proposal, "shippingName": name},
                    headers={"Idempotency-Key": name.replace(" ", "-")},
                )
            )
            time.sleep(0.1)

    with killing(clone, "core", times=2):
        writers = [threading.Thread(target=book, args=(writer,)) for writer in range(3)]
        for writer in writers:
            writer.start()
        for writer in writers:
            writer.join()
    assert set(statuses.values()) == {201}
    query = "SELECT shippingName FROM Shipping WHERE shippingName LIKE 'kill drill %'"
    assert sorted(name for (name,) in clone.rows("core", query)) == sorted(statuses)


def test_no_image_is_lost_or_doubled_by_kills(clone: Clone, caller: Caller, open_run: str) -> None:
    with killing(clone, "ssx", times=2):
        statuses = []
        for n in range(1, 40):
            statuses.append(until_done(lambda n=n: put_batch(caller, open_run, n)))
            time.sleep(0.1)
    assert set(statuses) <= {200, 201}
    run_id = open_run.rpartition("/")[2]
    counted = clone.rows("ssx", "SELECT count(*), sum(images) FROM Batch WHERE runId = ?", run_id)
    total = clone.rows("ssx", "SELECT batches, images, hits FROM RunTotal WHERE runId = ?", run_id)
    assert counted == [(40, 4000)]
    assert total == [(40, 4000, 4000)]
    assert caller.ask(f"{open_run}/summary").json()["images"] == 4000

"""Envoy and the process that watches over it: neither outlives the other."""

import http.client
import signal
import subprocess
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from tests.gateway.stand import Stand, environment
from tests.gateway.tokens import Key


@pytest.fixture(scope="module")
def stand(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stand]:
    found = Stand(tmp_path_factory.mktemp("supervision"), [Key("now")])
    found.start_service("auth")
    found.start_service("core")
    yield found
    found.stop()


@pytest.mark.parametrize(
    ("told", "code"),
    [(signal.SIGTERM, 0), (signal.SIGKILL, -signal.SIGKILL)],
)
def test_envoy_ends_with_us(stand: Stand, told: signal.Signals, code: int) -> None:
    stand.start_gateway()
    assert stand.ask("/core/version").status == 200
    process = stand.processes["gateway"]
    [envoy] = children(process)
    assert Path(f"/proc/{envoy}/exe").readlink().name == "envoy"
    process.send_signal(told)
    assert process.wait(timeout=20) == code
    assert gone(envoy)


def test_we_end_with_envoy(stand: Stand) -> None:
    stand.start_gateway()
    process = stand.processes["gateway"]
    [envoy] = children(process)
    subprocess.run(["/bin/kill", "-KILL", str(envoy)], check=True, env=environment())
    assert process.wait(timeout=20) == 1
    assert "Envoy has ended" in stand.log.read_text()


def test_what_is_under_way_is_finished(stand: Stand) -> None:
    stand.start_gateway()
    process = stand.processes["gateway"]
    with ThreadPoolExecutor() as pool:
        under_way = pool.submit(stand.ask, "/core/version", headers=events(6))
        time.sleep(2)
        process.send_signal(signal.SIGTERM)
        time.sleep(1)
        with pytest.raises(ConnectionRefusedError):
            stand.ask("/core/version")
        assert under_way.result().body == b"".join(b"data: %d\n\n" % n for n in range(6))
        assert process.wait(timeout=20) == 0


def test_a_second_word_ends_it_at_once(stand: Stand) -> None:
    stand.start_gateway()
    process = stand.processes["gateway"]
    [envoy] = children(process)
    with ThreadPoolExecutor() as pool:
        under_way = pool.submit(stand.ask, "/core/version", headers=events(20))
        time.sleep(2)
        process.send_signal(signal.SIGTERM)
        time.sleep(0.5)
        assert process.poll() is None
        process.send_signal(signal.SIGTERM)
        assert process.wait(timeout=20) == -signal.SIGTERM
        assert gone(envoy)
        with pytest.raises(http.client.HTTPException):
            under_way.result()


def events(pieces: int) -> dict[str, str]:
    """What has the service answer for that many seconds."""
    return {"X-Pieces": str(pieces), "X-Pause": "1"}


def children(process: subprocess.Popen[bytes]) -> list[int]:
    return [int(pid) for pid in _children_file(process.pid).read_text().split()]


def gone(pid: int) -> bool:
    until = time.monotonic() + 20
    while time.monotonic() < until:
        state = Path(f"/proc/{pid}/stat")
        if not state.exists() or state.read_text().rpartition(")")[2].split()[0] == "Z":
            return True
        time.sleep(0.05)
    return False


def _children_file(pid: int) -> Path:
    return Path(f"/proc/{pid}/task/{pid}/children")

"""Served by gunicorn for real: two ports, several workers, a graceful stop."""

import http.client
import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from tests.chassis.served import Served, serving
from tests.peers.ports import free_port


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    with serving(tmp_path_factory.mktemp("served"), workers=3) as one:
        yield one


@pytest.mark.parametrize(
    ("port", "path", "status"),
    [
        ("public", "/hello/health/live", 200),
        ("public", "/health/ready", 404),
        ("public", "/metrics", 404),
        ("public", "/hello/health/ready", 404),
        ("public", "/hello/metrics", 404),
        ("inside", "/health/ready", 200),
        ("inside", "/metrics", 200),
        ("public", "/pages/menu", 404),
        ("inside", "/pages/menu", 200),
        ("inside", "/pages/burnt", 500),
        ("inside", "/pages/sold-out", 503),
        ("inside", "/pages", 404),
        ("inside", "/", 404),
        ("inside", "/hello/health/live", 404),
        ("inside", "/hello/things", 404),
    ],
)
def test_each_port_has_its_own_pages(served: Served, port: str, path: str, status: int) -> None:
    assert served.get(path, inside=port == "inside")[0] == status


@pytest.mark.parametrize(
    "headers",
    [
        {"Host": "127.0.0.1:INSIDE"},
        {"X-Forwarded-Port": "INSIDE"},
        {"X-Forwarded-Host": "127.0.0.1:INSIDE"},
        {"Forwarded": 'host="127.0.0.1:INSIDE"'},
        {"Server-Port": "INSIDE"},
        {"SERVER_PORT": "INSIDE"},
        {"Script-Name": "/metrics"},
        {"SCRIPT_NAME": "/metrics"},
        {"PATH_INFO": "/metrics"},
        {"X-Forwarded-Prefix": "/metrics"},
    ],
)
def test_no_header_of_a_client_reaches_the_inside_pages(
    served: Served, headers: dict[str, str]
) -> None:
    sent = {name: value.replace("INSIDE", str(served.inside)) for name, value in headers.items()}
    for path in ("/metrics", "/health/ready"):
        assert served.get(path, headers=sent)[0] == 404
    status, body, _ = served.get("/hello/version", headers=sent)
    assert (status, json.loads(body)["service"]) == (200, "chassis")


def test_figures_are_summed_over_the_workers(served: Served) -> None:
    def asked() -> float:
        body = served.get("/metrics", inside=True)[1].decode()
        wanted = 'pyispyb_requests_total{method="GET",route="/hello/things/slow/<int:tenths>"'
        return sum(float(line.split()[-1]) for line in body.splitlines() if line.startswith(wanted))

    before = asked()
    several = [
        threading.Thread(target=served.get, args=("/hello/things/slow/1",)) for _ in range(30)
    ]
    for one in several:
        one.start()
    for one in several:
        one.join()
    assert [asked() for _ in range(8)] == [before + 30] * 8
    pids = {file.name.rpartition("_")[2] for file in (served.folder / "run").rglob("counter_*.db")}
    assert len(pids) > 1, "one worker served all: this says nothing"


def test_a_client_cannot_make_up_figures(served: Served) -> None:
    for n in range(5):
        connection = http.client.HTTPConnection("127.0.0.1", served.port)
        connection.request(f"MADEUP{n}", f"/hello/made-up-{n}")
        assert connection.getresponse().status == 404
        connection.close()
    figures = served.get("/metrics", inside=True)[1].decode()
    assert "MADEUP" not in figures
    assert "made-up" not in figures
    assert 'method="other",route="none"' in figures


def test_refused_tokens_are_counted(served: Served) -> None:
    def refused() -> float:
        body = served.get("/metrics", inside=True)[1].decode()
        said = [line for line in body.splitlines() if line.startswith("pyispyb_tokens_refused")]
        return sum(float(line.split()[-1]) for line in said)

    before = refused()
    served.get("/hello/things")
    assert refused() == before + 1


def test_ready_names_what_is_ill(served: Served) -> None:
    ill = served.folder / "ill"
    ill.write_text("the oven is cold")
    try:
        status, body, _ = served.get("/health/ready", inside=True)
    finally:
        ill.unlink()
    assert status == 503
    assert json.loads(body) == {
        "service": "chassis",
        "ready": False,
        "checks": {"oven": "the oven is cold", "table": "well"},
        "issuers": {},
        "noted": {},
    }
    assert served.get("/health/ready", inside=True)[0] == 200


def test_a_page_of_the_services_own_on_the_inside_port(served: Served) -> None:
    _, body, headers = served.get("/pages/menu", inside=True)
    assert (body, headers["Content-Type"]) == (b"bread", "text/plain")
    assert b"Person" not in served.get("/pages/burnt", inside=True)[1]
    assert json.loads(served.get("/pages/sold-out", inside=True)[1]) == {
        "status": 503,
        "detail": "the oven does not answer",
    }


def test_a_check_that_fails_itself_is_told_like_any_other(served: Served) -> None:
    fire = served.folder / "fire"
    fire.touch()
    try:
        status, body, _ = served.get("/health/ready", inside=True)
    finally:
        fire.unlink()
    assert status == 503
    assert json.loads(body)["checks"] == {"oven": "well", "table": "the check failed; see the log"}
    assert "nobody thought of this" in served.log.read_text()


def test_every_line_is_json_and_gunicorn_writes_no_second_line_a_request(served: Served) -> None:
    served.get("/hello/version", headers={"X-Request-ID": "the-one"})
    time.sleep(0.2)
    lines = served.lines()
    assert len([line for line in lines if line.get("request_id") == "the-one"]) == 1
    assert {"ts", "level", "service", "message"} <= set.intersection(*(set(one) for one in lines))


@pytest.mark.parametrize(("length", "status"), [(8000, 200), (8300, 414)])
def test_the_longest_request_line(served: Served, length: int, status: int) -> None:
    path = "/hello/version?q="
    assert served.get(path + "x" * (length - len(path)))[0] == status


def test_the_page_stands_on_bundled_assets_only(served: Served) -> None:
    _, page, headers = served.get("/hello/docs")
    assert "'unsafe-inline'" not in headers["Content-Security-Policy"].partition("style-src")[0]
    assert b"://" not in page
    found = [part.partition(b'"')[0].decode() for part in page.split(b'="/')[1:]]
    assert len(found) == 7
    for asset in found:
        assert served.get("/" + asset)[0] == 200


def test_a_stop_lets_requests_in_flight_end(tmp_path: Path) -> None:
    with serving(tmp_path, workers=2) as served:
        told: list[tuple[int, bytes, dict[str, str]]] = []
        asking = threading.Thread(target=lambda: told.append(served.get("/hello/things/slow/15")))
        asking.start()
        time.sleep(0.5)
        began = time.monotonic()
        served.process.send_signal(signal.SIGTERM)
        asking.join()
        assert told[0][0] == 200
        assert served.process.wait(20) == 0
        assert time.monotonic() - began < 10
        with pytest.raises(OSError, match="refused"):
            served.get("/hello/version")


def test_a_stop_does_not_wait_for_idle_connections(tmp_path: Path) -> None:
    with (
        serving(tmp_path) as served,
        closing(http.client.HTTPConnection("127.0.0.1", served.port)) as idle,
    ):
        idle.request("GET", "/hello/version")
        idle.getresponse().read()
        began = time.monotonic()
        served.process.send_signal(signal.SIGTERM)
        assert served.process.wait(20) == 0
        assert time.monotonic() - began < 10


def test_a_worker_that_dies_is_replaced(tmp_path: Path) -> None:
    with serving(tmp_path, workers=1) as served:
        (worker,) = children(served.process.pid)
        os.kill(worker, signal.SIGKILL)
        deadline = time.monotonic() + 30
        while True:
            try:
                if served.get("/hello/version")[0] == 200:
                    break
            except OSError:
                assert time.monotonic() < deadline
                time.sleep(0.1)
        assert children(served.process.pid) != [worker]
        assert served.get("/metrics", inside=True)[0] == 200


@pytest.mark.parametrize("which", ["public", "inside"])
def test_a_busy_port_is_one_clear_line(tmp_path: Path, which: str) -> None:
    free, busy = free_port(), free_port()
    with socket.socket() as other:
        other.bind(("127.0.0.1", busy))
        other.listen()
        ports = [busy, free] if which == "public" else [free, busy]
        done = subprocess.run(
            [sys.executable, "-m", "tests.chassis.hello", tmp_path, *map(str, ports), "1"],
            capture_output=True,
            text=True,
            timeout=20,
            check=False,
        )
    assert done.returncode == 1
    assert done.stderr.splitlines() == [f"chassis: 127.0.0.1:{busy} is in use"]


def children(pid: int) -> list[int]:
    return [int(one) for one in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]

"""ssx under gunicorn, its workers killed again and again: no batch is lost, none counted twice."""

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import requests
from tests.cast import ALICE
from tests.peers.ports import free_port
from tests.ssx.conftest import Ssx, columns

BATCHES, IMAGES = 60, 200
KILLED_BESIDE = range(0, BATCHES, 6)
"""The batches beside which a worker is killed: counted, so that a fast machine kills as often."""
SLOW_BATCH_SECONDS = 0.03
READY_WITHIN_SECONDS = 30


@contextmanager
def serving(folder: Path) -> Iterator[tuple[str, int]]:
    """The ssx of this folder's ispyb.toml as a process of its own: its address, and its pid."""
    port, inside = free_port(), free_port()
    environ = {
        **os.environ,
        "ISPYB_CONFIG": str(folder / "ispyb.toml"),
        "ISPYB_SSX__LISTEN": f"127.0.0.1:{port}",
        "ISPYB_SSX__INSIDE_LISTEN": f"127.0.0.1:{inside}",
    }
    command = [Path(sys.executable).with_name("pyispyb-ssx"), "serve"]
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen(command, env=environ, stdout=log, stderr=log)
    url = f"http://127.0.0.1:{port}/ssx"
    try:
        deadline = time.monotonic() + READY_WITHIN_SECONDS
        while not answers(url):
            if time.monotonic() > deadline or process.poll() is not None:
                pytest.fail((folder / "log").read_text())
            time.sleep(0.1)
        yield url, process.pid
    finally:
        process.terminate()
        process.wait(20)


def answers(url: str) -> bool:
    """Whether somebody listens there."""
    try:
        return requests.get(f"{url}/health/live", timeout=2).ok
    except requests.RequestException:
        return False


def workers_of(pid: int) -> list[int]:
    """The processes that this one has started."""
    children = Path(f"/proc/{pid}/task/{pid}/children").read_text(encoding="ascii")
    return [int(child) for child in children.split()]


def kill_worker(pid: int, after_seconds: float, killed: list[int]) -> None:
    """Kill a worker of this process and note it; where there is none, the next one."""
    time.sleep(after_seconds)
    deadline = time.monotonic() + READY_WITHIN_SECONDS
    while time.monotonic() < deadline:
        for worker in workers_of(pid)[:1]:
            os.kill(worker, signal.SIGKILL)
            killed.append(worker)
            return
        time.sleep(0.01)


def put(url: str, batch: dict[str, Any], headers: dict[str, str]) -> None:
    """Try until there is an answer, as a client does."""
    deadline = time.monotonic() + READY_WITHIN_SECONDS
    while time.monotonic() < deadline:
        try:
            answer = requests.put(url, json=batch, headers=headers, timeout=5)
        except requests.RequestException:
            continue
        if answer.status_code in {200, 201}:
            return
        assert answer.status_code == 503, answer.text
    pytest.fail("no answer")


def test_no_batch_is_lost_or_doubled_when_workers_are_killed(
    forgetful: Ssx, tmp_path: Path
) -> None:
    run_id = forgetful.open()
    headers = forgetful.issuing.bearer(ALICE)
    killed: list[int] = []
    with serving(tmp_path) as (url, pid):
        for n in range(BATCHES):
            # A little later each time: before, in, and after the batch's transaction.
            after_seconds = n / BATCHES * SLOW_BATCH_SECONDS
            killer = threading.Thread(target=kill_worker, args=(pid, after_seconds, killed))
            if n in KILLED_BESIDE:
                killer.start()
            put(f"{url}/runs/{run_id}/batches/{n}", columns(1 + IMAGES * n, IMAGES), headers)
            if n in KILLED_BESIDE:
                killer.join()
    assert len(killed) == len(KILLED_BESIDE)
    summary = forgetful.get(ALICE, f"/runs/{run_id}/summary")
    assert (summary["batches"], summary["images"]) == (BATCHES, BATCHES * IMAGES)
    assert summary["hits"] == BATCHES * IMAGES // 2
    page = forgetful.get(ALICE, f"/runs/{run_id}/images?limit=1&skip={BATCHES * IMAGES - 1}")
    assert page["total"] == BATCHES * IMAGES
    assert page["results"][0]["imageNumber"] == BATCHES * IMAGES

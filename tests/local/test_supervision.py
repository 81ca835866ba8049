"""The process runner with real programs: restarts what dies, ends all, after a crash too."""

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest

from pyispyb_chassis.configuration import Configuration, Suite
from pyispyb_local import supervision
from pyispyb_local.checks import check_ports, check_python, make_folders
from pyispyb_local.plan import Plan, Program, make_plan
from pyispyb_local.processes import is_alive, members
from pyispyb_local.screen import Refusal

PORTS = (23011, 23012)


def wait_for(what: Callable[[], object], seconds: float = 10) -> bool:
    """Poll until it holds."""
    deadline = time.monotonic() + seconds
    while not what():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.02)
    return True


def answers(port: int) -> bool:
    """Does something listen there."""
    with closing(socket.socket()) as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


@contextmanager
def listening(port: int) -> Iterator[None]:
    """Another program has this port."""
    with closing(socket.socket()) as stranger:
        stranger.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        stranger.bind(("127.0.0.1", port))
        stranger.listen()
        yield


@pytest.fixture
def plan(tmp_path: Path) -> Plan:
    """Two programs that do nothing but listen, in a folder whose name needs care."""
    state = tmp_path / "100% of a state"
    make_folders(state)
    programs = tuple(
        Program(
            f"listener{port}",
            (sys.executable, "-m", "http.server", str(port), "--bind", "127.0.0.1"),
            f"127.0.0.1:{port}",
        )
        for port in PORTS
    )
    return Plan(Configuration(Suite()), dict(os.environ), programs, state)


@pytest.fixture
def runner(plan: Plan) -> Iterator[subprocess.Popen[bytes]]:
    """The process runner, and both programs up."""
    child = supervision.start(plan)
    try:
        assert wait_for(lambda: all(answers(port) for port in PORTS)), (
            plan.logs / "supervisord.log"
        ).read_text()
        yield child
    finally:
        supervision.stop(plan.marks)
        child.kill()
        child.wait()


def test_stop_ends_all_and_a_second_one_finds_nothing(
    plan: Plan, runner: subprocess.Popen[bytes]
) -> None:
    assert supervision.stop(plan.marks) == ["listener23011", "listener23012", "supervisord"]
    assert runner.wait(5) == 0
    assert not any(answers(port) for port in PORTS)
    assert supervision.stop(plan.marks) == []


def test_a_program_that_dies_comes_back(plan: Plan, runner: subprocess.Popen[bytes]) -> None:
    before = supervision.mark_of(plan.marks, "listener23011")
    assert before is not None
    os.kill(before.pid, signal.SIGKILL)
    assert wait_for(lambda: not is_alive(before))
    assert wait_for(lambda: is_alive(supervision.mark_of(plan.marks, "listener23011")), 20)
    assert wait_for(lambda: answers(23011))
    assert runner.poll() is None


def test_what_a_killed_runner_leaves_is_ended(plan: Plan, runner: subprocess.Popen[bytes]) -> None:
    runner.kill()
    runner.wait()
    assert all(answers(port) for port in PORTS)
    assert supervision.stop(plan.marks) == ["listener23011", "listener23012"]
    assert not any(answers(port) for port in PORTS)


def test_a_second_run_in_the_same_folder_is_refused(
    plan: Plan, runner: subprocess.Popen[bytes]
) -> None:
    with pytest.raises(Refusal, match="already runs"), supervision.sole_run(plan):
        pass
    assert members(supervision.mark_of(plan.marks, "supervisord")) == [runner.pid]


def test_each_program_has_a_log(plan: Plan, runner: subprocess.Popen[bytes]) -> None:
    del runner
    with closing(socket.create_connection(("127.0.0.1", 23012))) as client:
        client.sendall(b"GET /asked HTTP/1.0\r\n\r\n")
        client.recv(100)
    assert wait_for(lambda: "/asked" in (plan.logs / "listener23012.log").read_text())


def test_a_busy_port_is_named(plan: Plan) -> None:
    check_ports(plan.programs)
    with (
        listening(23012),
        pytest.raises(Refusal, match=r"^in use.*127.0.0.1:23012 \(listener23012"),
    ):
        check_ports(plan.programs)


@pytest.mark.parametrize("version", [(3, 9, 2), (3, 10, 99)])
def test_an_old_python_is_named(version: tuple[int, ...]) -> None:
    with pytest.raises(Refusal, match=rf"3\.11 or newer.*{version[0]}\.{version[1]}"):
        check_python(version)


def test_a_folder_that_cannot_be_written_is_named() -> None:
    with pytest.raises(Refusal, match=r"/proc/pyispyb: cannot be written.*VAR="):
        make_folders(Path("/proc/pyispyb"))


@pytest.mark.parametrize("port", [0, -1, 65000, 70000])
def test_a_port_out_of_range_is_named(tmp_path: Path, port: int) -> None:
    with pytest.raises(Refusal, match=f"PORT={port}"):
        make_plan(port, tmp_path)


@pytest.mark.parametrize(
    ("variable", "value", "words"),
    [
        ("ISPYB_ENVIRONMENT", "production", "production configuration"),
        ("ISPYB_ENVIRONMENT", "test", "ISPYB_ENVIRONMENT: environment"),
        ("ISPYB_CONFIG", "/absent.toml", "/absent.toml: cannot be read"),
        ("ISPYB_COLOUR", "red", "ISPYB_COLOUR: colour"),
    ],
)
def test_a_configuration_that_does_not_fit_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, variable: str, value: str, words: str
) -> None:
    monkeypatch.setenv(variable, value)
    with pytest.raises(Refusal, match=words):
        make_plan(None, tmp_path)


def test_one_port_moves_every_address(tmp_path: Path) -> None:
    plan = make_plan(23100, tmp_path)
    assert plan.url == "http://127.0.0.1:23100"
    assert [(one.name, one.listen, one.inside) for one in plan.programs] == [
        ("auth", "127.0.0.1:23201", "127.0.0.1:24201"),
        ("core", "127.0.0.1:23202", "127.0.0.1:24202"),
        ("ssx", "127.0.0.1:23203", "127.0.0.1:24203"),
        ("gateway", "127.0.0.1:23100", None),
    ]
    issuer = plan.configuration.suite.issuers["suite"]
    assert issuer.issuer == "http://127.0.0.1:23100/auth"
    assert issuer.jwks_url == "http://127.0.0.1:23201/auth/.well-known/jwks.json"
    assert issuer.revocations_url == "http://127.0.0.1:24201/revocations"


def test_without_a_port_the_configuration_decides(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ISPYB_CORE__LISTEN", "127.0.0.1:23999")
    plan = make_plan(None, tmp_path)
    assert plan.url == "http://127.0.0.1:8000"
    assert {one.name: one.listen for one in plan.programs} == {
        "auth": "127.0.0.1:8101",
        "core": "127.0.0.1:23999",
        "ssx": "127.0.0.1:8103",
        "gateway": "127.0.0.1:8000",
    }
    assert plan.environment["ISPYB_STATE"] == str(tmp_path)

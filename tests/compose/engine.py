"""The engine that the drill runs on: a private one, which leaves nothing behind, or one given."""

import ctypes
import fcntl
import os
import shutil
import signal
import socket
import struct
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

CACHE = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "pyispyb-drill"
CGROUPS, PEACEFUL = "pyispyb-drill", "ended-in-peace"
COMPOSE = Path(sys.executable).with_name("docker-compose")
NEEDED = {"dockerd": "docker.io", "docker": "docker.io", "iptables": "iptables"}
NEW_NETWORK = 0x40000000  # linux/sched.h: CLONE_NEWNET
SET_FLAGS, UP, RUNNING = 0x8914, 0x1, 0x40  # linux/sockios.h, linux/if.h
READY_WITHIN, GONE_WITHIN = 60.0, 30.0


class CannotRun(Exception):
    """The machine lacks what the drill needs; the text says what."""


@dataclass(frozen=True, slots=True)
class Engine:
    """Where an engine listens, and where it keeps what containers print."""

    host: str
    containers: Path
    private: bool

    def environment(self) -> dict[str, str]:
        """The variables of a person who works with this engine: `docker compose` is there too."""
        kept = {name: os.environ[name] for name in ("PATH", "HOME", "LANG") if name in os.environ}
        plugins = CACHE / "docker" / "cli-plugins"
        plugins.mkdir(parents=True, exist_ok=True)
        plugin = plugins / "docker-compose"
        plugin.unlink(missing_ok=True)
        plugin.symlink_to(COMPOSE)
        return {
            **kept,
            "DOCKER_HOST": self.host,
            "DOCKER_CONFIG": str(plugins.parent),
            # BuildKit needs buildx, which is not there.
            **({"DOCKER_BUILDKIT": "0"} if self.private else {}),
        }


@contextmanager
def engine_given(host: str) -> Iterator[Engine]:
    """The engine of this machine, where images can be had from a registry."""
    asked = subprocess.run(
        ["docker", "info", "--format", "{{.DockerRootDir}}"],
        env={**os.environ, "DOCKER_HOST": host},
        capture_output=True,
        text=True,
        check=False,
    )
    if asked.returncode:
        raise CannotRun(f"{host}: {asked.stderr.strip()}")
    yield Engine(host, Path(asked.stdout.strip()) / "containers", private=False)


@contextmanager
def engine_of_our_own() -> Iterator[Engine]:
    """A dockerd in namespaces of its own: networks, firewall rules, mounts and processes.

    They end with it, and it ends with this process, however that ends. What is left then is a
    folder and empty control groups, which the next run removes first. A run that ended in peace
    leaves its images, so that the next one builds only what has changed.
    """
    missing = sorted({package for name, package in NEEDED.items() if shutil.which(name) is None})
    if os.geteuid() != 0 or missing:
        raise CannotRun(f"needs root and {', '.join(missing) or 'its engine'}")
    folder = CACHE / "engine"
    CACHE.mkdir(parents=True, exist_ok=True)
    with (CACHE / "engine.lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise CannotRun("another drill runs on this machine") from error
        _clean(folder)
        _leave_the_network()
        (folder / PEACEFUL).unlink(missing_ok=True)
        with (folder / "dockerd.log").open("wb") as log:
            process = _started(folder, log.fileno())
        try:
            host = f"unix://{folder}/docker.sock"
            _wait_for(host, process, folder)
            yield Engine(host, folder / "data" / "containers", private=True)
        finally:
            if _ended(process):
                (folder / PEACEFUL).touch()
            _clean(folder)


def _leave_the_network() -> None:
    """This process gets a network of its own, with nothing but a loopback."""
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.unshare(NEW_NETWORK):
        raise CannotRun(f"no network of our own: {os.strerror(ctypes.get_errno())}")
    with socket.socket() as any_socket:
        fcntl.ioctl(any_socket, SET_FLAGS, struct.pack("16sh22x", b"lo", UP | RUNNING))


def _started(folder: Path, log: int) -> subprocess.Popen[bytes]:
    """dockerd as process 1 of its own namespace: what it started dies with it."""
    ends_with_us = ["setpriv", "--pdeathsig", "KILL"]
    own_processes = ["unshare", "--mount", "--pid", "--fork", "--kill-child", "--mount-proc"]
    dockerd = [
        "dockerd",
        *("--data-root", folder / "data", "--exec-root", folder / "exec"),
        *("--pidfile", folder / "pid", "--host", f"unix://{folder}/docker.sock"),
        *("--bridge", "none", "--cgroup-parent", CGROUPS),
        # systemd, which would have to know of them, is outside.
        *("--exec-opt", "native.cgroupdriver=cgroupfs"),
    ]
    return subprocess.Popen(
        [*ends_with_us, *own_processes, *dockerd], stdout=log, stderr=subprocess.STDOUT
    )


def _wait_for(host: str, process: subprocess.Popen[bytes], folder: Path) -> None:
    deadline = time.monotonic() + READY_WITHIN
    asking = ["docker", "--host", host, "info"]
    while subprocess.run(asking, capture_output=True, check=False).returncode:
        if process.poll() is not None or time.monotonic() > deadline:
            said = (folder / "dockerd.log").read_text(errors="replace").splitlines()
            raise CannotRun("dockerd does not start:\n" + "\n".join(said[-5:]))
        time.sleep(0.2)


def _ended(process: subprocess.Popen[bytes]) -> bool:
    """Tell dockerd to end, which `unshare` would not; whether it did so by itself."""
    children = Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text().split()
    for child in children:
        os.kill(int(child), signal.SIGTERM)
    try:
        return process.wait(GONE_WITHIN) == 0
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
        return False


def _clean(folder: Path) -> None:
    """Remove what an engine leaves, this one's or that of a run that was killed."""
    for group in Path("/sys/fs/cgroup").glob(f"**/{CGROUPS}"):
        for inner in sorted(group.glob("**/"), reverse=True):
            inner.rmdir()
    if not (folder / PEACEFUL).exists():
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir()

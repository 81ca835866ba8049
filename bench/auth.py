"""Logins a second of one auth behind its gunicorn, by the accounts file and by a directory.

Run: make bench-auth. It needs slapd.
"""

import http.client
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

from argon2 import PasswordHasher
from tests.peers.ldap import BASE, PASSWORD, SEARCHER, SEARCHER_PASSWORD, Ldap
from tests.peers.ports import free_port

COMMAND = Path(sys.executable).with_name("pyispyb-auth")
SECONDS, CONNECTIONS = 6.0, 8
WORKERS = 2
TICK = os.sysconf("SC_CLK_TCK")
FILE = """
url = "http://127.0.0.1:8000"
state = "{folder}"
log_level = "WARNING"
[server]
workers = {workers}
[issuers.suite]
issuer = "{{url}}/auth"
jwks_url = "http://127.0.0.1:1/"
[auth]
listen = "127.0.0.1:{port}"
inside_listen = "127.0.0.1:{inside}"
database_url = "sqlite:///{folder}/auth.sqlite"
keys_dir = "{folder}/keys"
[auth.providers.ldap]
kind = "ldap"
servers = ["{ldap.tls_url}"]
ca_certificates = "{ldap.ca}"
bind_dn = "{searcher}"
bind_password = "{word}"
search_base = "{base}"
[auth.providers.static]
kind = "static"
accounts_file = "{folder}/accounts.toml"
"""


def main() -> None:
    """Print logins a second and CPU of each provider, then the memory of the replica."""
    cost = PasswordHasher()
    sys.stdout.write(
        f"argon2id m={cost.memory_cost} KiB, t={cost.time_cost}, p={cost.parallelism}; "
        f"{CONNECTIONS} connections for {SECONDS:.0f} s, {os.cpu_count()} processors\n"
    )
    folder = Path(tempfile.mkdtemp(prefix="bench-auth"))
    try:
        with Ldap() as ldap, serving(folder, ldap) as (auth, port):
            while len(processes(auth)) <= WORKERS:
                time.sleep(0.1)
            sys.stdout.write(f"memory before the first login: {memory(auth)}\n")
            for plugin, password in (("static", "alice-demo"), ("ldap", PASSWORD)):
                a_second, cpu = measured(auth, port, plugin, password)
                sys.stdout.write(f"{plugin:7}{a_second:8.1f} logins/s{cpu:8.1f} ms CPU a login\n")
            sys.stdout.write(f"memory after all of them: {memory(auth)}\n")
    finally:
        shutil.rmtree(folder)


@contextmanager
def serving(folder: Path, ldap: Ldap) -> Iterator[tuple[int, int]]:
    """One `pyispyb-auth serve` as it is by default: its process, and its port."""
    port, inside = free_port(), free_port()
    file = folder / "ispyb.toml"
    more = {
        "workers": WORKERS,
        "base": BASE,
        "searcher": SEARCHER,
        "word": SEARCHER_PASSWORD,
        "ldap": ldap,
    }
    file.write_text(FILE.format(folder=folder, port=port, inside=inside, **more))
    environ = {"PATH": os.environ["PATH"], "ISPYB_CONFIG": str(file)}
    for words in (["demo"], ["database", "upgrade"]):
        subprocess.run([COMMAND, *words], env=environ, check=True, stdout=subprocess.DEVNULL)
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen([COMMAND, "serve"], env=environ, stdout=log, stderr=log)
    try:
        wait(process, port, folder / "log")
        yield process.pid, port
    finally:
        process.terminate()
        process.wait(30)


def wait(process: subprocess.Popen[bytes], port: int, log: Path) -> None:
    """Until it answers."""
    while process.poll() is None:
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
        try:
            connection.request("GET", "/auth/health/live")
            connection.getresponse().read()
        except OSError:
            time.sleep(0.1)
        else:
            return
        finally:
            connection.close()
    sys.exit(log.read_text())


def measured(auth: int, port: int, plugin: str, password: str) -> tuple[float, float]:
    """Logins a second over all connections, and the CPU milliseconds of auth for each."""
    log_in(port, plugin, password, until=0)
    before, started = cpu_seconds(auth), time.monotonic()
    with ThreadPoolExecutor(CONNECTIONS) as threads:
        counts = threads.map(
            lambda _: log_in(port, plugin, password, until=started + SECONDS), range(CONNECTIONS)
        )
        done = sum(counts)
    took = time.monotonic() - started
    return done / took, (cpu_seconds(auth) - before) / done * 1000


def log_in(port: int, plugin: str, password: str, until: float) -> int:
    """How many logins one connection got, at least one."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
    body = json.dumps({"login": "alice", "password": password, "plugin": plugin})
    done = 0
    while not done or time.monotonic() < until:
        connection.request("POST", "/auth/login", body, {"Content-Type": "application/json"})
        answer = connection.getresponse()
        text = answer.read()
        if answer.status != http.HTTPStatus.OK:
            raise RuntimeError(f"{answer.status} {text[:200]!r}")
        done += 1
    connection.close()
    return done


def processes(auth: int) -> list[int]:
    """gunicorn's master and its workers."""
    workers = Path(f"/proc/{auth}/task/{auth}/children").read_text().split()
    return [auth, *map(int, workers)]


def cpu_seconds(auth: int) -> float:
    """What they have used so far."""
    ticks = 0
    for pid in processes(auth):
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        ticks += int(fields[11]) + int(fields[12])
    return ticks / TICK


def memory(auth: int) -> str:
    """Their memory: what is shared counts once (PSS)."""
    kib = 0
    for pid in processes(auth):
        lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
        kib += next(int(line.split()[1]) for line in lines if line.startswith("Pss:"))
    return f"{kib / 1024:.0f} MiB in {len(processes(auth))} processes"


if __name__ == "__main__":
    main()

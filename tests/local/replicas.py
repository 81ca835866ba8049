"""A local run with two replicas of core and of ssx behind a second gateway, and load on them."""

import http.client
import json
import os
import signal
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import Any

from pyispyb_core.settings import CoreSettings
from pyispyb_local import supervision
from pyispyb_local.checks import check_ports, make_folders
from pyispyb_local.plan import Plan, Program
from pyispyb_local.preparation import prepare
from pyispyb_local.readiness import wait_until_ready, why_not_ready
from pyispyb_ssx.settings import SsxSettings

SECTIONS = {"core": CoreSettings, "ssx": SsxSettings}
NO_LIMIT = "1000000000"
READY_WITHIN = 60.0
SETTLING = 3.0  # seconds in which the gateway sees that a replica is back
OK = {200, 201}
IMAGES = 10


def with_replicas(plan: Plan, port: int) -> Plan:
    """The plan with a second core, a second ssx, and a gateway on the next port that knows both."""
    second, targets = [], []
    for program in plan.programs:
        if program.name in SECTIONS:
            second.append(_replica(plan, program, port))
            both = json.dumps([program.listen, second[-1].listen])
            targets.append(f"ISPYB_GATEWAY__{program.name.upper()}_TARGETS={both}")
    gateway = plan.programs[-1]
    listen = f"127.0.0.1:{port + 1}"
    settings = (
        f"ISPYB_STATE={plan.state / 'second'}",
        f"ISPYB_GATEWAY__LISTEN={listen}",
        f"ISPYB_GATEWAY__RATE_PER_TOKEN={NO_LIMIT}",
        *targets,
    )
    last = Program("gateway-2", ("env", *settings, *gateway.command), listen)
    return replace(plan, programs=(*plan.programs, *second, last))


def _replica(plan: Plan, program: Program, port: int) -> Program:
    """The same database, another address, and a folder of its own for what a process leaves."""
    shift = 111 + ("core", "ssx").index(program.name)
    listen, inside = f"127.0.0.1:{port + shift}", f"127.0.0.1:{port + shift + 1000}"
    database = plan.configuration.section(SECTIONS[program.name]).database_url.get_secret_value()
    name = program.name.upper()
    settings = (
        f"ISPYB_STATE={plan.state / 'second'}",
        f"ISPYB_{name}__LISTEN={listen}",
        f"ISPYB_{name}__INSIDE_LISTEN={inside}",
        f"ISPYB_{name}__DATABASE_URL={database}",
    )
    command = ("env", *settings, *program.command)
    return Program(f"{program.name}-2", command, listen, inside)


@contextmanager
def running(plan: Plan) -> Iterator[None]:
    """All of it, from the first start to its end."""
    make_folders(plan.state)
    make_folders(plan.state / "second")
    check_ports(plan.programs)
    prepare(plan)
    runner = supervision.start(plan)
    try:
        wait_until_ready(plan, runner)
        time.sleep(SETTLING)
        yield
    finally:
        runner.terminate()
        supervision.stop(plan.marks)
        runner.wait()


def restart_each(plan: Plan) -> None:
    """A rolling restart: a replica is told to end, and the next only when it is back."""
    for name in ("core", "core-2", "ssx", "ssx-2"):
        restart(plan, next(one for one in plan.programs if one.name == name))


def restart(plan: Plan, program: Program) -> None:
    """Tell a replica to end; its runner starts it again; wait until it is ready, and seen to be."""
    before = supervision.mark_of(plan.marks, program.name)
    assert before is not None
    os.kill(before.pid, signal.SIGTERM)
    until = time.monotonic() + READY_WITHIN
    while supervision.mark_of(plan.marks, program.name) == before or why_not_ready(
        program.listen, program.inside
    ):
        assert time.monotonic() < until, f"{program.name} is not back"
        time.sleep(0.1)
    time.sleep(SETTLING)


class Caller:
    """One keep-alive connection with a token; it never asks twice by itself."""

    def __init__(self, port: int, token: str = "") -> None:
        self._port = port
        self._headers = {"Content-Type": "application/json"}
        if token:
            self._headers["Authorization"] = f"Bearer {token}"
        self._connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)

    def __enter__(self) -> "Caller":
        return self

    def __exit__(self, *_: object) -> None:
        self._connection.close()

    def ask(
        self, method: str, path: str, body: object = None, key: str | None = None
    ) -> tuple[int, Any]:
        """Status and JSON of one request; 0 where no answer came."""
        headers = self._headers | ({} if key is None else {"Idempotency-Key": key})
        data = None if body is None else json.dumps(body).encode()
        try:
            self._connection.request(method, path, data, headers)
            answer = self._connection.getresponse()
            text = answer.read()
        except (OSError, http.client.HTTPException):
            self._connection.close()
            return 0, None
        return answer.status, json.loads(text) if text[:1] in {b"{", b"["} else None


def token_of(port: int, login: str) -> str:
    """A token of one of the demo's cast."""
    body = {"login": login, "password": f"{login}-demo"}
    with Caller(port) as caller:
        status, answer = caller.ask("POST", "/auth/login", body)
    assert status == http.HTTPStatus.OK, answer
    return str(answer["token"])


@dataclass
class Told:
    """What the load was answered: statuses by method, and what was booked under which key."""

    statuses: dict[str, Counter[int]] = field(
        default_factory=lambda: {method: Counter() for method in ("GET", "PUT", "POST")}
    )
    booked: list[str] = field(default_factory=list)
    replays: int = 0

    def failed(self, method: str) -> dict[int, int]:
        """How often which status was not a success."""
        return {status: n for status, n in self.statuses[method].items() if status not in OK}

    def asked(self, method: str) -> int:
        """How many requests."""
        return self.statuses[method].total()


class Load:
    """Reads, batches and bookings at the same time, until told to end."""

    def __init__(self, port: int, token: str) -> None:
        self.told = Told()
        self._port, self._token = port, token
        self._over = threading.Event()
        with Caller(port, token) as caller:
            _, proposal = caller.ask("GET", "/core/proposals/MX1001")
            self._proposal = proposal["proposalId"]
            _, sessions = caller.ask("GET", "/core/sessions?beamLineName=BL1&sort=startDate")
            session = {"sessionId": sessions["results"][0]["sessionId"]}
            status, run = caller.ask("POST", "/ssx/runs", session)
        assert status in OK, run
        self._run = run["runId"]
        work: list[Callable[[Caller], None]] = [self._read, self._read, self._send, self._book]
        self._threads = [threading.Thread(target=self._go_on, args=(one,)) for one in work]

    def __enter__(self) -> Told:
        for thread in self._threads:
            thread.start()
        return self.told

    def __exit__(self, *_: object) -> None:
        self._over.set()
        for thread in self._threads:
            thread.join()

    def rows(self) -> Counter[str]:
        """How many rows each booking has made."""
        found, names, skip = Counter[str](), set(self.told.booked), 0
        with Caller(self._port, self._token) as caller:
            while True:
                path = f"/core/shippings?limit=100&skip={skip}&sort=shippingId"
                _, page = caller.ask("GET", path)
                made = [row["shippingName"] for row in page["results"]]
                found.update(name for name in made if name in names)
                skip += len(made)
                if skip >= page["total"]:
                    return found

    def _go_on(self, work: Callable[[Caller], None]) -> None:
        with Caller(self._port, self._token) as caller:
            while not self._over.is_set():
                work(caller)

    def _read(self, caller: Caller) -> None:
        status, _ = caller.ask("GET", "/core/proposals/MX1001")
        self.told.statuses["GET"][status] += 1

    def _send(self, caller: Caller) -> None:
        n = self.told.statuses["PUT"].total()
        first = n * IMAGES + 1
        numbers = list(range(first, first + IMAGES))
        body = {"imageNumber": numbers, "hit": [False] * IMAGES}
        status, _ = caller.ask("PUT", f"/ssx/runs/{self._run}/batches/{n}", body)
        self.told.statuses["PUT"][status] += 1

    def _book(self, caller: Caller) -> None:
        """A booking that fails is sent again under the same key, until it is known to be made."""
        name = f"rolling {self._run} {len(self.told.booked)}"
        body = {"proposalId": self._proposal, "shippingName": name}
        key = name.replace(" ", "-")
        status, _ = caller.ask("POST", "/core/shippings", body, key)
        self.told.statuses["POST"][status] += 1
        while status not in OK:
            self.told.replays += 1
            time.sleep(0.2)
            status, _ = caller.ask("POST", "/core/shippings", body, key)
        self.told.booked.append(name)

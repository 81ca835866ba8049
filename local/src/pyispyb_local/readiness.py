"""Is the suite ready: each service by its inside port, then all of them through the gateway."""

import subprocess
import time
from pathlib import Path

import requests

from pyispyb_local.journal import newest, shown
from pyispyb_local.plan import SERVICES, Plan, Program
from pyispyb_local.screen import Refusal, step
from pyispyb_local.supervision import mark_of

DEADLINE = 90.0
STARTS_ALLOWED = 5


def wait_until_ready(plan: Plan, runner: subprocess.Popen[bytes]) -> None:
    """Wait for every program, each shown; raises Refusal with what one of them said last."""
    deadline = time.monotonic() + DEADLINE
    for program in plan.programs:
        with step(f"{program.name}: ready on {program.listen}"):
            _wait(plan, program, runner, deadline)


def _wait(plan: Plan, program: Program, runner: subprocess.Popen[bytes], deadline: float) -> None:
    starts = set()
    while True:
        reason = why_not_ready(program.listen, program.inside)
        if reason is None:
            return
        starts.add(mark_of(plan.marks, program.name))
        if runner.poll() is not None:
            raise Refusal(f"the process runner ended: see {plan.logs}/supervisord.log")
        if time.monotonic() > deadline or len(starts) > STARTS_ALLOWED:
            raise Refusal(
                f"{program.name} does not become ready ({reason});"
                f" it last said: {_last_words(plan.logs, program.name)}"
            )
        time.sleep(0.1)


def why_not_ready(listen: str, inside: str | None) -> str | None:
    """None when ready, else the reason; a program without an inside port is the gateway."""
    paths = (
        [f"http://{inside}/health/ready"]
        if inside is not None
        else [f"http://{listen}/{name}/version" for name in SERVICES]
    )
    with requests.Session() as session:
        session.trust_env = False  # a proxy of the site has no part in this
        for url in paths:
            try:
                answer = session.get(url, timeout=3)
            except requests.RequestException:
                return f"{url} does not answer"
            if answer.status_code != requests.codes.ok:
                return f"{url} answers {answer.status_code}"
    return None


def _last_words(logs: Path, name: str) -> str:
    lines = [line for line in newest(logs, 200) if line.get("service") == name]
    return shown(lines[-1]) if lines else "nothing"

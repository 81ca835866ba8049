"""What a first run makes and a second one keeps: keys, tables, demo accounts, demo data."""

import os
import signal
import subprocess
import sys
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

from sqlalchemy.engine import make_url

from pyispyb_auth.settings import AuthSettings
from pyispyb_core.settings import CoreSettings
from pyispyb_local.plan import Plan
from pyispyb_local.screen import Refusal, step
from pyispyb_ssx.settings import SsxSettings

LOG = "prepare.log"


@dataclass(frozen=True, slots=True)
class Step:
    """One command; `makes` names the database that it fills from nothing, and is run for once."""

    title: str
    command: tuple[str, ...]
    makes: str | None = None


STEPS = (
    Step("auth: signing key", ("pyispyb-auth", "keys", "init")),
    Step("auth: tables", ("pyispyb-auth", "database", "upgrade")),
    Step("auth: demo accounts", ("pyispyb-auth", "demo"), makes="auth"),
    Step("core: ISPyB's tables", ("pyispyb-core", "schema", "create")),
    Step("core: demo proposals", ("pyispyb-core", "demo"), makes="core"),
    Step("ssx: tables", ("pyispyb-ssx", "database", "upgrade")),
    Step("ssx: demo run of 25,600 images", ("pyispyb-ssx", "demo"), makes="ssx"),
)


def prepare(plan: Plan) -> None:
    """Run what is not done yet, each step shown; raises Refusal with the first failure's line."""
    databases = _databases(plan)
    for each in STEPS:
        if each.makes is None:
            _run(each, plan)
            continue
        done = plan.state / "db" / f".{'-'.join(each.command)}"
        made_for = sha256(databases[each.makes].encode()).hexdigest()
        if _is_done(done, made_for, databases[each.makes]):
            continue
        _run(each, plan)
        done.write_text(made_for, encoding="ascii")


def _databases(plan: Plan) -> dict[str, str]:
    settings = plan.configuration.section
    return {
        "auth": settings(AuthSettings).database_url.get_secret_value(),
        "core": settings(CoreSettings).database_url.get_secret_value(),
        "ssx": settings(SsxSettings).database_url.get_secret_value(),
    }


def _is_done(note: Path, made_for: str, database: str) -> bool:
    """Was this step finished for this very database, and is the database still there."""
    file = make_url(database).database if database.startswith("sqlite") else None
    if file is not None and not Path(file).exists():
        return False
    return note.exists() and note.read_text(encoding="ascii") == made_for


def _run(each: Step, plan: Plan) -> None:
    program, *arguments = each.command
    log = plan.logs / LOG
    with step(each.title), log.open("ab") as output:
        begun = output.tell()
        child = subprocess.Popen(  # noqa: S603 - a command of this environment
            [Path(sys.executable).with_name(program), *arguments],
            env=plan.environment,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
        try:
            code = child.wait()
        except KeyboardInterrupt:
            os.killpg(child.pid, signal.SIGTERM)
            child.wait()
            raise
        if code:
            raise Refusal(f"{' '.join(each.command)} failed: {_last_line(log, begun)} (all: {log})")


def _last_line(log: Path, begun: int) -> str:
    with log.open("rb") as file:
        file.seek(begun)
        lines = file.read().decode("utf-8", errors="replace").split("\n")
    return next((line.strip() for line in reversed(lines) if line.strip()), "it said nothing")

"""`pyispyb-local`: run the suite on this machine, stop it, watch it, read its log."""

import argparse
import os
import signal
import sys
import tomllib
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from pyispyb_local import journal
from pyispyb_local.checks import check_ports, check_python, make_folders
from pyispyb_local.first_steps import first_steps
from pyispyb_local.plan import Plan, configuration_file, make_plan
from pyispyb_local.preparation import prepare
from pyispyb_local.processes import is_alive
from pyispyb_local.readiness import wait_until_ready, why_not_ready
from pyispyb_local.screen import Refusal, say, step
from pyispyb_local.supervision import Description, described, mark_of, sole_run, start, stop

ENDINGS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


def main() -> None:
    """The command line; a refusal is one line on stderr and exit code 1."""
    options = _options()
    try:
        sys.exit(options.does(options))
    except Refusal as refusal:
        sys.exit(str(refusal))
    except KeyboardInterrupt:
        sys.exit(130)


def run(options: argparse.Namespace) -> int:
    """Prepare, start and watch the suite until Ctrl-C or `stop`."""
    check_python()
    plan = make_plan(options.port, _state(options))
    make_folders(plan.state)
    _answer_endings(_interrupt)
    with sole_run(plan):
        if left := stop(plan.marks):
            say(f"  ended what a crash had left: {', '.join(left)}")
        check_ports(plan.programs)
        try:
            return _watch(plan)
        except KeyboardInterrupt:
            say("\n  stopping …")
            return 0
        finally:
            _answer_endings(signal.SIG_IGN)
            stop(plan.marks)
            say("  stopped; the data stays in " + str(plan.state))


def _watch(plan: Plan) -> int:
    say(f"PyISPyB, with its state in {plan.state}")
    prepare(plan)
    runner = start(plan)
    try:
        wait_until_ready(plan, runner)
        say(_welcome(plan))
        code = runner.wait()
    finally:
        _answer_endings(signal.SIG_IGN)
        runner.terminate()  # it may not have left its pid file yet
    if code:
        say("  the process runner died; ending its programs")
    return 1 if code else 0


def _welcome(plan: Plan) -> str:
    return f"""
PyISPyB is ready at {plan.url}. Paste this into another terminal:

{first_steps(plan.url)}

API pages    {plan.url}/  ({plan.url}/core/docs, …)
The log      make logs, or one request: make logs ID=my-first-run  (files: {plan.logs})
To end       Ctrl-C here, or make stop
"""


def halt(options: argparse.Namespace) -> int:
    """End the suite and whatever a crash left of it."""
    marks = _state(options) / "run"
    with step("stopping"):
        ran = stop(marks)
    say(f"  ended: {', '.join(ran)}" if ran else "  nothing was running")
    return 0


def logs(options: argparse.Namespace) -> int:
    """Print one request across all programs, exit 1 if there is none; else follow the log."""
    folder = _state(options) / "log"
    signal.signal(signal.SIGPIPE, signal.SIG_DFL)  # the reader may have seen enough
    if options.id:
        found = journal.lines_of(options.id, folder)
        for line in found:
            say(journal.shown(line))
        if not found:
            raise Refusal(f"no line with the id {options.id} in {folder}")
        return 0
    with suppress(KeyboardInterrupt):
        for line in journal.newest(folder):
            say(journal.shown(line))
        for line in journal.follow(folder):
            say(journal.shown(line))
    return 0


def status(options: argparse.Namespace) -> int:
    """Say of each program whether it runs and is ready; exit 1 unless all are."""
    suite = _last_suite(_state(options))
    reasons = []
    for name, (listen, inside) in suite.programs.items():
        mark = mark_of(_state(options) / "run", name)
        reason = why_not_ready(listen, inside) if is_alive(mark) else "does not run"
        reasons.append(reason)
        pid = mark.pid if mark and is_alive(mark) else "-"
        say(f"{name:<8} {pid!s:>8}  {listen:<22} {reason or 'ready'}")
    return 1 if any(reasons) else 0


def steps(options: argparse.Namespace) -> int:
    """Print the commands to paste, for the suite that runs here or last ran here."""
    say(first_steps(_last_suite(_state(options)).url))
    return 0


def _last_suite(state: Path) -> Description:
    suite = described(state / "run")
    if suite is None:
        raise Refusal(f"nothing has run with {state} yet: make run")
    return suite


def _state(options: argparse.Namespace) -> Path:
    """The state folder, found without a valid configuration: `stop` must always work."""
    written = options.state or os.environ.get("ISPYB_STATE")
    if written is None:
        with suppress(OSError, tomllib.TOMLDecodeError):
            file = configuration_file(os.environ)
            written = tomllib.loads(file.read_text(encoding="utf-8")).get("state")
    return Path(str(written or "var")).absolute()


def _answer_endings(answer: Callable[..., object] | signal.Handlers) -> None:
    for ending in ENDINGS:
        signal.signal(ending, answer)


def _interrupt(*_: object) -> None:
    raise KeyboardInterrupt


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="pyispyb-local", description=__doc__)
    parser.add_argument("--state", type=Path, help="the folder of databases, keys, logs (var)")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")

    def command(name: str, does: Callable[[argparse.Namespace], int]) -> argparse.ArgumentParser:
        one = commands.add_parser(name, help=does.__doc__, description=does.__doc__)
        one.set_defaults(does=does)
        return one

    command("run", run).add_argument(
        "--port", type=int, help="the gateway's port; services take it + 101… and + 1101…"
    )
    command("stop", halt)
    command("logs", logs).add_argument("--id", help="a request id, as in the X-Request-ID header")
    command("status", status)
    command("try", steps)
    return parser.parse_args()

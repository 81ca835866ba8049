"""pyispyb-auth-conformance: asks a running auth service, prints what holds."""

import argparse
import getpass
import sys
from collections.abc import Sequence
from pathlib import Path

from pyispyb_conformance.checks import CLAUSES
from pyispyb_conformance.clauses import CannotRun, Clause, Finding
from pyispyb_conformance.subject import Given, Subject
from pyispyb_conformance.table import as_json, as_table, conforms

HOLDS, DOES_NOT, CANNOT_RUN = 0, 1, 2
ENDING = """exit code: 0 every required clause holds, 1 one does not, 2 it cannot run.
It logs in about five times and gives three wrong passwords: use a test account."""


def main() -> None:
    """The command line."""
    sys.exit(run(sys.argv[1:]))


def run(words: Sequence[str]) -> int:
    """Try every clause, print the table; the exit code."""
    arguments = _parser().parse_args(words)
    try:
        findings = try_all(_given(arguments), _chosen(arguments.only))
    except CannotRun as error:
        sys.stderr.write(f"pyispyb-auth-conformance: {error}\n")
        return CANNOT_RUN
    sys.stdout.write(as_json(findings) if arguments.json else as_table(findings))
    return HOLDS if conforms(findings) else DOES_NOT


def try_all(given: Given, clauses: Sequence[Clause] = CLAUSES) -> list[Finding]:
    """What came of each clause, in the order of the contract. Raises CannotRun."""
    subject = Subject(given)
    return [clause.tried(subject) for clause in clauses]


def _chosen(only: list[str] | None) -> list[Clause]:
    if only is None:
        return CLAUSES
    chosen = [one for one in CLAUSES if {one.number, one.number.split(".")[0]} & set(only)]
    if not chosen:
        raise CannotRun(f"--only {' '.join(only)}: no such clause")
    return chosen


def _given(arguments: argparse.Namespace) -> Given:
    return Given(
        url=_without_auth(arguments.url),
        login=arguments.login,
        password=_password(arguments),
        services=arguments.services,
        jwks=arguments.jwks,
        block_file=arguments.issuer_block,
        issuer=arguments.issuer,
    )


def _without_auth(url: str) -> str:
    if not url.startswith(("http://", "https://")):
        raise CannotRun(f"{url}: not an http(s) URL")
    return url.rstrip("/").removesuffix("/auth")


def _password(arguments: argparse.Namespace) -> str:
    if arguments.password is not None:
        return str(arguments.password)
    if arguments.password_file is None:
        return getpass.getpass(f"Password of {arguments.login}: ")
    try:
        text: str = arguments.password_file.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise CannotRun(f"{arguments.password_file}: cannot be read") from error
    return text.rstrip("\n")


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="pyispyb-auth-conformance",
        description="Say which clauses of docs/plug-in-authentication.md"
        " a running auth service keeps.",
        epilog=ENDING,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("url", help="where /auth/login is: the gateway, or the service itself")
    parser.add_argument("--login", required=True)
    password = parser.add_mutually_exclusive_group()
    password.add_argument("--password", help="seen by who lists processes; else it is asked for")
    password.add_argument("--password-file", type=Path, metavar="FILE")
    parser.add_argument("--services", metavar="URL", help="where /core and /ssx are, if not there")
    parser.add_argument("--jwks", metavar="URL", help="the keys, if not at the usual path")
    parser.add_argument("--issuer-block", type=Path, metavar="FILE", help="an ispyb.toml to check")
    parser.add_argument("--issuer", metavar="NAME", help="which [issuers.NAME] of it")
    parser.add_argument(
        "--only", action="append", metavar="N", help="a clause, or a section of them; repeatable"
    )
    parser.add_argument("--json", action="store_true", help="for scripts")
    return parser

"""The commands of auth about accounts: service accounts, and forgetting a person."""

import argparse
import getpass
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError

from pyispyb_auth.cli_tokens import audit_on_stderr, revocations_of
from pyispyb_auth.operations.forgetting import forget
from pyispyb_auth.operations.service_accounts import (
    ChangedAccount,
    NewAccount,
    Rotation,
    ServiceAccounts,
)
from pyispyb_auth.providers import providers_of
from pyispyb_auth.settings import AuthSettings
from pyispyb_chassis.configuration import BadConfiguration, Configuration
from pyispyb_chassis.database import Database
from pyispyb_chassis.errors import ServiceError

M = TypeVar("M", bound=BaseModel)
Settings = Callable[[], tuple[Configuration, AuthSettings]]
Run = Callable[[ServiceAccounts, argparse.Namespace], None]


def add_account_commands(commands: Any, settings: Settings) -> None:
    """Put `accounts` and `forget` beside the other commands."""
    accounts = commands.add_parser("accounts", help="service accounts: list, create, rotate, …")
    actions = accounts.add_subparsers(required=True, metavar="ACTION")

    def action(name: str, run: Run, what: str) -> argparse.ArgumentParser:
        parser: argparse.ArgumentParser = actions.add_parser(name, help=what)
        parser.set_defaults(run=lambda arguments: _on_accounts(run, settings, arguments))
        return parser

    action("list", _list, "every account, never a secret")
    create = action("create", _create, "make one; its secret is printed, this once")
    change = action("change", _change, "change what is said of one")
    rotate = action("rotate", _rotate, "a new secret, printed this once; the old one goes on")
    revoke = action("revoke", _revoke, "take one out, with its secrets")
    for parser in (create, change, rotate, revoke):
        parser.add_argument("login")
    for parser in (create, change):
        parser.add_argument("--scope", type=_words, required=parser is create, metavar="A:B,C:D")
        parser.add_argument("--beamline", action="append", dest="beamlines", metavar="NAME")
        parser.add_argument("--description")
        parser.add_argument("--expires", metavar="TIME", help="as 2027-01-31T12:00:00Z")
    switch = change.add_mutually_exclusive_group()
    switch.add_argument("--enable", action="store_true", default=None, dest="enabled")
    switch.add_argument("--disable", action="store_false", default=None, dest="enabled")
    rotate.add_argument("--overlap-seconds", type=int, metavar="N", help="0 ends the old at once")

    person = commands.add_parser("forget", help="take out all that is kept of a person")
    person.add_argument("login")
    person.set_defaults(run=lambda arguments: _forget(settings, arguments))


def _on_accounts(run: Run, settings: Settings, arguments: argparse.Namespace) -> None:
    configuration, ours = settings()
    block = configuration.suite.issuers.get(ours.issuer)
    if block is None:
        raise BadConfiguration([f"auth.issuer: no block [issuers.{ours.issuer}]"])
    with _database(ours) as database:
        providers = providers_of(ours.providers)
        revocations = revocations_of(configuration, ours)
        run(ServiceAccounts(database, providers, block.login_pattern, revocations), arguments)


@contextmanager
def _database(ours: AuthSettings) -> Iterator[Database]:
    """The database, and the audit on stderr; a fault is a line for each field."""
    audit_on_stderr()
    database = Database(ours.database_url.get_secret_value(), name="the database of auth")
    try:
        yield database
    except ServiceError as error:
        named = [f"{field}: {detail}" for field, detail in error.errors]
        sys.exit("\n".join(named) or error.detail)
    finally:
        database.dispose()


def _list(accounts: ServiceAccounts, _arguments: argparse.Namespace) -> None:
    for one in accounts.all():
        parts = (
            one["login"],
            "enabled" if one["enabled"] else "disabled",
            f"until {one['expiresAt'] or 'revoked'}",
            f"used {one['lastUsedAt'] or 'never'}",
            " ".join(one["scope"]),
            ",".join(one["beamlines"]) or "no beamline",
            one["description"],
        )
        sys.stdout.write("  ".join(parts).rstrip() + "\n")


def _create(accounts: ServiceAccounts, arguments: argparse.Namespace) -> None:
    new = _read(NewAccount, login=arguments.login, **_said(arguments))
    sys.stdout.write(f"{accounts.create(new, by=_by()).secret}\n")


def _change(accounts: ServiceAccounts, arguments: argparse.Namespace) -> None:
    changed = _read(ChangedAccount, enabled=arguments.enabled, **_said(arguments))
    accounts.change(arguments.login, changed, by=_by())
    sys.stdout.write(f"changed {arguments.login}\n")


def _rotate(accounts: ServiceAccounts, arguments: argparse.Namespace) -> None:
    rotation = _read(Rotation, overlapSeconds=arguments.overlap_seconds)
    given = accounts.rotate(arguments.login, rotation.overlapSeconds, by=_by())
    sys.stdout.write(f"{given.secret}\n")


def _revoke(accounts: ServiceAccounts, arguments: argparse.Namespace) -> None:
    accounts.revoke(arguments.login, by=_by())
    sys.stdout.write(f"revoked {arguments.login}\n")


def _forget(settings: Settings, arguments: argparse.Namespace) -> None:
    configuration, ours = settings()
    with _database(ours) as database:
        revocations = revocations_of(configuration, ours)
        gone = forget(database, revocations, arguments.login, by=_by())
    told = ", ".join(f"{count} {what}" for what, count in gone.items())
    sys.stdout.write(f"forgot of {arguments.login}: {told}\n")


def _said(arguments: argparse.Namespace) -> dict[str, Any]:
    return {
        "scope": arguments.scope,
        "beamlines": arguments.beamlines,
        "description": arguments.description,
        "expiresAt": arguments.expires,
    }


def _read(kind: type[M], **values: Any) -> M:
    """What was typed, as a model; exits with a line for each fault."""
    said = {name: value for name, value in values.items() if value is not None}
    try:
        return kind.model_validate(said)
    except ValidationError as error:
        lines = [
            f"{'.'.join(str(part) for part in fault['loc'])}: {fault['msg']}"
            for fault in error.errors(include_url=False, include_input=False)
        ]
        sys.exit("\n".join(line.replace("Value error, ", "") for line in lines))


def _by() -> str:
    return f"command line ({getpass.getuser()})"


def _words(text: str) -> list[str]:
    return text.replace(",", " ").split()

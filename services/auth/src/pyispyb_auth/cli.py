"""The command line of auth: serve, keys, database, accounts, forget, hash-password, demo."""

import argparse
import getpass
import sys

from argon2 import PasswordHasher

from pyispyb_auth.cli_accounts import add_account_commands
from pyispyb_auth.cli_tokens import add_token_commands
from pyispyb_auth.demo import static_providers, write_demo_accounts
from pyispyb_auth.migrations import MIGRATIONS
from pyispyb_auth.operations import keys
from pyispyb_auth.providers.static import BadAccounts
from pyispyb_auth.settings import AuthSettings
from pyispyb_chassis.configuration import BadConfiguration, Configuration, loaded_or_exit
from pyispyb_chassis.database import Database
from pyispyb_chassis.errors import ServiceError
from pyispyb_chassis.serve import serve

LONGEST_PASSWORD = 8192


def main() -> None:
    """Run one command; a fault is one line and exit code 1."""
    arguments = _parser().parse_args()
    try:
        arguments.run(arguments)
    except BadConfiguration as bad:
        sys.exit("\n".join(bad.faults))
    except (BadAccounts, keys.NoKeys, ServiceError) as error:
        sys.exit(str(error))


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="pyispyb-auth", description=__doc__)
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    for name, run, what in (
        ("serve", _serve, "serve auth on its two ports"),
        ("hash-password", _hash_password, "hash a password (prompted, or a line on stdin)"),
        ("demo", _demo, "write the demo accounts (local only)"),
    ):
        commands.add_parser(name, help=what).set_defaults(run=run)
    database = commands.add_parser("database", help="auth's own tables")
    database.add_argument("action", choices=["upgrade"])
    database.set_defaults(run=_upgrade)
    add_account_commands(commands, _settings)
    add_token_commands(commands, _settings)
    return parser


def _settings() -> tuple[Configuration, AuthSettings]:
    configuration = loaded_or_exit()
    return configuration, configuration.section(AuthSettings)


def _serve(_arguments: argparse.Namespace) -> None:
    configuration, settings = _settings()
    serve("pyispyb_auth.app:create_app", configuration, settings, "auth")


def _hash_password(_arguments: argparse.Namespace) -> None:
    if sys.stdin.isatty():
        password = getpass.getpass()
        if getpass.getpass("Again: ") != password:
            sys.exit("the two are not the same")
    else:
        password = sys.stdin.readline(LONGEST_PASSWORD).rstrip("\n")
    if not password:
        sys.exit("an empty password is none")
    sys.stdout.write(PasswordHasher().hash(password) + "\n")


def _demo(_arguments: argparse.Namespace) -> None:
    configuration, settings = _settings()
    if configuration.suite.environment != "local":
        sys.exit('the demo accounts are for environment = "local" only')
    for provider in static_providers(settings).values():
        new = write_demo_accounts(provider.accounts_file)
        said = "made" if new else "kept"
        sys.stdout.write(f"{said} {provider.accounts_file}\n")


def _upgrade(_arguments: argparse.Namespace) -> None:
    _, settings = _settings()
    database = Database(settings.database_url.get_secret_value(), name="the database of auth")
    reached = MIGRATIONS.upgrade(database)
    sys.stdout.write(f"upgraded to {reached}\n" if reached else "everything is up to date\n")

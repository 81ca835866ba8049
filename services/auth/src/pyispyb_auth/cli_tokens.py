"""The commands for signing keys and for ending tokens."""

import argparse
import logging
import sys
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

from pyispyb_auth.operations import keyring, keys
from pyispyb_auth.operations.access_tokens import AccessTokens
from pyispyb_auth.operations.revoking import Revocations, shown
from pyispyb_auth.settings import AuthSettings
from pyispyb_chassis.configuration import BadConfiguration, Configuration
from pyispyb_chassis.database import Database
from pyispyb_chassis.logs import JsonLines

BY = "the command line"
Settings = Callable[[], tuple[Configuration, AuthSettings]]


def add_token_commands(commands: Any, settings: Settings) -> None:
    """`keys`, `revoke` and `revoked`."""
    key = commands.add_parser("keys", help="the signing keys").add_subparsers(
        required=True, metavar="ACTION"
    )
    for name, run, what in (
        ("init", _init, "make the first key where there is none"),
        ("list", _list, "list the keys and what each is for now"),
        ("rotate", _rotate, "make a new key; it signs after key_lead_seconds"),
    ):
        action = key.add_parser(name, help=what)
        action.set_defaults(run=lambda _arguments, run=run: run(settings()[1]))
    action = key.add_parser("retire", help="take out a key that is needed no longer")
    action.add_argument("kid")
    action.add_argument("--now", action="store_true", help="its tokens end at once (it leaked)")
    action.set_defaults(run=lambda arguments: _retire(settings()[1], arguments))

    revoke = commands.add_parser("revoke", help="end a person's logins, one login, or one token")
    which = revoke.add_mutually_exclusive_group(required=True)
    which.add_argument("login", nargs="?", help="everything of this login")
    which.add_argument("--sid", help="one login, by the `sid` of its tokens")
    which.add_argument("--jti", help="one access token")
    revoke.set_defaults(run=lambda arguments: _revoke(revocations_of(*settings()), arguments))
    listed = commands.add_parser("revoked", help="print what is revoked")
    listed.set_defaults(run=lambda _arguments: _revoked(revocations_of(*settings())))


def _init(settings: AuthSettings) -> None:
    audit_on_stderr()
    keys.initialise(settings.keys_dir)
    _list(settings)


def _list(settings: AuthSettings) -> None:
    found, lead = keys.keys_in(settings.keys_dir), timedelta(seconds=settings.key_lead_seconds)
    for key in found:
        state = keyring.state_of(key, found, lead, settings.token_seconds)
        sys.stdout.write(f"{key.kid}  {key.made:%Y-%m-%d %H:%M:%S}Z  {state}\n")


def _rotate(settings: AuthSettings) -> None:
    audit_on_stderr()
    keys.rotate(settings.keys_dir)
    _list(settings)


def _retire(settings: AuthSettings, arguments: argparse.Namespace) -> None:
    audit_on_stderr()
    lead = timedelta(seconds=settings.key_lead_seconds)
    folder: Path = settings.keys_dir
    keyring.retire(folder, arguments.kid, lead, settings.token_seconds, now=arguments.now)
    _list(settings)


def revocations_of(configuration: Configuration, settings: AuthSettings) -> Revocations:
    """What is revoked, in the database of these settings."""
    block = configuration.suite.issuers.get(settings.issuer)
    if block is None:
        raise BadConfiguration([f"auth.issuer: no block [issuers.{settings.issuer}]"])
    ring = keyring.KeyRing(settings.keys_dir, settings.key_lead_seconds)
    tokens = AccessTokens(block.issuer, block.audience, settings.token_seconds, ring)
    url = settings.database_url.get_secret_value()
    return Revocations(Database(url, name="the database of auth"), tokens)


def _revoke(revocations: Revocations, arguments: argparse.Namespace) -> None:
    audit_on_stderr()
    if arguments.sid is not None:
        ended = int(revocations.revoke_sid(arguments.sid, by=BY))
    elif arguments.jti is not None:
        revocations.revoke_jti(arguments.jti, by=BY)
        ended = 0
    else:
        ended = revocations.revoke_login(arguments.login, by=BY)
    sys.stdout.write(f"revoked; logins ended: {ended}\n")


def _revoked(revocations: Revocations) -> None:
    for line in shown(revocations.listed()):
        sys.stdout.write(line + "\n")


def audit_on_stderr() -> None:
    """A change by hand is a line of the audit too, beside the answer on stdout."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(JsonLines("auth"))
    logging.getLogger("pyispyb.audit").addHandler(handler)
    logging.getLogger("pyispyb.audit").setLevel(logging.INFO)

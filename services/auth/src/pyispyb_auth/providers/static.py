"""Accounts in a file of the site's: logins with argon2 hashes, and service accounts."""

import logging
import threading
import tomllib
from pathlib import Path
from typing import Any

from argon2 import PasswordHasher
from argon2.exceptions import Argon2Error, InvalidHashError
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from pyispyb_auth.providers.provider import Identity

log = logging.getLogger(__name__)

READABLE_BY_OTHERS = 0o007


class Account(BaseModel):
    """One account; with `scope` a service account: scope and beamlines are its whole right."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    password_hash: str = Field(pattern=r"^\$argon2id\$", repr=False)
    name: str | None = None
    email: str | None = None
    groups: tuple[str, ...] = ()
    scope: tuple[str, ...] | None = None
    beamlines: tuple[str, ...] = ()


class Accounts(BaseModel):
    """The accounts file: a table [accounts.<login>] each."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    accounts: dict[str, Account] = Field(default_factory=dict)


class BadAccounts(Exception):
    """The accounts file cannot be used; the text says why, one line a fault."""


def read_accounts(file: Path) -> dict[str, Account]:
    """The accounts of a file. Raises BadAccounts with every fault."""
    try:
        tree = tomllib.loads(file.read_text(encoding="utf-8"))
        return Accounts.model_validate(tree).accounts
    except OSError as error:
        raise BadAccounts(f"{file}: cannot be read: {error.strerror}") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise BadAccounts(f"{file}: not TOML: {error}") from error
    except ValidationError as error:
        faults = [
            f"{file}: {'.'.join(str(part) for part in fault['loc'])}: {fault['msg']}"
            for fault in error.errors(include_url=False, include_input=False)
        ]
        raise BadAccounts("\n".join(faults)) from error


class StaticProvider:
    """Proves by the accounts file, which is read again when it changes.

    A file that got broken leaves the last good one in force, and says so in the log.
    """

    kind = "static"

    def __init__(self, name: str, file: Path) -> None:
        self.name = name
        self._file = file
        self._hasher = PasswordHasher()
        # What a password for nobody is held against, so that it takes as long.
        self._nobody = self._hasher.hash("nobody")
        self._lock = threading.Lock()
        self._seen = self._stamp()
        self._accounts = read_accounts(file)
        if file.stat().st_mode & READABLE_BY_OTHERS:
            log.warning("the accounts file can be read by others", extra={"file": str(file)})

    def knows(self, login: str) -> bool:
        """Whether the file has this account."""
        return login in self._current()

    def prove(self, login: str, password: str) -> Identity | None:
        """The identity of an account whose password this is."""
        account = self._current().get(login)
        known = account.password_hash if account is not None else self._nobody
        try:
            self._hasher.verify(known, password)
        except (Argon2Error, InvalidHashError):
            return None
        return Identity(login, _claims(login, account)) if account is not None else None

    def fault(self) -> str | None:
        """A file that cannot be used any more is a fault, though logins go on."""
        try:
            read_accounts(self._file)
        except BadAccounts as bad:
            return str(bad)
        return None

    def _current(self) -> dict[str, Account]:
        stamp = self._stamp()
        if stamp != self._seen:
            with self._lock:
                self._seen = stamp
                try:
                    self._accounts = read_accounts(self._file)
                except BadAccounts as bad:
                    fault = {"fault": str(bad)}
                    log.warning("accounts file unusable; the last good one counts", extra=fault)
        return self._accounts

    def _stamp(self) -> tuple[int, int] | None:
        try:
            found = self._file.stat()
        except OSError:
            return None
        return found.st_mtime_ns, found.st_ino


def _claims(login: str, account: Account) -> dict[str, Any]:
    claims: dict[str, Any] = {"name": account.name, "email": account.email}
    if account.groups:
        claims["groups"] = list(account.groups)
    if account.scope is not None:
        claims["client_id"] = login
        claims["scope"] = " ".join(account.scope)
        claims["beamlines"] = list(account.beamlines)
    return {name: value for name, value in claims.items() if value is not None}

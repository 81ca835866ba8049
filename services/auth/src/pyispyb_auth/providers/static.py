"""Accounts in a file of the site's: logins with argon2 hashes, and service accounts."""

import hashlib
import logging
import os
import re
import threading
import tomllib
from pathlib import Path
from typing import Annotated, Any, ClassVar, Literal

from argon2 import PasswordHasher, extract_parameters
from argon2.exceptions import Argon2Error
from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError

from pyispyb_auth.providers.provider import Identity, Provider, ProviderSettings

log = logging.getLogger(__name__)

READABLE_BY_OTHERS = 0o007
_BASE64 = r"(?:[A-Za-z0-9+/]{4}){2,}(?:[A-Za-z0-9+/]{2,3})?"
ARGON2ID = re.compile(
    rf"\$argon2id\$v=19\$(m=\d{{1,7}},t=\d{{1,3}},p=\d{{1,2}})\${_BASE64}\${_BASE64}"
)


def _is_argon2id(value: str) -> str:
    if not ARGON2ID.fullmatch(value):
        raise ValueError("not an argon2id hash; pyispyb-auth hash-password makes one")
    return value


Login = Annotated[str, Field(pattern=r"^\S{1,45}$")]


class Account(BaseModel):
    """One account; with `scope` a service account: scope and beamlines are its whole right."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    password_hash: Annotated[str, AfterValidator(_is_argon2id)] = Field(repr=False)
    name: str | None = None
    email: str | None = None
    groups: tuple[str, ...] = ()
    scope: tuple[str, ...] | None = None
    beamlines: tuple[str, ...] = ()


class Accounts(BaseModel):
    """The accounts file: a table [accounts.<login>] each."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    accounts: dict[Login, Account] = Field(default_factory=dict)


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
            f"{file}: {'.'.join(str(part) for part in fault['loc'])}: "
            + fault["msg"].removeprefix("Value error, ")
            for fault in error.errors(include_url=False, include_input=False)
        ]
        raise BadAccounts("\n".join(faults)) from error


class StaticSettings(ProviderSettings):
    """[auth.providers.<name>] with kind = "static"."""

    kind: Literal["static"]
    accounts_file: Path


class StaticProvider(Provider):
    """Proves by the accounts file, which is read again when it changes.

    A file that got broken leaves the last good one in force, and says so in the log.
    """

    settings_kind: ClassVar = StaticSettings
    is_local = True

    def __init__(self, name: str, settings: StaticSettings) -> None:
        super().__init__(name, settings)
        file = self._file = settings.accounts_file
        self._hasher = PasswordHasher()
        # Each hash takes tens of megabytes; more of them at once than processors gain nothing.
        self._hashing = threading.BoundedSemaphore(os.cpu_count() or 1)
        self._lock = threading.Lock()
        self._seen = self._stamp()
        self._take(read_accounts(file))
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
            with self._hashing:
                self._hasher.verify(known, password)
        except Argon2Error:
            return None
        return _identity(login, account) if account is not None else None

    def still(self, proven: Identity) -> Identity | None:
        """The account as it is now, unless it is gone or has another password."""
        account = self._current().get(proven.login)
        if account is None:
            return None
        now = _identity(proven.login, account)
        return now if proven.proof in {None, now.proof} else None

    def _current(self) -> dict[str, Account]:
        stamp = self._stamp()
        if stamp != self._seen:
            with self._lock:
                self._seen = stamp
                try:
                    self._take(read_accounts(self._file))
                except BadAccounts as bad:
                    fault = {"fault": str(bad)}
                    log.warning("accounts file unusable; the last good one counts", extra=fault)
        return self._accounts

    def _take(self, accounts: dict[str, Account]) -> None:
        self._nobody = _hash_of_nobody(accounts)
        self._accounts = accounts

    def _stamp(self) -> tuple[int, int] | None:
        try:
            found = self._file.stat()
        except OSError:
            return None
        return found.st_mtime_ns, found.st_ino


def _hash_of_nobody(accounts: dict[str, Account]) -> str:
    """What an unknown login's password is held against: a hash that costs what the others cost."""
    costs: dict[str, list[str]] = {}
    for account in accounts.values():
        found = account.password_hash
        costs.setdefault(ARGON2ID.sub(r"\1", found), []).append(found)
    if not costs:
        return PasswordHasher().hash("nobody")
    if len(costs) > 1:
        log.warning("password hashes differ in cost; the time of an answer tells some logins apart")
    usual = max(costs.values(), key=len)[0]
    return PasswordHasher.from_parameters(extract_parameters(usual)).hash("nobody")


def _identity(login: str, account: Account) -> Identity:
    claims: dict[str, Any] = {"name": account.name, "email": account.email}
    if account.groups:
        claims["groups"] = list(account.groups)
    if account.scope is not None:
        claims["client_id"] = login
        claims["scope"] = " ".join(account.scope)
        claims["beamlines"] = list(account.beamlines)
    said = {name: value for name, value in claims.items() if value is not None}
    return Identity(login, said, hashlib.sha256(account.password_hash.encode()).hexdigest())

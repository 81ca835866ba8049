"""Service accounts: what administrators do with them."""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Annotated, Any

import sqlalchemy as sa
from pydantic import BaseModel, ConfigDict, Field
from sqlalchemy.engine import Connection

from pyispyb_auth.operations.audit import audit
from pyispyb_auth.operations.narrowing import Ahead, Beamlines, Scope, now, told
from pyispyb_auth.operations.revoking import Revocations
from pyispyb_auth.operations.service_secrets import (
    NAME,
    account_of,
    give_secret,
    lives,
    secrets_of,
)
from pyispyb_auth.providers import Provider
from pyispyb_auth.tables import personal_token, refresh_family, service_account, service_secret
from pyispyb_chassis.database import Database
from pyispyb_chassis.errors import Conflict, NotFound, Unprocessable

LONGEST_OVERLAP = 30 * 86400
Description = Annotated[str, Field(max_length=255)]


class NewAccount(BaseModel):
    """A service account to make."""

    model_config = ConfigDict(extra="forbid", hide_input_in_errors=True)

    login: Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9._-]{0,44}$")]
    scope: Scope
    beamlines: Beamlines = []
    description: Description = ""
    expiresAt: Ahead | None = None  # noqa: N815


class ChangedAccount(BaseModel):
    """What changes of a service account; what is not said stays."""

    model_config = ConfigDict(extra="forbid", hide_input_in_errors=True)

    scope: Scope = []
    beamlines: Beamlines = []
    description: Description = ""
    expiresAt: Ahead | None = None  # noqa: N815
    enabled: bool = True


class Rotation(BaseModel):
    """A new secret; the one before it goes on for a while."""

    model_config = ConfigDict(extra="forbid", hide_input_in_errors=True)

    overlapSeconds: int = Field(86400, ge=0, le=LONGEST_OVERLAP)  # noqa: N815


class SecretAnswer(BaseModel):
    """A secret, without itself."""

    secretId: str  # noqa: N815
    createdAt: str  # noqa: N815
    expiresAt: str | None = Field(description="null for the newest")  # noqa: N815
    lastUsedAt: str | None  # noqa: N815


class AccountAnswer(BaseModel):
    """A service account."""

    login: str
    description: str
    scope: list[str]
    beamlines: list[str]
    enabled: bool
    createdBy: str  # noqa: N815
    createdAt: str  # noqa: N815
    expiresAt: str | None  # noqa: N815
    lastUsedAt: str | None  # noqa: N815
    secrets: list[SecretAnswer]


class AccountWithSecret(AccountAnswer):
    """A service account with its new secret, which is shown this once."""

    secret: str


@dataclass(frozen=True, slots=True)
class Given:
    """A service account as it is shown, with its new secret."""

    shown: dict[str, Any]
    secret: str

    @property
    def wire(self) -> dict[str, Any]:
        """As the answer's JSON, this once."""
        return {**self.shown, "secret": self.secret}


class ServiceAccounts:
    """All that changes service accounts."""

    def __init__(
        self,
        database: Database,
        providers: Mapping[str, Provider],
        login_pattern: str,
        revocations: Revocations,
    ) -> None:
        self._database = database
        self._revocations = revocations
        self._providers = providers
        self._login_pattern = login_pattern

    def all(self) -> list[dict[str, Any]]:
        """Every account, by its login."""
        with self._database.reading() as connection:
            accounts = connection.execute(
                sa.select(service_account).order_by(service_account.c.login)
            ).all()
            secrets = connection.execute(sa.select(service_secret)).all()
        return [_shown(one, [s for s in secrets if s.login == one.login]) for one in accounts]

    def get(self, login: str) -> dict[str, Any]:
        """One account. Raises NotFound."""
        with self._database.reading() as connection:
            return _shown(_account(connection, login), secrets_of(connection, login))

    def create(self, new: NewAccount, *, by: str) -> Given:
        """A new account with its first secret.

        Raises Conflict where the name is that of an account or of a person, Unprocessable where no
        token could carry it, Unavailable where a provider does not say whether it knows the name.
        """
        if not re.fullmatch(self._login_pattern, new.login):
            raise Unprocessable(
                "the body has faults", errors=[("login", "does not fit the issuer's login_pattern")]
            )
        # Outside of the transaction: a provider may be slow.
        self._refuse_a_persons_name(new.login)
        with self._database.writing() as connection:
            if account_of(connection, new.login) is not None:
                raise _taken("there is a service account by this name")
            if _has_logged_in(connection, new.login):
                raise _taken("somebody by this name has logged in before")
            row = {
                "login": new.login,
                "description": new.description,
                "scope": json.dumps(new.scope),
                "beamlines": json.dumps(new.beamlines),
                "enabled": True,
                "createdBy": by,
                "createdAt": now(),
                "expiresAt": new.expiresAt,
            }
            connection.execute(service_account.insert().values(row))
            secret = give_secret(connection, new.login)
            shown = _shown(_account(connection, new.login), secrets_of(connection, new.login))
        audit("service account created", login=new.login, by=by, scope=new.scope)
        return Given(shown, secret)

    def change(self, login: str, changed: ChangedAccount, *, by: str) -> dict[str, Any]:
        """Change what is said of an account. Raises NotFound."""
        values = changed.model_dump(exclude_unset=True)
        for name in ("scope", "beamlines"):
            if name in values:
                values[name] = json.dumps(values[name])
        with self._database.writing() as connection:
            _locked(connection, login)
            before = _account(connection, login)
            if values:
                here = service_account.c.login == login
                connection.execute(service_account.update().where(here).values(values))
            shown = _shown(_account(connection, login), secrets_of(connection, login))
            if _takes_away(before, shown):
                self._revocations.put(connection, "login", login)
        audit("service account changed", login=login, by=by, changed=sorted(values))
        return shown

    def rotate(self, login: str, overlap_seconds: int, *, by: str) -> Given:
        """A new secret; the one before goes on for the overlap, with none it ends at once.

        Raises NotFound, and Conflict where two are in force already.
        """
        with self._database.writing() as connection:
            _locked(connection, login)
            moment = now()
            living = [one for one in secrets_of(connection, login) if lives(one, moment)]
            if overlap_seconds and len(living) > 1:
                raise Conflict(
                    "two secrets are in force: end one of them first, or rotate without an overlap"
                )
            kept = [one.secretId for one in living] if overlap_seconds else []
            of_login = service_secret.c.login == login
            connection.execute(
                service_secret.delete().where(of_login, service_secret.c.secretId.not_in(kept))
            )
            end = moment + timedelta(seconds=overlap_seconds)
            newest = service_secret.c.expiresAt.is_(None)
            connection.execute(
                service_secret.update().where(of_login, newest).values(expiresAt=end)
            )
            if not overlap_seconds:
                self._revocations.put(connection, "login", login)
            secret = give_secret(connection, login)
            shown = _shown(_account(connection, login), secrets_of(connection, login))
        audit("service account rotated", login=login, by=by, overlap=overlap_seconds)
        return Given(shown, secret)

    def end_secret(self, login: str, secret_id: str, *, by: str) -> None:
        """End one secret at once. Raises NotFound."""
        with self._database.writing() as connection:
            _locked(connection, login)
            ended = connection.execute(
                service_secret.delete().where(
                    service_secret.c.login == login, service_secret.c.secretId == secret_id
                )
            )
            if ended.rowcount != 1:
                raise NotFound("this account has no such secret")
            self._revocations.put(connection, "login", login)
        audit("service account's secret ended", login=login, by=by)

    def revoke(self, login: str, *, by: str) -> None:
        """Take an account out, with its secrets. Raises NotFound."""
        with self._database.writing() as connection:
            _locked(connection, login)
            connection.execute(service_account.delete().where(service_account.c.login == login))
            self._revocations.put(connection, "login", login)
        audit("service account revoked", login=login, by=by)

    def _refuse_a_persons_name(self, login: str) -> None:
        for provider in self._providers.values():
            if not provider.is_for(login):
                continue
            if provider.login_pattern is not None:
                raise _taken(f"such logins belong to {provider.name}")
            if provider.knows(login):
                raise _taken(f"{provider.name} knows somebody by this name")


def _taken(why: str) -> Conflict:
    return Conflict("this login is taken", errors=[("login", why)])


def _has_logged_in(connection: Connection, login: str) -> bool:
    """Whether a person of this login is known from before: some providers cannot say."""
    families = sa.select(refresh_family.c.login).where(
        refresh_family.c.login == login, refresh_family.c.provider != NAME
    )
    tokens = sa.select(personal_token.c.login).where(personal_token.c.login == login)
    return connection.execute(sa.union(families, tokens).limit(1)).first() is not None


def _account(connection: Connection, login: str) -> sa.Row[Any]:
    row = account_of(connection, login)
    if row is None:
        raise NotFound("no such service account")
    return row


def _locked(connection: Connection, login: str) -> None:
    """One change of an account at a time. Raises NotFound."""
    here = sa.select(service_account.c.login).where(service_account.c.login == login)
    if connection.execute(here.with_for_update()).scalar() != login:
        raise NotFound("no such service account")


def _takes_away(before: sa.Row[Any], shown: dict[str, Any]) -> bool:
    """Whether tokens of before say more than the account may now."""
    more = any(
        not set(json.loads(value)) <= set(shown[name])
        for name, value in (("scope", before.scope), ("beamlines", before.beamlines))
    )
    return more or not shown["enabled"]


def _shown(account: sa.Row[Any], secrets: list[sa.Row[Any]]) -> dict[str, Any]:
    """As the answer's JSON; secrets whose time is over are not there any more."""
    return {
        "login": account.login,
        "description": account.description,
        "scope": json.loads(account.scope),
        "beamlines": json.loads(account.beamlines),
        "enabled": bool(account.enabled),
        "createdBy": account.createdBy,
        "createdAt": told(account.createdAt),
        "expiresAt": told(account.expiresAt),
        "lastUsedAt": told(account.lastUsedAt),
        "secrets": [
            {
                "secretId": one.secretId,
                "createdAt": told(one.createdAt),
                "expiresAt": told(one.expiresAt),
                "lastUsedAt": told(one.lastUsedAt),
            }
            for one in secrets
            if lives(one, now())
        ],
    }

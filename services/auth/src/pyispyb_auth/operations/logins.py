"""Logging in, going on, logging out: access tokens and the families of refresh tokens."""

import hashlib
import json
import logging
import secrets
import time
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import jwt
import sqlalchemy as sa
from sqlalchemy.engine import Connection

from pyispyb_auth.operations.keys import SigningKey
from pyispyb_auth.providers import Identity, Provider
from pyispyb_auth.settings import AuthSettings
from pyispyb_auth.tables import refresh_family, refresh_token
from pyispyb_chassis.database import Database
from pyispyb_chassis.errors import Unauthenticated, Unprocessable

log = logging.getLogger("pyispyb.audit")

REFUSED = "login or password is wrong"
ENDED = "this login has ended; log in again"
REFRESH_BYTES = 32


@dataclass(frozen=True, slots=True)
class Tokens:
    """What a login or a refresh gives."""

    token: str
    refresh_token: str
    expires_in: int
    login: str

    @property
    def wire(self) -> dict[str, Any]:
        """As the answer's JSON."""
        return {
            "token": self.token,
            "refreshToken": self.refresh_token,
            "expiresIn": self.expires_in,
            "tokenType": "Bearer",
            "login": self.login,
        }


class Logins:
    """All that changes who is logged in; each call is one transaction."""

    def __init__(
        self,
        database: Database,
        settings: AuthSettings,
        issuer: str,
        audience: str | None,
        providers: Mapping[str, Provider],
        keys: list[SigningKey],
    ) -> None:
        self._database = database
        self._settings = settings
        self._issuer = issuer
        self._audience = audience
        self._providers = providers
        self._keys = keys

    def jwks(self) -> dict[str, Any]:
        """The public keys by which tokens are verified."""
        return {"keys": [key.jwk for key in self._keys]}

    def log_in(self, login: str, password: str, plugin: str | None) -> Tokens:
        """Tokens for whoever proves to be `login`.

        Raises Unauthenticated, with one text, for an unknown login and a wrong password;
        Unprocessable for a plugin that is not configured.
        """
        provider = self._provider(login, plugin)
        identity = provider.prove(login, password)
        if identity is None:
            log.warning("login refused", extra={"who": login, "provider": provider.name})
            raise Unauthenticated(REFUSED)
        sid = str(uuid.uuid4())
        now = _now()
        claims = dict(identity.claims)
        with self._database.writing() as connection:
            connection.execute(
                refresh_family.insert().values(
                    sid=sid,
                    login=identity.login,
                    provider=provider.name,
                    claims=json.dumps(claims),
                    createdAt=now,
                    expiresAt=now + timedelta(seconds=self._settings.refresh_seconds),
                )
            )
            refresh = self._issue_refresh(connection, sid, None)
        log.info("logged in", extra={"who": identity.login, "provider": provider.name, "sid": sid})
        return self._tokens(identity, sid, refresh)

    def refresh(self, presented: str) -> Tokens:
        """The next tokens of a login.

        The last used refresh token may be used again for some seconds (its answer was lost, or
        two threads hold it) and gives another successor; any other reuse ends the login.
        Raises Unauthenticated.
        """
        used = _hash(presented)
        reused: str | None = None
        with self._database.writing() as connection:
            token, family = self._locked(connection, used)
            now = _now()
            if family.endedAt is not None or family.expiresAt <= now:
                raise Unauthenticated(ENDED)
            if token.usedAt is None:
                connection.execute(
                    refresh_token.update().where(refresh_token.c.hash == used).values(usedAt=now)
                )
            elif not self._again(connection, used, token.usedAt, now):
                self._end(connection, family.sid, "reuse")
                reused = family.sid
            fresh = self._issue_refresh(connection, family.sid, used) if reused is None else ""
        if reused is not None:
            log.warning(
                "refresh token reused; login ended", extra={"who": family.login, "sid": reused}
            )
            raise Unauthenticated(ENDED)
        identity = Identity(family.login, json.loads(family.claims))
        return self._tokens(identity, family.sid, fresh)

    def log_out(self, presented: str) -> None:
        """End the login that this refresh token belongs to; one that is not known is no fault."""
        with self._database.writing() as connection:
            sid = connection.execute(
                sa.select(refresh_token.c.sid).where(refresh_token.c.hash == _hash(presented))
            ).scalar()
            if sid is not None:
                self._end(connection, sid, "logout")
                log.info("logged out", extra={"sid": sid})

    def _provider(self, login: str, plugin: str | None) -> Provider:
        """The named provider, else the first that knows the login, else the first."""
        if plugin is not None:
            if plugin not in self._providers:
                known = ", ".join(self._providers)
                told = [("plugin", f"no such plugin; configured: {known}")]
                raise Unprocessable("the body has faults", errors=told)
            return self._providers[plugin]
        if not self._providers:
            raise Unauthenticated(REFUSED)
        knowing = (one for one in self._providers.values() if one.knows(login))
        return next(knowing, next(iter(self._providers.values())))

    def _locked(self, connection: Connection, used: str) -> tuple[sa.Row[Any], sa.Row[Any]]:
        """The token and its family, which nobody else may change meanwhile."""
        sid = connection.execute(
            sa.select(refresh_token.c.sid).where(refresh_token.c.hash == used)
        ).scalar()
        if sid is None:
            raise Unauthenticated(ENDED)
        families = sa.select(refresh_family).where(refresh_family.c.sid == sid)
        family = connection.execute(families.with_for_update()).one()
        tokens = sa.select(refresh_token).where(refresh_token.c.hash == used)
        return connection.execute(tokens).one(), family

    def _again(self, connection: Connection, used: str, used_at: datetime, now: datetime) -> bool:
        grace = timedelta(seconds=self._settings.refresh_grace_seconds)
        if now - used_at > grace:
            return False
        successors = sa.select(refresh_token.c.hash).where(
            refresh_token.c.parent == used, refresh_token.c.usedAt.is_not(None)
        )
        return connection.execute(successors.limit(1)).first() is None

    def _issue_refresh(self, connection: Connection, sid: str, parent: str | None) -> str:
        token = secrets.token_urlsafe(REFRESH_BYTES)
        connection.execute(
            refresh_token.insert().values(
                hash=_hash(token), sid=sid, parent=parent, issuedAt=_now()
            )
        )
        return token

    def _end(self, connection: Connection, sid: str, why: str) -> None:
        connection.execute(
            refresh_family.update()
            .where(refresh_family.c.sid == sid, refresh_family.c.endedAt.is_(None))
            .values(endedAt=_now(), endedBy=why)
        )

    def _tokens(self, identity: Identity, sid: str, refresh: str) -> Tokens:
        now = int(time.time())
        claims = {
            **identity.claims,
            "iss": self._issuer,
            "sub": identity.login,
            "iat": now,
            "exp": now + self._settings.token_seconds,
            "jti": str(uuid.uuid4()),
            "sid": sid,
        }
        if self._audience is not None:
            claims["aud"] = self._audience
        key = self._keys[0]
        token = jwt.encode(claims, key.private, algorithm="ES256", headers={"kid": key.kid})
        return Tokens(token, refresh, self._settings.token_seconds, identity.login)


def _hash(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()


def _now() -> datetime:
    return datetime.now(UTC).replace(tzinfo=None, microsecond=0)

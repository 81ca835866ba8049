"""Logging in, going on, logging out: the families of refresh tokens."""

import hashlib
import json
import secrets
import sys
import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from pyispyb_auth.operations.access_tokens import AccessTokens
from pyispyb_auth.operations.audit import audit, log
from pyispyb_auth.operations.choosing import Choosing, Credentials
from pyispyb_auth.operations.opaque import Keeper
from pyispyb_auth.operations.revoking import Revocations, end
from pyispyb_auth.operations.throttling import Throttle
from pyispyb_auth.providers import Identity, Provider
from pyispyb_auth.settings import AuthSettings
from pyispyb_auth.tables import refresh_family, refresh_token
from pyispyb_chassis.database import Database
from pyispyb_chassis.errors import ServiceError, Unauthenticated, Unavailable

REFUSED = "login or password is wrong"
ENDED = "this login has ended; log in again"
REFRESH_BYTES = 32
FORGOTTEN_AT_ONCE = 100
CONFIRMED_AT_MOST_EVERY = timedelta(minutes=5)


@dataclass(frozen=True, slots=True)
class Tokens:
    """What a login or a refresh gives."""

    token: str
    refresh_token: str | None
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
    """All that changes who is logged in."""

    def __init__(
        self,
        database: Database,
        settings: AuthSettings,
        providers: dict[str, Provider],
        access_tokens: AccessTokens,
        revocations: Revocations,
        throttle: Throttle,
        keepers: Sequence[Keeper] = (),
    ) -> None:
        self._database = database
        self._settings = settings
        self._standing: dict[str, Provider | Keeper] = {
            **providers,
            **{one.name: one for one in keepers},
        }
        self._choosing = Choosing(providers, keepers)
        self.faults_of = self._choosing.faults_of
        self._access_tokens = access_tokens
        self._revocations = revocations
        self._throttle = throttle

    def log_in(self, credentials: Credentials, plugin: str | None) -> Tokens:
        """Tokens for whoever proves to be this login.

        Raises Unauthenticated, with one text, for an unknown login and a wrong password, and
        TooManyRequests, whatever is sent, after too many of these.
        """
        with self._throttle.guarding(credentials.login):
            provider, identity = self._choosing.decide(credentials, plugin)
            if provider is None or identity is None:
                name = provider.name if provider is not None else None
                audit("login refused", login=credentials.login, provider=name, refused=True)
                raise Unauthenticated(REFUSED)
        return self.begin(identity, provider)

    def begin(self, identity: Identity, provider: Provider | Keeper) -> Tokens:
        """A new login of somebody whom this provider has proven."""
        sid = str(uuid.uuid4())
        now = _now()
        if provider.login_seconds == 0:  # what it was begun with is what it goes on by
            pat = identity.claims.get("pat")
            audit("logged in", login=identity.login, provider=provider.name, sid=sid, pat=pat)
            return self._tokens(identity, sid, None)
        seconds = min(self._settings.refresh_seconds, provider.login_seconds or sys.maxsize)
        with self._database.writing() as connection:
            connection.execute(
                refresh_family.insert().values(
                    sid=sid,
                    login=identity.login,
                    provider=provider.name,
                    claims=json.dumps(dict(identity.claims)),
                    proof=identity.proof,
                    createdAt=now,
                    confirmedAt=now,
                    expiresAt=now + timedelta(seconds=seconds),
                )
            )
            refresh = self._issue_refresh(connection, sid, None)
        audit("logged in", login=identity.login, provider=provider.name, sid=sid)
        self._forget_expired()
        return self._tokens(identity, sid, refresh)

    def refresh(self, presented: str) -> Tokens:
        """The next tokens of a login, with what its provider says of it now.

        The last used refresh token may be used again for some seconds (its answer was lost, or
        two threads hold it) and gives another successor; any other reuse ends the login.
        Raises Unauthenticated.
        """
        used = _hash(presented)
        family = self._family(used)
        identity = self._still(family)
        if identity is None:
            with self._database.writing() as connection:
                self._end(connection, family.sid, "withdrawn")
            told = {"login": family.login, "sid": family.sid, "provider": family.provider}
            audit("login withdrawn", refused=True, **told)
            raise Unauthenticated(ENDED)
        successor = self._succeed(used, family.sid)
        if successor is None:
            told = {"login": family.login, "sid": family.sid, "provider": family.provider}
            audit("refresh token reused; login ended", refused=True, **told)
            raise Unauthenticated(ENDED)
        return self._tokens(identity, family.sid, successor)

    def log_out(self, refresh: str | None, access: str | None) -> None:
        """End the login that these tokens belong to; a refresh token of nobody is no fault.

        Raises Unauthenticated for an access token that stands alone and is not in force.
        """
        by_access = self._access_tokens.login_of(access) if access is not None else None
        if refresh is None and by_access is None:
            raise Unauthenticated
        found = set() if by_access is None else {by_access}
        with self._database.writing() as connection:
            if refresh is not None:
                by_refresh = sa.select(refresh_token.c.sid).where(
                    refresh_token.c.hash == _hash(refresh)
                )
                found |= set(connection.execute(by_refresh).scalars())
            ended = [sid for sid in sorted(found) if self._end(connection, sid, "logout")]
            if by_access is not None and by_access not in ended:  # a login that keeps no refresh
                self._revocations.put(connection, "sid", by_access)
        for sid in ended:
            audit("logged out", sid=sid)

    def revoke_token(self, token: str) -> None:
        """End a refresh token's login, or an access token; a token of nobody is no fault."""
        claims = self._access_tokens.claims_of(token)
        if claims is not None:
            self._revocations.revoke_jti(str(claims["jti"]), by=str(claims["sub"]))
        else:
            self.log_out(token, None)

    def _family(self, used: str) -> sa.Row[Any]:
        """The login of a refresh token. Raises Unauthenticated where it goes on no longer."""
        families = sa.select(refresh_family).join(refresh_token).where(refresh_token.c.hash == used)
        with self._database.reading() as connection:
            family = connection.execute(families).one_or_none()
        if family is None or family.endedAt is not None or family.expiresAt <= _now():
            raise Unauthenticated(ENDED)
        return family

    def _still(self, family: sa.Row[Any]) -> Identity | None:
        """Outside of any transaction: a provider may be slow, or down for a while.

        Raises Unavailable where it has been down for too long.
        """
        provider = self._standing.get(family.provider)
        proven = Identity(family.login, json.loads(family.claims), family.proof)
        if provider is None:
            return None
        try:
            identity = provider.still(proven)
        except Unavailable as error:
            if _now() - _confirmed(family) > timedelta(seconds=self._settings.outage_seconds):
                raise
            told = {"login": family.login, "sid": family.sid, "fault": error.detail}
            log.warning("login goes on by what its provider said last", extra=told)
            return proven
        self._confirm(family, identity)
        return identity

    def _confirm(self, family: sa.Row[Any], identity: Identity | None) -> None:
        """Keep what the provider says now, for when it is down; seldom, where it is the same."""
        if identity is None:
            return
        claims, now = json.dumps(dict(identity.claims)), _now()
        if claims == family.claims and now - _confirmed(family) < CONFIRMED_AT_MOST_EVERY:
            return
        kept = refresh_family.update().where(refresh_family.c.sid == family.sid)
        with self._database.writing() as connection:
            connection.execute(kept.values(claims=claims, confirmedAt=now))

    def _succeed(self, used: str, sid: str) -> str | None:
        """The next refresh token; None, and the login is ended, where `used` was used before."""
        of_family = sa.select(refresh_family.c.endedAt).where(refresh_family.c.sid == sid)
        of_token = sa.select(refresh_token.c.usedAt).where(refresh_token.c.hash == used)
        with self._database.writing() as connection:
            # One at a time for each login; what was read before may have changed meanwhile.
            if connection.execute(of_family.with_for_update()).scalar() is not None:
                raise Unauthenticated(ENDED)
            used_at = connection.execute(of_token).scalar()
            if used_at is None:
                mark = refresh_token.update().where(refresh_token.c.hash == used)
                connection.execute(mark.values(usedAt=_now()))
            elif not self._is_the_last_used(connection, used, used_at):
                self._end(connection, sid, "reuse")
                return None
            return self._issue_refresh(connection, sid, used)

    def _is_the_last_used(self, connection: Connection, used: str, used_at: datetime) -> bool:
        if _now() - used_at > timedelta(seconds=self._settings.refresh_grace_seconds):
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

    def _end(self, connection: Connection, sid: str, why: str) -> bool:
        """End a login, its access tokens too; whether it had not ended already."""
        if not end(connection, sid, why):
            return False
        self._revocations.put(connection, "sid", sid)
        return True

    def _forget_expired(self) -> None:
        """Take out some logins that expired; that this fails keeps nobody from logging in."""
        expired = sa.select(refresh_family.c.sid).where(refresh_family.c.expiresAt < _now())
        some = expired.order_by(refresh_family.c.expiresAt).limit(FORGOTTEN_AT_ONCE)
        try:
            with self._database.reading() as connection:
                found = connection.execute(some).scalars().all()
            if not found:
                return
            with self._database.writing() as connection:
                old = refresh_family.delete().where(refresh_family.c.sid.in_(found))
                connection.execute(old)
        except ServiceError as error:
            log.warning("expired logins stay for now", extra={"fault": error.detail})

    def _tokens(self, identity: Identity, sid: str, refresh: str | None) -> Tokens:
        token = self._access_tokens.sign(identity, sid)
        return Tokens(token, refresh, self._access_tokens.life_of(identity), identity.login)


def _confirmed(family: sa.Row[Any]) -> datetime:
    """When a provider last said that this login is good."""
    moment: datetime = family.confirmedAt or family.createdAt
    return moment


def _hash(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()


def _now() -> datetime:
    return datetime.now(UTC).replace(tzinfo=None, microsecond=0)

"""What ended before it expired: kept in the database, told as one signed list."""

import threading
import time
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any, Literal

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from pyispyb_auth.operations.access_tokens import AccessTokens
from pyispyb_auth.operations.audit import audit
from pyispyb_auth.tables import refresh_family, revocation
from pyispyb_chassis.database import Database

Kind = Literal["jti", "sid", "login"]
# Clocks differ a little, and a service's may be behind ours.
MARGIN_SECONDS = 60
LIST_KEPT_SECONDS = 1.0
FORGOTTEN_AT_ONCE = 100
LIST_TYPE = "revocations+jwt"


class Revocations:
    """What is revoked; every replica and worker reads the same rows."""

    def __init__(self, database: Database, access_tokens: AccessTokens) -> None:
        self._database = database
        self._access_tokens = access_tokens
        self._lock = threading.Lock()
        self._signed = b""
        self._signed_at = float("-inf")

    def put(self, connection: Connection, kind: Kind, value: str) -> None:
        """List one more, for as long as a token that it concerns can live.

        A login is listed by the moment: what was issued in this second or before has ended.
        """
        moment = int(time.time())
        lives = self._access_tokens.seconds + MARGIN_SECONDS
        connection.execute(
            revocation.insert().values(
                kind=kind,
                value=value,
                notBefore=moment + 1,
                expiresAt=_at(moment) + timedelta(seconds=lives),
            )
        )

    def revoke_login(self, login: str, *, by: str) -> int:
        """Sign somebody out everywhere, now; how many of their logins ended."""
        going_on = sa.select(refresh_family.c.sid, refresh_family.c.login).where(
            refresh_family.c.login == login, refresh_family.c.endedAt.is_(None)
        )
        with self._database.writing() as connection:
            # A database may compare without case; a login is its letters.
            sids = [row.sid for row in connection.execute(going_on) if row.login == login]
            for sid in sids:
                end(connection, sid, "revoked")
                self.put(connection, "sid", sid)
            self.put(connection, "login", login)
        audit("login revoked", login=login, by=by, ended=len(sids))
        self._forget_expired()
        return len(sids)

    def revoke_sid(self, sid: str, *, by: str) -> bool:
        """End one login by its `sid`; whether it was one that went on."""
        with self._database.writing() as connection:
            ended = end(connection, sid, "revoked")
            self.put(connection, "sid", sid)
        audit("login revoked", sid=sid, by=by, ended=int(ended))
        return ended

    def revoke_jti(self, jti: str, *, by: str) -> None:
        """End one access token by its `jti`; the login goes on."""
        listed = sa.select(revocation.c.revocationId).where(
            revocation.c.kind == "jti", revocation.c.value == jti
        )
        with self._database.writing() as connection:
            if connection.execute(listed.limit(1)).first() is None:
                self.put(connection, "jti", jti)
        audit("token revoked", jti=jti, by=by)

    def listed(self) -> dict[str, Any]:
        """The list as it is now. Raises Unavailable without the database."""
        claims: dict[str, Any] = {"revoked_jti": [], "revoked_sid": [], "not_before": {}}
        told = sa.select(revocation.c.kind, revocation.c.value, revocation.c.notBefore)
        in_force = told.where(revocation.c.expiresAt > _at(time.time()))
        with self._database.reading() as connection:
            rows = connection.execute(in_force.order_by(revocation.c.revocationId)).all()
        for kind, value, not_before in rows:
            if kind == "login":
                claims["not_before"][value] = max(not_before, claims["not_before"].get(value, 0))
            elif value not in claims[f"revoked_{kind}"][-1:]:
                claims[f"revoked_{kind}"].append(value)
        return claims

    def signed(self) -> bytes:
        """The list as a JWS, at most a second old."""
        with self._lock:
            if time.monotonic() - self._signed_at > LIST_KEPT_SECONDS:
                self._signed = self._access_tokens.sign_list(self.listed(), LIST_TYPE)
                self._signed_at = time.monotonic()
            return self._signed

    def page(self) -> tuple[str, bytes]:
        """For the inside port."""
        return "application/jwt", self.signed()

    def _forget_expired(self) -> None:
        expired = sa.select(revocation.c.revocationId).where(
            revocation.c.expiresAt < _at(time.time())
        )
        with self._database.reading() as connection:
            found = connection.execute(expired.limit(FORGOTTEN_AT_ONCE)).scalars().all()
        if found:
            with self._database.writing() as connection:
                old = revocation.delete().where(revocation.c.revocationId.in_(found))
                connection.execute(old)


def end(connection: Connection, sid: str, why: str) -> bool:
    """Mark a login as ended; whether it had not ended already."""
    ended = connection.execute(
        refresh_family.update()
        .where(refresh_family.c.sid == sid, refresh_family.c.endedAt.is_(None))
        .values(endedAt=_at(time.time()), endedBy=why)
    )
    return ended.rowcount == 1


def shown(claims: Mapping[str, Any]) -> list[str]:
    """The list as lines for people."""
    lines = [f"jti  {jti}" for jti in claims["revoked_jti"]]
    lines += [f"sid  {sid}" for sid in claims["revoked_sid"]]
    moments = claims["not_before"].items()
    return lines + [f"login  {login}  before {_at(at):%Y-%m-%d %H:%M:%S}Z" for login, at in moments]


def _at(moment: float) -> datetime:
    return datetime.fromtimestamp(int(moment), UTC).replace(tzinfo=None)

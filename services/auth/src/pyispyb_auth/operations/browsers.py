"""Logging in by a browser: it leaves for the provider, comes back, and redeems a one-time code."""

import hashlib
import json
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import sqlalchemy as sa

from pyispyb_auth.operations.audit import audit
from pyispyb_auth.operations.choosing import Choosing
from pyispyb_auth.operations.logins import Logins, Tokens
from pyispyb_auth.providers import Identity, Provider
from pyispyb_auth.providers.provider import Arrival
from pyispyb_auth.tables import browser_login
from pyispyb_chassis.database import Database
from pyispyb_chassis.errors import NotFound, Unauthenticated, Unavailable

ON_THE_WAY = timedelta(minutes=10)
CODE_LIVES = timedelta(seconds=60)
SECRET_BYTES = 32
STATE_BYTES = 16
FORGOTTEN_AT_ONCE = 100
UNAVAILABLE, EXPIRED, REFUSED = "unavailable", "expired", "refused"


@dataclass(frozen=True, slots=True)
class Left:
    """A browser that is sent to `url`; `cookie` makes sure that it is the one that comes back."""

    url: str
    state: str
    cookie: str


@dataclass(frozen=True, slots=True)
class Back:
    """A browser that came back: where it goes on, with a code or with the word of a fault."""

    return_to: str
    code: str | None = None
    error: str | None = None


class Browsers:
    """Logins by browser; `callbacks` is the URL below which providers send them back."""

    def __init__(
        self, database: Database, providers: Mapping[str, Provider], logins: Logins, callbacks: str
    ) -> None:
        self._database = database
        self._providers = {name: one for name, one in providers.items() if "browser" in one.takes}
        self._choosing = Choosing(providers)
        self._logins = logins
        self._callbacks = callbacks

    def leave(self, name: str, return_to: str) -> Left:
        """Send a browser to the provider. Raises NotFound, or Unavailable where that is down."""
        provider = self._provider(name)
        state, cookie = secrets.token_urlsafe(STATE_BYTES), secrets.token_urlsafe(SECRET_BYTES)
        departure = provider.depart(self._callback(name), state)
        self._forget_expired()
        with self._database.writing() as connection:
            connection.execute(
                browser_login.insert().values(
                    state=state,
                    cookie=_hash(cookie),
                    provider=name,
                    kept=json.dumps(dict(departure.kept)),
                    returnTo=return_to,
                    expiresAt=_now() + ON_THE_WAY,
                )
            )
        return Left(departure.url, state, cookie)

    def come_back(self, name: str, query: Mapping[str, str], cookies: Mapping[str, str]) -> Back:
        """Ask the provider who came back, once for each that left."""
        provider = self._provider(name)
        left = self._arrived(name, query.get("state", ""), cookies)
        if left is None:
            return Back("/", error=EXPIRED)
        arrival = Arrival(self._callback(name), query, json.loads(left.kept))
        try:
            identity = provider.arrive(arrival)
        except Unavailable as error:
            audit("browser login failed", provider=name, refused=True, fault=error.detail)
            return Back(left.returnTo, error=UNAVAILABLE)
        if identity is None or not self._choosing.may_say(provider, identity.login):
            claimed = identity.login if identity is not None else None
            audit("login refused", login=claimed, provider=name, refused=True)
            return Back(left.returnTo, error=REFUSED)
        code = secrets.token_urlsafe(SECRET_BYTES)
        said = {"login": identity.login, "claims": dict(identity.claims), "proof": identity.proof}
        ready = browser_login.update().where(browser_login.c.state == left.state)
        with self._database.writing() as connection:
            connection.execute(
                ready.values(
                    code=_hash(code), identity=json.dumps(said), expiresAt=_now() + CODE_LIVES
                )
            )
        return Back(left.returnTo, code=code)

    def redeem(self, code: str, cookies: Mapping[str, str]) -> tuple[Tokens, str]:
        """The tokens for a code, once, and the state whose cookie is needed no longer.

        Raises Unauthenticated.
        """
        of_code = sa.select(browser_login).where(browser_login.c.code == _hash(code))
        with self._database.writing() as connection:
            row = connection.execute(of_code).one_or_none()
            if row is None or row.expiresAt <= _now() or not _is_its_cookie(row, cookies):
                raise Unauthenticated("this code is not valid, or no longer")
            gone = browser_login.delete().where(browser_login.c.state == row.state)
            if connection.execute(gone).rowcount != 1:
                raise Unauthenticated("this code is not valid, or no longer")
        identity = Identity(**json.loads(row.identity))
        return self._logins.begin(identity, self._provider(row.provider)), row.state

    def _arrived(
        self, name: str, state: str, cookies: Mapping[str, str]
    ) -> "sa.Row[tuple[str, ...]] | None":
        """The one that left with this state and cookie, and comes back in time, and first."""
        of_state = sa.select(browser_login).where(
            browser_login.c.state == state, browser_login.c.provider == name
        )
        with self._database.reading() as connection:
            left = connection.execute(of_state).one_or_none()
        if left is None or left.expiresAt <= _now() or not _is_its_cookie(left, cookies):
            return None
        arrives = browser_login.update().where(
            browser_login.c.state == state, browser_login.c.arrivedAt.is_(None)
        )
        with self._database.writing() as connection:
            first = connection.execute(arrives.values(arrivedAt=_now())).rowcount == 1
        return left if first else None

    def _provider(self, name: str) -> Provider:
        if name not in self._providers:
            raise NotFound("no such provider takes browsers")
        return self._providers[name]

    def _callback(self, name: str) -> str:
        return f"{self._callbacks}/{name}/callback"

    def _forget_expired(self) -> None:
        expired = sa.select(browser_login.c.state).where(browser_login.c.expiresAt < _now())
        some = expired.order_by(browser_login.c.expiresAt).limit(FORGOTTEN_AT_ONCE)
        with self._database.reading() as connection:
            found = connection.execute(some).scalars().all()
        if found:
            with self._database.writing() as connection:
                old = browser_login.delete().where(browser_login.c.state.in_(found))
                connection.execute(old)


def cookie_name(state: str) -> str:
    """A cookie for each browser that left: two windows may log in at once."""
    return f"ispyb_login_{state}"


def _is_its_cookie(row: "sa.Row[tuple[str, ...]]", cookies: Mapping[str, str]) -> bool:
    given = _hash(cookies.get(cookie_name(row.state), ""))
    return secrets.compare_digest(given, row.cookie)


def _hash(secret: str) -> str:
    return hashlib.sha256(secret.encode()).hexdigest()


def _now() -> datetime:
    return datetime.now(UTC).replace(tzinfo=None, microsecond=0)

"""Holding up who guesses: growing delays per login and address, the same in every replica."""

import hashlib
import math
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from ipaddress import IPv6Address, ip_address, ip_network

import sqlalchemy as sa
from sqlalchemy.engine import Connection
from sqlalchemy.exc import IntegrityError

from pyispyb_auth.operations.audit import audit
from pyispyb_auth.settings import AuthSettings
from pyispyb_auth.tables import known_address, login_failure
from pyispyb_chassis.database import Database
from pyispyb_chassis.errors import ServiceError, TooManyRequests, Unauthenticated
from pyispyb_chassis.ids import client_address

HELD = "too many refused logins; try again later"
# Failures are forgotten evenly: as many as are free, in this time.
FORGET_SECONDS = 900
# Beyond this the delay is the longest whatever it doubles from; so a flood ends soon after it ends.
MOST_BEYOND = 10
KNOWN_FOR = timedelta(days=90)
NOTED_AGAIN_AFTER = timedelta(days=1)
FORGOTTEN_AT_ONCE = 100


@dataclass(frozen=True, slots=True)
class _Counter:
    """One thing that failures are counted of, and how many are free."""

    hash: str
    free: int


class Throttle:
    """Refuses who has failed too often, whatever they send now, and lets others in.

    Counted are failures of a login from an address, of a login, and of an address. The last two
    do not hold up a login from an address that it came from before: others' failures keep nobody
    out, and elsewhere the wait is bounded. Nothing is counted but refusals, so many people behind
    one address, and many logins of one script, are in nobody's way.
    """

    def __init__(self, database: Database, settings: AuthSettings) -> None:
        self._database = database
        self._settings = settings

    @contextmanager
    def guarding(self, login: str) -> Iterator[None]:
        """Around the proof of a login: Unauthenticated from inside is counted as a failure.

        Raises TooManyRequests, before anything is proven, while it is held up.
        """
        address = _network(client_address())
        pair = _hash("pair", login, address)
        counters = (
            _Counter(pair, self._settings.throttle_after),
            _Counter(_hash("login", login), self._settings.throttle_login_after),
            _Counter(_hash("address", address), self._settings.throttle_address_after),
        )
        self._refuse_held(login, pair, counters)
        try:
            yield
        except Unauthenticated:
            self._count(counters)
            raise
        self._clear(pair)

    def _refuse_held(self, login: str, pair: str, counters: tuple[_Counter, ...]) -> None:
        moment = time.time()
        known = sa.select(known_address.c.hash).where(
            known_address.c.hash == pair, known_address.c.expiresAt > _at(moment)
        )
        holding = sa.select(login_failure.c.hash, login_failure.c.heldUntil).where(
            login_failure.c.hash.in_([one.hash for one in counters]),
            login_failure.c.heldUntil > moment,
        )
        with self._database.reading() as connection:
            held = {row.hash: row.heldUntil for row in connection.execute(holding)}
            if held and connection.execute(known).first() is not None:
                held = {one: until for one, until in held.items() if one == pair}
        if held:
            wait = math.ceil(max(held.values()) - moment)
            audit("login throttled", login=login, refused=True, seconds=wait)
            raise TooManyRequests(HELD, retry_after=max(1, wait))

    def _count(self, counters: tuple[_Counter, ...]) -> None:
        with self._database.writing() as connection:
            for one in counters:
                self._count_one(connection, one)
        self._forget()

    def _count_one(self, connection: Connection, counter: _Counter) -> None:
        """One failure more, less what has been forgotten since the last."""
        moment = time.time()
        this = login_failure.c.hash == counter.hash
        row = connection.execute(
            sa.select(login_failure).where(this).with_for_update()
        ).one_or_none()
        rate = counter.free / FORGET_SECONDS
        before = 0.0 if row is None else max(0.0, row.failures - (moment - row.failedAt) * rate)
        failures = min(before + 1, counter.free + MOST_BEYOND)
        values = {
            "failures": failures,
            "failedAt": moment,
            "heldUntil": moment + self._delay(math.ceil(failures) - counter.free),
            "expiresAt": _at(moment + failures / rate),
        }
        change = login_failure.update().where(this).values(**values)
        if row is not None:
            connection.execute(change)
            return
        try:
            with connection.begin_nested():
                connection.execute(login_failure.insert().values(hash=counter.hash, **values))
        except IntegrityError:  # another failure came first: this one is counted with it
            connection.execute(change)

    def _delay(self, beyond: int) -> float:
        """Nothing while failures are free, then 1 s, 2 s, 4 s, … up to the longest."""
        if beyond < 0:
            return 0.0
        return min(float(self._settings.throttle_longest_seconds), 2.0**beyond)

    def _clear(self, pair: str) -> None:
        """A login that succeeded: from here nobody else's failures hold it up any more."""
        moment = datetime.now(UTC).replace(tzinfo=None)
        until = moment + KNOWN_FOR
        known = sa.select(known_address.c.expiresAt).where(known_address.c.hash == pair)
        failed = sa.select(login_failure.c.hash).where(login_failure.c.hash == pair)
        with self._database.reading() as connection:
            said = connection.execute(known).scalar()
            has_failed = connection.execute(failed).first() is not None
        noted = said is not None and said > until - NOTED_AGAIN_AFTER
        if noted and not has_failed:
            return
        with self._database.writing() as connection:
            connection.execute(login_failure.delete().where(login_failure.c.hash == pair))
            if noted:
                return
            change = known_address.update().where(known_address.c.hash == pair)
            if connection.execute(change.values(expiresAt=until)).rowcount:
                return
            try:
                with connection.begin_nested():
                    connection.execute(known_address.insert().values(hash=pair, expiresAt=until))
            except IntegrityError:
                return  # the same login, from the same address, at the same time

    def _forget(self) -> None:
        """Take out some rows that count no longer: each failure takes out more than it adds."""
        moment = _at(time.time())
        try:
            for table in (login_failure, known_address):
                old = sa.select(table.c.hash).where(table.c.expiresAt < moment)
                with self._database.reading() as connection:
                    found = connection.execute(old.limit(FORGOTTEN_AT_ONCE)).scalars().all()
                if found:
                    with self._database.writing() as connection:
                        connection.execute(table.delete().where(table.c.hash.in_(found)))
        except ServiceError:
            return  # the next failure tries again


def _network(address: str) -> str:
    """An address as one counts: IPv6 hands out a whole /64 to one subscriber."""
    if address and isinstance(ip_address(address), IPv6Address):
        return str(ip_network(f"{address}/64", strict=False))
    return address


def _hash(*parts: str) -> str:
    """A key of fixed length that tells neither a login nor a password typed in its place."""
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()


def _at(moment: float) -> datetime:
    return datetime.fromtimestamp(int(moment), UTC).replace(tzinfo=None)

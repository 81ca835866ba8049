"""Making, listing, revoking and redeeming the links of one service."""

import base64
import hashlib
import logging
import re
import secrets
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Literal, Protocol

import sqlalchemy as sa
from cryptography.fernet import Fernet
from sqlalchemy.engine import Connection, Row

from pyispyb_chassis.database import Database
from pyispyb_chassis.errors import Conflict, Forbidden, NotFound, ServiceError, Unavailable
from pyispyb_chassis.links.callers import is_whole, owner_of, plain, read, written
from pyispyb_chassis.principal import Principal

log = logging.getLogger(__name__)

TO_START = timedelta(seconds=60)
GOES_ON = timedelta(minutes=30)
# Longer than this lives only what can be looked up again: a person, by their login.
SHORT = timedelta(hours=1)
MOST_A_PERSON = 100
NOTED_EVERY = timedelta(minutes=1)
LARGEST_ID = 2**31 - 1
_TOKEN = re.compile(r"[A-Za-z0-9_-]{43}")
SHOWN = (
    "linkId",
    "kind",
    "path",
    "accept",
    "title",
    "madeAt",
    "expires",
    "startedAt",
    "lastUsedAt",
)


@dataclass(frozen=True, slots=True)
class Wanted:
    """A link that somebody asks for; `path` was found to be one that they may ask for."""

    path: str
    kind: Literal["once", "feed"]
    accept: str | None = None
    title: str | None = None
    expires: datetime | None = None


class SiblingLinks(Protocol):
    """How a service that asks a sibling for rights can ask it later, without a token."""

    def make(self, caller: Principal, expires: datetime | None) -> tuple[int, str]:
        """The id and the secret of a link there that says what the caller may do."""

    def drop(self, caller: Principal, link_id: int) -> None:
        """Revoke it."""


class Links:
    """The links of one service, in its own database.

    `still` says whether the maker of a lasting link is still somebody here.
    """

    def __init__(
        self,
        database: Database,
        table: sa.Table,
        address: str,
        still: Callable[[Principal], bool],
        sibling: SiblingLinks | None = None,
    ) -> None:
        self._database = database
        self._table = table
        self._address = address
        self._still = still
        self._sibling = sibling
        self._is_there = False

    def make(self, caller: Principal, wanted: Wanted) -> dict[str, Any]:
        """A new link, its URL told this once. Raises Forbidden, or Conflict for too many."""
        moment = _now()
        once = wanted.kind == "once"
        ends = moment + TO_START + GOES_ON if once else wanted.expires
        lasting = ends is None or ends > moment + SHORT
        if lasting and not is_whole(caller):
            raise Forbidden(
                "a narrowed token or a service account makes links of at most an hour: give expires"
            )
        token = secrets.token_urlsafe(32)
        sibling_link, sealed = None, None
        if self._sibling is not None:
            sibling_link, opens = self._sibling.make(caller, ends)
            sealed = _seal(token).encrypt(opens.encode()).decode()
        with self._writing() as connection:
            self._make_room(connection, caller, moment)
            written_row = connection.execute(
                self._table.insert().values(
                    digest=_digest(token),
                    owner=owner_of(caller),
                    kind=wanted.kind,
                    path=wanted.path,
                    accept=wanted.accept,
                    title=wanted.title,
                    caller=written(plain(caller) if lasting else caller),
                    madeAt=moment,
                    expires=moment + TO_START if once else wanted.expires,
                    sealed=sealed,
                    siblingLink=sibling_link,
                )
            )
            link_id = int(written_row.inserted_primary_key[0])  # type: ignore[index]
            row = self._one(connection, caller, link_id)
        log.info("link made", extra={"linkId": link_id, "kind": wanted.kind, "to": wanted.path})
        return {**_shown(row), "url": f"{self._address}/links/{token}"}

    def all(self, caller: Principal) -> list[dict[str, Any]]:
        """The caller's links, newest first."""
        table = self._table
        with self._reading() as connection:
            rows = connection.execute(
                sa.select(table)
                .where(table.c.owner == owner_of(caller), self._lives(_now()))
                .order_by(table.c.linkId.desc())
            ).all()
        return [_shown(row) for row in rows if _may_handle(caller, row)]

    def one(self, caller: Principal, link_id: int) -> dict[str, Any]:
        """One of the caller's links. Raises NotFound."""
        with self._reading() as connection:
            return _shown(self._one(connection, caller, link_id))

    def revoke(self, caller: Principal, link_id: int) -> None:
        """End one of the caller's links. Raises NotFound."""
        with self._writing() as connection:
            row = self._one(connection, caller, link_id)
            connection.execute(self._table.delete().where(self._table.c.linkId == link_id))
        log.info("link revoked", extra={"linkId": link_id})
        if self._sibling is not None and row.siblingLink is not None:
            try:
                self._sibling.drop(caller, row.siblingLink)
            except ServiceError as error:  # nobody has its secret any more
                log.warning("a sibling's link is left", extra={"fault": error.detail})

    def redeem(
        self, token: str, address: str, trusts: Callable[[Principal, float], bool]
    ) -> tuple[Wanted, Principal]:
        """What a link leads to, and as whom. Raises NotFound for all that is none any more."""
        if not _TOKEN.fullmatch(token):
            raise NotFound("no such link")
        table, moment = self._table, _now()
        with self._reading() as connection:
            row = connection.execute(
                sa.select(table).where(table.c.digest == _digest(token), self._lives(moment))
            ).first()
        if row is None:
            raise NotFound("no such link")
        caller = read(
            row.caller,
            expires=int((moment + GOES_ON).replace(tzinfo=UTC).timestamp()),
            link=_seal(token).decrypt(row.sealed).decode() if row.sealed is not None else "",
        )
        lasting = row.kind == "feed" and (row.expires is None or row.expires > row.madeAt + SHORT)
        if not trusts(caller, row.madeAt.replace(tzinfo=UTC).timestamp()) or (
            lasting and not self._still(caller)
        ):
            raise NotFound("no such link")
        if row.kind == "once":
            self._start(row, address, moment)
        elif row.lastUsedAt is None or row.lastUsedAt < moment - NOTED_EVERY:
            self._write(row, {"lastUsedAt": moment}, sa.true())
        return Wanted(row.path, row.kind, row.accept), caller

    def forget_revoked(self, issuer: str, not_before: Mapping[str, float]) -> bool:
        """Delete what those made whom the issuer has revoked since; whether that could be done."""
        table = self._table
        try:
            with self._writing() as connection:
                for login, earliest in not_before.items():
                    caller = Principal(login=login, issuer=issuer, expires=0, token="")
                    at = datetime.fromtimestamp(earliest, UTC).replace(tzinfo=None)
                    of_theirs = table.c.owner == owner_of(caller)
                    connection.execute(table.delete().where(of_theirs, table.c.madeAt < at))
        except ServiceError:
            return False
        return True

    @contextmanager
    def _reading(self) -> Iterator[Connection]:
        with self._database.reading() as connection:
            self._need_table(connection)
            yield connection

    @contextmanager
    def _writing(self) -> Iterator[Connection]:
        with self._database.writing() as connection:
            self._need_table(connection)
            yield connection

    def _need_table(self, connection: Connection) -> None:
        """Raise Unavailable where links have no table; once it was there it is not looked for."""
        if not self._is_there:
            look = sa.inspect(connection)
            self._is_there = look.has_table(self._table.name, schema=self._table.schema)
        if not self._is_there:
            raise Unavailable("the table of links is missing")

    def _start(self, row: Row[Any], address: str, moment: datetime) -> None:
        """Take a one-time link for the first who comes; only they may go on with it."""
        begun = {
            "startedAt": moment,
            "startedFrom": address,
            "lastUsedAt": moment,
            "expires": moment + GOES_ON,
        }
        if row.startedAt is None and self._write(row, begun, self._table.c.startedAt.is_(None)):
            return
        mine = self._table.c.startedFrom == address
        if not self._write(row, {"lastUsedAt": moment}, mine):
            raise NotFound("no such link")

    def _write(self, row: Row[Any], values: dict[str, Any], where: sa.ColumnElement[bool]) -> bool:
        table = self._table
        with self._writing() as connection:
            # MariaDB counts rows that were found only where it is told to; see whether it is there.
            found = connection.execute(
                sa.select(table.c.linkId)
                .where(table.c.linkId == row.linkId, where)
                .with_for_update()
            ).first()
            if found is not None:
                connection.execute(
                    table.update().where(table.c.linkId == row.linkId).values(**values)
                )
            return found is not None

    def _one(self, connection: Connection, caller: Principal, link_id: int) -> Row[Any]:
        table = self._table
        row = connection.execute(
            sa.select(table).where(
                table.c.linkId == min(link_id, LARGEST_ID),
                table.c.owner == owner_of(caller),
                self._lives(_now()),
            )
        ).first()
        if row is None or link_id > LARGEST_ID or not _may_handle(caller, row):
            raise NotFound("no such link")
        return row

    def _make_room(self, connection: Connection, caller: Principal, moment: datetime) -> None:
        table = self._table
        theirs = table.c.owner == owner_of(caller)
        connection.execute(table.delete().where(theirs, ~self._lives(moment)))
        count = sa.select(sa.func.count()).select_from(table).where(theirs)
        if connection.execute(count).scalar_one() >= MOST_A_PERSON:
            raise Conflict(f"you have {MOST_A_PERSON} links; revoke some first")

    def _lives(self, moment: datetime) -> sa.ColumnElement[bool]:
        expires = self._table.c.expires
        return sa.or_(expires.is_(None), expires > moment)


def _may_handle(caller: Principal, row: Row[Any]) -> bool:
    """A narrowed token handles the links that it could have made, a whole one all of its login."""
    if is_whole(caller):
        return True
    made_by = read(row.caller, expires=0, link="")
    return (made_by.service, made_by.scope, made_by.only_beamlines) == (
        caller.service,
        caller.scope,
        caller.only_beamlines,
    )


def _shown(row: Row[Any]) -> dict[str, Any]:
    shown = {name: getattr(row, name) for name in SHOWN}
    return {
        name: value.replace(tzinfo=UTC).isoformat() if isinstance(value, datetime) else value
        for name, value in shown.items()
    }


def _digest(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()


def _seal(token: str) -> Fernet:
    """What only the holder of the link can open."""
    return Fernet(base64.urlsafe_b64encode(hashlib.sha256(b"seal\0" + token.encode()).digest()))


def _now() -> datetime:
    return datetime.now(UTC).replace(tzinfo=None, microsecond=0)

"""What became of a row: who changed which fields, when, and under which request."""

from collections.abc import Hashable
from datetime import UTC, datetime
from typing import Any, Generic

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from pyispyb_chassis.errors import Forbidden, NotFound, Unavailable
from pyispyb_chassis.nouns.catalogue import Bound, Inner, RowId
from pyispyb_chassis.nouns.ledger import Ledger
from pyispyb_chassis.nouns.policy import V
from pyispyb_chassis.nouns.reading import Reader, Row


class History(Generic[V]):
    """Reads the change rows of the ledger, as the policy lets viewers."""

    def __init__(self, reader: Reader[V], ledger: Ledger) -> None:
        self._reader = reader
        self._policy = reader.policy
        self._ledger = ledger
        self._ledger_is_there = False
        self._built: dict[Hashable, sa.Select[Any]] = {}

    def page(
        self, connection: Connection, noun: Bound, key: RowId, viewer: V, limit: int, skip: int
    ) -> Row:
        """The changes of a row in list form, the latest first.

        Raises NotFound for an unseen row, Forbidden for one whose history is not the viewer's. A
        deleted row's is for those who see every row.
        """
        if not self._ledger_is_there:
            self._ledger_is_there = self._ledger.is_there(connection)
        if not self._ledger_is_there:
            raise Unavailable("no history: the service's own tables are missing")
        change = self._ledger.change
        row_id = self._row_id(connection, noun, key, viewer)
        of_row = sa.and_(change.c.noun == noun.path, change.c.rowId == noun.told(row_id))
        counted = sa.select(sa.func.count()).select_from(change).where(of_row)
        total = int(connection.execute(counted).scalar_one())
        if not total and not self._is_seen(connection, noun, row_id, viewer):
            raise NotFound(f"no such {noun.noun.one}")
        latest = sa.select(change).where(of_row).order_by(change.c.changeId.desc())
        found = connection.execute(latest.limit(limit).offset(skip)).mappings()
        return {
            "total": total,
            "results": [_shown(noun, dict(one)) for one in found],
            "limit": limit,
            "skip": skip,
            "next": skip + limit if limit and skip + limit < total else None,
        }

    def _row_id(self, connection: Connection, noun: Bound, key: RowId, viewer: V) -> RowId:
        """The id of a row whose history the viewer may read, or of none that is there any more."""
        try:
            row_id = self._reader.row_id(connection, noun, key, viewer)
        except NotFound:
            gone = _id_of_what_is_gone(key)
            if gone is not None and self._policy.recalls_deleted(noun, viewer):
                return gone
            raise
        values = dict(zip(noun.identity, noun.values_of(row_id), strict=True))
        asked = {f"its_{name}": value for name, value in values.items()}
        found = connection.execute(
            self._recalled(noun, viewer), {**self._policy.parameters(viewer), **asked}
        )
        if not found.scalars().first():
            raise Forbidden("you see it, but not its history")
        return row_id

    def _is_seen(self, connection: Connection, noun: Bound, row_id: RowId, viewer: V) -> bool:
        try:
            self._reader.row_id(connection, noun, row_id, viewer)
        except NotFound:
            return False
        return True

    def _recalled(self, noun: Bound, viewer: V) -> sa.Select[Any]:
        """Whether the viewer may read a row's history; built once for each form of viewer."""
        shape = (noun.path, self._policy.shape(viewer))
        if shape not in self._built:
            row = noun.alias()
            may = self._policy.recalls(noun, viewer, row)
            by_id = [row.c[name] == sa.bindparam(f"its_{name}") for name in noun.identity]
            self._built[shape] = sa.select(may).select_from(row).where(*by_id)
        return self._built[shape]


def _id_of_what_is_gone(key: RowId) -> RowId | None:
    """The id that a deleted row had, if this can be one."""
    last = str(key.key if isinstance(key, Inner) else key)
    if not (last.isascii() and last.isdigit()):
        return None
    return Inner(key.parent, int(last[:20])) if isinstance(key, Inner) else int(last[:20])


def _shown(noun: Bound, change: dict[str, Any]) -> Row:
    """A change on the wire; its time is stored in UTC and told in the noun's zone."""
    moment: datetime = change["time"].replace(tzinfo=UTC)
    return {
        "changeId": change["changeId"],
        "action": change["action"],
        "login": change["login"],
        "time": moment.astimezone(noun.zone).isoformat(timespec="seconds"),
        "fields": [name for name in change["fields"].split(",") if name],
        "requestId": change["requestId"],
    }

"""What happened in a session, a proposal or on a sample, the newest first, as one list."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from pyispyb_chassis.nouns.catalogue import Bound, Catalogue
from pyispyb_chassis.nouns.query import Query
from pyispyb_chassis.nouns.reading import Reader
from pyispyb_core.rules import Rules, Viewer

# Before the first beam; where a time is missing or zero the row comes last.
NO_TIME = datetime(1970, 1, 1)  # noqa: DTZ001  # as the database holds it
_CURSOR = re.compile(r"(\d{1,17})\.(\d)\.(\d{1,10})")
_EPOCH = NO_TIME.replace(tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)


@dataclass(frozen=True, slots=True)
class Kind:
    """One noun of the list: the columns that place it in time, and what is told of it."""

    path: str
    start: str
    end: str
    session: str
    sample: str
    tells: tuple[str, ...]


KINDS = (
    Kind(
        "datacollection-groups", "startTime", "endTime", "sessionId", "blSampleId",
        ("experimentType", "comments"),
    ),
    Kind(
        "robot-actions", "startTimestamp", "endTimestamp", "blsessionId", "blsampleId",
        ("actionType", "status", "message"),
    ),
    Kind(
        "energy-scans", "startTime", "endTime", "sessionId", "blSampleId",
        ("element", "peakEnergy", "inflectionEnergy", "comments"),
    ),
    Kind(
        "xfe-spectra", "startTime", "endTime", "sessionId", "blSampleId",
        ("energy", "filename", "comments"),
    ),
)  # fmt: skip
# What the list can be of, by the parameter that names it.
PARENTS = {"sessionId": "sessions", "proposal": "proposals", "blSampleId": "samples"}


# What it asks of rows: it reads as null where a site's database lacks it.
ASKED_FOR = frozenset(
    column
    for kind in KINDS
    for column in (kind.start, kind.end, kind.session, kind.sample, *kind.tells)
) | {"numberOfImages", "runStatus", "processingStatus"}


class NoCursor(ValueError):
    """Not a cursor of this list."""


@dataclass(frozen=True, slots=True)
class Place:
    """Where a page ended: a moment, then the order of kinds, then the id."""

    moment: datetime
    kind: int
    key: int

    @classmethod
    def read(cls, cursor: str) -> "Place":
        """The place that a cursor holds. Raises NoCursor."""
        found = _CURSOR.fullmatch(cursor)
        if found is None or int(found[2]) >= len(KINDS):
            raise NoCursor
        moment = _EPOCH + int(found[1]) * _MICROSECOND
        return cls(moment, int(found[2]), int(found[3]))

    @property
    def cursor(self) -> str:
        """As the client carries it."""
        return f"{(self.moment - _EPOCH) // _MICROSECOND}.{self.kind}.{self.key}"


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which list: of what, which kinds, from where, how many."""

    parent: str
    key: str
    kinds: tuple[str, ...]
    after: Place | None
    limit: int


class Activity:
    """Reads the list under the same rules as each of its nouns.

    A page costs at most nine statements: one finds the parent, one counts, one a kind, and three
    tell of the groups on the page.
    """

    def __init__(self, catalogue: Catalogue, reader: Reader[Viewer], rules: Rules) -> None:
        self._catalogue = catalogue
        self._reader = reader
        self._rules = rules

    def page(self, connection: Connection, wanted: Wanted, viewer: Viewer) -> dict[str, Any]:
        """A page of the list. Raises NotFound where its parent is unseen."""
        parent = self._catalogue[PARENTS[wanted.parent]]
        only_key = Query(fields=(((), (parent.key,)),), total=False)
        found = self._reader.item(connection, parent, wanted.key, viewer, only_key)
        values = {**self._rules.parameters(viewer), "parent": found[parent.key]}
        kinds = [
            (n, kind)
            for n, kind in enumerate(KINDS)
            if kind.path in wanted.kinds
            and kind.path in self._catalogue
            and self._rules.may(viewer, self._catalogue[kind.path].noun.read)
        ]
        counts = self._counts(connection, kinds, parent, viewer, values)
        told: list[tuple[Place, dict[str, Any]]] = []
        for n, kind in kinds:
            told += self._some(connection, n, kind, parent, wanted, viewer, values)
        told.sort(key=lambda one: (one[0].moment, -one[0].kind, one[0].key), reverse=True)
        shown = told[: wanted.limit]
        self._tell_of_groups(connection, [item for _, item in shown], viewer)
        return {
            "total": sum(counts.values()),
            "counts": counts,
            "results": [item for _, item in shown],
            "limit": wanted.limit,
            "next": shown[-1][0].cursor if len(told) > len(shown) else None,
        }

    def _counts(
        self,
        connection: Connection,
        kinds: Sequence[tuple[int, Kind]],
        parent: Bound,
        viewer: Viewer,
        values: Mapping[str, Any],
    ) -> dict[str, int]:
        if not kinds:
            return {}
        columns = []
        for _, kind in kinds:
            noun = self._catalogue[kind.path]
            row = noun.alias()
            count = sa.select(sa.func.count()).select_from(row)
            columns.append(count.where(self._of(kind, parent, viewer, row)).scalar_subquery())
        found = connection.execute(sa.select(*columns), values).one()
        return {kind.path: int(number) for (_, kind), number in zip(kinds, found, strict=True)}

    def _of(self, kind: Kind, parent: Bound, viewer: Viewer, row: sa.FromClause) -> Any:
        """The rows of a kind that are of the parent and seen by the viewer."""
        noun = self._catalogue[kind.path]
        key = sa.bindparam("parent", type_=sa.Integer)
        if parent.path == "sessions":
            belongs: Any = row.c[kind.session] == key
        elif parent.path == "samples":
            belongs = row.c[kind.sample] == key
        else:
            session = self._catalogue["sessions"].alias()
            inside = sa.select(session.c.sessionId).where(session.c.proposalId == key)
            belongs = row.c[kind.session].in_(inside)
        return sa.and_(belongs, self._rules.sees(noun, viewer, row))

    def _some(
        self,
        connection: Connection,
        order: int,
        kind: Kind,
        parent: Bound,
        wanted: Wanted,
        viewer: Viewer,
        values: Mapping[str, Any],
    ) -> list[tuple[Place, dict[str, Any]]]:
        """As many rows of a kind as the page could hold, and one more."""
        noun = self._catalogue[kind.path]
        row = noun.alias()
        start, key = row.c[kind.start], row.c[noun.key]
        in_utc = isinstance(start.type, sa.TIMESTAMP)
        moment = sa.case((start > NO_TIME, start), else_=sa.literal(NO_TIME, sa.DateTime))
        columns = [row.c[name] for name in _columns(noun, kind)]
        statement = sa.select(*columns).where(self._of(kind, parent, viewer, row))
        if wanted.after is not None:
            statement = statement.where(_behind(wanted.after, order, moment, key, noun, in_utc))
        statement = statement.order_by(moment.desc(), key.desc()).limit(wanted.limit + 1)
        found = connection.execute(statement, values).mappings()
        return [_told(noun, kind, order, dict(one), in_utc=in_utc) for one in found]

    def _tell_of_groups(
        self, connection: Connection, items: Sequence[dict[str, Any]], viewer: Viewer
    ) -> None:
        """How many collections, images and processings the groups on the page have."""
        groups = {item["id"]: item for item in items if item["kind"] == KINDS[0].path}
        if not groups:
            return
        if self._may(viewer, "datacollections"):
            self._tell_of_collections(connection, groups)
        told = ("autoproc-integrations", "autoproc-programs")
        if all(path in self._catalogue for path in told) and self._may(viewer, told[1]):
            self._tell_of_processing(connection, groups)

    def _may(self, viewer: Viewer, path: str) -> bool:
        return path in self._catalogue and self._rules.may(viewer, self._catalogue[path].noun.read)

    def _tell_of_collections(
        self, connection: Connection, groups: Mapping[int, dict[str, Any]]
    ) -> None:
        collection = self._catalogue["datacollections"].alias()
        by_group = collection.c.dataCollectionGroupId
        inside = by_group.in_(groups)
        counted = sa.select(
            by_group,
            sa.func.count().label("collections"),
            sa.func.sum(collection.c.numberOfImages).label("images"),
            sa.func.max(collection.c.dataCollectionId).label("last"),
        ).where(inside)
        last = {}
        for item in groups.values():
            item["counts"] = {"datacollections": 0, "images": 0}
        for one in connection.execute(counted.group_by(by_group)):
            item = groups[one[0]]
            item["counts"] = {"datacollections": one.collections, "images": int(one.images or 0)}
            last[one.last] = item
        if last:
            status = sa.select(collection.c.dataCollectionId, collection.c.runStatus)
            for key, word in connection.execute(
                status.where(collection.c.dataCollectionId.in_(last))
            ):
                last[key]["status"] = word

    def _tell_of_processing(
        self, connection: Connection, groups: Mapping[int, dict[str, Any]]
    ) -> None:
        """`processingStatus` of a program is 1 for success, 0 for failure, null while it runs."""
        collection = self._catalogue["datacollections"].alias()
        integration = self._catalogue["autoproc-integrations"].alias()
        program = self._catalogue["autoproc-programs"].alias()
        joined = integration.join(
            collection, collection.c.dataCollectionId == integration.c.dataCollectionId
        ).join(program, program.c.autoProcProgramId == integration.c.autoProcProgramId)
        by_group, status = collection.c.dataCollectionGroupId, program.c.processingStatus
        counted = (
            sa.select(by_group, status, sa.func.count(sa.distinct(program.c.autoProcProgramId)))
            .select_from(joined)
            .where(by_group.in_(groups))
            .group_by(by_group, status)
        )
        for item in groups.values():
            item["processing"] = {"running": 0, "succeeded": 0, "failed": 0}
        for group, ended, number in connection.execute(counted):
            word = "running" if ended is None else "succeeded" if ended else "failed"
            groups[group]["processing"][word] += number


def _columns(noun: Bound, kind: Kind) -> tuple[str, ...]:
    return (noun.key, kind.start, kind.end, kind.session, kind.sample, *kind.tells)


def _behind(
    place: Place,
    order: int,
    moment: sa.ColumnElement[datetime],
    key: sa.ColumnElement[int],
    noun: Bound,
    in_utc: bool,  # noqa: FBT001
) -> sa.ColumnElement[bool]:
    """The rows of a kind that come after a place: earlier, or as early and later in order."""
    zone = UTC if in_utc else noun.zone
    at = place.moment.astimezone(zone).replace(tzinfo=None)
    if place.moment == _EPOCH:
        at = NO_TIME
    if order > place.kind:
        return moment <= at
    if order < place.kind:
        return moment < at
    return sa.or_(moment < at, sa.and_(moment == at, key < place.key))


def _told(
    noun: Bound, kind: Kind, order: int, row: Mapping[str, Any], *, in_utc: bool
) -> tuple[Place, dict[str, Any]]:
    """A row as the list shows it, and its place."""
    shown = {}
    for name in _columns(noun, kind):
        field = noun.fields.get(name)
        show = None if field is None else field.show
        shown[name] = row[name] if show is None else show(row[name])
    start = row[kind.start]
    timed = isinstance(start, datetime) and start > NO_TIME
    zone = UTC if in_utc else noun.zone
    moment = start.replace(tzinfo=zone).astimezone(UTC) if timed else _EPOCH
    item = {
        "kind": kind.path,
        "id": row[noun.key],
        "start": shown[kind.start] if timed else None,
        "end": shown[kind.end],
        "sessionId": row[kind.session],
        "blSampleId": row[kind.sample],
        "status": shown.get("status"),
        **{name: shown[name] for name in kind.tells},
    }
    return Place(moment, order, int(row[noun.key])), item

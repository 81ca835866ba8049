"""Writes of nouns: create, patch, delete, each one transaction under the same rules as a read."""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any, Generic

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from pyispyb_chassis.database import Database
from pyispyb_chassis.errors import (
    Conflict,
    Forbidden,
    NotFound,
    ServiceError,
    Unavailable,
    Unprocessable,
)
from pyispyb_chassis.nouns.catalogue import Bound, primary_key
from pyispyb_chassis.nouns.fields import Refused
from pyispyb_chassis.nouns.ledger import Attempt, Ledger
from pyispyb_chassis.nouns.policy import Condition, V
from pyispyb_chassis.nouns.query import Query
from pyispyb_chassis.nouns.reading import Reader, Row

Fault = tuple[str, str]
SAME_OWNER = "a foreign key stays within the proposal"
SEEN_KEYS = "a foreign key must be visible"


class Writer(Generic[V]):
    """Creates, patches and deletes rows of a catalogue, as one policy lets viewers do it."""

    def __init__(self, reader: Reader[V], database: Database, ledger: Ledger) -> None:
        self._reader = reader
        self._catalogue = reader.catalogue
        self._policy = reader.policy
        self._database = database
        self._ledger = ledger
        self._ledger_is_there = False

    def create(
        self, noun: Bound, body: Mapping[str, Any], viewer: V, attempt: Attempt | None = None
    ) -> tuple[Any, Row]:
        """Insert a row; gives its id and the row as the viewer sees it.

        Raises NotFound where the parent is unseen, Forbidden where the viewer may not, and
        Unprocessable with every fault of the body.
        """
        self._need(noun, viewer)
        with self._writing() as connection:
            if attempt is not None:
                answered = self._ledger.begin(connection, attempt)
                if answered is not None:
                    return answered, self._read(connection, noun, answered, viewer)
            key = self.insert(connection, noun, body, viewer)
            if attempt is not None:
                self._ledger.finish(connection, attempt, key)
            return key, self._read(connection, noun, key, viewer)

    def insert(
        self, connection: Connection, noun: Bound, body: Mapping[str, Any], viewer: V
    ) -> Any:
        """`create` inside a transaction that is already open; gives the new row's id."""
        self._find_parent(connection, noun, body, viewer)
        values, faults = self._accepted(noun, body)
        faults += [(name, "is required") for name in noun.required if body.get(name) is None
                   and name not in {field for field, _ in faults}]  # fmt: skip
        if len(noun.noun.belongs_to) > 1 and not any(values.get(c) for c in noun.noun.belongs_to):
            faults.append((noun.noun.belongs_to[0], f"give {' or '.join(noun.noun.belongs_to)}"))
        owners = self._seen_keys(connection, noun, values, viewer, faults)
        if faults:
            raise Unprocessable("the body has faults", errors=faults)
        filled = {
            **noun.noun.defaults,
            **values,
            **_stamps(noun, "create"),
            **_stamps(noun, "write"),
        }
        result = connection.execute(noun.table.insert().values(filled))
        key = result.inserted_primary_key[0]  # type: ignore[index]
        row = noun.table.alias()
        creates = {"": self._policy.creates(noun, viewer, row)}
        self._check(connection, noun, key, values, viewer, owners, row, creates)
        self._ledger.record(connection, noun.path, key, "create", viewer.login, values)
        return key

    def patch(self, noun: Bound, key: str, body: Mapping[str, Any], viewer: V) -> Row:
        """Change columns of a row (JSON merge patch); the same rules hold before and after."""
        self._need(noun, viewer)
        with self._writing() as connection:
            row = noun.table.alias()
            touches = {"": self._policy.touches(noun, viewer, row)}
            row_id = self._locked(connection, noun, key, viewer, touches, row)
            values, faults = self._accepted(noun, body)
            faults += [(name, "cannot be null") for name in noun.required
                       if name in body and body[name] is None
                       and name not in {field for field, _ in faults}]  # fmt: skip
            row = noun.table.alias()
            sets = self._sets(noun, values, viewer, row)
            self._locked(connection, noun, str(row_id), viewer, sets, row)
            self._find_parent(connection, noun, body, viewer)
            owners = self._seen_keys(connection, noun, values, viewer, faults)
            if faults:
                raise Unprocessable("the body has faults", errors=faults)
            if values:
                changed = {**values, **_stamps(noun, "write")}
                by_key = noun.table.c[noun.key] == row_id
                connection.execute(noun.table.update().where(by_key).values(changed))
                row = noun.table.alias()
                sets = self._sets(noun, values, viewer, row)
                self._check(connection, noun, row_id, values, viewer, owners, row, sets)
                if set(values) & set(noun.noun.belongs_to):
                    self._keep_those_below_sound(connection, noun, row_id)
                self._ledger.record(connection, noun.path, row_id, "patch", viewer.login, values)
            return self._read(connection, noun, row_id, viewer)

    def delete(self, noun: Bound, key: str, viewer: V) -> None:
        """Delete a row that nothing refers to, with the children that it owns.

        Raises Conflict with each table and count that refers to it.
        """
        self._need(noun, viewer)
        with self._writing() as connection:
            row = noun.table.alias()
            deletes = {"": self._policy.deletes(noun, viewer, row)}
            row_id = self._locked(connection, noun, key, viewer, deletes, row)
            referring = self._referring(connection, noun, row_id)
            if referring:
                counts = ", ".join(f"{count} {table}" for table, count in referring)
                raise Conflict(f"others refer to it: {counts}", errors=[
                    (table, f"{count} rows refer to it") for table, count in referring
                ])  # fmt: skip
            connection.execute(noun.table.delete().where(noun.table.c[noun.key] == row_id))
            self._ledger.record(connection, noun.path, row_id, "delete", viewer.login, ())

    @contextmanager
    def _writing(self) -> Iterator[Connection]:
        """One transaction; Unavailable while the service's own tables are missing."""
        with self._database.writing() as connection:
            if not self._ledger_is_there:
                self._ledger_is_there = self._ledger.is_there(connection)
            if not self._ledger_is_there:
                raise Unavailable("read-only: the service's own tables are missing")
            yield connection

    def _need(self, noun: Bound, viewer: V) -> None:
        if not self._policy.may(viewer, noun.noun.write):
            raise Forbidden(f"this needs the permission {noun.noun.write}")

    def _read(self, connection: Connection, noun: Bound, key: Any, viewer: V) -> Row:
        return self._reader.item(connection, noun, str(key), viewer, Query(total=False))

    def _locked(
        self,
        connection: Connection,
        noun: Bound,
        key: str,
        viewer: V,
        conditions: Mapping[str, Condition],
        row: sa.FromClause,
    ) -> Any:
        """The id of a visible row, locked; Forbidden names the columns whose condition fails."""
        row_id = self._read_key(connection, noun, key, viewer)
        checks = [condition.label(f"k{n}") for n, condition in enumerate(conditions.values())]
        statement = sa.select(primary_key(noun, row), *checks).where(
            primary_key(noun, row) == row_id
        )
        found = connection.execute(
            statement.with_for_update(), self._policy.parameters(viewer)
        ).first()
        if found is None:
            raise NotFound(f"no such {noun.noun.one}")
        _refuse_columns({name: bool(found[n]) for n, name in enumerate(conditions, 1)})
        return row_id

    def _read_key(self, connection: Connection, noun: Bound, key: str, viewer: V) -> Any:
        only_key = Query(fields=(((), (noun.key,)),), total=False)
        return self._reader.item(connection, noun, key, viewer, only_key)[noun.key]

    def _sets(
        self, noun: Bound, values: Mapping[str, Any], viewer: V, row: sa.FromClause
    ) -> dict[str, Condition]:
        return {name: self._policy.sets(noun, viewer, row, name) for name in values}

    def _accepted(self, noun: Bound, body: Mapping[str, Any]) -> tuple[dict[str, Any], list[Fault]]:
        """The body's values as the database takes them, and every fault."""
        values: dict[str, Any] = {}
        faults: list[Fault] = []
        for name, value in body.items():
            field = noun.fields.get(name)
            if field is None:
                faults.append((name, f"no such field; allowed: {', '.join(sorted(noun.settable))}"))
            elif name not in noun.settable:
                faults.append((name, "is never written through this API"))
            elif value is None:
                if not field.nullable:
                    faults.append((name, "cannot be null"))
                values[name] = None
            else:
                try:
                    values[name] = _matching(noun, name, field.accept(value))
                except Refused as refused:
                    faults.append((name, f"takes {refused}"))
        return values, faults

    def _find_parent(
        self, connection: Connection, noun: Bound, body: Mapping[str, Any], viewer: V
    ) -> None:
        """The first chain that the body sets must lead to a parent that the viewer sees."""
        for column in noun.noun.belongs_to:
            given = body.get(column)
            if isinstance(given, int) and not isinstance(given, bool):
                parent = self._catalogue.target(noun.by_column[column])
                if self._policy.guards(SEEN_KEYS):
                    self._read_key(connection, parent, str(given), viewer)
                return

    def _seen_keys(
        self,
        connection: Connection,
        noun: Bound,
        values: Mapping[str, Any],
        viewer: V,
        faults: list[Fault],
    ) -> dict[str, Any]:
        """The owner of each row that a foreign key of the body names; unseen ones are faults."""
        owners: dict[str, Any] = {}
        for column, given in values.items():
            reference = noun.by_column.get(column)
            if reference is None or given is None:
                continue
            target = self._catalogue.target(reference)
            row = target.table.alias()
            owner = self._policy.owner(target, row)
            statement = sa.select(sa.null() if owner is None else owner).where(
                primary_key(target, row) == given
            )
            if self._policy.guards(SEEN_KEYS):
                statement = statement.where(self._policy.sees(target, viewer, row))
            found = connection.execute(statement, self._policy.parameters(viewer)).first()
            if found is None:
                faults.append((column, _absent(target)))
            elif owner is not None and column not in noun.noun.shared:
                owners[column] = found[0]
        return owners

    def _check(
        self,
        connection: Connection,
        noun: Bound,
        key: Any,
        values: Mapping[str, Any],
        viewer: V,
        owners: Mapping[str, Any],
        row: sa.FromClause,
        conditions: Mapping[str, Condition],
    ) -> None:
        """Hold the written row against the rules; any raise takes the write back."""
        conditions = {**conditions, **self._rights(noun, values, viewer, row)}
        owner = self._policy.owner(noun, row)
        checks = [
            self._policy.sound(noun, row).label("sound"),
            (sa.null() if owner is None else owner).label("owner"),
            *[condition.label(f"k{n}") for n, condition in enumerate(conditions.values())],
        ]
        statement = sa.select(*checks).where(primary_key(noun, row) == key)
        found = connection.execute(statement, self._policy.parameters(viewer)).one()
        if self._policy.guards(SAME_OWNER):
            elsewhere = [
                (column, _absent(self._catalogue.target(noun.by_column[column])))
                for column, owned_by in self._all_owners(connection, noun, key, values, owners)
                if owner is not None and owned_by != found.owner
            ]
            if elsewhere:
                raise Unprocessable("the body has faults", errors=elsewhere)
        if not found.sound:
            raise _broken_chain(noun, values)
        _refuse_columns({name: bool(found[n]) for n, name in enumerate(conditions, 2)})

    def _rights(
        self, noun: Bound, values: Mapping[str, Any], viewer: V, row: sa.FromClause
    ) -> dict[str, Condition]:
        """On a create too, a rights-bearing column is only for those whom a rule names."""
        named = [name for name in values if name in noun.noun.rights]
        return {name: self._policy.sets(noun, viewer, row, name) for name in named}

    def _all_owners(
        self,
        connection: Connection,
        noun: Bound,
        key: Any,
        values: Mapping[str, Any],
        owners: Mapping[str, Any],
    ) -> Iterable[tuple[str, Any]]:
        """The owners that the body's foreign keys lead to; after a move, every foreign key's."""
        yield from owners.items()
        if not set(values) & set(noun.noun.belongs_to):
            return
        row = noun.table.alias()
        for column, reference in noun.by_column.items():
            if column in owners or column in noun.noun.shared or column in values:
                continue
            target = self._catalogue.target(reference)
            other = target.table.alias()
            owner = self._policy.owner(target, other)
            if owner is None:
                continue
            joined = row.c[column] == primary_key(target, other)
            statement = sa.select(owner).select_from(row.join(other, joined))
            found = connection.execute(statement.where(primary_key(noun, row) == key)).first()
            if found is not None:
                yield column, found[0]

    def _keep_those_below_sound(self, connection: Connection, noun: Bound, key: Any) -> None:
        """After a move, no row below may be left with two owners."""

        def members(row: sa.FromClause) -> Condition:
            moved: Condition = primary_key(noun, row) == key
            return moved

        self._refuse_broken(connection, noun, members)

    def _refuse_broken(
        self, connection: Connection, noun: Bound, members: Callable[[sa.FromClause], Condition]
    ) -> None:
        for below, column in self._catalogue.below(noun):

            def its_members(
                row: sa.FromClause,
                column: str = column,
            ) -> Condition:
                parent = noun.table.alias()
                keys = sa.select(primary_key(noun, parent)).where(members(parent))
                within: Condition = row.c[column].in_(keys)
                return within

            row = below.table.alias()
            broken = sa.select(sa.func.count()).select_from(row)
            broken = broken.where(its_members(row), sa.not_(self._policy.sound(below, row)))
            count = connection.execute(broken).scalar_one()
            if count:
                raise Unprocessable(
                    f"this would leave {count} {below.path} in two proposals",
                    errors=[(below.path, f"{count} of them also belong elsewhere")],
                )
            self._refuse_broken(connection, below, its_members)

    def _referring(self, connection: Connection, noun: Bound, key: Any) -> list[tuple[str, int]]:
        """Every table with rows that refer to this one, cascades included."""
        counts: list[tuple[str, sa.ScalarSelect[Any]]] = []
        for table in self._catalogue.metadata.tables.values():
            for column in table.columns:
                if not any(fk.references(noun.table) for fk in column.foreign_keys):
                    continue
                if str(table.name) not in noun.noun.owns:
                    count = sa.select(sa.func.count()).select_from(table).where(column == key)
                    counts.append((str(table.name), count.scalar_subquery()))
        if not counts:
            return []
        found = connection.execute(sa.select(*[count for _, count in counts])).one()
        totals: dict[str, int] = {}
        for (table_name, _), number in zip(counts, found, strict=True):
            totals[table_name] = totals.get(table_name, 0) + int(number)
        return [(name, total) for name, total in sorted(totals.items()) if total]


def _refuse_columns(allowed: Mapping[str, bool]) -> None:
    refused = [name for name, may in allowed.items() if not may]
    if refused:
        errors = [(name, "others may write this, you may not") for name in refused if name]
        raise Forbidden("you may not write this", errors=errors)


def _absent(target: Bound) -> str:
    """The one text for an id that is not there and for one that the writer may not see."""
    return f"no such {target.noun.one}"


def _broken_chain(noun: Bound, values: Mapping[str, Any]) -> ServiceError:
    chains = [column for column in noun.noun.belongs_to if column in values]
    errors = [(column, "leads to another proposal") for column in chains or noun.noun.belongs_to]
    return Unprocessable("the row would belong to two proposals", errors=errors)


def _matching(noun: Bound, name: str, value: Any) -> Any:
    pattern = noun.noun.patterns.get(name)
    if pattern is not None and isinstance(value, str) and not re.fullmatch(pattern, value):
        raise Refused(f"a text that matches {pattern}")
    return value


def _stamps(noun: Bound, moment: str) -> dict[str, datetime]:
    """The time columns that the engine sets: in the database's zone, TIMESTAMPs in UTC."""
    now = datetime.now(UTC).replace(microsecond=0)
    stamps: dict[str, datetime] = {}
    for name, when in noun.noun.stamps.items():
        if when == moment:
            in_utc = isinstance(noun.table.c[name].type, sa.TIMESTAMP)
            stamps[name] = (now if in_utc else now.astimezone(noun.zone)).replace(tzinfo=None)
    return stamps

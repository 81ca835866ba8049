"""Writes of nouns: create, patch, delete, each one transaction under the same rules as a read."""

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
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
    Unavailable,
    Unprocessable,
)
from pyispyb_chassis.nouns.bulk import Passed, judged_all
from pyispyb_chassis.nouns.catalogue import BadDeclaration, Bound, RowId, primary_key
from pyispyb_chassis.nouns.distinct import Distinctions, Membership, Twin
from pyispyb_chassis.nouns.history import History
from pyispyb_chassis.nouns.ledger import Attempt, Ledger
from pyispyb_chassis.nouns.policy import (
    BOTH_ENDS,
    SAME_OWNER,
    SEEN_KEYS,
    STILL_NEEDED,
    Condition,
    V,
)
from pyispyb_chassis.nouns.proposing import Body, Proposals, body_of
from pyispyb_chassis.nouns.query import Filter, Query
from pyispyb_chassis.nouns.reading import Reader, Row, within
from pyispyb_chassis.nouns.tags import Versions, tag_of

# By noun, every way in which its rows belong.
Members = dict[str, list[Membership]]
Creates = Callable[[Bound, V, sa.FromClause], Condition]


class Writer(Generic[V]):
    """Creates, patches and deletes rows of a catalogue, as one policy lets viewers do it."""

    def __init__(
        self,
        reader: Reader[V],
        database: Database,
        ledger: Ledger,
        distinct: Distinctions[V] | None = None,
    ) -> None:
        self._reader = reader
        self._catalogue = reader.catalogue
        self._policy = reader.policy
        self._database = database
        self._ledger = ledger
        self._distinct = distinct or Distinctions(reader.policy, database)
        self._refuse_nested()
        self.history = History(reader, ledger)
        self._ledger_is_there = False
        self._proposals = Proposals(reader.catalogue, reader.policy, sqlite=database.is_sqlite)

    def _refuse_nested(self) -> None:
        """Raise BadDeclaration for objects whose rows would have to be told from others."""
        faults = [
            f"{noun.path}: an object cannot tell {reference.column}: no two {reference.target} "
            "may be alike"
            for noun in self._catalogue
            for reference in noun.nested.values()
            for target in (self._catalogue.target(reference),)
            if self._distinct.concern(target, target.fields)
        ]
        if faults:
            raise BadDeclaration("; ".join(faults))

    def create(
        self, noun: Bound, given: Mapping[str, Any], viewer: V, attempt: Attempt | None = None
    ) -> tuple[RowId, Row]:
        """Insert a row; gives its id and the row as the viewer sees it.

        Raises NotFound where the parent is unseen, Forbidden where the viewer may not, and
        Unprocessable with every fault of the body.
        """
        self._need(noun, viewer, "create")
        with self._writing() as connection:
            if attempt is not None:
                answered = self._ledger.begin(connection, attempt)
                if answered is not None:
                    made = noun.heard(answered)
                    return made, self._read(connection, noun, made, viewer)
            key = self.insert(connection, noun, given, viewer)
            if attempt is not None:
                self._ledger.finish(connection, attempt, noun.told(key))
            return key, self._read(connection, noun, key, viewer)

    def create_all(
        self,
        noun: Bound,
        given: Sequence[Any],
        viewer: V,
        attempt: Attempt | None = None,
    ) -> list[Row]:
        """Insert many rows, or none; every fault is named with the place of its row: `[3].name`.

        Raises what `create` raises: an unseen parent comes first, then what the viewer may not.
        """
        self._need(noun, viewer, "create")
        with self._writing() as connection:
            if attempt is not None:
                answered = self._ledger.begin(connection, attempt)
                if answered is not None:
                    told = self._ledger.made(connection, attempt, int(answered))
                    made = [noun.heard(one) for one in told]
                    return self._read_all(connection, noun, made, viewer)
            passed = Passed.of(noun, self._policy, viewer)
            bodies = judged_all(
                given, lambda one: self.judged(connection, noun, one, viewer, passed)
            )
            keys = self._insert_all(connection, noun, bodies, viewer)
            if attempt is not None:
                told = [noun.told(key) for key in keys]
                self._ledger.finish_all(connection, attempt, told)
            return self._read_all(connection, noun, keys, viewer)

    def _read_all(
        self, connection: Connection, noun: Bound, keys: Sequence[RowId], viewer: V
    ) -> list[Row]:
        """The rows with these ids, in this order, as far as the viewer sees them."""
        ids = tuple(int(noun.values_of(key)[-1]) for key in keys)
        among = (Filter(noun.key, "in", ids), *within(noun, keys[0]))
        wanted = Query(among, limit=len(ids), total=False)
        rows = self._reader.page(connection, noun, wanted, viewer)["results"]
        by_id = {row[noun.key]: row for row in rows}
        return [by_id[key] for key in ids if key in by_id]

    def insert(
        self, connection: Connection, noun: Bound, given: Mapping[str, Any], viewer: V
    ) -> RowId:
        """`create` inside a transaction that is already open; gives the new row's id."""
        body = self.judged(connection, noun, given, viewer)
        self._distinct.refuse(self._twins(connection, noun, body))
        return self._insert(connection, noun, body, viewer)

    def judged(
        self,
        connection: Connection,
        noun: Bound,
        given: Mapping[str, Any],
        viewer: V,
        passed: Passed | None = None,
        may: Creates[V] | None = None,
    ) -> Body:
        """The body of a row that may be created; `passed` knows bodies that are as good.

        `may` says who may make it, where it is not made for itself.
        """
        self._find_parent(connection, noun, given, viewer)
        body = body_of(noun, given, new=True)
        row = self._proposals.row(noun, body.values)
        if body.described:
            passed = None
        has_passed = passed is not None and not body.faults and passed.has(body)
        if not has_passed and self._distinct.concern(noun, body.values):
            self._distinct.wait(connection, noun, [row])
        self._hold_owners(connection, noun, body.values)
        if has_passed:
            return body
        if not body.faults or self._is_decided(noun, body):
            rights = [name for name in body.values if name in noun.noun.rights]
            creates = {"": (may or self._policy.creates)(noun, viewer, row)}
            creates |= {name: self._policy.sets(noun, viewer, row, name) for name in rights}
            self._proposals.refuse(connection, row, viewer, creates)
        self._judge_brought(connection, noun, body, viewer)
        self._proposals.judge(connection, noun, row, body, viewer)
        if passed is not None:
            passed.add(body)
        return body

    def _judge_brought(self, connection: Connection, noun: Bound, body: Body, viewer: V) -> None:
        """Hold the rows that come with one against the rules; their faults are the body's too."""
        for name, reference in noun.nested.items():
            described = body.described.get(reference.column)
            if described is None:
                continue

            def begets(
                _target: Bound, viewer: V, row: sa.FromClause, column: str = reference.column
            ) -> Condition:
                return self._policy.begets(noun, viewer, row, column)

            target = self._catalogue.target(reference)
            try:
                self._need(target, viewer, "create")
                brought = self.judged(connection, target, described, viewer, may=begets)
                body.brought[reference.column] = brought
            except Forbidden as error:
                placed = [(f"{name}.{field}", told) for field, told in error.errors]
                raise Forbidden(error.detail, errors=placed or [(name, error.detail)]) from error
            except Unprocessable as error:
                body.faults.extend((f"{name}.{field}", told) for field, told in error.errors)

    def _twins(self, connection: Connection, noun: Bound, body: Body) -> list[Twin]:
        """The rows that a new one would be taken for."""
        if not self._distinct.concern(noun, body.values):
            return []
        row = self._proposals.row(noun, body.values)
        return self._distinct.twins(connection, noun, body.values, row)

    def _insert_all(
        self, connection: Connection, noun: Bound, bodies: Sequence[Body], viewer: V
    ) -> list[RowId]:
        """Insert all, each held against those before it. Raises Conflict with every row's place."""
        keys: dict[RowId, int] = {}
        alike: list[tuple[str, str]] = []
        for n, body in enumerate(bodies):
            twins = self._twins(connection, noun, body)
            for twin in twins:
                told = f"the same as [{keys[twin.key]}]" if twin.key in keys else twin.told
                alike.append((f"[{n}].{twin.field}", told))
            if not twins:
                keys[self._insert(connection, noun, body, viewer, place=f"[{n}].")] = n
        if alike:
            raise Conflict("there is one like it already", errors=alike)
        return list(keys)

    def _insert(
        self, connection: Connection, noun: Bound, body: Body, viewer: V, place: str = ""
    ) -> RowId:
        for column, brought in body.brought.items():
            target = self._catalogue.target(noun.by_column[column])
            made = self._insert(connection, target, brought, viewer)
            body.values[column] = target.values_of(made)[-1]
        if noun.noun.within is not None:
            self._refuse_twice(connection, noun, body, place)
        result = connection.execute(noun.table.insert().values(filled(noun, body.values)))
        key = noun.row_id({noun.key: result.inserted_primary_key[0], **body.values})  # type: ignore[index]
        told = noun.told(key)
        self._ledger.record(connection, noun.path, told, "create", viewer.login, body.values)
        return key

    def _refuse_twice(self, connection: Connection, noun: Bound, body: Body, place: str) -> None:
        """Raise Conflict where the row is there, which not every table refuses by itself."""
        row_id = noun.row_id(body.values)
        there = sa.select(sa.literal(1)).where(noun.is_row(noun.table, row_id)).limit(1)
        if connection.execute(there).first() is not None:
            told = f"{noun.noun.one} {noun.values_of(row_id)[-1]} is there already"
            raise Conflict(told, errors=[(f"{place}{noun.key}", "is there already")])

    def patch(
        self,
        noun: Bound,
        key: RowId,
        given: Mapping[str, Any],
        viewer: V,
        meant: Versions | None = None,
    ) -> Row:
        """Change columns of a row (JSON merge patch); the same rules hold before and after.

        Raises Stale where the row is of none of the versions that are `meant`.
        """
        self._need(noun, viewer, "patch")
        with self._writing() as connection:
            body = body_of(noun, given, new=False)
            concerned = self._distinct.concern(noun, body.values)
            if concerned:
                self._wait_for(connection, noun, key, body, viewer)
            row_id = self._locked(connection, noun, key, viewer, self._policy.touches, meant)
            self._find_parent(connection, noun, given, viewer)
            self._hold_owners(connection, noun, body.values)
            after = self._proposals.row(noun, body.values, row_id)
            before = self._stored(noun, row_id)
            ends = (before, after) if self._policy.guards(BOTH_ENDS) else (before,)
            for row in ends:
                sets = {name: self._policy.sets(noun, viewer, row, name) for name in body.values}
                self._proposals.refuse(connection, row, viewer, sets)
            self._proposals.judge(connection, noun, after, body, viewer)
            new = self._changes(connection, noun, row_id, body) if concerned else set()
            self._distinct.refuse(
                self._distinct.twins(connection, noun, new, after, row_id) if new else []
            )
            if body.values:
                changed = {**body.values, **stamps_of(noun, "write")}
                by_key = noun.is_row(noun.table, row_id)
                connection.execute(noun.table.update().where(by_key).values(changed))
                if new:
                    self.keep_those_below_apart(connection, noun, row_id, new)
                if body.moves(noun):
                    self._keep_those_below_sound(connection, noun, row_id, body)
                told, fields = noun.told(row_id), body.values
                self._ledger.record(connection, noun.path, told, "patch", viewer.login, fields)
            return self._read(connection, noun, row_id, viewer)

    def delete(self, noun: Bound, key: RowId, viewer: V, meant: Versions | None = None) -> None:
        """Delete a row that nothing refers to, with the children that it owns.

        Raises Conflict with each table and count that refers to it, Stale where the row is of none
        of the versions that are `meant`.
        """
        self._need(noun, viewer, "delete")
        with self._writing() as connection:
            row_id = self._locked(connection, noun, key, viewer, self._policy.deletes, meant)
            referring = self.referring(connection, noun, row_id)
            if referring and self._policy.guards(STILL_NEEDED):
                counts = ", ".join(f"{count} {table}" for table, count in referring)
                raise Conflict(f"others refer to it: {counts}", errors=[
                    (table, f"{count} rows refer to it") for table, count in referring
                ])  # fmt: skip
            for column in self._owned(noun):
                connection.execute(column.table.delete().where(column == row_id))
            connection.execute(noun.table.delete().where(noun.is_row(noun.table, row_id)))
            told = noun.told(row_id)
            self._ledger.record(connection, noun.path, told, "delete", viewer.login, ())

    @contextmanager
    def _writing(self) -> Iterator[Connection]:
        """One transaction; Unavailable while the service's own tables are missing."""
        with self._database.writing() as connection:
            if not self._ledger_is_there:
                self._ledger_is_there = self._ledger.is_there(connection)
            if not self._ledger_is_there:
                raise Unavailable("read-only: the service's own tables are missing")
            yield connection

    def _need(self, noun: Bound, viewer: V, action: str) -> None:
        if not self._policy.may(viewer, noun.noun.write):
            raise Forbidden(f"this needs the permission {noun.noun.write}")
        if action in noun.closed:
            raise Forbidden(noun.closed[action])

    def _read(self, connection: Connection, noun: Bound, key: RowId, viewer: V) -> Row:
        return self._reader.item(connection, noun, key, viewer, Query(total=False))

    def _locked(
        self,
        connection: Connection,
        noun: Bound,
        key: RowId,
        viewer: V,
        may: Callable[[Bound, V, sa.FromClause], Condition],
        meant: Versions | None,
    ) -> RowId:
        """The id of a visible row, locked; Forbidden where the viewer may not."""
        row_id = self._reader.row_id(connection, noun, key, viewer)
        lock = sa.select(noun.table.c[noun.key]).where(noun.is_row(noun.table, row_id))
        lock = lock.with_for_update()
        if connection.execute(lock).first() is None:
            raise NotFound(f"no such {noun.noun.one}")
        row = self._stored(noun, row_id)
        self._proposals.refuse(connection, row, viewer, {"": may(noun, viewer, row)})
        if meant is not None:
            meant.need(tag_of(noun, self._read(connection, noun, row_id, viewer)))
        return row_id

    def _stored(self, noun: Bound, row_id: RowId) -> sa.FromClause:
        """The row as it is."""
        return self._proposals.row(noun, {}, row_id)

    def _is_decided(self, noun: Bound, body: Body) -> bool:
        """Whether the body says enough to tell who may create it, whatever else is wrong."""
        decisive = {*noun.noun.belongs_to[:1], *(set(noun.required) & set(noun.noun.rights))}
        if len(noun.noun.belongs_to) > 1:
            decisive = {column for column in noun.noun.belongs_to if column in body.values}
        return (bool(decisive) and decisive <= set(body.values)) or not noun.noun.belongs_to

    def _find_parent(
        self, connection: Connection, noun: Bound, given: Mapping[str, Any], viewer: V
    ) -> None:
        """The first chain that the body sets must lead to a parent that the viewer sees."""
        for column in noun.noun.belongs_to:
            key = given.get(column)
            if isinstance(key, int) and not isinstance(key, bool):
                parent = self._catalogue.target(noun.by_column[column])
                if self._policy.guards(SEEN_KEYS):
                    self._reader.row_id(connection, parent, str(key), viewer)
                return

    def _hold_owners(self, connection: Connection, noun: Bound, values: Mapping[str, Any]) -> None:
        """Lock the rows up the chains, so that none moves elsewhere before this is committed."""
        if self._database.is_sqlite:  # one writer at a time
            return
        for column in noun.noun.belongs_to:
            if values.get(column) is None:
                continue
            parent = self._catalogue.target(noun.by_column[column])
            chains = [parent.table.c[name] for name in parent.noun.belongs_to]
            key = parent.table.c[parent.key]
            # Where nothing else keeps two like it apart, one is made at a time.
            alone = column == noun.noun.within and not noun.is_kept_apart
            lock = sa.select(key, *chains).where(key == values[column])
            lock = lock.with_for_update(read=not alone)
            found = connection.execute(lock).mappings().first()
            if found is not None:
                self._hold_owners(connection, parent, dict(found))

    def _wait_for(
        self, connection: Connection, noun: Bound, key: RowId, body: Body, viewer: V
    ) -> None:
        """The turn of the row's owner, and of the one that it moves to, before any lock."""
        row_id = self._reader.row_id(connection, noun, key, viewer)
        after = self._proposals.row(noun, body.values, row_id)
        self._distinct.wait(connection, noun, (self._stored(noun, row_id), after))

    def _changes(self, connection: Connection, noun: Bound, row_id: RowId, body: Body) -> set[str]:
        """The columns that a body does not merely repeat: what is alike already may stay."""
        if not body.values:
            return set()
        columns = [noun.table.c[name] for name in body.values]
        stored = sa.select(*columns).where(noun.is_row(noun.table, row_id))
        now = connection.execute(stored).mappings().one()
        return {name for name, value in body.values.items() if now[name] != value}

    def keep_those_below_apart(
        self, connection: Connection, noun: Bound, key: RowId, names: Collection[str]
    ) -> None:
        """After a change, none of the rows below may be taken for another."""

        def below(path: str) -> tuple[Bound, Sequence[Membership]]:
            members: Members = {}
            self._add_below(noun, lambda row: noun.is_row(row, key), members)
            return self._catalogue[path], members[path]

        self._distinct.refuse_below(connection, noun, names, below)

    def _keep_those_below_sound(
        self, connection: Connection, noun: Bound, key: RowId, body: Body
    ) -> None:
        """After a move, nothing may be left with, or naming, another owner's row."""

        def itself(row: sa.FromClause) -> Condition:
            return noun.is_row(row, key)

        below: Members = {noun.path: [itself]}
        self._add_below(noun, itself, below)
        left = [
            *self._broken(connection, {path: below[path] for path in below if path != noun.path}),
            *self._crossing(connection, below),
        ]
        if left:
            told = f"would leave {', '.join(left)} in two proposals"
            moving = [name for name in noun.noun.belongs_to if name in body.values]
            raise Unprocessable(told, errors=[(name, told) for name in moving])

    def _add_below(self, noun: Bound, members: Membership, below: Members) -> None:
        """Tell of every noun below `noun` which of its rows belong to the members."""
        for other, column in self._catalogue.below(noun):

            def its_members(row: sa.FromClause, column: str = column) -> Condition:
                parent = noun.alias()
                keys = sa.select(primary_key(noun, parent)).where(members(parent))
                within: Condition = row.c[column].in_(keys)
                return within

            below.setdefault(other.path, []).append(its_members)
            self._add_below(other, its_members, below)

    def _broken(self, connection: Connection, below: Members) -> Iterator[str]:
        """The nouns whose rows below lead to two owners, and how many of them."""
        for path, memberships in below.items():
            noun = self._catalogue[path]
            row = noun.alias()
            inside = sa.or_(*[members(row) for members in memberships])
            broken = sa.select(sa.func.count()).select_from(row)
            broken = broken.where(inside, sa.not_(self._policy.sound(noun, row)))
            count = connection.execute(broken).scalar_one()
            if count:
                yield f"{count} {path}"

    def _crossing(self, connection: Connection, below: Members) -> Iterator[str]:
        """The foreign keys, from or to what moved, whose two rows have different owners."""
        if not self._policy.guards(SAME_OWNER):
            return
        for noun in self._catalogue:
            for column, reference in noun.by_column.items():
                target = self._catalogue.target(reference)
                touched = noun.path in below or target.path in below
                if not touched or column in (*noun.noun.belongs_to, *noun.noun.shared):
                    continue
                row, other = noun.alias(), target.alias()
                owner, named = self._policy.owner(noun, row), self._policy.owner(target, other)
                if owner is None or named is None:
                    continue
                moved = [members(row) for members in below.get(noun.path, [])]
                moved += [members(other) for members in below.get(target.path, [])]
                joined = row.join(other, primary_key(target, other) == row.c[column])
                count = sa.select(sa.func.count()).select_from(joined)
                crossing = connection.execute(count.where(sa.or_(*moved), owner != named))
                number = crossing.scalar_one()
                if number:
                    yield f"{number} {noun.path} by {column}"

    def _owned(self, noun: Bound) -> list[sa.Column[Any]]:
        """The columns by which the children that a noun owns lead to it."""
        return [
            column
            for name in noun.noun.owns
            for column in self._catalogue.metadata.tables[name].columns
            if any(key.references(noun.table) for key in column.foreign_keys)
        ]

    def referring(
        self, connection: Connection, noun: Bound, row_id: RowId
    ) -> list[tuple[str, int]]:
        """Every table with rows that refer to this one, cascades included.

        What stands within another is told apart by it, and nothing refers to a pair.
        """
        if noun.noun.within is not None:
            return []
        counts: list[tuple[str, sa.ScalarSelect[Any]]] = []
        for name, column in self._catalogue.referring(noun):
            if name not in noun.noun.owns:
                count = sa.select(sa.func.count()).select_from(column.table).where(column == row_id)
                counts.append((name, count.scalar_subquery()))
        if not counts:
            return []
        found = connection.execute(sa.select(*[count for _, count in counts])).one()
        totals: dict[str, int] = {}
        for (table_name, _), number in zip(counts, found, strict=True):
            totals[table_name] = totals.get(table_name, 0) + int(number)
        return [(name, total) for name, total in sorted(totals.items()) if total]


def filled(noun: Bound, values: Mapping[str, Any]) -> dict[str, Any]:
    """A new row with these values, and with what it has without being told."""
    return {
        **noun.unpointed,
        **noun.noun.defaults,
        **values,
        **stamps_of(noun, "create"),
        **stamps_of(noun, "write"),
    }


def stamps_of(noun: Bound, moment: str) -> dict[str, datetime]:
    """The time columns that the engine sets: in the database's zone, TIMESTAMPs in UTC."""
    now = datetime.now(UTC).replace(microsecond=0)
    stamps: dict[str, datetime] = {}
    for name, when in noun.noun.stamps.items():
        if when == moment:
            in_utc = isinstance(noun.table.c[name].type, sa.TIMESTAMP)
            stamps[name] = (now if in_utc else now.astimezone(noun.zone)).replace(tzinfo=None)
    return stamps

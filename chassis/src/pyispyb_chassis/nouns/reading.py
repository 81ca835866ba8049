"""Reads of nouns: lists, items and whole lists for export, by statements built once."""

import threading
from collections.abc import Callable, Hashable, Iterator, Mapping
from contextlib import AbstractContextManager
from dataclasses import replace
from typing import Any, Generic

from sqlalchemy.engine import Connection

from pyispyb_chassis.errors import NotFound
from pyispyb_chassis.nouns.building import Builder
from pyispyb_chassis.nouns.catalogue import Bound, Catalogue, Inner, RowId
from pyispyb_chassis.nouns.cursors import cursor_of
from pyispyb_chassis.nouns.parameters import values_of
from pyispyb_chassis.nouns.plans import Plan, Row, TooMany
from pyispyb_chassis.nouns.policy import Policy, V
from pyispyb_chassis.nouns.query import Filter, Query
from pyispyb_chassis.nouns.tags import tag_of

__all__ = ["Reader", "Row"]

MOST_STATEMENTS = 512
LARGEST_ID = 2**63 - 1
LONGEST_INTEGER = 4000
EXPORTED_AT_ONCE = 200
HOLDERS_AT_ONCE = 100  # of rows that carry lists of others


class Reader(Generic[V]):
    """Lists and items of a catalogue, as one policy lets viewers see them."""

    def __init__(self, catalogue: Catalogue, policy: Policy[V], *, sqlite: bool) -> None:
        self.catalogue = catalogue
        self.policy = policy
        self._sqlite = sqlite
        self._builder = Builder(catalogue, policy, sqlite=sqlite)
        self._plans: dict[Hashable, Plan] = {}
        self._lock = threading.Lock()

    def page(self, connection: Connection, noun: Bound, query: Query, viewer: V) -> Row:
        """A page in list form: total (null where it was not asked for), results, limit, skip.

        `next` is what the next page is asked for with: a skip where one was given, else a cursor.
        """
        plan = self.plan(noun, query, viewer)
        values = self._values(query, viewer)
        skip = query.skip or 0
        total = None
        if query.total:
            total = connection.execute(plan.count, values).scalar_one()
        found: list[Any] = []
        if query.limit and (total is None or total > skip):
            # One row more than asked for tells whether there is a next page.
            paging = {"page_limit": query.limit + 1, "page_skip": skip}
            found = list(connection.execute(plan.rows, {**values, **paging}))
        more, found = len(found) > query.limit, found[: query.limit]
        following: int | str | None = None
        if more:
            last = plan.place_of(found[-1])
            by_skip = query.skip is not None
            following = skip + query.limit if by_skip else cursor_of(noun, query, last)
        return {
            "total": total,
            "results": plan.objects(connection, found, values),
            "limit": query.limit,
            "skip": skip if query.after is None else None,
            "next": following,
        }

    def item(
        self, connection: Connection, noun: Bound, row_id: RowId, viewer: V, query: Query
    ) -> Row:
        """One row by id, or by the word it is known as. Raises NotFound where it is unseen."""
        key = row_id.key if isinstance(row_id, Inner) else row_id
        by = noun.key if isinstance(key, int) or _is_id(key) else noun.noun.known_as
        if by is None or (_is_id(str(key)) and int(key) > LARGEST_ID):
            raise NotFound(f"no such {noun.noun.one}")
        value = int(key) if by == noun.key else key
        found = Query(
            (Filter(by, "eq", value), *within(noun, row_id)),
            include=query.include,
            fields=query.fields,
            total=False,
        )
        plan = self.plan(noun, found, viewer)
        values = {**self._values(found, viewer), "page_limit": 1, "page_skip": 0}
        rows = list(connection.execute(plan.rows, values))
        if not rows:
            raise NotFound(f"no such {noun.noun.one}")
        (row,) = plan.objects(connection, rows, values)
        return row

    def row_id(self, connection: Connection, noun: Bound, key: RowId, viewer: V) -> RowId:
        """The id of a row that is known by its id or its word. Raises NotFound if it is unseen."""
        only_id = Query(fields=(((), noun.identity),), total=False)
        return noun.row_id(self.item(connection, noun, key, viewer, only_id))

    def version(
        self, connection: Connection, noun: Bound, key: RowId, viewer: V, query: Query
    ) -> tuple[Row, str]:
        """`item`, with the tag of the row, which is the same whatever fields are asked for."""
        if query.fields is None:
            row = self.item(connection, noun, key, viewer, query)
            return row, tag_of(noun, row)
        chosen = dict(query.fields)
        wanted = chosen.get((), ())
        names = [name for name in wanted if name in noun.noun.names]
        whole = {**chosen, (): (*noun.fields, *names)}
        row = self.item(
            connection, noun, key, viewer, replace(query, fields=tuple(sorted(whole.items())))
        )
        unasked = set(noun.fields) - set(wanted)
        return {name: row[name] for name in row if name not in unasked}, tag_of(noun, row)

    def every(
        self,
        reading: Callable[[], AbstractContextManager[Connection]],
        noun: Bound,
        query: Query,
        viewer_of: Callable[[], V],
    ) -> Iterator[list[Row]]:
        """All rows of a list, some at a time: a connection is held only while they are read.

        In the order of their key where no other is asked for, so that each page costs the same.
        What the viewer may is asked again for each; inserts and deletes meanwhile neither repeat
        nor lose another row.
        """
        query = replace(query, sort=query.sort or ((noun.tie, False),))
        plan = self.plan(noun, query, viewer_of())
        most = HOLDERS_AT_ONCE if plan.branches else EXPORTED_AT_ONCE
        while True:
            viewer = viewer_of()
            plan, values = self.plan(noun, query, viewer), self._values(query, viewer)
            with reading() as connection:
                paging = {"page_limit": most + 1, "page_skip": 0}
                found = list(connection.execute(plan.rows, {**values, **paging}))
                more = len(found) > most
                del found[most:]
                try:
                    objects = plan.objects(connection, found, values)
                except TooMany:
                    if most == 1:
                        raise
                    most = max(1, most // 4)
                    continue
            if more:
                query = replace(query, after=plan.place_of(found[-1]))
            del found  # one page at a time is held
            yield objects
            if not more:
                return

    def plan(self, noun: Bound, query: Query, viewer: V) -> Plan:
        """The statements of a query, built once for each form of query and viewer."""
        shape = (noun.path, query.shape, self.policy.shape(viewer))
        plan = self._plans.get(shape)
        if plan is None:
            plan = self._builder.plan(noun, query, viewer)
            with self._lock:
                if len(self._plans) >= MOST_STATEMENTS:
                    self._plans.pop(next(iter(self._plans)))
                self._plans[shape] = plan
        return plan

    def _values(self, query: Query, viewer: V) -> Mapping[str, Any]:
        return {
            **self.policy.parameters(viewer),
            **values_of(query, sqlite=self._sqlite),
        }


def within(noun: Bound, row_id: RowId) -> tuple[Filter, ...]:
    """The condition that a row stands within the one that its id names, if it does."""
    if noun.noun.within is None or not isinstance(row_id, Inner):
        return ()
    return (Filter(noun.noun.within, "eq", row_id.parent),)


def _is_id(key: str) -> bool:
    return key.isascii() and key.isdigit() and len(key) < LONGEST_INTEGER

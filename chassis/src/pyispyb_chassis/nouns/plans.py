"""Built statements of a read, and how their rows become nested objects."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from pyispyb_chassis.errors import BadRequest
from pyispyb_chassis.nouns.query import Path, Place

Row = dict[str, Any]
Holders = dict[Path, dict[Any, list[Row]]]
MOST_INCLUDED = 5000


class TooMany(BadRequest):
    """The rows of one include are more than a page carries."""


@dataclass(frozen=True, slots=True)
class Part:
    """Where the columns of one noun of a row lie: from `start`, `key` first, then `names`."""

    path: Path
    start: int
    names: tuple[str, ...]
    shows: tuple[Callable[[Any], Any] | None, ...]


@dataclass(frozen=True, slots=True)
class Plan:
    """A built statement, the place of each noun's columns in its rows, and what hangs on them.

    `place` are the columns of a row's place in its list; `branches` are the includes of many rows,
    each with a statement of its own, in which `link` is the column that leads back.
    """

    rows: sa.Select[Any]
    count: sa.Select[Any]
    parts: tuple[Part, ...]
    place: tuple[int, ...]
    branches: tuple["Branch", ...]

    def place_of(self, row: Any) -> Place:
        """The place of a row in its list."""
        return tuple(row[n] for n in self.place)

    def objects(
        self, connection: Connection, found: list[Any], values: Mapping[str, Any]
    ) -> list[Row]:
        """The rows as objects, includes nested: one that is not seen is null or absent.

        Raises TooMany where an include has more rows than a page carries.
        """
        holders: Holders = {branch.holder: {} for branch in self.branches}
        objects = [self._object(row, holders) for row in found]
        for branch in self.branches:
            branch.fill(connection, holders[branch.holder], values)
        return objects

    def _object(self, row: Any, holders: Holders) -> Row:
        root = self.parts[0].path
        made: dict[Path, Row | None] = {}
        for part in self.parts:
            item: Row | None = None
            key = row[part.start]
            if key is not None:
                first = part.start + 1
                item = {
                    name: row[first + n] if show is None else show(row[first + n])
                    for n, (name, show) in enumerate(zip(part.names, part.shows, strict=True))
                }
                if part.path in holders:
                    holders[part.path].setdefault(key, []).append(item)
            made[part.path] = item
            if part.path != root:
                parent = made[part.path[:-1]]
                if parent is not None:
                    parent[part.path[-1]] = item
        itself = made[root]
        return {} if itself is None else itself  # one of no fields yet gets its includes of many


@dataclass(frozen=True, slots=True)
class Branch:
    """An include of many rows: those whose `link` leads to a row of the part at `holder`."""

    path: Path
    holder: Path
    link: int
    plan: Plan

    def fill(
        self, connection: Connection, holders: dict[Any, list[Row]], values: Mapping[str, Any]
    ) -> None:
        """Put into each holder the list of its rows, by one statement for all."""
        name = self.path[-1]
        for items in holders.values():
            for item in items:
                item[name] = []
        if not holders:
            return
        wanted = {"parents": list(holders), "page_limit": MOST_INCLUDED + 1, "page_skip": 0}
        found = list(connection.execute(self.plan.rows, {**values, **wanted}))
        if len(found) > MOST_INCLUDED:
            told = f"{'.'.join(self.path)}: more than {MOST_INCLUDED} rows; give a smaller limit"
            raise TooMany("the query string has faults", errors=[("include", told)])
        for row, made in zip(
            found, self.plan.objects(connection, list(found), values), strict=True
        ):
            for item in holders[row[self.link]]:
                item[name].append(made)

"""What the hand-written tables let somebody write, as requests that a generated case bends."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import MetaData
from tests.core.matrix.reading import SEEN
from tests.core.matrix.single_writes import WRITES
from tests.core.matrix.stage import ZONE, Stage
from tests.core.matrix.tables_of_text import Line, read
from tests.core.matrix.who_they_are import PEOPLE
from tests.core.matrix.within import request_of
from tests.core.matrix.world import World
from tests.core.matrix.world_within import WITHIN
from tests.core.matrix.writing import METHODS, request_of_write, resolved

from pyispyb_chassis.nouns.catalogue import Bound, Catalogue
from pyispyb_core.catalogue import NOUNS

WRITTEN = [noun.path for noun in NOUNS if {"create", "patch"} & {*noun.actions}]
WITH_RIGHTS = [noun.path for noun in NOUNS if noun.rights]
VERBS = {"create": ("create ", "add "), "patch": ("patch ", "change ")}
MOST_ROWS = 3
DONE = {"create": "201", "patch": "200"}
Told = tuple[int, str, list[dict[str, str]]]  # status, detail, errors


@dataclass(frozen=True, slots=True)
class Allowed:
    """A write that a table says is done: the writer, the line, and what is sent."""

    who: str
    what: str
    verb: str
    path: str
    body: dict[str, Any]
    proposal: str  # of the row that it makes or changes, as far as its name says

    def with_value(self, stage: Stage, column: str, value: Any) -> Told:
        """What the same write with one more value is answered."""
        body = {column: value} if self.verb == "patch" else {**self.body, column: value}
        answer = stage.call(self.who, METHODS[self.verb], self.path, body)
        told = answer.get_json()
        return answer.status_code, told.get("detail", ""), told.get("errors", [])


def catalogue_of(stage: Stage) -> Catalogue:
    """The nouns, bound to the tables of the stage."""
    return _bound_to(stage.world.metadata)


@cache
def _bound_to(metadata: MetaData) -> Catalogue:
    return Catalogue(NOUNS, metadata, ZoneInfo(ZONE))


def allowed(stage: Stage, noun: str, verb: str) -> Iterator[Allowed]:
    """One write of this noun for each person whom the tables let write it so."""
    return _answered(stage, noun, verb, DONE[verb])


def tries(stage: Stage, noun: str, verb: str) -> Iterator[Allowed]:
    """What is allowed, then patches of seen rows of which no line says whether they are."""
    yield from allowed(stage, noun, verb)
    if noun in WITHIN:
        return
    if verb == "create":
        yield from _singly(stage, noun)
        return
    for who in PEOPLE:
        seen = [row for row, cells in SEEN[noun].items() if cells[who] not in ".-"]
        for row in seen[:MOST_ROWS]:
            path = f"{noun}/{stage.world[row]}"
            yield Allowed(who, f"patch {row}", verb, path, {}, row.partition("/")[0])


def forbidden(stage: Stage, noun: str, verb: str) -> Iterator[Allowed]:
    """One write of this noun for each person who sees where, and may not."""
    return _answered(stage, noun, verb, "403")


def _singly(stage: Stage, noun: str) -> Iterator[Allowed]:
    """The writes of single_writes.py that make a row of this noun."""
    for write in WRITES:
        if write.what == f"create {noun}" and write.status == 201:
            path, body = resolved(stage.world, write)
            first = next(str(value) for value in write.body.values() if str(value)[:1] == "@")
            yield Allowed(write.who, write.what, "create", path, body, first[1:].partition("/")[0])


def _answered(stage: Stage, noun: str, verb: str, status: str) -> Iterator[Allowed]:
    known = set()
    for line in _lines(noun, verb):
        for who, cell in line.cells.items():
            if cell == status and who not in known:
                known.add(who)
                yield _allowed(stage.world, noun, verb, line, who)


def deletable(noun: str) -> tuple[str, str]:
    """Somebody, and a row of this noun that they may delete; else one that is referred to."""
    for line in _tables():
        verb, _, row = line.what.partition(" ")
        if verb == "delete" and row in SEEN[noun]:
            for who, cell in line.cells.items():
                if cell == "204":
                    return who, row
    return "erin", next(iter(SEEN[noun]))


def keys(noun: Bound) -> dict[str, str | None]:
    """The foreign keys that somebody may write, with the noun that they lead to, if it is one."""
    found: dict[str, str | None] = {
        str(column.name): None for column in noun.table.columns if column.foreign_keys
    }
    found |= {column: reference.target for column, reference in noun.by_column.items()}
    return {column: target for column, target in found.items() if column in noun.settable}


def unseen(target: str, who: str) -> str | None:
    """A row of a noun that somebody may read, and of which they do not see this row."""
    return next((row for row, cells in SEEN[target].items() if cells[who] == "."), None)


def elsewhere(target: str, who: str, proposal: str) -> str | None:
    """A row that somebody sees, and that is of another proposal than this one."""
    for row, cells in SEEN[target].items():
        of, slash, _ = row.partition("/")
        if cells[who] not in ".-" and slash and of != proposal:
            return row
    return None


@cache
def _tables() -> list[Line]:
    return [*read("who_writes_what"), *read("within_others/writes")]


def _lines(noun: str, verb: str) -> Iterator[Line]:
    for line in _tables():
        if not line.what.startswith(VERBS[verb]):
            continue
        words, _, _ = line.what.partition(": ")
        _, named = words.split(" ", 1)
        if noun in WITHIN or verb == "create":
            if named.split(" ", 1)[0] == noun:
                yield line
        elif named in SEEN.get(noun, {}):
            yield line


def _allowed(world: World, noun: str, verb: str, line: Line, who: str) -> Allowed:
    if noun in WITHIN:
        _, path, body = request_of(world, line.what)
        named = line.what.split(" ", 2)[2]
    else:
        path, body = request_of_write(world, line.what)
        named = line.what.partition(": ")[2] if verb == "create" else line.what.split(" ", 1)[1]
    proposal = named.partition(":")[0].partition("/")[0].partition(" > ")[0]
    return Allowed(who, line.what, verb, path, body or {}, proposal)

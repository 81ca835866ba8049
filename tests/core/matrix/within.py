"""Makes of within_others the reads and writes of rows that stand within another's."""

from collections.abc import Iterator
from functools import partial
from typing import Any

from tests.core.matrix.cases import Case
from tests.core.matrix.reading import SEEN
from tests.core.matrix.stage import Stage
from tests.core.matrix.tables_of_text import Line, read
from tests.core.matrix.who_they_are import NOBODY, PEOPLE
from tests.core.matrix.world import World
from tests.core.matrix.world_within import WITHIN
from werkzeug.test import TestResponse

METHODS = {"add": "POST", "change": "PATCH", "remove": "DELETE"}
SEES = read("within_others/sees")


def ids_of(world: World, named: str) -> tuple[int, int]:
    """The ids of `parent > child`: a child without a name is its number."""
    parent, _, child = named.partition(" > ")
    return world[parent], int(child) if child.isdigit() else world[child]


def reads() -> Iterator[Case]:
    """Each list of a parent and each item, by each person."""
    for line in SEES:
        kind = WITHIN[line.section]
        parent = line.what.partition(" > ")[0]
        for who in (NOBODY, *PEOPLE):
            group = f"{who} {line.section}"
            mark = line.cells.get(who, "-")
            if who == NOBODY or mark == "-":
                listed = itself = 401 if who == NOBODY else 403
            else:
                listed = 404 if SEEN[kind.parent][parent][who] in ".-" else 200
                itself = 404 if mark == "." else 200
            yield Case(
                group, f"item {line.what}", partial(_item, line=line, who=who, status=itself)
            )
            yield Case(
                group, f"list {line.what}", partial(_list, line=line, who=who, status=listed)
            )


def _unlike(answer: TestResponse, status: int) -> str | None:
    """How an answer's status differs from what it should be."""
    if answer.status_code == status:
        return None
    return f"{answer.status_code} instead of {status}: {answer.get_data(as_text=True)[:200]}"


def _item(stage: Stage, line: Line, who: str, status: int) -> str | None:
    kind = WITHIN[line.section]
    parent, child = ids_of(stage.world, line.what)
    answer = stage.call(who, "GET", f"{kind.path(parent)}/{child}")
    if (fault := _unlike(answer, status)) or status != 200:
        return fault
    body = answer.get_json()
    return None if tuple(body[name] for name in kind.columns) == (parent, child) else "another row"


def _list(stage: Stage, line: Line, who: str, status: int) -> str | None:
    """The list of the parent: exactly those of its rows that this person sees."""
    kind = WITHIN[line.section]
    parent, _ = ids_of(stage.world, line.what)
    answer = stage.call(who, "GET", kind.path(parent))
    if (fault := _unlike(answer, status)) or status != 200:
        return fault
    body: dict[str, Any] = answer.get_json()
    there = [one for one in SEES if one.section == line.section]
    mine = [one.what for one in there if one.cells[who] not in ".-"]
    expected = sorted(ids_of(stage.world, what) for what in mine)
    expected = [ids for ids in expected if ids[0] == parent]
    found = [tuple(row[name] for name in kind.columns) for row in body["results"]]
    if sorted(found) != expected or body["total"] != len(expected):
        return f"{found}, total {body['total']}, instead of {expected}"
    return None


def writes() -> Iterator[Case]:
    """Each write by each person, on a world as it was."""
    for line in read("within_others/writes"):
        for who, cell in line.cells.items():
            wrote = partial(_wrote, what=line.what, who=who, status=int(cell))
            yield Case(f"{who} {line.section}", line.what, wrote)


def request_of(world: World, what: str) -> tuple[tuple[int, int], str, dict[str, Any] | None]:
    """The ids that a line speaks of, and the path and body of its request."""
    words, _, set_to = what.partition(": ")
    verb, noun, named = words.split(" ", 2)
    kind, ids = WITHIN[noun], ids_of(world, named)
    column, _, text = set_to.partition("=")
    body: dict[str, Any] | None = None
    if column:
        value: Any = world[text[1:]] if text.startswith("@") else text
        body = {column: int(text) if text.isdigit() else value}
    if verb == "add":
        return ids, kind.path(ids[0]), {kind.columns[1]: ids[1], **(body or {})}
    return ids, f"{kind.path(ids[0])}/{ids[1]}", body


def _wrote(stage: Stage, what: str, who: str, status: int) -> str | None:
    """Do it, compare answer and table with what should be, put the database back."""
    verb, noun = what.split(" ", 2)[:2]
    kind = WITHIN[noun]
    ids, path, body = request_of(stage.world, what)
    before = stage.snapshot()
    answer = stage.call(who, METHODS[verb], path, body)
    after = stage.snapshot()
    if before != after:
        stage.watched.restore(before, after)
    if fault := _unlike(answer, status):
        return fault
    if status >= 400:
        return None if before == after else f"answered {status} and changed something"
    stored = after[kind.table].values()
    rows = [row for row in stored if tuple(row[name] for name in kind.columns) == ids]
    if len(rows) != (0 if verb == "remove" else 1):
        return f"{len(rows)} such rows"
    if verb == "add" and not answer.headers["Location"].endswith(f"/core/{path}/{ids[1]}"):
        return f"Location {answer.headers['Location']}"
    if rows and body and any(rows[0][name] != value for name, value in body.items()):
        return f"the row is {rows[0]}"
    return None

"""Random includes, fields and pages of random nouns, beside the same done in Python by the rows."""

from functools import cache
from typing import Any
from urllib.parse import urlencode
from zoneinfo import ZoneInfo

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.cast import ALICE, BOB, CAROL, ERIN, Somebody
from tests.core.conftest import Core

from pyispyb_chassis.nouns.catalogue import Bound, Catalogue, Reference
from pyispyb_chassis.nouns.query import DEEPEST_INCLUDE, noun_at
from pyispyb_core.catalogue import NOUNS
from pyispyb_core.tables import tables_for

Row = dict[str, Any]
Path = tuple[str, ...]
Fields = dict[Path, list[str]]
READERS = st.sampled_from([ALICE, BOB, CAROL, ERIN])
MOST_PATHS = 3
PATHS = (
    "containers",
    "crystals",
    "datacollection-groups",
    "datacollections",
    "dewars",
    "labcontacts",
    "laboratories",
    "persons",
    "proposals",
    "proteins",
    "samples",
    "sessions",
    "shippings",
)


class Rows:
    """What each person sees of each noun, in lists that include nothing: what Python works on."""

    def __init__(self, core: Core) -> None:
        self._core = core
        self._seen: dict[tuple[Somebody, str], list[Row]] = {}

    def of(self, who: Somebody, noun: Bound) -> list[Row]:
        """All rows of a noun that somebody sees, in the order of their key."""
        if (who, noun.path) not in self._seen:
            body = self._core.get(who, f"/{noun.path}?limit=1000&sort={noun.key}")
            assert body["next"] is None
            self._seen[who, noun.path] = body["results"]
        return self._seen[who, noun.path]

    def expected(
        self, who: Somebody, noun: Bound, row: Row, paths: set[Path], fields: Fields | None
    ) -> Row:
        """A row with its includes, each of them as far as it was asked for."""
        shown = dict(row) if fields is None else {name: row[name] for name in fields[()]}
        for name in {path[0] for path in paths}:
            reference = noun.references[name]
            target = catalogue().target(reference)
            below = {path[1:] for path in paths if path[0] == name and len(path) > 1}
            inner = None if fields is None else _below(fields, name, target.key)
            found = [
                self.expected(who, target, one, below, inner)
                for one in self.of(who, target)
                if _is_led_to(noun, row, reference, target, one)
            ]
            shown[name] = found if reference.many else next(iter(found), None)
        return shown


def _is_led_to(noun: Bound, row: Row, reference: Reference, target: Bound, other: Row) -> bool:
    if reference.many:
        return bool(other[reference.column] == row[noun.key])
    return row[reference.column] is not None and other[target.key] == row[reference.column]


def _below(fields: Fields, name: str, key: str) -> Fields:
    """What was chosen of an include and of those in it; its key where nothing of it was."""
    return {(): [key], **{path[1:]: some for path, some in fields.items() if path[:1] == (name,)}}


@cache
def catalogue() -> Catalogue:
    """The nouns; their columns and keys are the same on both databases."""
    tables = tables_for(sqlite=True, own_schema="own")
    return Catalogue(NOUNS, tables.metadata, ZoneInfo("Europe/Paris"))


@st.composite
def includes(draw: st.DrawFn, noun: Bound) -> set[Path]:
    """Some includes of a noun, of one row and of many, some of them nested."""
    found: set[Path] = set()
    for _ in range(draw(st.integers(0, MOST_PATHS))):
        at: Bound = noun
        path: Path = ()
        for _ in range(draw(st.integers(1, DEEPEST_INCLUDE))):
            # What stands within another is in no list that has all of it.
            names = [
                name
                for name in at.noun.includes
                if catalogue().target(at.references[name]).noun.within is None
            ]
            if not names:
                break
            path = (*path, draw(st.sampled_from(names)))
            found.add(path)
            at = catalogue().target(at.references[path[-1]])
    return found


@st.composite
def asked(draw: st.DrawFn) -> tuple[str, set[Path], Fields | None]:
    """A noun, its includes, and some columns of some of these, or no choice at all."""
    noun = catalogue()[draw(st.sampled_from(PATHS))]
    paths = draw(includes(noun))
    chosen: Fields = {}
    for path in [(), *sorted(paths)]:
        at = noun_at(noun, path, catalogue())
        names = st.sampled_from([*at.fields, *at.noun.names])
        if some := draw(st.lists(names, max_size=4, unique=True)):
            chosen[path] = some
    return noun.path, paths, {(): [], **chosen} if chosen else None


@pytest.fixture(scope="module")
def rows(core: Core) -> Rows:
    """What Python works on, read once."""
    return Rows(core)


@settings(
    max_examples=50,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(who=READERS, wanted=asked(), sign=st.sampled_from(["", "-"]), limit=st.integers(4, 30))
def test_includes_fields_and_pages_are_what_python_finds(
    core: Core,
    rows: Rows,
    who: Somebody,
    wanted: tuple[str, set[Path], Fields | None],
    sign: str,
    limit: int,
) -> None:
    named, paths, fields = wanted
    noun = catalogue()[named]
    expected = [rows.expected(who, noun, row, paths, fields) for row in rows.of(who, noun)]
    query = {"sort": f"{sign}{noun.key}", "limit": str(limit)}
    if sign:
        expected.reverse()
    if paths:
        query["include"] = ",".join(".".join(path) for path in sorted(paths))
    if fields is not None:
        names = [".".join((*path, name)) for path, some in fields.items() for name in some]
        query["fields"] = ",".join(names)
    start = f"/{noun.path}?{urlencode(query)}"
    assert core.walked(who, start) == expected  # by cursor
    assert core.walked(who, f"{start}&skip=0") == expected

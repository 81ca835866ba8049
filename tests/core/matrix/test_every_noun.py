"""Cases made of the catalogue, so that a new noun is covered without a line of its own."""

import re
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

import pytest
from tests.core.matrix.every import (
    WITH_RIGHTS,
    WRITTEN,
    Allowed,
    Told,
    allowed,
    catalogue_of,
    elsewhere,
    forbidden,
    keys,
    tries,
    unseen,
)
from tests.core.matrix.not_made import ELSEWHERE, OF_NO_PROPOSAL, SEEN_BY_ALL, UNSEEN
from tests.core.matrix.stage import Stage
from tests.core.matrix.tables_of_text import who_sees_what
from tests.core.matrix.writing import NOTHING

from pyispyb_chassis.nouns.catalogue import Bound
from pyispyb_chassis.nouns.policy import SAME_OWNER, SEEN_KEYS

WRITES = ("create", "patch")
NOWHERE = "a row that is not there"
MEMBER = "coinv"  # of MX1001, and nothing more
VALUES = {"integer": 1, "number": 1.0, "boolean": True}
TEXTS = ("x", "1", "MX")
FORMATS = {
    "date-time": "2031-03-01T08:00:00",
    "date": "2031-03-01",
    "uuid": "5e5a1b6c-9d3c-4a58-9c3e-3f0f6f1c2b7a",
}


Case = tuple[str, str, str]  # noun, verb, column


class Tried(NamedTuple):
    """A write that names a row which it must not name, and the same one that names none."""

    case: str
    told: Told
    absent: Told


@pytest.mark.parametrize("noun", WRITTEN)
def test_a_foreign_key_names_what_is_seen_and_of_the_same_proposal(stage: Stage, noun: str) -> None:
    bound = catalogue_of(stage)[noun]
    before = stage.snapshot()
    left: dict[str, set[Case]] = {"absent": set(), "unseen": set(), "elsewhere": set()}
    for verb in (verb for verb in WRITES if verb in bound.actions):
        for column, target in keys(bound).items():
            for kind, row in _wrong_rows(bound, column, target):
                tried = _tried(stage, noun, verb, column, row)
                if tried is None:
                    left[kind].add((noun, verb, column))
                    continue
                assert tried.told == tried.absent, tried.case
                assert _names(bound, column, tried.told), f"{tried.case}: {tried.told}"
    for kind, table in (("absent", {}), ("unseen", UNSEEN), ("elsewhere", ELSEWHERE)):
        assert left[kind] == {case for case in table if case[0] == noun}, kind
    assert stage.snapshot() == before


@pytest.mark.parametrize(("rule", "noun"), [(SEEN_KEYS, "labcontacts"), (SAME_OWNER, "dewars")])
def test_a_case_turns_red_without_the_rule(stage: Stage, rule: str, noun: str) -> None:
    bound = catalogue_of(stage)[noun]
    before = stage.snapshot()
    red = []
    with stage.without(rule) as bare:
        for column, target in keys(bound).items():
            for _, row in _wrong_rows(bound, column, target):
                tried = _tried(bare, noun, "patch", column, row)
                red += [tried.case] if tried and tried.told != tried.absent else []
    stage.watched.restore(before, stage.snapshot())
    assert red
    assert stage.snapshot() == before


@pytest.mark.parametrize("noun", SEEN_BY_ALL)
def test_everybody_sees_what_is_said_to_be_seen_by_all(noun: str) -> None:
    """Every Person, that is: a login without one sees nothing."""
    told = [pair for cells in who_sees_what()[noun].values() for pair in cells.items()]
    assert told
    assert {who for who, mark in told if mark == "."} <= {"new"}


@pytest.mark.parametrize("noun", WITH_RIGHTS)
def test_no_plain_member_sets_a_rights_bearing_column(stage: Stage, noun: str) -> None:
    schema = stage.call("erin", "GET", f"nouns/{noun}").get_json()
    before = stage.snapshot()
    for verb in (verb for verb in WRITES if verb in schema["actions"]):
        one = _of_member(stage, noun, verb)
        for column in schema["rightsBearing"]:
            assert one is not None, f"{MEMBER} can try to {verb} none of the {noun}"
            value = _value(schema["properties"][column])
            status, detail, errors = one.with_value(stage, column, value)
            assert status == 403, f"{one.what}, {column}={value}: {detail}"
            assert {error["field"] for error in errors} <= {*one.body, column}, one.what
    assert stage.snapshot() == before


def _of_member(stage: Stage, noun: str, verb: str) -> Allowed | None:
    """A write that the member may do but for the column, else one that is not theirs at all."""
    lines = (*allowed(stage, noun, verb), *forbidden(stage, noun, verb))
    return next((one for one in lines if one.who == MEMBER), None)


def _tried(
    stage: Stage, noun: str, verb: str, column: str, row: Callable[[Allowed], str | None]
) -> Tried | None:
    """The first write in the tables whose writer may set this column, and must not name the row."""
    for one in tries(stage, noun, verb):
        name = row(one)
        if name is None:
            continue
        absent = one.with_value(stage, column, NOTHING)
        if absent[0] == 403:  # the column is not theirs to set
            continue
        told = absent if name == NOWHERE else one.with_value(stage, column, stage.world[name])
        return Tried(f"{one.who}: {one.what}, {column}={name}", told, absent)
    return None


def _wrong_rows(
    bound: Bound, column: str, target: str | None
) -> Iterator[tuple[str, Callable[[Allowed], str | None]]]:
    """The kinds of rows that a column must not name, and how to find one for a writer."""
    if target is None or target in SEEN_BY_ALL:
        yield "absent", lambda _one: NOWHERE
        return
    yield "unseen", lambda one: unseen(target, one.who)
    owned = target not in OF_NO_PROPOSAL
    if owned and column not in (*bound.noun.belongs_to, *bound.noun.shared):
        yield "elsewhere", lambda one: elsewhere(target, one.who, one.proposal)


def _names(bound: Bound, column: str, told: Told) -> bool:
    """Whether it is refused as a fault of this column, or as an absent parent."""
    if told[0] == 404:
        return column in bound.noun.belongs_to
    return told[0] == 422 and [error["field"] for error in told[2]] == [column]


def _value(schema: dict[str, Any]) -> Any:
    """Some value that a column takes."""
    if words := [word for word in schema.get("enum", ()) if word is not None]:
        return words[0]
    if schema.get("format") in FORMATS:
        return FORMATS[schema["format"]]
    kinds = schema["type"] if isinstance(schema["type"], list) else [schema["type"]]
    kind = next(kind for kind in kinds if kind != "null")
    if kind == "string":
        return next(text for text in TEXTS if re.fullmatch(schema.get("pattern", ".*"), text))
    return VALUES[kind]

"""Random queries, compiled and run, beside the same query done in Python over the same rows."""

import operator
from collections.abc import Callable
from typing import Any
from urllib.parse import urlencode

import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from tests.cast import ALICE, ERIN
from tests.core.conftest import Core

Row = dict[str, Any]
TEXTS, NUMBERS = ("name", "code", "loopType", "comments"), ("blSampleId", "containerId")
FLOAT = "packingFraction"  # of single precision
REMARKS = ["_x", "^y", "[z]", "a_b", "A b", "b", "", None, "a", "zz", "`q", "B"]
FRACTIONS = [0.1, 0.25, 0.9763, None, 0.001, 0.3333333]
TOLD = st.sampled_from(["0.1", "0.9763", "0.25", "0.97630001", "0.5", "0.333333", "0", "1"])
COMPARE: dict[str, Callable[[Any, Any], bool]] = {
    "eq": operator.eq,
    "ne": operator.ne,
    "lt": operator.lt,
    "lte": operator.le,
    "gt": operator.gt,
    "gte": operator.ge,
}
WORDS = st.sampled_from(
    [
        "MX1001-s01",
        "mx1001-S02",
        "MX1001-s2",
        "Nylon",
        "nylon  ",
        "",
        "zz",
        "MX1001-pin-03",
        "%",
        "_",
    ]
)
PATTERNS = st.sampled_from(["*", "mx*", "*s0*", "*-s1", "*_*", "*%*", "M?1001*", "*ON", "\\*"])


def folded(value: Any) -> Any:
    """Text as it compares: without case and trailing blanks."""
    return value.rstrip(" ").upper() if isinstance(value, str) else value


def like(value: str, pattern: str) -> bool:
    """Whether a text matches a pattern that knows `*` only."""
    first, *rest = folded(pattern).split("*")
    value = folded(value)
    if not rest:
        return bool(value == first)
    if not value.startswith(first):
        return False
    at = len(first)
    for part in rest[:-1]:
        found = value.find(part, at)
        if found < 0:
            return False
        at = found + len(part)
    return bool(value.endswith(rest[-1]) and len(value) - len(rest[-1]) >= at)


@st.composite
def filters(draw: st.DrawFn) -> tuple[str, str, str]:
    """A column, an operator and a text that fit one another."""
    name = draw(st.sampled_from([*TEXTS, *NUMBERS, FLOAT]))
    operators = [*COMPARE, "in", "null", *(["like"] if name in TEXTS else [])]
    chosen = draw(st.sampled_from(operators))
    one = WORDS if name in TEXTS else TOLD if name == FLOAT else st.integers(0, 30).map(str)
    if chosen == "null":
        return name, chosen, draw(st.sampled_from(["true", "false"]))
    if chosen == "like":
        return name, chosen, draw(PATTERNS)
    if chosen == "in":
        return name, chosen, ",".join(draw(st.lists(one, min_size=1, max_size=4)))
    return name, chosen, draw(one)


def passes_as_fraction(value: float, chosen: str, numbers: list[float]) -> bool:
    """Fractions are equal when six significant digits agree."""
    near = any(f"{value:.6g}" == f"{number:.6g}" for number in numbers)
    if chosen in {"eq", "in", "ne"}:
        return near != (chosen == "ne")
    return (
        near
        if near and chosen in {"lte", "gte"}
        else (not near and COMPARE[chosen](value, numbers[0]))
    )


def passes(row: Row, name: str, chosen: str, text: str) -> bool:
    """Whether a row passes a filter."""
    value = row[name]
    if chosen == "null":
        return (value is None) == (text == "true")
    if value is None:
        return False
    if chosen == "like":
        return like(value, text)
    if name == FLOAT:
        return passes_as_fraction(value, chosen, [float(part) for part in text.split(",")])
    read = folded if name in TEXTS else int
    if chosen == "in":
        return folded(value) in [read(part) for part in text.split(",")]
    return COMPARE[chosen](folded(value), read(text))


def ordered(rows: list[Row], sort: list[tuple[str, bool]]) -> list[Row]:
    """Rows in the order that a sort asks for: nulls last, the primary key last of all."""
    rows = sorted(rows, key=lambda row: row["blSampleId"])
    for name, descending in reversed(sort):
        filled = [row for row in rows if row[name] is not None]
        filled.sort(key=lambda row: folded(row[name]), reverse=descending)
        if descending:  # a stable reverse keeps equal rows in the order of their key
            filled = [
                row
                for value in dict.fromkeys(folded(row[name]) for row in filled)
                for row in rows
                if row[name] is not None and folded(row[name]) == value
            ]
        rows = filled + [row for row in rows if row[name] is None]
    return rows


SORTS = st.lists(
    st.tuples(st.sampled_from([*TEXTS, "containerId", FLOAT]), st.booleans()),
    max_size=3,
    unique_by=lambda key: key[0],
)


@pytest.fixture(scope="module")
def rows(core: Core) -> list[Row]:
    sample = core.tables["BLSample"]
    with core.database.writing() as connection:
        keys = connection.execute(sa.select(sample.c.blSampleId)).scalars().all()
    for n, key in enumerate(keys):
        fraction = FRACTIONS[n % len(FRACTIONS)]
        body = {"comments": REMARKS[n % len(REMARKS)], FLOAT: fraction}
        answer = core.call(ERIN, "PATCH", f"/samples/{key}", body)
        assert answer.status_code == 200, answer.text
        assert answer.get_json()[FLOAT] == (fraction and float(f"{fraction:.6g}"))
    return list(core.get(ALICE, "/samples?limit=1000&sort=blSampleId")["results"])


@settings(
    max_examples=60,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(
    wanted=st.lists(filters(), max_size=3, unique_by=lambda one: one[:2]),
    sort=SORTS,
    limit=st.integers(1, 9),
    skip=st.integers(0, 22),
)
@example(wanted=[(FLOAT, "eq", "0.333333")], sort=[], limit=3, skip=0)
def test_a_query_finds_what_python_finds(
    core: Core,
    rows: list[Row],
    wanted: list[tuple[str, str, str]],
    sort: list[tuple[str, bool]],
    limit: int,
    skip: int,
) -> None:
    found = [row for row in rows if all(passes(row, *one) for one in wanted)]
    expected = ordered(found, sort)
    keys = [f"{'-' if descending else ''}{name}" for name, descending in sort] or ["blSampleId"]
    query = [
        (name if chosen == "eq" else f"{name}[{chosen}]", text) for name, chosen, text in wanted
    ]
    query += [("sort", ",".join(keys)), ("limit", str(limit)), ("skip", str(skip))]
    page = core.get(ALICE, f"/samples?{urlencode(query)}")
    assert page["total"] == len(expected)
    assert page["results"] == expected[skip : skip + limit]
    by_cursor = [one for one in query if one[0] != "skip"]
    assert core.walked(ALICE, f"/samples?{urlencode(by_cursor)}") == expected

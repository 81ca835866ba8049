"""What goes into a frame comes out of it; equal values, and only they, have equal digests."""

import math
from typing import Any

import numpy as np
import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.ssx.conftest import columns, lines

from pyispyb_chassis.errors import BadRequest, Unprocessable
from pyispyb_ssx.operations.coding import (
    decode,
    decode_numbers,
    digest,
    encode,
    encode_numbers,
)
from pyispyb_ssx.operations.columns import COLUMNS, read_json, read_ndjson
from pyispyb_ssx.operations.images import rows_of

MOST = 50_000
numbers = st.floats(width=32, allow_nan=False, allow_infinity=False)
above_0 = st.floats(width=32, min_value=2.0**-20, max_value=1e6)
lattice = st.fixed_dictionaries(
    {
        "cell": st.tuples(*[above_0] * 3, *[st.floats(width=32, min_value=1, max_value=179)] * 3),
        "spaceGroup": st.sampled_from([None, "P1", "P43212", "C 1 2 1", "I23"]),
        "nIndexed": st.none() | st.integers(0, 2**31 - 1),
    }
)


@st.composite
def images(draw: st.DrawFn) -> list[dict[str, Any]]:
    """Images of a batch that keeps every rule, in any order."""
    numbered = draw(st.lists(st.integers(1, 2**31 - 1), min_size=1, max_size=30, unique=True))
    made = []
    for number in numbered:
        hit = draw(st.booleans())
        indexed = hit and draw(st.booleans())
        made.append(
            {
                "imageNumber": number,
                "hit": hit,
                "nSpots": draw(st.none() | st.integers(0, 2**31 - 1)),
                "indexed": indexed,
                "time": draw(st.none() | numbers),
                "resolution": draw(st.none() | above_0),
                "lattices": draw(st.lists(lattice, max_size=3)) if indexed else [],
            }
        )
    return made


def as_columns(rows: list[dict[str, Any]]) -> bytes:
    """Rows as a body of JSON columns."""
    return orjson.dumps({name: [row[name] for row in rows] for name in COLUMNS})


@settings(deadline=None, max_examples=150)
@given(rows=images(), data=st.data())
def test_what_is_stored_is_what_was_sent(rows: list[dict[str, Any]], data: st.DataObject) -> None:
    sent = read_json(as_columns(rows), most=MOST)
    read = decode(encode(sent))
    told = orjson.dumps(rows_of(read), option=orjson.OPT_SERIALIZE_NUMPY)
    # JSON has the shortest decimal of a 32-bit float; it stands for the same float.
    back = read_json(as_columns(orjson.loads(told)), most=MOST)
    expected = sorted(rows, key=lambda row: row["imageNumber"])
    for row, one in zip(expected, rows_of(back), strict=True):
        assert one == {**row, "lattices": [{**a, "cell": list(a["cell"])} for a in row["lattices"]]}
    shuffled = data.draw(st.permutations(rows))
    for same in (
        read,
        back,
        read_json(as_columns(shuffled), most=MOST),
        read_ndjson(b"\n".join(orjson.dumps(row) for row in shuffled), most=MOST),
    ):
        assert digest(same) == digest(sent)
        assert encode(same) == encode(sent)


@settings(deadline=None, max_examples=100)
@given(found=st.lists(st.integers(1, 2**31 - 1), min_size=1, max_size=50, unique=True).map(sorted))
def test_image_numbers_come_back(found: list[int]) -> None:
    array = np.array(found, dtype="<i4")
    stored = encode_numbers(array)
    if stored is None:
        assert found == list(range(found[0], found[-1] + 1))
    else:
        assert decode_numbers(stored).tolist() == found


anything = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**63), 2**64 - 1) | st.text(max_size=3)
    | st.floats(allow_nan=False, allow_infinity=False),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(
        st.sampled_from(["cell", "spaceGroup", "nIndexed", *COLUMNS]), inner, max_size=3
    ),
    max_leaves=20,
)  # fmt: skip


@settings(deadline=None, max_examples=300)
@given(
    body=st.dictionaries(
        st.sampled_from([*COLUMNS, "colour"]), st.lists(anything, max_size=4) | anything
    )
)
def test_any_json_is_read_or_refused_with_its_faults(body: dict[str, Any]) -> None:
    faults: list[tuple[str, str]] = []
    read = None
    try:
        read = read_json(orjson.dumps(body), most=MOST)
    except Unprocessable as refused:
        faults = refused.errors
    assert (read is None) == bool(faults)
    if read is not None:
        assert digest(decode(encode(read))) == digest(read)


@pytest.mark.parametrize(
    ("changed", "equal"),
    [
        ({}, True),
        ({"time": [0.1 + 1e-12] * 4}, True),  # the same number in 32 bits
        ({"time": [0.1, 0.1, 0.1, 0.1000001]}, False),
        ({"time": None}, False),
        ({"nSpots": [1, 2, 3, 5]}, False),
        ({"nSpots": [1, 2, 3, None]}, False),
        ({"hit": [True, True, True, False]}, False),
        ({"imageNumber": [1, 2, 3, 5]}, False),
        ({"resolution": [None] * 4}, True),  # what was left out is null
        ({"lattices": [[], [], [], None]}, True),
        ({"lattices": [[{"cell": [1, 2, 3, 90, 90, 90]}], [], [], []]}, False),
    ],
)
def test_equal_values_have_equal_digests(changed: dict[str, Any], equal: bool) -> None:  # noqa: FBT001
    plain = {
        "imageNumber": [1, 2, 3, 4],
        "hit": [True, True, True, True],
        "nSpots": [1, 2, 3, 4],
        "time": [0.1] * 4,
        "indexed": [True, False, False, False],
    }
    first = read_json(orjson.dumps(plain), most=MOST)
    second = read_json(orjson.dumps({**plain, **changed}), most=MOST)
    assert (digest(first) == digest(second)) is equal


def test_minus_zero_is_zero() -> None:
    bodies = [{"imageNumber": [1], "hit": [True], "time": [time]} for time in (0.0, -0.0)]
    first, second = (digest(read_json(orjson.dumps(body), most=MOST)) for body in bodies)
    assert first == second


FAULTS: list[tuple[dict[str, Any], dict[str, str]]] = [
    ({"imageNumber": [0, 2, 3, 4]}, {"imageNumber[0]": "from 1"}),
    ({"imageNumber": [1, 2, 2, 4]}, {"imageNumber[2]": "2 stands twice"}),
    ({"imageNumber": [1, True, 3, 4]}, {"imageNumber[1]": "whole number"}),
    ({"imageNumber": [1, 2.0, 3, 4]}, {"imageNumber[1]": "whole number"}),
    ({"imageNumber": [1, 2, 3, 2**31]}, {"imageNumber[3]": "2147483647"}),
    ({"imageNumber": [1, 2, 3, None]}, {"imageNumber[3]": "whole number"}),
    ({"imageNumber": None}, {"imageNumber": "is required"}),
    ({"imageNumber": 4}, {"imageNumber": "takes a list"}),
    ({"hit": None}, {"hit": "is required"}),
    ({"hit": [1, True, True, True]}, {"hit[0]": "true or false"}),
    ({"hit": [False, True, True, True]}, {"indexed[0]": "no hit"}),
    ({"hit": [True]}, {"hit": "has 1 values, imageNumber has 4"}),
    ({"indexed": [False] * 4}, {"lattices[0]": "not indexed"}),
    ({"indexed": [None, False, False, False]}, {"indexed[0]": "true or false"}),
    ({"nSpots": [-1, 2, 3, 4]}, {"nSpots[0]": "from 0"}),
    ({"nSpots": ["1", 2, 3, 4]}, {"nSpots[0]": "whole number"}),
    ({"time": [1e39, 0, 0, 0]}, {"time[0]": "32 bits"}),
    ({"resolution": [1e-60, 1, 1, 1]}, {"resolution[0]": "above 0"}),  # 0 in 32 bits
    ({"time": [False, 0, 0, 0]}, {"time[0]": "finite number"}),
    ({"resolution": [0, 1, 1, 1]}, {"resolution[0]": "above 0"}),
    ({"colour": [1]}, {"colour": "no such field; allowed: imageNumber"}),
    ({"lattices": [1, [], [], []]}, {"lattices[0]": "a list of lattices"}),
    ({"lattices": [[1], [], [], []]}, {"lattices[0][0]": "an object"}),
    ({"lattices": [[{}], [], [], []]}, {"lattices[0][0].cell": "[a, b, c"}),
    ({"lattices": [[{"cell": [1] * 5}], [], [], []]}, {"lattices[0][0].cell": "[a, b, c"}),
    (
        {"lattices": [[{"cell": [1, 0, 1, 90, 180, None]}], [], [], []]},
        {"lattices[0][0].cell[5]": "angle"},
    ),
    (
        {"lattices": [[{"cell": [1, 0, 1, 90, 180, 90]}], [], [], []]},
        {"lattices[0][0].cell[1]": "length", "lattices[0][0].cell[4]": "180"},
    ),
    (
        {"lattices": [[{"cell": [1] * 6, "spaceGroup": " P", "nIndexed": -1, "x": 1}], [], [], []]},
        {
            "lattices[0][0].spaceGroup": "P43212",
            "lattices[0][0].nIndexed": "from 0",
            "lattices[0][0].x": "no such field",
        },
    ),
    (
        {"imageNumber": [0, 2, 3, "4"], "hit": [0] * 4, "colour": 1, "time": "now"},
        {
            "imageNumber[0]": "", "imageNumber[3]": "", "hit[0]": "", "hit[1]": "", "hit[2]": "",
            "hit[3]": "", "colour": "", "time": "",
        },
    ),
]  # fmt: skip


@pytest.mark.parametrize(("changed", "faults"), FAULTS)
def test_every_fault_of_a_batch_is_named(changed: dict[str, Any], faults: dict[str, str]) -> None:
    with pytest.raises(Unprocessable) as refused:
        read_json(orjson.dumps(columns(1, 4, **changed)), most=MOST)
    named = dict(refused.value.errors)
    assert set(named) == set(faults)
    for field, reason in faults.items():
        assert reason in named[field]
    assert str(len(faults)) in refused.value.detail


def test_lines_have_the_same_faults_under_the_same_names() -> None:
    batch = columns(1, 4)
    batch["imageNumber"][2] = 0
    rows = lines(batch).splitlines()
    rows[3] = orjson.dumps({"imageNumber": 9, "colour": 1})
    with pytest.raises(Unprocessable) as refused:
        read_ndjson(b"\n".join(rows), most=MOST)
    assert {field for field, _ in refused.value.errors} == {
        "imageNumber[2]",
        "[3].colour",
        "hit[3]",
    }


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b"1", b"NaN", b'{"hit": [NaN]}'])
def test_what_is_no_json_object_is_a_bad_request(body: bytes) -> None:
    with pytest.raises(BadRequest):
        read_json(body, most=MOST)


@pytest.mark.parametrize(
    ("body", "where"), [(b'{"imageNumber": 1, "hit": true}\n{', "line 2"), (b"\n[]", "line 2")]
)
def test_a_line_that_is_no_json_object_is_named(body: bytes, where: str) -> None:
    with pytest.raises(BadRequest, match=where):
        read_ndjson(body, most=MOST)


@pytest.mark.parametrize(("count", "most"), [(0, 3), (4, 3)])
def test_too_few_and_too_many_images(count: int, most: int) -> None:
    with pytest.raises(Unprocessable, match="1 fault"):
        read_json(orjson.dumps(columns(1, count)), most=most)


def test_a_thousand_faults_are_counted_and_a_hundred_listed() -> None:
    body = orjson.dumps(columns(1, 1000, nSpots=[-1] * 1000))
    with pytest.raises(Unprocessable, match="1000 faults; the first 100") as refused:
        read_json(body, most=MOST)
    assert len(refused.value.errors) == 100


def test_a_batch_takes_few_bytes() -> None:
    sent = read_json(orjson.dumps(columns(1, 1000)), most=MOST)
    assert len(encode(sent)) / len(sent) < 14
    assert not math.isnan(sent.time[0])

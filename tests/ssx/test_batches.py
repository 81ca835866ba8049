"""Batches over HTTP: counted once, stored once, refused whole."""

import itertools
import threading
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import orjson
import pytest
import sqlalchemy as sa
from tests.cast import ALICE
from tests.ssx.conftest import Ssx, columns, lines

from pyispyb_chassis.errors import Conflict, Unavailable
from pyispyb_ssx.operations.batches import store_batch
from pyispyb_ssx.operations.coding import decode
from pyispyb_ssx.operations.columns import read_json
from pyispyb_ssx.tables import TABLES

NOTHING_COUNTED = {
    "batches": 0, "images": 0, "hits": 0, "indexed": 0, "lattices": 0, "hitRate": None,
    "indexingRate": None, "cells": [],
}  # fmt: skip


def counted(ssx: Ssx, run_id: int) -> tuple[Any, ...]:
    """What the summary says: batches, images, hits, indexed."""
    summary = ssx.get(ALICE, f"/runs/{run_id}/summary")
    return tuple(summary[name] for name in ("batches", "images", "hits", "indexed"))


def rows_of(ssx: Ssx, run_id: int) -> list[dict[str, Any]]:
    """Every image of a run, as NDJSON gives them."""
    answer = ssx.call(ALICE, "GET", f"/runs/{run_id}/images", Accept="application/x-ndjson")
    return [orjson.loads(line) for line in answer.data.splitlines()]


def test_an_empty_run_sums_up_to_nothing(ssx: Ssx) -> None:
    run_id = ssx.open()
    summary = ssx.get(ALICE, f"/runs/{run_id}/summary")
    assert summary == {"runId": run_id, "state": "open", **NOTHING_COUNTED}


def test_a_batch_is_counted_with_its_rates_and_cells(ssx: Ssx) -> None:
    run_id = ssx.open()
    two = [
        {"cell": [78, 78, 37, 90, 90, 90], "spaceGroup": "P43212", "nIndexed": 9},
        {"cell": [80, 78, 39, 90, 92, 90]},
    ]
    one = [{"cell": [80, 78, 37, 90, 90, 90], "spaceGroup": "P43212"}]
    first = {
        "imageNumber": [5, 6, 7, 8],
        "hit": [True, True, True, False],
        "indexed": [True, True, False, False],
        "lattices": [two, one, [], None],
    }
    answer = ssx.put(run_id, 0, first)
    figures = {"runId": run_id, "n": 0, "images": 4, "hits": 3, "indexed": 2, "lattices": 3}
    assert (answer.status_code, answer.get_json()) == (201, figures)
    assert ssx.put(run_id, 7, {"imageNumber": [9], "hit": [False]}).status_code == 201
    assert ssx.get(ALICE, f"/runs/{run_id}/summary") == {
        "runId": run_id,
        "state": "open",
        "batches": 2,
        "images": 5,
        "hits": 3,
        "indexed": 2,
        "lattices": 3,
        "hitRate": 0.6,
        "indexingRate": pytest.approx(2 / 3),
        "cells": [
            {
                "spaceGroup": "P43212", "lattices": 2,
                "mean": [79, 78, 37, 90, 90, 90], "deviation": [1, 0, 0, 0, 0, 0],
            },
            {
                "spaceGroup": None, "lattices": 1,
                "mean": [80, 78, 39, 90, 92, 90], "deviation": [0, 0, 0, 0, 0, 0],
            },
        ],
    }  # fmt: skip


AGAIN = columns(1, 8)
REPEATED: list[tuple[str, Any, int, str]] = [
    ("the same", AGAIN, 200, ""),
    ("the same as lines", lines(AGAIN), 200, ""),
    ("the same, turned round", {name: values[::-1] for name, values in AGAIN.items()}, 200, ""),
    ("another value", columns(1, 8, nSpots=[1] * 8), 409, "other content"),
    ("fewer images", columns(1, 7), 409, "other content"),
    ("other images", columns(101, 8), 409, "other content"),
]


@pytest.mark.parametrize(("what", "body", "status", "reason"), REPEATED)
def test_a_batch_sent_twice(ssx: Ssx, what: str, body: Any, status: int, reason: str) -> None:
    run_id = ssx.open()
    first = ssx.put(run_id, 3, AGAIN)
    kind = "application/x-ndjson" if isinstance(body, bytes) else "application/json"
    again = ssx.call(
        ALICE, "PUT", f"/runs/{run_id}/batches/3",
        body if isinstance(body, bytes) else orjson.dumps(body), Content_Type=kind,
    )  # fmt: skip
    assert (first.status_code, again.status_code) == (201, status), what
    if status == 200:
        assert again.get_json() == first.get_json()
    assert reason in again.get_json().get("detail", "")
    assert counted(ssx, run_id) == (1, 8, 4, 2)
    assert len(rows_of(ssx, run_id)) == 8


# The stored batches are 0: 1 to 10, 1: 21 to 30, 2: 41, 43, 45, … 59.
OVERLAPS: list[tuple[list[int], int | None]] = [
    ([11, 12], None),
    ([10, 11], 0),
    ([1], 0),
    (list(range(15, 25)), 1),
    ([31, 40], None),
    ([42, 44, 46], None),  # in the gaps of batch 2
    ([42, 43, 44], 2),
    ([60], None),
    (list(range(11, 21)), None),
    ([20, 31], None),  # around batch 1
    ([1, 100], 0),
]


@pytest.mark.parametrize(("numbers", "holder"), OVERLAPS)
def test_an_image_counts_once_in_a_run(ssx: Ssx, numbers: list[int], holder: int | None) -> None:
    run_id = ssx.open()
    for n, stored in enumerate((range(1, 11), range(21, 31), range(41, 60, 2))):
        sent = {"imageNumber": list(stored), "hit": [False] * 10}
        assert ssx.put(run_id, n, sent).status_code == 201
    answer = ssx.put(run_id, 9, {"imageNumber": numbers, "hit": [True] * len(numbers)})
    if holder is None:
        assert answer.status_code == 201, answer.text
        assert counted(ssx, run_id) == (4, 30 + len(numbers), len(numbers), 0)
    else:
        assert answer.status_code == 409
        assert answer.get_json()["detail"] == f"batch {holder} has images of this batch"
        assert f"in batch {holder}" in answer.get_json()["errors"][0]["detail"]
        assert counted(ssx, run_id) == (3, 30, 0, 0)
    assert ssx.put(ssx.open(), 9, {"imageNumber": [1], "hit": [True]}).status_code == 201


def test_a_closed_run_takes_nothing_new(ssx: Ssx) -> None:
    run_id = ssx.open()
    first = ssx.put(run_id, 0, AGAIN)
    for _ in range(2):
        closed = ssx.call(ALICE, "POST", f"/runs/{run_id}/close")
        assert closed.status_code == 200
        assert closed.get_json()["state"] == "closed"
        assert closed.get_json()["endTime"] is not None
    assert ssx.put(run_id, 1, columns(101, 4)).status_code == 409
    assert ssx.put(run_id, 0, columns(1, 7)).status_code == 409
    again = ssx.put(run_id, 0, AGAIN)  # its first answer was lost on the way
    assert (again.status_code, again.get_json()) == (200, first.get_json())
    assert counted(ssx, run_id) == (1, 8, 4, 2)


NOT_READ: list[tuple[str, bytes, str, int]] = [
    ("no JSON", b"{", "application/json", 400),
    ("a list", b"[]", "application/json", 400),
    ("no lines of JSON", b"1", "application/x-ndjson", 400),
    ("no content type", b"{}", "", 415),
    ("a form", b"{}", "application/x-www-form-urlencoded", 415),
    ("nothing in it", b"{}", "application/json", 422),
    ("too large", b" " * 100_001, "application/json", 413),
]


@pytest.mark.parametrize(("what", "body", "kind", "status"), NOT_READ)
def test_a_body_that_is_no_batch(ssx: Ssx, what: str, body: bytes, kind: str, status: int) -> None:
    run_id = ssx.open()
    path = f"/runs/{run_id}/batches/0"
    answer = ssx.call(ALICE, "PUT", path, body, Content_Type=kind)
    assert answer.status_code == status, what
    assert answer.mimetype == "application/problem+json"
    assert ssx.get(ALICE, f"/runs/{run_id}/summary")["batches"] == 0


def test_a_batch_with_faults_names_all_and_stores_nothing(ssx: Ssx) -> None:
    run_id = ssx.open()
    answer = ssx.put(run_id, 0, {"imageNumber": [0, 2], "hit": [1, True], "colour": []})
    assert answer.status_code == 422
    assert {one["field"] for one in answer.get_json()["errors"]} == {
        "imageNumber[0]", "hit[0]", "colour",
    }  # fmt: skip
    assert counted(ssx, run_id) == (0, 0, 0, 0)


@pytest.mark.parametrize("n", ["-1", "x", "1.5", str(2**31), str(2**70)])
def test_a_batch_has_a_number(ssx: Ssx, n: str) -> None:
    answer = ssx.call(ALICE, "PUT", f"/runs/{ssx.open()}/batches/{n}", columns(1, 1))
    assert answer.status_code == 404


def test_racing_batches_are_each_counted_once(ssx: Ssx) -> None:
    """Eight at once, each batch sent three times, and one that overlaps them all."""
    run_id = ssx.open()
    sent = [(n, columns(1 + 10 * n, 10)) for n in range(8)] * 3
    sent += [(100 + n, columns(10 * n + 5, 10)) for n in range(0, 8, 2)]

    def put(one: tuple[int, dict[str, Any]]) -> tuple[int, int]:
        n, batch = one
        for _ in range(20):  # a busy database says 503: try again
            status = ssx.put(run_id, n, batch).status_code
            if status != 503:
                break
        return n, status

    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(put, sent))
    assert {status for _, status in answers} <= {200, 201, 409}
    rows = rows_of(ssx, run_id)
    numbers = [row["imageNumber"] for row in rows]
    assert len(set(numbers)) == len(numbers)
    batches, images, hits, indexed = counted(ssx, run_id)
    assert images == len(rows)
    assert hits == sum(row["hit"] for row in rows)
    assert indexed == sum(row["indexed"] for row in rows)
    assert [status for _, status in answers].count(201) == batches
    with ssx.database.reading() as connection:
        stored = connection.execute(
            sa.select(TABLES.batch.c.frame).where(TABLES.batch.c.runId == run_id)
        ).scalars()
        assert sum(len(decode(frame)) for frame in stored) == images


def test_of_batches_with_the_same_images_one_is_stored(ssx: Ssx) -> None:
    """Four at the very same moment, twenty times over."""
    start = threading.Barrier(4)

    def put(run_id: int, n: int) -> bool:
        images = read_json(orjson.dumps(columns(1 + n, 10)), most=10)
        start.wait()
        for _ in range(20):
            try:
                return store_batch(ssx.database, run_id, n, images, "alice")[1]
            except Unavailable:  # a busy database: try again
                continue
            except Conflict:
                return False
        return False

    for _ in range(20):
        run_id = ssx.open()
        with ThreadPoolExecutor(4) as pool:
            stored = list(pool.map(put, itertools.repeat(run_id), range(4)))
        assert sum(stored) == 1
        assert counted(ssx, run_id) == (1, 10, 5, 3)


def test_no_batch_slips_in_behind_a_close(ssx: Ssx) -> None:
    """What was answered 201 is counted, whatever else happens at the same moment."""
    run_id = ssx.open()

    def put(n: int) -> int:
        if n == 10:
            return ssx.call(ALICE, "POST", f"/runs/{run_id}/close").status_code
        return ssx.put(run_id, n, columns(1 + 10 * n, 10)).status_code

    with ThreadPoolExecutor(6) as pool:
        answers = list(pool.map(put, range(20)))
    assert answers[10] == 200
    stored = answers.count(201)
    assert counted(ssx, run_id)[:2] == (stored, 10 * stored)
    assert ssx.put(run_id, 99, columns(1000, 1)).status_code == 409
    assert ssx.get(ALICE, f"/runs/{run_id}")["state"] == "closed"


def test_images_come_back_page_by_page(ssx: Ssx) -> None:
    run_id = ssx.open()
    for n, first in ((1, 101), (0, 1), (2, 111)):  # as they come, not in order
        assert ssx.put(run_id, n, columns(first, 10)).status_code == 201
    found: list[int] = []
    path: str | None = f"/ssx/runs/{run_id}/images?limit=7"
    pages = 0
    while path is not None:
        page = ssx.get(ALICE, path.removeprefix("/ssx"))
        assert page["total"] == 30
        assert page["limit"] == 7
        found += [row["imageNumber"] for row in page["results"]]
        path, pages = page["next"], pages + 1
    assert found == [*range(1, 11), *range(101, 121)]
    assert pages == 5


def test_images_come_back_as_they_were_sent(ssx: Ssx) -> None:
    run_id = ssx.open()
    sent = columns(1, 10)
    ssx.put(run_id, 0, sent)
    expected = [orjson.loads(line) for line in lines(sent).splitlines()]
    assert rows_of(ssx, run_id) == expected
    assert ssx.get(ALICE, f"/runs/{run_id}/images")["results"] == expected
    answer = ssx.call(ALICE, "GET", f"/runs/{run_id}/images", Accept="text/csv")
    header, first, second, *_ = answer.text.splitlines()
    assert header == "imageNumber,hit,nSpots,indexed,time,resolution,lattices"
    assert first.startswith('1,true,0,true,0.0,1.9,"[{""cell"":[79.1,78.9,38.0,90.0,90.1,90.0],')
    assert second == "2,false,3,false,0.01,,[]"
    assert len(answer.text.splitlines()) == 11


ACCEPTED = [
    (None, "application/json"),
    ("*/*", "application/json"),
    ("application/json, text/csv;q=0.5", "application/json"),
    ("text/*", "text/csv"),
    ("application/x-ndjson", "application/x-ndjson"),
]


@pytest.mark.parametrize(("accept", "kind"), ACCEPTED)
def test_images_come_in_the_form_that_is_asked_for(ssx: Ssx, accept: str | None, kind: str) -> None:
    headers = {"Accept": accept} if accept else {}
    answer = ssx.call(ALICE, "GET", f"/runs/{ssx.open()}/images", **headers)
    assert (answer.status_code, answer.mimetype) == (200, kind)


BAD_QUERIES = [
    ("?limit=1001", "application/json", 400, "limit"),
    ("?limit=-1", "application/json", 400, "limit"),
    ("?limit=1&limit=2", "application/json", 400, "limit"),
    ("?skip=x", "application/json", 400, "skip"),
    ("?hit=true", "application/json", 400, "hit"),
    ("?limit=5", "text/csv", 400, "limit"),
    ("", "image/png", 406, None),
]


@pytest.mark.parametrize(("query", "accept", "status", "field"), BAD_QUERIES)
def test_an_unknown_question_about_images(
    ssx: Ssx, query: str, accept: str, status: int, field: str | None
) -> None:
    answer = ssx.call(ALICE, "GET", f"/runs/{ssx.open()}/images{query}", Accept=accept)
    assert answer.status_code == status
    named = {one["field"] for one in answer.get_json().get("errors", [])}
    assert named == ({field} if field else set())


def test_a_summary_can_be_recounted(ssx: Ssx) -> None:
    run_id = ssx.open()
    sizes = (1, 250, 33)
    for n, first in enumerate(itertools.accumulate((1, *sizes[:-1]))):
        ssx.put(run_id, n, columns(first, sizes[n]))
    rows = rows_of(ssx, run_id)
    assert counted(ssx, run_id) == (
        3, len(rows), sum(row["hit"] for row in rows), sum(row["indexed"] for row in rows),
    )  # fmt: skip
    assert len(rows) == sum(sizes)

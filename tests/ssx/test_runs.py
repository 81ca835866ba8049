"""Runs over HTTP: who opens, sees and records them, and what a body may hold."""

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
import sqlalchemy as sa
from tests.cast import ALICE, BOB, CAROL, DAVE, ERIN, MXCUBE, NOBODY, OSCAR, Somebody
from tests.ssx.conftest import Ssx, columns
from tests.ssx.core_stand_in import (
    IN2001,
    MX1001,
    OTHERS_BL2,
    PAST_BL2,
    RUNNING_BL1,
    SESSIONS,
)

from pyispyb_ssx.tables import TABLES

# Who reaches the runs of which session, from section 5 of the design.
REACHED: list[tuple[Somebody, set[int]]] = [
    (ALICE, {PAST_BL2, RUNNING_BL1}),  # a member of MX1001
    (BOB, {PAST_BL2, OTHERS_BL2}),  # took part in one of MX1001's, a member of MX1002
    (CAROL, {RUNNING_BL1}),  # staff of BL1, but IN2001 is closed to staff
    (MXCUBE, {RUNNING_BL1}),  # the service account of BL1
    (DAVE, set()),  # goods handling sees no science
    (OSCAR, set()),
    (ERIN, set(SESSIONS)),  # administrator
]
TABLE = [
    (who, session_id, session_id in reached) for who, reached in REACHED for session_id in SESSIONS
]


@pytest.fixture(scope="module")
def runs(ssx: Ssx) -> dict[int, int]:
    """One open run with four images in each session."""
    made = {session_id: ssx.open(ERIN, session_id) for session_id in SESSIONS}
    for run_id in made.values():
        assert ssx.put(run_id, 0, columns(1, 4), ERIN).status_code == 201
    return made


@pytest.mark.parametrize(("who", "session_id", "reaches"), TABLE)
def test_a_run_is_seen_with_its_session(
    ssx: Ssx, runs: dict[int, int], who: Somebody, session_id: int, *, reaches: bool
) -> None:
    run_id = runs[session_id]
    status = 200 if reaches else 404
    for path in ("", "/summary", "/images"):
        assert ssx.call(who, "GET", f"/runs/{run_id}{path}").status_code == status, path
    lines = {"Accept": "application/x-ndjson"}
    assert ssx.call(who, "GET", f"/runs/{run_id}/images", **lines).status_code == status
    listed = ssx.get(who, f"/runs?limit=1000&runId={run_id}")
    assert listed["total"] == len(listed["results"]) == reaches


@pytest.mark.parametrize(("who", "session_id", "reaches"), TABLE)
def test_a_run_is_recorded_by_whoever_reaches_its_session(
    ssx: Ssx, who: Somebody, session_id: int, *, reaches: bool
) -> None:
    before = ssx.get(ERIN, "/runs?limit=0")["total"]
    opened = ssx.call(who, "POST", "/runs", {"sessionId": session_id})
    assert opened.status_code == (201 if reaches else 404)
    assert ssx.get(ERIN, "/runs?limit=0")["total"] == before + reaches
    run_id = ssx.open(ERIN, session_id)
    sent = ssx.put(run_id, 0, columns(1, 4), who)
    assert sent.status_code == (201 if reaches else 404)
    closed = ssx.call(who, "POST", f"/runs/{run_id}/close")
    assert closed.status_code == (200 if reaches else 404)
    summary = ssx.get(ERIN, f"/runs/{run_id}/summary")
    assert (summary["images"], summary["state"]) == ((4, "closed") if reaches else (0, "open"))


def test_an_unseen_batch_target_says_nothing_of_the_body(ssx: Ssx, runs: dict[int, int]) -> None:
    run_id = runs[RUNNING_BL1]
    answers = [
        ssx.call(OSCAR, "PUT", f"/runs/{target}/batches/0", body, Content_Type="application/json")
        for target in (run_id, 999_999)
        for body in (b"{", b"{}", b" " * 200_000)
    ]
    assert {answer.status_code for answer in answers} == {404}
    assert {answer.get_json()["detail"] for answer in answers} == {"no such run"}


# Who, method, path; R stands for a run of alice's.
REFUSED = [
    (NOBODY, "GET", "/runs", 401),
    (NOBODY, "POST", "/runs", 401),
    (NOBODY, "GET", "/runs/R", 401),
    (NOBODY, "GET", "/runs/R/summary", 401),
    (NOBODY, "GET", "/runs/R/images", 401),
    (NOBODY, "PUT", "/runs/R/batches/1", 401),
    (NOBODY, "POST", "/runs/R/close", 401),
    (ALICE, "GET", "/runs/999999", 404),
    (ALICE, "GET", "/runs/x", 404),
    (ALICE, "GET", f"/runs/{2**70}", 404),
    (ALICE, "GET", f"/runs/{2**70}/summary", 404),
    (ALICE, "GET", f"/runs/{2**70}/images", 404),
    (ALICE, "POST", f"/runs/{2**70}/close", 404),
    (ALICE, "PUT", f"/runs/{2**70}/batches/1", 404),
    (ALICE, "DELETE", "/runs/R", 405),
    (ALICE, "PATCH", "/runs/R", 405),
    (ALICE, "GET", "/runs/R/batches/0", 405),
    (ALICE, "GET", "/runs/R/nothing", 404),
    (ALICE, "GET", "/runs?colour=red", 400),
    (ALICE, "GET", "/runs?sort=colour", 400),
]


@pytest.mark.parametrize(("who", "method", "path", "status"), REFUSED)
def test_what_is_refused(
    ssx: Ssx, runs: dict[int, int], who: Somebody | None, method: str, path: str, status: int
) -> None:
    path = path.replace("R", str(runs[RUNNING_BL1]))
    answer = ssx.call(who, method, path, columns(90, 1) if method == "PUT" else None)
    assert answer.status_code == status
    assert answer.mimetype == "application/problem+json"


def test_who_sees_but_may_not_write_is_told_so(ssx: Ssx) -> None:
    run_id = ssx.open(ALICE)
    before = ssx.core.said["alice"]
    ssx.core.said["alice"] = {**before, "permissions": ["runs:read", "sessions:read"]}
    try:
        assert ssx.get(ALICE, f"/runs/{run_id}")["runId"] == run_id
        statuses = [
            ssx.call(ALICE, "POST", "/runs", {"sessionId": RUNNING_BL1}).status_code,
            ssx.put(run_id, 0, columns(1, 1)).status_code,
            ssx.call(ALICE, "POST", f"/runs/{run_id}/close").status_code,
        ]
        ssx.core.said["alice"] = {**before, "permissions": ["runs:write"]}
        statuses += [
            ssx.call(ALICE, "GET", "/runs").status_code,
            ssx.call(ALICE, "GET", f"/runs/{run_id}/summary").status_code,
        ]
    finally:
        ssx.core.said["alice"] = before
    assert statuses == [403] * 5


def test_who_reads_all_does_not_write_all(ssx: Ssx) -> None:
    run_id = ssx.open(ALICE)
    before = ssx.core.said["oscar"]
    reader = ["everything:read-all", "runs:write"]
    ssx.core.said["oscar"] = {**before, "all": True, "permissions": reader}
    try:
        assert ssx.get(OSCAR, f"/runs/{run_id}")["runId"] == run_id
        statuses = [
            ssx.call(OSCAR, "POST", "/runs", {"sessionId": RUNNING_BL1}).status_code,
            ssx.put(run_id, 0, columns(1, 1), OSCAR).status_code,
            ssx.call(OSCAR, "POST", f"/runs/{run_id}/close").status_code,
        ]
    finally:
        ssx.core.said["oscar"] = before
    assert statuses == [403] * 3


def test_a_run_knows_where_and_by_whom_it_was_opened(ssx: Ssx) -> None:
    described = {
        "name": "well plate 7",
        "comments": "Zählrate hoch",
        "experimentType": "Serial Jet",
        "numberOfImages": 25600,
        "exposureTime": 0.01,
        "wavelength": 0.9763,
        "detectorDistance": 150,
        "transmission": 0,
        "imageDirectory": "/data/visitor/mx1001",
        "imagePrefix": "lyso_",
    }
    answer = ssx.call(MXCUBE, "POST", "/runs", {"sessionId": RUNNING_BL1, **described})
    run = answer.get_json()
    assert answer.headers["Location"] == f"/ssx/runs/{run['runId']}"
    expected = {
        **described,
        "sessionId": RUNNING_BL1,
        "proposalId": MX1001,
        "beamLineName": "BL1",
        "state": "open",
        "login": "mxcube",
        "issuer": "suite",
        "endTime": None,
    }
    assert {name: run[name] for name in expected} == expected
    assert run["startTime"].endswith("+00:00")
    assert ssx.get(ALICE, f"/runs/{run['runId']}") == run


FAULTS: list[tuple[Any, int, set[str]]] = [
    ({}, 422, {"sessionId"}),
    ({"sessionId": "12"}, 422, {"sessionId"}),
    ({"sessionId": True}, 422, {"sessionId"}),
    ({"sessionId": 0}, 422, {"sessionId"}),
    ({"sessionId": 2**31}, 422, {"sessionId"}),
    ({"sessionId": RUNNING_BL1, "proposalId": IN2001}, 422, {"proposalId"}),
    ({"sessionId": RUNNING_BL1, "beamLineName": "BL2"}, 422, {"beamLineName"}),
    ({"sessionId": RUNNING_BL1, "name": "x" * 256}, 422, {"name"}),
    ({"sessionId": RUNNING_BL1, "name": "a\0b"}, 422, {"name"}),
    ({"sessionId": RUNNING_BL1, "experimentType": "OSC"}, 422, {"experimentType"}),
    (
        {"sessionId": None, "name": 1, "wavelength": -1, "transmission": 101, "colour": 1},
        422,
        {"sessionId", "name", "wavelength", "transmission", "colour"},
    ),
    ([], 400, set()),
    (b"{", 400, set()),
]


@pytest.mark.parametrize(("body", "status", "fields"), FAULTS)
def test_every_fault_of_a_body_at_once(ssx: Ssx, body: Any, status: int, fields: set[str]) -> None:
    headers = {"Content_Type": "application/json"} if isinstance(body, bytes) else {}
    before = ssx.get(ERIN, "/runs?limit=0")["total"]
    answer = ssx.call(ALICE, "POST", "/runs", body, **headers)
    assert answer.status_code == status
    assert {one["field"] for one in answer.get_json().get("errors", [])} == fields
    assert ssx.get(ERIN, "/runs?limit=0")["total"] == before


def test_a_run_asked_for_twice_is_opened_once(ssx: Ssx) -> None:
    before = ssx.get(ERIN, "/runs?limit=0")["total"]
    body = {"sessionId": RUNNING_BL1, "name": "once"}

    def ask(who: Somebody, sent: dict[str, Any], key: str) -> tuple[int, Any]:
        for _ in range(50):
            answer = ssx.call(who, "POST", "/runs", sent, Idempotency_Key=key)
            if answer.status_code != 503 and "Retry-After" not in answer.headers:
                break
        return answer.status_code, answer.get_json().get("runId")

    with ThreadPoolExecutor(4) as pool:
        answers = set(pool.map(lambda _: ask(ALICE, body, "k1"), range(6)))
    assert len(answers) == 1
    assert answers.pop()[0] == 201
    assert ask(ALICE, {**body, "name": "twice"}, "k1")[0] == 409
    assert ask(CAROL, body, "k1")[0] == 201  # another caller's key is another key
    assert ask(ALICE, body, "k2")[0] == 201
    assert ask(ALICE, body, "")[0] == 400
    assert ssx.get(ERIN, "/runs?limit=0")["total"] == before + 3


def test_a_kept_answer_is_for_those_who_still_may(ssx: Ssx) -> None:
    body = {"sessionId": PAST_BL2}
    key = {"Idempotency_Key": "then"}
    assert ssx.call(BOB, "POST", "/runs", body, **key).status_code == 201
    before = ssx.core.said["bob"]
    ssx.core.said["bob"] = {**before, "sessions": []}
    try:
        assert ssx.call(BOB, "POST", "/runs", body, **key).status_code == 404
    finally:
        ssx.core.said["bob"] = before


LISTS = [
    (ALICE, "/runs?sessionId={past}&name[like]=list*", ["list-b"]),
    (ALICE, "/runs?name[like]=list*&sort=name", ["list-a", "list-b", "list-c"]),
    (ALICE, "/runs?name[like]=list*&sort=-name&limit=1", ["list-c"]),
    (ALICE, "/runs?search=list-&state=closed", ["list-c"]),
    (BOB, "/runs?name[like]=list*&sort=name", ["list-b"]),
    (ALICE, "/runs?name[like]=list*&startTime[lt]=2020-01-01", []),
    (ALICE, "/runs?name[like]=list*&wavelength=0.9763", ["list-a"]),
]


@pytest.fixture(scope="module")
def listed(ssx: Ssx) -> None:
    """Three runs of MX1001, one in the past session, one closed."""
    ssx.open(ALICE, RUNNING_BL1, name="list-a", wavelength=0.9763)
    ssx.open(ALICE, PAST_BL2, name="list-b")
    ssx.call(ALICE, "POST", f"/runs/{ssx.open(ALICE, name='list-c')}/close")


@pytest.mark.usefixtures("listed")
@pytest.mark.parametrize(("who", "path", "names"), LISTS)
def test_runs_speak_the_query_language(
    ssx: Ssx, who: Somebody, path: str, names: list[str]
) -> None:
    page = ssx.get(who, path.format(past=PAST_BL2))
    assert [run["name"] for run in page["results"]] == names


def test_every_write_of_a_run_leaves_its_trace(ssx: Ssx) -> None:
    run_id = ssx.open(ALICE)
    for _ in range(2):
        ssx.call(CAROL, "POST", f"/runs/{run_id}/close")
    change = TABLES.ledger.change
    with ssx.database.reading() as connection:
        rows = connection.execute(
            sa.select(change.c.action, change.c.login)
            .where(change.c.noun == "runs", change.c.rowId == str(run_id))
            .order_by(change.c.changeId)
        ).all()
    assert [tuple(row) for row in rows] == [("create", "alice"), ("close", "carol")]


OPEN_PAGES = ["/health/live", "/version", "/docs", "/openapi.json"]


@pytest.mark.parametrize("path", OPEN_PAGES)
def test_open_pages_need_no_token(ssx: Ssx, path: str) -> None:
    assert ssx.call(NOBODY, "GET", path).status_code == 200


def test_the_contract_tells_every_route(ssx: Ssx) -> None:
    paths = ssx.get(NOBODY, "/openapi.json")["paths"]
    told = {
        (path, method): operation.get("x-permission")
        for path, operations in paths.items()
        for method, operation in operations.items()
        if path.startswith("/ssx/runs")
    }
    assert told == {
        ("/ssx/runs", "get"): "runs:read",
        ("/ssx/runs", "post"): "runs:write",
        ("/ssx/runs/{key}", "get"): "runs:read",
        ("/ssx/runs/{key}/history", "get"): "runs:read",
        ("/ssx/runs/{run_id}/batches/{n}", "put"): "runs:write",
        ("/ssx/runs/{run_id}/close", "post"): "runs:write",
        ("/ssx/runs/{run_id}/images", "get"): "runs:read",
        ("/ssx/runs/{run_id}/summary", "get"): "runs:read",
    }

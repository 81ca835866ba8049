"""While core is down: what goes on, for whom, how long; and that core is not asked too often."""

import time
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from tests.cast import ALICE, BOB, CAROL, OSCAR, Issuing, Somebody
from tests.ssx.conftest import Ssx, columns, make_ssx
from tests.ssx.core_stand_in import RUNNING_BL1

from pyispyb_ssx.app import create_app
from pyispyb_ssx.operations.verifications import HOLDS_FOR
from pyispyb_ssx.tables import TABLES

ACCESS = "/core/user/access"
OTHER_SCOPE = Somebody("alice", {"scope": "runs:read runs:write"})


@pytest.fixture
def usual(tmp_path: Path, issuing: Issuing) -> Iterator[Ssx]:
    """An ssx with the times that ispyb.toml has."""
    made = make_ssx(f"sqlite:///{tmp_path / 'ssx.sqlite'}", tmp_path, issuing, "")
    yield made
    made.close()


def age(ssx: Ssx, by: timedelta) -> None:
    """Let every verification be older than it is."""
    writer = TABLES.writer
    with ssx.database.writing() as connection:
        for row in connection.execute(writer.select()).all():
            connection.execute(
                writer.update()
                .where(writer.c.runId == row.runId, writer.c.caller == row.caller)
                .values(verifiedAt=row.verifiedAt - by)
            )


def test_core_is_asked_once_for_many_requests(usual: Ssx) -> None:
    run_id = usual.open()
    for n in range(5):
        usual.put(run_id, n, columns(1 + n, 1))
        usual.get(ALICE, "/runs")
        usual.get(ALICE, f"/runs/{run_id}/summary")
    assert usual.core.asked == {ACCESS: 1, f"/core/sessions/{RUNNING_BL1}": 1}
    usual.call(OTHER_SCOPE, "GET", "/runs")
    usual.get(BOB, "/runs")
    assert usual.core.asked[ACCESS] == 3


def test_the_last_answer_is_used_for_a_while(tmp_path: Path, issuing: Issuing) -> None:
    more = "access_cache_seconds = 0\naccess_stale_seconds = 3"
    ssx = make_ssx(f"sqlite:///{tmp_path / 'ssx.sqlite'}", tmp_path, issuing, more)
    run_id = ssx.open()
    known = time.monotonic()
    ssx.core.stop()
    assert ssx.call(ALICE, "GET", f"/runs/{run_id}").status_code == 200
    assert ssx.call(BOB, "GET", "/runs").status_code == 503  # of him core said nothing before
    time.sleep(max(0, known + 3.1 - time.monotonic()))
    answer = ssx.call(ALICE, "GET", f"/runs/{run_id}")
    assert answer.status_code == 503
    assert int(answer.headers["Retry-After"]) > 0
    ssx.core.start()
    time.sleep(1.1)  # the breaker's pause
    assert ssx.call(ALICE, "GET", f"/runs/{run_id}").status_code == 200
    ssx.close()


def test_every_worker_goes_on_with_what_core_told_one(tmp_path: Path, issuing: Issuing) -> None:
    more = "access_cache_seconds = 0"
    ssx = make_ssx(f"sqlite:///{tmp_path / 'ssx.sqlite'}", tmp_path, issuing, more)
    other = create_app(ssx.configuration)
    assert ssx.call(ALICE, "GET", "/runs").status_code == 200
    ssx.core.stop()
    statuses = {
        who.login: other.test_client().get("/ssx/runs", headers=issuing.bearer(who)).status_code
        for who in (ALICE, BOB)
    }
    assert statuses == {"alice": 200, "bob": 503}
    for database in other.extensions["pyispyb_databases"]:
        database.dispose()
    ssx.close()


def test_without_core_only_batches_of_the_verified_go_on(forgetful: Ssx) -> None:
    ssx = forgetful
    run_id, carols, closed = ssx.open(), ssx.open(CAROL), ssx.open()
    assert ssx.put(run_id, 0, columns(1, 4)).status_code == 201
    assert ssx.call(ALICE, "POST", f"/runs/{closed}/close").status_code == 200
    ssx.core.stop()
    statuses = {
        "her next batch": ssx.put(run_id, 1, columns(11, 4)).status_code,
        "the same again": ssx.put(run_id, 1, columns(11, 4)).status_code,
        "images that are there": ssx.put(run_id, 2, columns(11, 4)).status_code,
        "a closed run": ssx.put(closed, 0, columns(1, 4)).status_code,
        "a run that she never recorded": ssx.put(carols, 0, columns(1, 4)).status_code,
        "somebody else in her run": ssx.put(run_id, 3, columns(21, 4), CAROL).status_code,
        "she with another scope": ssx.put(run_id, 3, columns(21, 4), OTHER_SCOPE).status_code,
        "a run that is not": ssx.put(9999, 0, columns(1, 4)).status_code,
        "a summary": ssx.call(ALICE, "GET", f"/runs/{run_id}/summary").status_code,
        "a new run": ssx.call(ALICE, "POST", "/runs", {"sessionId": RUNNING_BL1}).status_code,
        "a close": ssx.call(ALICE, "POST", f"/runs/{run_id}/close").status_code,
        "nobody": ssx.put(run_id, 3, columns(21, 4), None).status_code,
    }
    assert statuses == {
        "her next batch": 201,
        "the same again": 200,
        "images that are there": 409,
        "a closed run": 409,
        "a run that she never recorded": 503,
        "somebody else in her run": 503,
        "she with another scope": 503,
        "a run that is not": 503,
        "a summary": 503,
        "a new run": 503,
        "a close": 503,
        "nobody": 401,
    }


@pytest.mark.parametrize(("minutes", "status"), [(14, 201), (16, 503)])
def test_a_verification_holds_for_fifteen_minutes(
    forgetful: Ssx, minutes: int, status: int
) -> None:
    assert timedelta(minutes=15) == HOLDS_FOR
    run_id = forgetful.open()
    forgetful.core.stop()
    age(forgetful, timedelta(minutes=minutes))
    assert forgetful.put(run_id, 0, columns(1, 4)).status_code == status


def test_each_answer_of_core_renews_it(forgetful: Ssx) -> None:
    run_id = forgetful.open()
    age(forgetful, timedelta(minutes=16))
    assert forgetful.put(run_id, 0, columns(1, 4)).status_code == 201
    forgetful.core.stop()
    assert forgetful.put(run_id, 1, columns(11, 4)).status_code == 201


def test_core_takes_a_verification_back(forgetful: Ssx) -> None:
    ssx = forgetful
    run_id = ssx.open()
    ssx.core.said["alice"] = {**ssx.core.said["alice"], "proposals": []}
    assert ssx.put(run_id, 0, columns(1, 4)).status_code == 404
    ssx.core.stop()
    assert ssx.put(run_id, 0, columns(1, 4)).status_code == 503


def test_a_hanging_core_is_given_up_quickly(forgetful: Ssx) -> None:
    ssx = forgetful
    run_id = ssx.open()
    ssx.core.hangs_for = 20
    started = time.monotonic()
    assert ssx.put(run_id, 0, columns(1, 4)).status_code == 201
    assert ssx.call(OSCAR, "GET", "/runs").status_code == 503
    assert ssx.put(run_id, 1, columns(11, 4)).status_code == 201
    assert time.monotonic() - started < 15
    ssx.core.hangs_for = 0


def test_a_core_that_answers_nonsense_is_down(forgetful: Ssx) -> None:
    del forgetful.core.said["alice"]["proposals"]
    assert forgetful.call(ALICE, "GET", "/runs").status_code == 503

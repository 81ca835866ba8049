"""Replicas restarted one by one while they are used: nothing fails, nothing is made twice."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.local.replicas import Load, restart_each, running, token_of, with_replicas

from pyispyb_local.plan import Plan, make_plan

PORT = 22300


@pytest.fixture(scope="module")
def plan(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Plan]:
    folder: Path = tmp_path_factory.mktemp("rolling")
    found = with_replicas(make_plan(PORT, folder), PORT)
    with running(found):
        yield found


@pytest.mark.timeout(600)
def test_a_rolling_restart_loses_nothing(plan: Plan) -> None:
    load = Load(PORT + 1, token_of(PORT, "alice"))
    with load as told:
        restart_each(plan)
    assert told.failed("GET") == {}
    assert told.failed("PUT") == {}
    # One that the replica had begun may be lost, as it is not known whether it was done.
    assert set(told.failed("POST")) <= {502, 503}
    assert min(told.asked(method) for method in told.statuses) > 50
    assert load.rows() == dict.fromkeys(told.booked, 1)

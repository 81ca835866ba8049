"""ssx and the real core together: what core says of the demo cast opens and closes ssx's doors."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.cast import ALICE, BOB, CAROL, DAVE, ERIN, MXCUBE, OSCAR, Issuing, Somebody
from tests.core.conftest import make_core
from tests.ssx.conftest import Ssx, columns, make_ssx
from tests.ssx.core_stand_in import ACCESS, SESSIONS, Served

# The demo's sessions by proposal and beamline, and who reaches their runs.
PAST, RUNNING, OTHERS, CLOSED = (
    ("MX1001", "BL2"),
    ("MX1001", "BL1"),
    ("MX1002", "BL2"),
    ("IN2001", "BL1"),
)
PLACES = (PAST, RUNNING, OTHERS, CLOSED)
REACHED: list[tuple[Somebody, set[tuple[str, str]]]] = [
    (ALICE, {PAST, RUNNING}),
    (BOB, {PAST, OTHERS}),
    (CAROL, {RUNNING}),
    (MXCUBE, {RUNNING}),
    (DAVE, set()),
    (OSCAR, set()),
    (ERIN, set(PLACES)),
]
TABLE = [(who, place, place in reached) for who, reached in REACHED for place in PLACES]


# A real core on a busy machine; what ssx does when core is slow is tested with the stand-in.
UNHURRIED = "core_timeout = 20"


class RealCore(Served):
    """Core itself in the place of its stand-in."""

    def __init__(self, folder: Path, issuing: Issuing) -> None:
        self.made = make_core(f"sqlite:///{folder / 'core.sqlite'}", folder, issuing)
        super().__init__(self.made.client.application)

    def session_at(self, place: tuple[str, str]) -> int:
        """The id of the demo's first session of this proposal on this beamline."""
        proposal, beamline = place
        query = f"proposal={proposal}&beamLineName={beamline}&sort=startDate&limit=1"
        (session,) = self.made.get(ERIN, f"/sessions?{query}")["results"]
        return int(session["sessionId"])


@pytest.fixture(scope="module")
def core(tmp_path_factory: pytest.TempPathFactory, issuing: Issuing) -> Iterator[RealCore]:
    """The real core with the demo's rows."""
    made = RealCore(tmp_path_factory.mktemp("core"), issuing)
    yield made
    made.made.close()


@pytest.fixture(scope="module")
def pair(
    core: RealCore, tmp_path_factory: pytest.TempPathFactory, issuing: Issuing
) -> Iterator[Ssx]:
    """ssx that asks it."""
    folder = tmp_path_factory.mktemp("ssx")
    url = f"sqlite:///{folder / 'ssx.sqlite'}"
    made = make_ssx(url, folder, issuing, "access_cache_seconds = 15\n" + UNHURRIED, core)
    yield made
    made.close()


@pytest.mark.parametrize(("who", "place", "reaches"), TABLE)
def test_runs_are_reached_with_their_session(
    core: RealCore, pair: Ssx, who: Somebody, place: tuple[str, str], *, reaches: bool
) -> None:
    session_id = core.session_at(place)
    opened = pair.call(who, "POST", "/runs", {"sessionId": session_id})
    assert opened.status_code == (201 if reaches else 404)
    run_id = pair.open(ERIN, session_id)
    assert pair.put(run_id, 0, columns(1, 4), who).status_code == (201 if reaches else 404)
    assert pair.get(who, f"/runs?runId={run_id}")["total"] == reaches


def test_the_stand_in_speaks_as_core_does(core: RealCore) -> None:
    said = core.made.get(ALICE, "/user/access")
    assert set(ACCESS["alice"]) | {"login", "personId"} == set(said)
    session = core.made.get(ALICE, f"/sessions/{core.session_at(RUNNING)}")
    assert set(next(iter(SESSIONS.values()))) <= set(session)

"""Links through ssx: core is asked for the maker at each use, without any token of theirs."""

import time
from collections.abc import Iterator
from typing import Any

import pytest
import sqlalchemy as sa
from tests.cast import ALICE, BOB, CAROL, ERIN, MXCUBE, NOBODY, OSCAR, Issuing, Somebody
from tests.peers.mariadb import MariaDb
from tests.ssx.conftest import Ssx, columns, make_ssx
from tests.ssx.test_with_core import OTHERS, PAST, RUNNING, UNHURRIED, RealCore
from werkzeug.test import TestResponse

NDJSON, CSV = "application/x-ndjson", "text/csv"


@pytest.fixture(scope="module")
def core(tmp_path_factory: pytest.TempPathFactory, issuing: Issuing) -> Iterator[RealCore]:
    """The real core, whose rows some tests change."""
    made = RealCore(tmp_path_factory.mktemp("core"), issuing)
    yield made
    made.made.close()


@pytest.fixture(scope="module", params=["sqlite", "mariadb"])
def pair(
    request: pytest.FixtureRequest,
    core: RealCore,
    tmp_path_factory: pytest.TempPathFactory,
    issuing: Issuing,
) -> Iterator[Ssx]:
    """ssx that asks it and keeps no answer."""
    folder = tmp_path_factory.mktemp("ssx")
    url = f"sqlite:///{folder / 'ssx.sqlite'}"
    if request.param == "mariadb":
        server: MariaDb = request.getfixturevalue("mariadb")
        url = server.url()
    more = "access_cache_seconds = 0\naccess_stale_seconds = 0\n" + UNHURRIED
    made = make_ssx(url, folder, issuing, more, core)
    yield made
    made.close()


@pytest.fixture
def run(pair: Ssx, core: RealCore) -> int:
    """A run of alice's with four images."""
    run_id = pair.open(ALICE, core.session_at(RUNNING))
    assert pair.put(run_id, 0, columns(1, 4)).status_code == 201
    return run_id


def made(ssx: Ssx, who: Somebody, path: str, **more: Any) -> dict[str, Any]:
    answer = ssx.call(who, "POST", "/user/links", {"path": path, **more})
    assert answer.status_code == 201, answer.text
    link: dict[str, Any] = answer.get_json()
    return link


def use(ssx: Ssx, link: dict[str, Any]) -> TestResponse:
    return ssx.call(NOBODY, "GET", link["url"].partition("/ssx")[2])


@pytest.mark.parametrize(
    ("who", "kind", "accept", "answered"),
    [
        (ALICE, "once", None, "application/json"),
        (ALICE, "once", NDJSON, NDJSON),
        (ALICE, "feed", CSV, CSV),
        (CAROL, "feed", NDJSON, NDJSON),
        (MXCUBE, "once", CSV, CSV),
    ],
)
def test_images_are_downloaded_by_a_link(
    pair: Ssx, run: int, who: Somebody, kind: str, accept: str | None, answered: str
) -> None:
    path = f"/runs/{run}/images"
    own = pair.call(who, "GET", path, **({"Accept": accept} if accept else {}))
    by_link = use(pair, made(pair, who, f"/ssx{path}", kind=kind, accept=accept))
    assert (by_link.status_code, by_link.data) == (200, own.data)
    assert by_link.mimetype == answered
    assert by_link.headers["Referrer-Policy"] == "no-referrer"


def test_a_link_shows_no_more_than_its_maker_sees(pair: Ssx, core: RealCore, run: int) -> None:
    others = pair.open(ERIN, core.session_at(OTHERS))
    for who, run_id, status in ((ALICE, run, 200), (ALICE, others, 404), (OSCAR, run, 404)):
        link = made(pair, who, f"/ssx/runs/{run_id}/summary")
        assert use(pair, link).status_code == status
    listed = use(pair, made(pair, ALICE, "/ssx/runs?limit=1000")).get_json()["results"]
    assert run in {one["runId"] for one in listed}
    assert others not in {one["runId"] for one in listed}


def test_revoking_a_link_revokes_the_one_that_it_asks_core_by(
    pair: Ssx, core: RealCore, run: int
) -> None:
    before = core.made.get(ALICE, "/user/links")["total"]
    link = made(pair, ALICE, f"/ssx/runs/{run}/images", kind="feed")
    assert core.made.get(ALICE, "/user/links")["total"] == before + 1
    assert use(pair, link).status_code == 200
    assert pair.call(ALICE, "DELETE", f"/user/links/{link['linkId']}").status_code == 204
    assert core.made.get(ALICE, "/user/links")["total"] == before
    assert use(pair, link).status_code == 404


def test_core_s_link_revoked_ends_the_one_that_stands_on_it(
    pair: Ssx, core: RealCore, run: int
) -> None:
    link = made(pair, ALICE, f"/ssx/runs/{run}/images", kind="feed")
    (newest, *_) = core.made.get(ALICE, "/user/links")["results"]
    assert newest["title"] == "for a link of ssx"
    assert core.made.call(ALICE, "DELETE", f"/user/links/{newest['linkId']}").status_code == 204
    assert use(pair, link).status_code == 404


def test_rights_that_core_takes_away_end_with_it(pair: Ssx, core: RealCore, run: int) -> None:
    """bob takes part in a session on BL2, until he does not."""
    run_id = pair.open(ERIN, core.session_at(PAST))
    assert run_id != run
    link = made(pair, BOB, f"/ssx/runs/{run_id}/summary", kind="feed")
    assert use(pair, link).status_code == 200
    part, person = (core.made.tables[name] for name in ("Session_has_Person", "Person"))
    bob = sa.select(person.c.personId).where(person.c.login == "bob").scalar_subquery()
    with core.made.database.writing() as connection:
        rows = connection.execute(sa.select(part).where(part.c.personId == bob)).mappings().all()
        connection.execute(part.delete().where(part.c.personId == bob))
    assert use(pair, link).status_code == 404
    with core.made.database.writing() as connection:
        connection.execute(part.insert(), [dict(row) for row in rows])
    assert use(pair, link).status_code == 200


def test_while_core_is_down_links_are_unavailable_not_gone(
    pair: Ssx, core: RealCore, run: int
) -> None:
    link = made(pair, ALICE, f"/ssx/runs/{run}/images", kind="feed")
    core.stop()
    try:
        assert use(pair, link).status_code == 503
        body = {"path": f"/ssx/runs/{run}/images"}
        assert pair.call(ALICE, "POST", "/user/links", body).status_code == 503
    finally:
        core.start()
    deadline = time.monotonic() + 20
    while use(pair, link).status_code != 200:
        assert time.monotonic() < deadline
        time.sleep(0.1)


def test_neither_database_holds_a_secret_of_the_other(pair: Ssx, core: RealCore, run: int) -> None:
    link = made(pair, ALICE, f"/ssx/runs/{run}/images", kind="feed")
    with pair.database.reading() as connection:
        kept = str(connection.execute(sa.text("SELECT * FROM Link")).all())
    assert link["url"].rpartition("/")[2] not in kept
    with core.made.database.reading() as connection:
        digests = connection.execute(sa.select(core.made.tables.link.c.digest)).scalars().all()
    assert all(digest not in kept for digest in digests)

"""Links through core: what they lead to, for whom, for how long, and what ends them."""

import io
import json
import logging
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from tests.cast import ALICE, BOB, CAROL, ERIN, MXCUBE, NOBODY, OSCAR, Issuing, Somebody
from tests.core.conftest import Core, make_core
from werkzeug.test import TestResponse

from pyispyb_chassis.logs import JsonLines

NARROW = Somebody("alice", {"scope": "proposals:read", "extra": "narrow"})
ELSEWHERE = {"X_Real_IP": "198.51.100.7"}


def make(core: Core, who: Somebody, path: str, **more: Any) -> TestResponse:
    return core.call(who, "POST", "/user/links", {"path": path, **more})


def made(core: Core, who: Somebody, path: str, **more: Any) -> dict[str, Any]:
    answer = make(core, who, path, **more)
    assert answer.status_code == 201, answer.text
    assert answer.headers["Cache-Control"] == "no-store"
    link: dict[str, Any] = answer.get_json()
    assert answer.headers["Location"] == f"/core/user/links/{link['linkId']}"
    return link


def use(core: Core, link: dict[str, Any], **headers: str) -> TestResponse:
    """Nobody in particular opens the address."""
    path = link["url"].removeprefix("http://127.0.0.1:8000/core")
    return core.call(NOBODY, "GET", path, **headers)


def pretend(core: Core, link: dict[str, Any], **seconds: float) -> None:
    """Have these moments of a link lie so many seconds from now."""
    table = core.tables.link
    now = datetime.now(UTC).replace(tzinfo=None, microsecond=0)
    moments = {name: now + timedelta(seconds=some) for name, some in seconds.items()}
    with core.database.writing() as connection:
        where = table.c.linkId == link["linkId"]
        connection.execute(table.update().where(where).values(**moments))


@pytest.mark.parametrize(
    ("who", "path"),
    [
        (ALICE, "/core/proposals"),
        (ALICE, "/core/proposals?limit=1&fields=proposalCode,title&total=false"),
        (ALICE, "/core/sessions?startDate[gte]=2020-01-01&sort=-startDate"),
        (ALICE, "/core/samples?search=a%20b"),
        (ALICE, "/core/user/access"),
        (ALICE, "/core/user/current"),
        (BOB, "/core/sessions"),
        (CAROL, "/core/sessions"),
        (ERIN, "/core/persons"),
        (OSCAR, "/core/proposals"),
        (MXCUBE, "/core/sessions"),
        (NARROW, "/core/proposals"),
        (NARROW, "/core/user/current"),
    ],
)
def test_a_link_gives_what_its_maker_would_get(core: Core, who: Somebody, path: str) -> None:
    own = core.call(who, "GET", path.removeprefix("/core"))
    by_link = use(core, made(core, who, path))
    assert (by_link.status_code, by_link.get_json()) == (200, own.get_json())
    assert by_link.headers["Referrer-Policy"] == "no-referrer"
    assert by_link.headers["Cache-Control"] == "no-store"


@pytest.mark.parametrize("accept", ["text/csv", "application/x-ndjson"])
def test_a_whole_list_is_downloaded_by_a_link(core: Core, accept: str) -> None:
    own = core.call(ALICE, "GET", "/sessions", Accept=accept)
    by_link = use(core, made(core, ALICE, "/core/sessions", accept=accept), Accept="text/html")
    assert (by_link.status_code, by_link.data) == (200, own.data)
    assert by_link.mimetype == accept


@pytest.mark.parametrize(
    "path",
    [
        "",
        "proposals",
        "/",
        "/core",
        "/core/",
        "/ssx/runs",
        "/corexyz",
        "//core/proposals",
        "/core//proposals",
        "/core/../core/proposals",
        "/core/./proposals",
        "http://127.0.0.1/core/proposals",
        "//elsewhere.example.org/core/proposals",
        "/core/proposals#x",
        "/core/proposals\n",
        "/core/proposals x",
        "/core/propösals",
        "/core/no-such-noun",
        "/core/version",
        "/core/health/live",
        "/core/openapi.json",
        "/core/docs",
        "/core/user/links",
        "/core/user/links/1",
        "/core/links/AAAA",
        "/core/%6cinks/AAAA",
        "/core/user/%6cinks",
        "/core/%ff",
        "/core/proposals/" + "a" * 2000,
    ],
)
def test_what_no_link_may_lead_to(core: Core, path: str) -> None:
    answer = make(core, ALICE, path)
    assert answer.status_code == 422, answer.text
    assert [fault["field"] for fault in answer.get_json()["errors"]] == ["path"]


LATER = (datetime.now(UTC) + timedelta(minutes=50)).isoformat()
MUCH_LATER = (datetime.now(UTC) + timedelta(days=50)).isoformat()


@pytest.mark.parametrize(
    ("who", "body", "status", "fields"),
    [
        (NOBODY, {}, 401, None),
        (ALICE, {"kind": "feed"}, 201, None),
        (ALICE, {"kind": "feed", "expires": MUCH_LATER, "title": "beamtime"}, 201, None),
        (ALICE, {"kind": "ever"}, 422, ["kind"]),
        (ALICE, {"path": 1, "title": 2, "colour": 3}, 422, ["colour", "path", "title"]),
        (ALICE, {"expires": LATER}, 422, ["expires"]),
        (ALICE, {"kind": "feed", "expires": "2020-01-01T00:00:00Z"}, 422, ["expires"]),
        (ALICE, {"kind": "feed", "expires": "2090-01-01T00:00:00"}, 422, ["expires"]),
        (ALICE, {"kind": "feed", "expires": "soon", "path": "/x"}, 422, ["expires", "path"]),
        # What narrows a token may end; what lasts would outlive it.
        (NARROW, {"kind": "feed"}, 403, None),
        (NARROW, {"kind": "feed", "expires": MUCH_LATER}, 403, None),
        (NARROW, {"kind": "feed", "expires": LATER}, 201, None),
        (NARROW, {"path": "/core/sessions"}, 403, None),
        (MXCUBE, {"kind": "feed"}, 403, None),
        (MXCUBE, {"path": "/core/shippings"}, 403, None),
        (MXCUBE, {}, 201, None),
    ],
)
def test_who_may_make_which(
    core: Core, who: Somebody, body: dict[str, Any], status: int, fields: list[str] | None
) -> None:
    answer = core.call(who, "POST", "/user/links", {"path": "/core/proposals", **body})
    assert answer.status_code == status, answer.text
    if fields is not None:
        assert sorted(fault["field"] for fault in answer.get_json()["errors"]) == fields


@pytest.mark.parametrize(
    ("kind", "moments", "status"),
    [
        ("once", {}, 200),
        ("once", {"expires": 9}, 200),
        ("once", {"expires": -1}, 404),
        ("feed", {}, 200),
        ("feed", {"expires": 9}, 200),
        ("feed", {"expires": -1}, 404),
    ],
)
def test_how_long_a_link_may_be_used(
    core: Core, kind: str, moments: dict[str, float], status: int
) -> None:
    link = made(core, ALICE, "/core/proposals", kind=kind)
    if kind == "once":
        ends = datetime.fromisoformat(link["expires"]) - datetime.now(UTC)
        assert timedelta(seconds=55) < ends <= timedelta(seconds=60)
    if moments:
        pretend(core, link, **moments)
    assert use(core, link).status_code == status


def test_a_one_time_link_goes_on_for_whoever_started_it_and_ends(core: Core) -> None:
    link = made(core, ALICE, "/core/proposals")
    assert use(core, link, Range="bytes=0-9").status_code == 200
    pretend(core, link, madeAt=-600)
    assert use(core, link, Range="bytes=10-").status_code == 200
    assert use(core, link, **ELSEWHERE).status_code == 404
    assert use(core, link).status_code == 200
    pretend(core, link, expires=-1)
    assert use(core, link).status_code == 404


def test_a_feed_key_is_good_from_anywhere_and_says_when_it_was_used(core: Core) -> None:
    link = made(core, ALICE, "/core/sessions", kind="feed")
    assert (link["expires"], link["lastUsedAt"]) == (None, None)
    for headers in ({}, ELSEWHERE, {}):
        assert use(core, link, **headers).status_code == 200
    shown = core.get(ALICE, f"/user/links/{link['linkId']}")
    used = datetime.now(UTC) - datetime.fromisoformat(shown["lastUsedAt"])
    assert timedelta(seconds=-1) < used < timedelta(seconds=30)
    assert "url" not in shown


def test_what_is_not_quite_a_link_is_none(core: Core) -> None:
    link = made(core, ALICE, "/core/proposals", kind="feed")
    head, _, token = link["url"].rpartition("/")
    other = ("B" if token[5] == "A" else "A").join((token[:5], token[6:]))
    for url in (
        f"{head}/{other}",
        f"{head}/{token[:-1]}",
        f"{head}/{token}A",
        f"{head}/{token.swapcase()}",
        f"{head}/{token}?limit=9",
        f"{head}/{token}/sessions",
        f"{head}/%00",
        f"{head}/' OR 1=1",
        f"{head}/",
    ):
        assert use(core, {"url": url}).status_code == 404, url
    path = f"/links/{token}"
    for method in ("HEAD", "POST", "PUT", "PATCH", "DELETE"):
        assert core.call(NOBODY, method, path).status_code == 405, method
    assert use(core, link).status_code == 200


def test_nothing_that_comes_with_a_link_changes_who_it_is_for(core: Core) -> None:
    link = made(core, ALICE, "/core/user/current", kind="feed")
    erin = core.issuing.bearer(ERIN)
    for headers in (
        erin,
        {"pyispyb.linked": "erin"},
        {"Authorization": "Bearer a.b.c"},
        {"X_HTTP_Method_Override": "DELETE"},
    ):
        assert use(core, link, **headers).get_json()["login"] == "alice"
    for name in ("pyispyb.linked", "Pyispyb-Linked"):
        assert core.call(NOBODY, "GET", "/user/current", **{name: "erin"}).status_code == 401


def test_a_use_is_logged_with_its_maker_and_without_its_secret(core: Core) -> None:
    text = io.StringIO()
    handler = logging.StreamHandler(text)
    handler.setFormatter(JsonLines("core"))
    logger = logging.getLogger("pyispyb.access")
    logger.setLevel(logging.INFO)
    logger.addHandler(handler)
    try:
        link = made(core, ALICE, "/core/sessions?limit=1", kind="feed")
        assert use(core, link, X_Request_ID="the-one").status_code == 200
    finally:
        logger.removeHandler(handler)
    assert link["url"].rpartition("/")[2] not in text.getvalue()
    lines = [json.loads(line) for line in text.getvalue().split("\n") if line]
    used = [line for line in lines if line.get("request_id") == "the-one" and "path" in line]
    assert [(line["path"], line["login"]) for line in used] == [
        ("/core/sessions", "alice"),
        ("/core/links/***", "alice"),
    ]


def test_links_are_their_makers_own(core: Core) -> None:
    link = made(core, ALICE, "/core/proposals", kind="feed", title="beamtime")
    place = f"/user/links/{link['linkId']}"
    assert link["title"] == "beamtime"
    listed = core.get(ALICE, "/user/links")
    assert link["linkId"] in {one["linkId"] for one in listed["results"]}
    assert listed["total"] == len(listed["results"])
    assert not any("url" in one for one in listed["results"])
    for who in (BOB, ERIN, MXCUBE, NARROW):
        assert core.call(who, "GET", place).status_code == 404, who
        assert core.call(who, "DELETE", place).status_code == 404, who
        assert link["linkId"] not in {
            one["linkId"] for one in core.get(who, "/user/links")["results"]
        }
    assert use(core, link).status_code == 200
    assert core.call(ALICE, "DELETE", place).status_code == 204
    assert use(core, link).status_code == 404
    assert core.call(ALICE, "GET", place).status_code == 404
    assert core.call(ALICE, "DELETE", f"/user/links/{2**31}").status_code == 404


def test_the_database_holds_no_secret(core: Core) -> None:
    link = made(core, ALICE, "/core/proposals", kind="feed")
    token = link["url"].rpartition("/")[2]
    with core.database.reading() as connection:
        rows = str(connection.execute(sa.select(core.tables.link)).all())
    assert token not in rows
    assert core.issuing.token("alice").rpartition(".")[0].partition(".")[0] not in rows


@pytest.fixture
def own(each_database: str, tmp_path: Path, issuing: Issuing) -> Iterator[Core]:
    core = make_core(each_database, tmp_path, issuing)
    yield core
    core.close()


def test_rights_are_looked_up_at_each_use_and_nobody_s_links_are_dead(own: Core) -> None:
    once, feed = (made(own, ALICE, "/core/proposals", kind=kind) for kind in ("once", "feed"))
    admin = Somebody("oscar", {"groups": ["administrators"]})
    lasting = made(own, admin, "/core/proposals", kind="feed")
    assert [use(own, one).get_json()["total"] for one in (once, feed, lasting)] == [1, 1, 0]
    person, member = own.tables["Person"], own.tables["ProposalHasPerson"]
    alice, erin = (
        sa.select(person.c.personId).where(person.c.login == login).scalar_subquery()
        for login in ("alice", "erin")
    )
    with own.database.writing() as connection:
        connection.execute(member.delete().where(member.c.personId == alice))
        proposal = own.tables["Proposal"]
        connection.execute(
            proposal.update().where(proposal.c.personId == alice).values(personId=erin)
        )
    assert [use(own, one).get_json()["total"] for one in (once, feed)] == [0, 0]
    with own.database.writing() as connection:
        connection.execute(person.update().where(person.c.login == "alice").values(login=None))
    assert use(own, feed).status_code == 404
    assert use(own, lasting).status_code == 200


def test_who_was_revoked_has_no_links_any_more(own: Core) -> None:
    """By the list at once; and when it names the login no more, the links are gone."""
    alices = [made(own, ALICE, "/core/proposals", kind=kind) for kind in ("once", "feed")]
    bobs = made(own, BOB, "/core/proposals", kind="feed")
    verifier = own.client.application.extensions["pyispyb"].verifier
    (issuer,) = verifier.trusted
    assert issuer.revocations.tell("suite", {"alice": time.time() - 600})
    assert issuer.revocations.tell("other", {"alice": time.time() + 1})
    assert [use(own, one).status_code for one in (*alices, bobs)] == [200, 200, 200]
    assert issuer.revocations.tell("suite", {"alice": time.time() + 2})
    assert [use(own, one).status_code for one in (*alices, bobs)] == [404, 404, 200]
    assert own.get(ALICE, "/user/links")["total"] == 0


def test_a_person_has_so_many_links_and_those_that_ended_make_room(own: Core) -> None:
    links = [made(own, ALICE, "/core/proposals") for _ in range(100)]
    assert make(own, ALICE, "/core/proposals").status_code == 409
    assert make(own, BOB, "/core/proposals").status_code == 201
    pretend(own, links[0], expires=-1)
    assert make(own, ALICE, "/core/proposals").status_code == 201
    assert own.get(ALICE, "/user/links")["total"] == 100


def test_without_its_table_links_are_unavailable_and_core_reads_on(own: Core) -> None:
    with own.database.writing() as connection:
        own.tables.metadata.drop_all(connection, tables=[own.tables.link])
    answer = make(own, ALICE, "/core/proposals")
    assert answer.status_code == 503
    assert own.get(ALICE, "/proposals")["total"] == 1

"""Pages by cursor and by skip: the same rows, whatever comes and goes between two pages."""

from typing import Any
from urllib.parse import quote

import pytest
from tests.cast import ALICE, BOB
from tests.core.conftest import Core

LISTS = [
    "/samples?",
    "/samples?sort=containerId,-name",
    "/samples?sort=-comments,loopType,code",
    "/samples?sort=-recordTimeStamp",
    "/samples?name[like]=*s1*&sort=location",
    "/sessions?sort=-startDate,scheduled",
    "/sessions?sort=proposal,-endDate",
    "/dewars?sort=type,-weight",
    "/crystals?sort=-cell_a,size_X",
    "/persons?sort=emailAddress",
    "/proposals?",
]


def followed(core: Core, path: str) -> list[list[dict[str, Any]]]:
    """The pages from this path on, each by the `next` of the one before."""
    pages = []
    following: str | None = path
    while following is not None:
        page = core.get(ALICE, following.removeprefix("/core"))
        pages.append(page["results"])
        following = page["next"]
        assert len(pages) < 100
    return pages


@pytest.mark.parametrize("path", LISTS)
@pytest.mark.parametrize("limit", [2, 7])
def test_cursor_and_skip_give_the_same_pages(core: Core, path: str, limit: int) -> None:
    by_cursor = followed(core, f"{path}&limit={limit}")
    by_skip = followed(core, f"{path}&limit={limit}&skip=0")
    assert by_cursor == by_skip
    whole = core.get(ALICE, f"{path}&limit=1000")["results"]
    assert [row for page in by_cursor for row in page] == whole


def test_the_next_page_is_in_the_body_and_in_a_header(core: Core) -> None:
    answer = core.call(ALICE, "GET", "/samples?limit=3&sort=name&total=false&fields=name")
    page = answer.get_json()
    assert page["next"].startswith("/core/samples?limit=3&sort=name&total=false&fields=name&after=")
    assert answer.headers["Link"] == f'<{page["next"]}>; rel="next"'
    behind = core.get(ALICE, page["next"].removeprefix("/core"))
    assert (behind["total"], behind["skip"]) == (None, None)
    assert [row["name"] for row in behind["results"]] == [f"MX1001-s{n:02}" for n in (4, 5, 6)]
    last = core.call(ALICE, "GET", "/samples?limit=1000")
    assert last.get_json()["next"] is None
    assert "Link" not in last.headers
    by_skip = core.get(ALICE, "/samples?limit=3&skip=3")
    assert by_skip["next"] == "/core/samples?limit=3&skip=6"


def test_what_comes_and_goes_between_pages_moves_no_other_row(core: Core) -> None:
    proposal = core.one("/proposals?proposal=MX1001")["proposalId"]

    def make(name: str) -> int:
        body = {"proposalId": proposal, "shippingName": name}
        return int(core.call(ALICE, "POST", "/shippings", body).get_json()["shippingId"])

    keys = {name: make(name) for name in ("page b", "page d", "page f", "page h", "page j")}
    path = "/shippings?shippingName[like]=page*&sort=shippingName&limit=2&fields=shippingName"
    first = core.get(ALICE, path)
    assert [row["shippingName"] for row in first["results"]] == ["page b", "page d"]
    gone = ("page b", "page d", "page f")  # the row of the cursor among them
    for name in gone:
        assert core.call(ALICE, "DELETE", f"/shippings/{keys[name]}").status_code == 204
    keys["page a"], keys["page i"] = make("page a"), make("page i")
    rest = [row["shippingName"] for page in followed(core, first["next"]) for row in page]
    assert rest == ["page h", "page i", "page j"]
    for name in keys.keys() - set(gone):
        assert core.call(ALICE, "DELETE", f"/shippings/{keys[name]}").status_code == 204


def test_a_cursor_is_of_one_list(core: Core) -> None:
    start = "/samples?sort=name&limit=2&loopType=nylon"
    cursor = core.get(ALICE, start)["next"].rpartition("after=")[2]
    same = core.get(ALICE, f"/samples?sort=name&limit=9&loopType=nylon&after={cursor}&fields=name")
    assert same["results"][0]["name"] == "MX1001-s03"
    for other in (
        "/samples?loopType=nylon",
        "/samples?sort=-name&loopType=nylon",
        "/samples?sort=name",
        "/samples?sort=name&loopType=x",
        "/samples?sort=name&loopType=nylon&search=x",
        "/crystals?sort=name",
        "/samples?sort=name&loopType=nylon&skip=0",
    ):
        answer = core.call(ALICE, "GET", f"{other}&after={cursor}")
        assert answer.status_code == 400, other
        (error,) = answer.get_json()["errors"]
        assert error["field"] == "after"


@pytest.mark.parametrize(
    "cursor", ["", "x", "é", "%00", "e30", "W10", "WzFd", "bnVsbA", "MQ", "x" * 4000]
)
def test_what_is_no_cursor_is_400(core: Core, cursor: str) -> None:
    answer = core.call(ALICE, "GET", f"/samples?after={quote(cursor, safe='%')}")
    assert answer.status_code == 400
    assert [error["field"] for error in answer.get_json()["errors"]] == ["after"]


def test_a_cursor_opens_nothing(core: Core) -> None:
    """bob begins behind a row of alice's and still sees his own rows only."""
    following = core.get(ALICE, "/samples?limit=1&sort=name")["next"]
    assert core.get(ALICE, following.removeprefix("/core"))["results"]
    own = core.get(BOB, "/samples?sort=name&limit=1000")["results"]
    theirs = core.get(BOB, following.removeprefix("/core").replace("limit=1&", "limit=1000&"))
    assert theirs["results"] == [row for row in own if row["name"] > "MX1001-s01"]

"""The query language over HTTP: what each parameter finds, and what is refused."""

from typing import Any

import pytest
from tests.cast import ALICE, BOB, ERIN
from tests.core.conftest import Core

FOUND = [
    ("/samples?name=mx1001-S01", 1),
    ("/samples?name=MX1001-s01%20%20", 1),
    ("/samples?name[ne]=MX1001-s01", 19),
    ("/samples?name[like]=*s0*", 9),
    ("/samples?name[like]=MX1001_s01", 0),
    ("/samples?name[like]=*%25*", 0),
    ("/samples?name[in]=MX1001-s01,mx1001-s02,none", 2),
    ("/samples?name[gte]=MX1001-s19", 2),
    ("/samples?blSampleId[null]=true", 0),
    ("/samples?comments[null]=true&name=MX1001-s01", 1),
    ("/samples?search=s2", 1),
    ("/samples?search=%25", 0),
    ("/sessions?proposal=MX1001", 3),
    ("/sessions?proposal=mx1001&beamLineName=bl1", 2),
    ("/sessions?proposal=MX1002", 0),
    ("/sessions?proposal[like]=MX*", 3),
    ("/sessions?startDate[gte]=1990-01-01&endDate[lt]=2200-01-01T00:00:00%2B01:00", 3),
    ("/sessions?startDate[gt]=2200-01-01T00:00:00Z", 0),
    ("/dewars?type=dewar", 2),
    ("/dewars?type=Parcel", 0),
    ("/proposals?proposalCode=MX&proposalNumber=1001", 1),
    ("/proposals?search=mx100", 1),
    ("/proposals?proposalId[gt]=99999999999", 0),
]


@pytest.mark.parametrize(("path", "total"), FOUND)
def test_a_filter_finds(core: Core, path: str, total: int) -> None:
    page = core.get(ALICE, path)
    assert page["total"] == total
    assert len(page["results"]) == total


REFUSED = [
    ("nope=1", "nope", "name"),
    ("name[almost]=1", "name[almost]", "like"),
    ("name[eq]=1", "name[eq]", "name="),
    ("blSampleId=one", "blSampleId", "whole number"),
    ("blSampleId[like]=1", "blSampleId[like]", "text"),
    ("recordTimeStamp=yesterday", "recordTimeStamp", "ISO 8601"),
    ("holderLength=long", "holderLength", "number"),
    ("name[null]=maybe", "name[null]", "true or false"),
    ("sort=colour", "sort", "name"),
    ("sort=name,-name", "sort", "twice"),
    ("fields=name,colour", "fields", "name"),
    ("fields=Crystal.name", "fields", "not included"),
    ("include=Dewar", "include", "Crystal"),
    ("include=Crystal.Protein.Proposal.Person", "include", "3 deep"),
    ("limit=1001", "limit", "1000"),
    ("limit=-1", "limit", "0"),
    ("skip=x", "skip", "0"),
    ("total=yes", "total", "true or false"),
    ("limit=1&limit=2", "limit", "twice"),
    ("blSampleId[in]=" + ",".join(["1"] * 1001), "blSampleId[in]", "1000"),
]


@pytest.mark.parametrize(("query", "field", "allowed"), REFUSED)
def test_a_fault_in_the_query_is_named_with_what_is_allowed(
    core: Core, query: str, field: str, allowed: str
) -> None:
    answer = core.call(ALICE, "GET", f"/samples?{query}")
    assert answer.status_code == 400
    told = {error["field"]: error["detail"] for error in answer.get_json()["errors"]}
    assert allowed in told[field]


def test_all_faults_of_a_query_are_told_at_once(core: Core) -> None:
    answer = core.call(ALICE, "GET", "/samples?nope=1&sort=no&include=No&limit=x&name[zz]=1")
    fields = {error["field"] for error in answer.get_json()["errors"]}
    assert fields == {"nope", "sort", "include", "limit", "name[zz]"}


def test_pages_follow_one_another_without_gap_or_repeat(core: Core) -> None:
    path: str | None = "/samples?limit=7&sort=name&fields=name"
    names: list[str] = []
    while path is not None:
        page = core.get(ALICE, path.removeprefix("/core"))
        names += [row["name"] for row in page["results"]]
        path = page["next"]
    assert names == [f"MX1001-s{n:02}" for n in range(1, 21)]


def test_without_total_the_next_page_is_known_too(core: Core) -> None:
    first = core.get(ALICE, "/samples?limit=20&total=false")
    assert (first["total"], len(first["results"]), first["next"]) == (None, 20, None)
    assert core.get(ALICE, "/samples?limit=19&total=false")["next"] is not None


def test_an_include_nests_and_fields_choose(core: Core) -> None:
    query = "name=MX1001-s01&include=Crystal.Protein,Container"
    (row,) = core.get(
        ALICE, f"/samples?{query}&fields=name,Crystal.Protein.acronym,Container.code"
    )["results"]
    assert set(row) == {"name", "Crystal", "Container"}
    assert row["Crystal"]["Protein"] == {"acronym": "LYSO"}
    assert row["Container"] == {"code": "MX1001-puck-1"}


SORTED: list[tuple[str, Any]] = [
    ("/sessions?sort=startDate&fields=beamLineName", ["BL2", "BL1", "BL1"]),
    ("/sessions?sort=-startDate&fields=beamLineName", ["BL1", "BL1", "BL2"]),
    ("/sessions?sort=beamLineName,-startDate&fields=visit_number", [3, 2, 1]),
]


@pytest.mark.parametrize(("path", "values"), SORTED)
def test_sort(core: Core, path: str, values: list[Any]) -> None:
    results = core.get(ALICE, path)["results"]
    assert [next(iter(row.values())) for row in results] == values


def test_nulls_are_last_either_way(core: Core) -> None:
    for sort in ("emailAddress", "-emailAddress"):
        values = [row["emailAddress"] for row in core.get(BOB, f"/persons?sort={sort}")["results"]]
        filled = [value for value in values if value is not None]
        assert values == [*filled, *[None] * (len(values) - len(filled))]


def test_a_float_is_equal_to_six_digits(core: Core) -> None:
    crystal = core.get(ALICE, "/crystals?limit=1&cell_a[null]=false")["results"][0]
    near = crystal["cell_a"] * (1 + 1e-7)
    far = crystal["cell_a"] * (1 + 1e-4)
    one = f"crystalId={crystal['crystalId']}"
    assert core.get(ALICE, f"/crystals?{one}&cell_a={near}")["total"] == 1
    assert core.get(ALICE, f"/crystals?{one}&cell_a={far}")["total"] == 0
    assert core.get(ALICE, f"/crystals?{one}&cell_a[ne]={near}")["total"] == 0


@pytest.mark.parametrize("key", ["MX1001", "mx1001", "id"])
def test_a_proposal_by_id_and_by_name(core: Core, key: str) -> None:
    named = core.one("/proposals?proposal=MX1001")
    key = str(named["proposalId"]) if key == "id" else key
    assert core.get(ALICE, f"/proposals/{key}")["proposal"] == "MX1001"


@pytest.mark.parametrize(
    "key", ["MX1002", "MX9999", "0", "99999999999999999999", "x", "%00", "1%20"]
)
def test_what_is_not_there_or_not_seen_is_404(core: Core, key: str) -> None:
    answer = core.call(ALICE, "GET", f"/proposals/{key}")
    assert answer.status_code == 404
    assert answer.get_json()["detail"] == "no such proposal"


def test_nouns_are_listed_and_described(core: Core) -> None:
    nouns = {row["name"] for row in core.get(ERIN, "/nouns")["results"]}
    assert len(nouns) > 40
    for noun in nouns:
        schema = core.get(ALICE, f"/nouns/{noun}")
        assert schema["key"] in schema["properties"]
        assert set(schema["writable"]) <= set(schema["properties"])
    assert core.call(ALICE, "GET", "/nouns/ghosts").status_code == 404


@pytest.mark.parametrize(
    ("path", "one"),
    [
        ("samples", "sample"),
        ("laboratories", "laboratory"),
        ("screening-strategies", "screening-strategy"),
        ("xfe-spectra", "xfe-spectrum"),
        ("atlases", "atlas"),
        ("movies", "movie"),
    ],
)
def test_what_is_not_there_is_called_by_its_name(core: Core, path: str, one: str) -> None:
    answer = core.call(ALICE, "GET", f"/{path}/99999999")
    assert answer.status_code == 404
    assert answer.get_json()["detail"] == f"no such {one}"

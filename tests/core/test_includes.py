"""Rows that refer to a row, included with it: whose, in which order, and how many."""

from typing import Any

import pytest
import sqlalchemy as sa
from tests.cast import ALICE, BOB, DAVE, ERIN
from tests.core.conftest import Core
from tests.core.test_statements import run

from pyispyb_chassis.nouns.plans import MOST_INCLUDED


def test_many_rows_come_with_the_one_they_refer_to(core: Core) -> None:
    query = "include=Dewar&fields=shippingName,Dewar.code,Dewar.dewarId"
    (row,) = core.get(ALICE, f"/shippings?shippingName=MX1001-shipment&{query}")["results"]
    assert set(row) == {"shippingName", "Dewar"}
    stored = [one for one in core.rows("Dewar") if one.code.startswith("MX1001")]
    assert [(one["dewarId"], one["code"]) for one in row["Dewar"]] == sorted(
        (one.dewarId, one.code) for one in stored
    )


def test_nesting_goes_by_one_and_by_many(core: Core) -> None:
    """Down to the samples of a puck, and from one of them up again."""
    shipping = core.one("/shippings?shippingName=MX1001-shipment")["shippingId"]
    whole = core.get(ALICE, f"/shippings/{shipping}?include=Dewar.Container.BLSample")
    pucks = [puck for dewar in whole["Dewar"] for puck in dewar["Container"]]
    samples = [sample["blSampleId"] for puck in pucks for sample in puck["BLSample"]]
    assert samples == sorted(samples)
    found = core.get(ALICE, "/samples?containerId[null]=false&sort=blSampleId&limit=1000")
    assert set(samples) == {row["blSampleId"] for row in found["results"]}
    first = f"/samples/{samples[0]}?include=Container.BLSample.Crystal"
    neighbours = core.get(ALICE, first)["Container"]["BLSample"]
    assert {one["containerId"] for one in neighbours} == {pucks[0]["containerId"]}
    assert all(one["Crystal"]["crystalId"] == one["crystalId"] for one in neighbours)


def test_an_include_of_many_comes_also_where_nothing_else_was_asked_for(core: Core) -> None:
    query = "include=Dewar&fields=Dewar.code&shippingName=MX1001-shipment"
    (row,) = core.get(ALICE, f"/shippings?{query}")["results"]
    assert sorted(one["code"] for one in row["Dewar"]) == ["MX1001-dewar-1", "MX1001-dewar-2"]


def test_what_is_not_seen_is_absent(core: Core) -> None:
    """dave handles goods: he sees dewars of open shipments, and no containers."""
    page = core.get(DAVE, "/shippings?include=Dewar.Container&limit=1000")
    dewars = [dewar for row in page["results"] for dewar in row["Dewar"]]
    assert dewars
    assert all(dewar["Container"] == [] for dewar in dewars)
    proposals = core.get(BOB, "/proposals?include=Shipping,BLSession")["results"]
    seen = {row["shippingId"] for row in core.get(BOB, "/shippings?limit=1000")["results"]}
    visits = {row["sessionId"] for row in core.get(BOB, "/sessions?limit=1000")["results"]}
    assert {one["shippingId"] for row in proposals for one in row["Shipping"]} == seen
    assert {one["sessionId"] for row in proposals for one in row["BLSession"]} == visits
    assert len(core.rows("BLSession")) > len(visits)


# Total and rows, and one an include of many.
STATEMENTS = [
    ("/shippings?include=Dewar", 3),
    ("/shippings?include=Dewar.Container.BLSample,Proposal&total=false", 4),
    ("/dewars?include=Container,Shipping&limit=1", 3),
]


@pytest.mark.parametrize(("path", "number"), STATEMENTS)
def test_each_include_of_many_costs_one_statement(
    keeping_core: Core, path: str, number: int
) -> None:
    seen = run(keeping_core, ALICE, path)
    assert len(seen) == number, seen


REFUSED: list[tuple[str, str, str]] = [
    ("/shippings?include=BLSample", "include", "Dewar"),
    ("/shippings?include=Dewar.Container.BLSample.Crystal", "include", "3 deep"),
    ("/shippings?fields=Dewar.code", "fields", "not included"),
    ("/shippings?include=Dewar&fields=Dewar.colour", "fields", "barCode"),
]


@pytest.mark.parametrize(("path", "field", "part"), REFUSED)
def test_an_include_that_is_none(core: Core, path: str, field: str, part: str) -> None:
    (error,) = core.call(ALICE, "GET", path).get_json()["errors"]
    assert error["field"] == field
    assert part in error["detail"]


def test_more_rows_than_a_page_carries_are_refused_not_cut(core: Core) -> None:
    proposal = core.one("/proposals?proposal=MX1001")["proposalId"]
    sent = {"proposalId": proposal, "shippingName": "crowded"}
    shipping = core.call(ALICE, "POST", "/shippings", sent).get_json()["shippingId"]
    table = core.tables["Dewar"]
    rows: list[dict[str, Any]] = [
        {"shippingId": shipping, "code": f"d{n}"} for n in range(MOST_INCLUDED + 1)
    ]
    with core.database.writing() as connection:
        connection.execute(table.insert(), rows)
    try:
        path = f"/shippings/{shipping}?include=Dewar&fields=Dewar.code"
        answer = core.call(ERIN, "GET", path)
        assert answer.status_code == 400
        (error,) = answer.get_json()["errors"]
        assert f"Dewar: more than {MOST_INCLUDED} rows" in error["detail"]
        with core.database.writing() as connection:
            last = sa.select(sa.func.max(table.c.dewarId)).scalar_subquery()
            top = connection.execute(sa.select(last)).scalar_one()
            connection.execute(table.delete().where(table.c.dewarId == top))
        assert len(core.get(ERIN, path)["Dewar"]) == MOST_INCLUDED
    finally:
        with core.database.writing() as connection:
            connection.execute(table.delete().where(table.c.shippingId == shipping))


def test_the_schema_says_which_includes_are_of_many(core: Core) -> None:
    schema = core.get(ALICE, "/nouns/containers")
    assert schema["includesOfMany"] == ["BLSample"]
    assert schema["properties"]["BLSample"]["type"] == "array"
    assert "anyOf" in schema["properties"]["dewar"]

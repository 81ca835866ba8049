"""What core answers where other programs left odd values, and on the days clocks are changed."""

import logging
from collections.abc import Callable
from typing import Any

import pytest
from tests.cast import ALICE, ERIN
from tests.core.conftest import Core
from tests.core.site.flavours import ODD, Flavour
from tests.core.test_exports import lines

Sites = Callable[[Flavour], Core]

SHIPPING = "/shippings?shippingName=MX1001-shipment"
DEWAR = "/dewars?code=MX1001-dewar-1"
CONTAINER = "/containers?code=MX1001-puck-1"
PROPOSAL = "/proposals?proposalNumber=1001"

SHOWN = [
    ("a zero date and time", SHIPPING, "creationDate", None),
    ("a zero date", SHIPPING, "deliveryAgent_shippingDate", None),
    ("a date without a month", SHIPPING, "deliveryAgent_deliveryDate", None),
    ("a time before the day", SHIPPING, "readyByTime", "-01:30:00"),
    ("a time after the day", SHIPPING, "closeTime", "25:00:00"),
    ("JSON", SHIPPING, "extra", {"a": 1}),
    ("what is no JSON", DEWAR, "extra", "{not json"),
    ("a decimal", DEWAR, "weight", 1.23),
    ("an enum's empty word", CONTAINER, "containerStatus", ""),
    ("a binary id", PROPOSAL, "externalId", "00ff0000-0000-0000-0000-000000000000"),
]


@pytest.mark.parametrize(
    ("path", "field", "value"), [r[1:] for r in SHOWN], ids=[r[0] for r in SHOWN]
)
def test_an_odd_value_is_told(site: Sites, path: str, field: str, value: Any) -> None:
    core = site(ODD)
    (row,) = core.get(ALICE, f"{path}&fields={field}")["results"]
    assert row[field] == value
    assert lines(core, ALICE, f"{path}&fields={field}") == [row]


SORTS = [
    ("shippings", "creationDate"),
    ("shippings", "deliveryAgent_shippingDate"),
    ("shippings", "deliveryAgent_deliveryDate"),
    ("shippings", "readyByTime"),
    ("shippings", "closeTime"),
    ("shippings", "extra"),
    ("dewars", "extra"),
    ("dewars", "weight"),
    ("containers", "containerStatus"),
    ("proposals", "externalId"),
]


@pytest.mark.parametrize("way", ["", "-"], ids=["up", "down"])
@pytest.mark.parametrize(("noun", "field"), SORTS)
def test_pages_by_odd_values_agree(site: Sites, noun: str, field: str, way: str) -> None:
    core = site(ODD)
    key = core.get(ERIN, f"/nouns/{noun}")["key"]
    asked = f"/{noun}?sort={way}{field}&fields={key}"
    whole = [row[key] for row in core.get(ERIN, asked)["results"]]
    assert len(whole) > 1
    assert [row[key] for row in core.walked(ERIN, f"{asked}&limit=1")] == whole


FOUND = [
    ("/shippings?creationDate[lt]=1900-01-01", 1),
    ("/shippings?creationDate=2026-01-01", 0),
    ("/shippings?deliveryAgent_shippingDate[gte]=2020-01-01", 0),
    ("/shippings?readyByTime[lt]=01:00:00", 1),
    ("/shippings?readyByTime=22:30:00", 0),
    ("/shippings?closeTime=01:00:00", 0),
    ("/shippings?closeTime[gt]=23:59:59", 1),
    ("/containers?containerStatus=", 1),
    ("/containers?containerStatus=in", 0),
    ("/proposals?externalId=00ff0000-0000-0000-0000-000000000000", 1),
    ("/proposals?externalId=00ff0000-0000-0000-0000-000000000001", 0),
]


@pytest.mark.parametrize(("path", "total"), FOUND, ids=[row[0] for row in FOUND])
def test_a_filter_meets_odd_values(site: Sites, path: str, total: int) -> None:
    assert site(ODD).get(ERIN, path)["total"] == total


KEPT = [
    (SHIPPING, {"comments": "beside zero dates"}),
    (DEWAR, {"comments": "beside what is no JSON"}),
    (CONTAINER, {"comments": "beside an empty word"}),
]


@pytest.mark.parametrize(("path", "body"), KEPT, ids=[row[1]["comments"] for row in KEPT])
def test_a_row_with_odd_values_is_changed_and_keeps_them(
    site: Sites, path: str, body: dict[str, str]
) -> None:
    core = site(ODD)
    noun = path.partition("?")[0]
    (before,) = core.get(ALICE, path)["results"]
    item = f"{noun}/{before[core.get(ALICE, f'/nouns{noun}')['key']]}"
    tag = core.call(ALICE, "GET", item).headers["ETag"]
    answer = core.call(ALICE, "PATCH", item, body, If_Match=tag)
    assert answer.status_code == 200, answer.text
    after = answer.get_json()
    assert {name for name in before if before[name] != after[name]} == {"comments", "bltimeStamp"}
    stale = core.call(ALICE, "PATCH", item, {"comments": "late"}, If_Match=tag)
    assert stale.status_code == 412


REFUSED = [
    (SHIPPING, {"deliveryAgent_shippingDate": "0000-00-00"}, "takes a date, YYYY-MM-DD"),
    (SHIPPING, {"deliveryAgent_deliveryDate": "2026-02-29"}, "takes a date, YYYY-MM-DD"),
    (SHIPPING, {"closeTime": "25:00:00"}, "takes a time, HH:MM:SS"),
    (CONTAINER, {"containerStatus": ""}, "takes one of in, out"),
    (DEWAR, {"weight": 999.996}, "at most 3 digits before the point"),
]


@pytest.mark.parametrize(("path", "body", "said"), REFUSED, ids=[str(row[1]) for row in REFUSED])
def test_an_odd_value_is_not_taken(site: Sites, path: str, body: dict[str, Any], said: str) -> None:
    core = site(ODD)
    noun = path.partition("?")[0]
    (row,) = core.get(ALICE, path)["results"]
    item = f"{noun}/{row[core.get(ALICE, f'/nouns{noun}')['key']]}"
    answer = core.call(ALICE, "PATCH", item, body)
    assert answer.status_code == 422, answer.text
    (fault,) = answer.get_json()["errors"]
    assert fault["field"] == next(iter(body))
    assert said in fault["detail"]
    assert core.get(ALICE, path)["results"] == [row]


ROUNDED = [(1.239, 1.24), (0.1 + 0.2, 0.3), (1.005, 1.01), (-2.125, -2.13)]


@pytest.mark.parametrize(("given", "kept"), ROUNDED)
def test_a_decimal_is_rounded_to_its_scale(site: Sites, given: float, kept: float) -> None:
    core = site(ODD)
    (row,) = core.get(ALICE, "/dewars?code=MX1001-dewar-2")["results"]
    answer = core.call(ALICE, "PATCH", f"/dewars/{row['dewarId']}", {"weight": given})
    assert (answer.status_code, answer.get_json()["weight"]) == (200, kept)
    assert core.get(ALICE, f"/dewars?code=MX1001-dewar-2&weight={kept}")["total"] == 1


FORWARD, BACK = "2026-03-29", "2026-10-25"
TWICE = "an hour that comes twice"
CLOCKS = [
    # given, told, whether the log says that one moment was taken for another
    (f"{FORWARD}T01:59:59", f"{FORWARD}T01:59:59+01:00", False),
    (f"{FORWARD}T02:30:00", None, False),
    (f"{FORWARD}T02:30:00+01:00", f"{FORWARD}T03:30:00+02:00", False),
    (f"{FORWARD}T03:00:00", f"{FORWARD}T03:00:00+02:00", False),
    (f"{BACK}T01:59:59", f"{BACK}T01:59:59+02:00", False),
    (f"{BACK}T02:30:00", f"{BACK}T02:30:00+02:00", True),
    (f"{BACK}T02:30:00+02:00", f"{BACK}T02:30:00+02:00", True),
    (f"{BACK}T02:30:00+01:00", f"{BACK}T02:30:00+02:00", True),
    (f"{BACK}T03:00:00", f"{BACK}T03:00:00+01:00", False),
]


@pytest.mark.parametrize(("given", "told", "logged"), CLOCKS, ids=[row[0] for row in CLOCKS])
def test_a_time_of_a_day_when_clocks_change(
    core: Core,
    given: str,
    told: str | None,
    logged: bool,  # noqa: FBT001
    caplog: pytest.LogCaptureFixture,
) -> None:
    (proposal,) = core.get(ERIN, PROPOSAL)["results"]
    body = {"proposalId": proposal["proposalId"], "beamLineName": "BL1", "endDate": "2026-11-01"}
    with caplog.at_level(logging.WARNING):
        answer = core.call(ERIN, "POST", "/sessions", body | {"startDate": given})
    assert (TWICE in caplog.text) == logged
    if told is None:
        assert answer.status_code == 422
        (fault,) = answer.get_json()["errors"]
        assert fault["field"] == "startDate"
        assert "clocks of Europe/Paris are put forward over it" in fault["detail"]
        asked = core.call(ERIN, "GET", f"/sessions?startDate[gte]={given}")
        assert (asked.status_code, "put forward" in asked.text) == (400, True)
    else:
        assert (answer.status_code, answer.get_json()["startDate"]) == (201, told), answer.text

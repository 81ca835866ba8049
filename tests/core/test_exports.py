"""Whole lists as CSV and NDJSON: the rows of the list, in forms that others read."""

import csv
import io
import json
from typing import Any

import pytest
from tests.cast import ALICE, BOB, ERIN, OSCAR, Somebody
from tests.core.conftest import Core
from werkzeug.test import TestResponse

CSV, NDJSON = "text/csv", "application/x-ndjson"
DANGEROUS = ["=1+1", "+31", "-2", "@sum", "\tx", "\rx"]


def exported(core: Core, who: Somebody | None, path: str, accept: str) -> TestResponse:
    """The whole answer, its end included."""
    with core.call(who, "GET", path, Accept=accept) as answer:
        answer.get_data()
    return answer


def lines(core: Core, who: Somebody, path: str) -> list[dict[str, Any]]:
    answer = exported(core, who, path, NDJSON)
    assert answer.status_code == 200, answer.text
    return [json.loads(line) for line in answer.text.splitlines()]


def cells(core: Core, who: Somebody, path: str) -> list[dict[str, str]]:
    answer = exported(core, who, path, CSV)
    assert answer.status_code == 200, answer.text
    return list(csv.DictReader(io.StringIO(answer.get_data(as_text=True), newline="")))


LISTS = [
    "/samples?",
    "/samples?sort=containerId,-name&fields=name,containerId",
    "/samples?include=Crystal.Protein,Container&name[like]=*s1*",
    "/shippings?include=Dewar.Container,Proposal",
    "/persons?sort=emailAddress",
    "/crystals?sort=-cell_a",
]


@pytest.mark.parametrize("path", LISTS)
@pytest.mark.parametrize("who", [ALICE, BOB, OSCAR])
def test_ndjson_has_the_rows_of_the_list(core: Core, who: Somebody, path: str) -> None:
    noun = path.partition("?")[0]
    by_key = "" if "sort=" in path else f"&sort={core.get(ERIN, f'/nouns{noun}')['key']}"
    assert lines(core, who, path) == core.get(who, f"{path}{by_key}&limit=1000")["results"]


def test_csv_has_the_rows_of_the_list_includes_dotted(core: Core) -> None:
    fields = "name,holderLength,Crystal.cell_a,Crystal.Protein.acronym"
    path = f"/samples?include=Crystal.Protein&fields={fields}"
    rows = core.get(ALICE, f"{path}&limit=1000&sort=blSampleId")["results"]
    found = cells(core, ALICE, path)
    assert list(found[0]) == ["name", "holderLength", "Crystal.cell_a", "Crystal.Protein.acronym"]
    assert [row["name"] for row in found] == [row["name"] for row in rows]
    for row, one in zip(rows, found, strict=True):
        crystal = row["Crystal"] or {}
        length, cell = row["holderLength"], crystal.get("cell_a")
        assert one["holderLength"] == ("" if length is None else str(length))
        assert one["Crystal.cell_a"] == ("" if cell is None else str(cell))


def test_a_cell_is_text_whatever_it_begins_with(core: Core) -> None:
    proposal = core.one("/proposals?proposal=MX1001")["proposalId"]
    texts = [*DANGEROUS, 'say "x", \r\n then', "", "Grüße"]
    for text in texts:
        body = {"proposalId": proposal, "shippingName": "cell", "comments": text}
        assert core.call(ALICE, "POST", "/shippings", body).status_code == 201
    path = "/shippings?shippingName=cell&sort=shippingId&fields=comments,shippingId"
    found = cells(core, ALICE, path)
    expected = [f"'{text}" for text in DANGEROUS] + texts[len(DANGEROUS) :]
    assert [row["comments"] for row in found] == expected
    assert all(row["shippingId"].isdigit() for row in found)
    raw = exported(core, ALICE, path, CSV).get_data(as_text=True)
    assert '\r\n"",' in raw  # an empty text; null is an empty cell
    assert '"say ""x"", \r\n then",' in raw


def test_a_number_below_zero_stays_a_number(core: Core) -> None:
    dewar = core.get(ALICE, "/dewars?limit=1")["results"][0]["dewarId"]
    assert core.call(ALICE, "PATCH", f"/dewars/{dewar}", {"customsValue": -3}).status_code == 200
    (row,) = cells(core, ALICE, f"/dewars?dewarId={dewar}&fields=customsValue")
    assert row == {"customsValue": "-3"}


def test_a_single_empty_cell_is_a_line_still(core: Core) -> None:
    path = "/samples?fields=publicationComments"
    raw = exported(core, ALICE, path, CSV).get_data(as_text=True)
    assert raw == "publicationComments\r\n" + '""\r\n' * 20


FORMS = [
    (None, "application/json"),
    ("*/*", "application/json"),
    ("application/*", "application/json"),
    ("text/*", CSV),
    ("text/html, */*;q=0.8", "application/json"),
    (f"{CSV};q=0.5, {NDJSON}", NDJSON),
    (f"application/json;q=0.1, {CSV};q=0.2", CSV),
    ("application/json;q=0, */*", NDJSON),
]


@pytest.mark.parametrize(("accept", "form"), FORMS)
def test_the_form_that_is_preferred(core: Core, accept: str | None, form: str) -> None:
    headers = {} if accept is None else {"Accept": accept}
    with core.call(ALICE, "GET", "/samples", **headers) as answer:
        answer.get_data()
    assert answer.mimetype == form
    assert answer.headers["Vary"] == "Accept"
    told = answer.headers.get("Content-Disposition")
    ending = {CSV: "csv", NDJSON: "ndjson"}.get(form)
    assert told == (f'attachment; filename="samples.{ending}"' if ending else None)


@pytest.mark.parametrize("accept", ["text/html", "image/png", f"{CSV};q=0"])
def test_another_form_is_406_and_told_what_there_is(core: Core, accept: str) -> None:
    answer = exported(core, ALICE, "/samples", accept)
    assert answer.status_code == 406
    assert answer.mimetype == "application/problem+json"
    for form in ("application/json", CSV, NDJSON):
        assert form in answer.get_json()["detail"]


REFUSED = [
    (NDJSON, "limit=3", "limit", "sort, fields"),
    (NDJSON, "after=x", "after", "sort, fields"),
    (CSV, "skip=3", "skip", "sort, fields"),
    (CSV, "total=false", "total", "sort, fields"),
    (NDJSON, "colour=red", "colour", "name"),
    (CSV, "include=Container.BLSample", "include", "NDJSON"),
]


@pytest.mark.parametrize(("accept", "query", "field", "part"), REFUSED)
def test_what_an_export_does_not_take(
    core: Core, accept: str, query: str, field: str, part: str
) -> None:
    answer = exported(core, ALICE, f"/samples?{query}", accept)
    assert answer.status_code == 400
    (error,) = answer.get_json()["errors"]
    assert error["field"] == field
    assert part in error["detail"]


def test_nobody_exports_without_a_token(core: Core) -> None:
    assert exported(core, None, "/samples", CSV).status_code == 401


def test_more_rows_than_are_read_at_once(core: Core) -> None:
    """With more of one include than a page carries: an export takes fewer rows at a time."""
    proposal = core.one("/proposals?proposal=MX1001")["proposalId"]
    shipping, dewar = core.tables["Shipping"], core.tables["Dewar"]
    with core.database.writing() as connection:
        connection.execute(
            shipping.insert(),
            [{"proposalId": proposal, "shippingName": f"many {n % 7}"} for n in range(1200)],
        )
    made = core.get(ALICE, "/shippings?shippingName[like]=many*&limit=1000&sort=shippingId")
    keys = [row["shippingId"] for row in made["results"]]
    with core.database.writing() as connection:
        rows = [{"shippingId": key, "code": f"d{n}"} for key in keys[:60] for n in range(100)]
        connection.execute(dewar.insert(), rows)
    try:
        path = "/shippings?shippingName[like]=many*&sort=-shippingName&fields=shippingId"
        found = [row["shippingId"] for row in lines(core, ERIN, path)]
        assert len(found) == len(set(found)) == 1200
        whole = lines(core, ERIN, f"{path},Dewar.dewarId&include=Dewar")
        assert [row["shippingId"] for row in whole] == found
        assert sum(len(row["Dewar"]) for row in whole) == 6000
    finally:
        with core.database.writing() as connection:
            connection.execute(dewar.delete().where(dewar.c.shippingId.in_(keys)))
            named = shipping.c.shippingName.like("many %")
            connection.execute(shipping.delete().where(named))

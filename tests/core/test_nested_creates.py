"""A lab contact comes with its person, and that one's laboratory, in one body: all or none."""

from typing import Any

import pytest
from tests.cast import ALICE, BOB, CAROL, DAVE, ERIN, OSCAR, Somebody
from tests.core.conftest import Core

TABLES = ("LabContact", "Person", "Laboratory")
LABORATORY = {"name": "Northern Institute", "city": "Northtown"}
PERSON = {"givenName": "Nora", "familyName": "North", "emailAddress": "nora@example.org"}
WHOLE = {**PERSON, "Laboratory": LABORATORY}
NARROW = Somebody("alice", {"scope": "proposals:read labcontacts:read labcontacts:write"})
TOO_LONG = "x" * 101


def contact(core: Core, **more: Any) -> dict[str, Any]:
    """A body in MX1001, with a card of its own."""
    proposal = core.one("/proposals?proposal=MX1001")["proposalId"]
    return {"proposalId": proposal, "cardName": f"card {len(core.rows('LabContact'))}", **more}


def rows(core: Core) -> list[list[Any]]:
    """What stands in the three tables."""
    return [core.rows(table) for table in TABLES]


@pytest.mark.parametrize(
    ("who", "person", "more"),
    [
        (ALICE, PERSON, (1, 1, 0)),
        (ALICE, WHOLE, (1, 1, 1)),
        (ERIN, WHOLE, (1, 1, 1)),
        (ERIN, {**WHOLE, "login": "nora"}, (1, 1, 1)),
    ],
)
def test_all_are_made(
    core: Core, who: Somebody, person: dict[str, Any], more: tuple[int, ...]
) -> None:
    before = rows(core)
    answer = core.call(who, "POST", "/labcontacts", contact(core, Person=person))
    assert answer.status_code == 201, answer.text
    after = rows(core)
    assert tuple(len(now) - len(was) for now, was in zip(after, before, strict=True)) == more
    made = answer.get_json()
    assert answer.headers["Location"] == f"/core/labcontacts/{made['labContactId']}"
    path = f"/labcontacts/{made['labContactId']}?include=Person.Laboratory"
    shown = core.get(who, path)["Person"]
    assert shown["familyName"] == PERSON["familyName"]
    told = shown["Laboratory"]
    assert (told and told["city"]) == ("Northtown" if "Laboratory" in person else None)
    for noun, key in (("labcontacts", "labContactId"), ("persons", "personId")):
        (change,) = core.get(ERIN, f"/{noun}/{made[key]}/history")["results"]
        assert (change["action"], change["login"]) == ("create", who.login)


@pytest.mark.parametrize(
    ("who", "status"),
    [
        (None, 401),
        (BOB, 403),
        (CAROL, 403),
        (DAVE, 404),
        (OSCAR, 404),
        (NARROW, 403),
    ],
)
def test_who_may_not_makes_none(core: Core, who: Somebody | None, status: int) -> None:
    before, body = rows(core), contact(core, Person=WHOLE)
    assert core.call(who, "POST", "/labcontacts", body).status_code == status
    assert rows(core) == before


@pytest.mark.parametrize(
    ("more", "status", "fields"),
    [
        ({}, 422, {"personId"}),
        ({"Person": 7}, 422, {"Person"}),
        ({"Person": None}, 422, {"Person"}),
        ({"Person": [PERSON]}, 422, {"Person"}),
        ({"Person": {}}, 422, {"Person.familyName"}),
        ({"Person": PERSON, "personId": 1}, 422, {"Person"}),
        ({"Person": {**WHOLE, "laboratoryId": 1}}, 422, {"Person.Laboratory"}),
        ({"Person": {**PERSON, "laboratoryId": 2_000_000_000}}, 422, {"Person.laboratoryId"}),
        ({"Person": {**PERSON, "Laboratory": {}}}, 422, {"Person.Laboratory.name"}),
        ({"Person": {**PERSON, "Proposal": {}}}, 422, {"Person.Proposal"}),
        ({"Person": PERSON, "Proposal": {}}, 422, {"Proposal"}),
        (
            {
                "colour": "red",
                "Person": {
                    "givenName": TOO_LONG,
                    "personId": 1,
                    "Laboratory": {"city": 5, "colour": "red"},
                },
            },
            422,
            {
                "colour",
                "Person.givenName",
                "Person.personId",
                "Person.familyName",
                "Person.Laboratory.city",
                "Person.Laboratory.colour",
                "Person.Laboratory.name",
            },
        ),
        ({"Person": {**PERSON, "login": "nora"}}, 403, {"Person.login"}),
        (
            {"Person": {**PERSON, "Laboratory": {**LABORATORY, "laboratoryPk": 1}}},
            403,
            {"Person.Laboratory.laboratoryPk"},
        ),
    ],
)
def test_every_fault_is_told_at_once(
    core: Core, more: dict[str, Any], status: int, fields: set[str]
) -> None:
    before = rows(core)
    answer = core.call(ALICE, "POST", "/labcontacts", contact(core, **more))
    assert answer.status_code == status, answer.text
    assert {error["field"] for error in answer.get_json()["errors"]} == fields
    assert rows(core) == before


def test_a_person_is_named_from_a_laboratory_that_the_writer_sees(core: Core) -> None:
    laboratory = core.one("/laboratories?name=Hillside University")["laboratoryId"]
    body = contact(core, Person={**PERSON, "laboratoryId": laboratory})
    answer = core.call(ALICE, "POST", "/labcontacts", body)
    assert answer.status_code == 422, answer.text
    absent = contact(core, Person={**PERSON, "laboratoryId": 2_000_000_000})
    told = core.call(ALICE, "POST", "/labcontacts", absent).get_json()["errors"]
    assert answer.get_json()["errors"] == told
    assert core.call(ERIN, "POST", "/labcontacts", body).status_code == 201


def test_nobody_is_matched(core: Core) -> None:
    """A person like another is another: nothing is told of who is there already."""
    alike = {"givenName": "Bob", "familyName": "Booker", "emailAddress": "bob@example.org"}
    made = [
        core.call(ALICE, "POST", "/labcontacts", contact(core, Person=alike)).get_json()
        for _ in range(2)
    ]
    assert made[0]["personId"] != made[1]["personId"]


def test_one_key_counts_for_all_of_them(core: Core) -> None:
    body = contact(core, Person=WHOLE)
    first = core.call(ALICE, "POST", "/labcontacts", body, Idempotency_Key="nested")
    before = rows(core)
    again = core.call(ALICE, "POST", "/labcontacts", body, Idempotency_Key="nested")
    assert (first.status_code, again.status_code) == (201, 201)
    assert again.get_json() == first.get_json()
    other = {**body, "Person": PERSON}
    refused = core.call(ALICE, "POST", "/labcontacts", other, Idempotency_Key="nested")
    assert refused.status_code == 409
    assert rows(core) == before


def test_many_at_once(core: Core) -> None:
    before = rows(core)
    sent = [contact(core, Person=WHOLE), contact(core, Person={"givenName": "Nora"})]
    answer = core.call(ALICE, "POST", "/labcontacts", sent)
    assert answer.status_code == 422, answer.text
    assert [one["field"] for one in answer.get_json()["errors"]] == ["[1].Person.familyName"]
    assert rows(core) == before
    sent[1] = {**contact(core, Person=PERSON), "cardName": "another card"}
    answer = core.call(ALICE, "POST", "/labcontacts", sent)
    assert answer.status_code == 201, answer.text
    people = {row["personId"] for row in answer.get_json()["results"]}
    assert len(people) == len(rows(core)[1]) - len(before[1]) == 2


def test_a_patch_takes_ids_alone(core: Core) -> None:
    key = core.get(ALICE, "/labcontacts?limit=1")["results"][0]["labContactId"]
    answer = core.call(ALICE, "PATCH", f"/labcontacts/{key}", {"Person": PERSON})
    assert answer.status_code == 422
    assert [one["field"] for one in answer.get_json()["errors"]] == ["Person"]


def test_the_schema_tells_of_it(core: Core) -> None:
    schema = core.get(ALICE, "/nouns/labcontacts")
    assert schema["nested"] == {"Person": "personId"}
    contract = core.call(None, "GET", "/openapi.json").get_json()
    body = contract["components"]["schemas"]["labcontacts-create"]
    assert body["properties"]["Person"]["$ref"] == "#/components/schemas/persons-create"
    assert body["allOf"] == [{"anyOf": [{"required": ["personId"]}, {"required": ["Person"]}]}]
    assert "personId" not in body["required"]

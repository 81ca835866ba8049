"""What a user office says of a proposal: matched, written, complete, the same as often as sent."""

import copy
import json
import re
from concurrent.futures import ThreadPoolExecutor
from itertools import count
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from tests.cast import ALICE, BOB, CAROL, ERIN, MXCUBE, OSCAR, Somebody
from tests.core.conftest import Core

PAGE = Path(__file__).parents[2] / "docs" / "user-office.md"
LISTS = ("proposals", "laboratories", "people", "members", "labContacts", "sessions")
RACERS = 6
OFFICE = Somebody(
    "office", {"client_id": "office", "beamlines": [], "scope": "sync:write persons:read"}
)
_numbers = count(3001)


def example() -> dict[str, Any]:
    """The JSON of the page, for a proposal that no other test has."""
    (text,) = re.findall(r"```json\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL)
    number = str(next(_numbers))
    body: dict[str, Any] = json.loads(text.replace("1f3001", f"1f{number}"))
    body["proposalNumber"] = number
    for n, one in enumerate((*body["sessions"], *body["proteins"])):
        one["externalId"] = f"5f0c1d5e-6a51-4b8f-9d64-{n:04}4a3e{number}"
    return body


def sync(core: Core, body: Any, query: str = "", who: Somebody | None = ERIN) -> Any:
    answer = core.call(who, "POST", f"/sync/proposal{query}", body)
    assert answer.status_code == 200, answer.text
    return answer.get_json()


def faults(core: Core, body: Any) -> dict[str, str]:
    answer = core.call(ERIN, "POST", "/sync/proposal", body)
    assert answer.status_code == 422, answer.text
    return {error["field"]: error["detail"] for error in answer.get_json()["errors"]}


def counts(part: dict[str, list[Any]]) -> dict[str, int]:
    return {kind: len(ids) for kind, ids in part.items() if ids}


def stored(core: Core) -> dict[str, list[Any]]:
    tables = (
        "Proposal", "Person", "Laboratory", "LabContact", "ProposalHasPerson", "BLSession",
        "Session_has_Person", "Protein",
    )  # fmt: skip
    return {table: core.rows(table) for table in tables}


def members(core: Core, proposal: int) -> dict[str, str]:
    part, person = core.tables["ProposalHasPerson"], core.tables["Person"]
    joined = part.join(person, person.c.personId == part.c.personId)
    wanted = sa.select(person.c.login, part.c.role).select_from(joined)
    with core.database.reading() as connection:
        rows = connection.execute(wanted.where(part.c.proposalId == proposal)).all()
    assert len({row.login for row in rows}) == len(rows)
    return {row.login: row.role for row in rows}


def test_the_example_of_the_page_is_brought_in_once(core: Core) -> None:
    body = example()
    first = sync(core, body)
    assert (first["proposal"], first["committed"]) == (f"MX{body['proposalNumber']}", True)
    made = counts(first["created"])
    assert {**made, "laboratories": 1} == {
        "proposals": 1, "laboratories": 1, "people": 1, "members": 2, "labContacts": 1,
        "sessions": 1, "sessionPeople": 2, "proteins": 1,
    }  # fmt: skip
    before = stored(core)
    again = sync(core, body)
    assert stored(core) == before
    for outcome in ("created", "changed", "removed", "kept"):
        assert counts(again[outcome]) == {}
    assert counts(again["unchanged"]) == {**made, "laboratories": 1, "people": 4}
    assert again["proposalId"] == first["proposalId"]
    assert members(core, first["proposalId"]) == {
        "alice": "Principal Investigator",
        "bob": "Co-Investigator",
    }
    seen = core.get(BOB, f"/sessions?proposal=MX{body['proposalNumber']}")["results"][0]
    assert seen["startDate"] == "2027-03-01T09:30:00+01:00"


def test_only_validating_answers_the_same_and_writes_nothing(core: Core) -> None:
    body, before = example(), stored(core)
    looked = sync(core, body, "?validate=only")
    assert stored(core) == before
    done = sync(core, body)
    assert (looked["committed"], done["committed"]) == (False, True)
    for outcome in ("created", "changed", "removed", "kept", "unchanged"):
        assert counts(looked[outcome]) == counts(done[outcome])


def test_what_differs_is_changed_and_kept_in_the_history(core: Core) -> None:
    body = example()
    first = sync(core, body)
    body["title"] = "A better title"
    body["sessions"][0]["startDate"] = "2027-03-01T16:00:00+01:00"
    body["proteins"][0]["name"] = None
    body["people"][3]["phoneNumber"] = "0123"
    del body["laboratories"], body["people"][0]["laboratory"], body["people"][3]["laboratory"]
    second = sync(core, body)
    assert counts(second["changed"]) == {
        "proposals": 1, "people": 1, "sessions": 1, "proteins": 1,
    }  # fmt: skip
    session = second["changed"]["sessions"][0]
    assert session == first["created"]["sessions"][0]
    patch, create = core.get(ERIN, f"/sessions/{session}/history")["results"]
    assert (patch["action"], patch["fields"], patch["login"]) == ("patch", ["startDate"], "erin")
    assert create["action"] == "create"
    change = core.tables.ledger.change
    with core.database.reading() as connection:
        key = f"{session}/{second['unchanged']['sessionPeople'][0]['personId']}"
        found = sa.select(change.c.action, change.c.fields).where(
            change.c.noun == "session-people", change.c.rowId == key
        )
        assert connection.execute(found).one().action == "create"


def test_whoever_is_absent_is_a_member_no_more(core: Core) -> None:
    body = example()
    proposal = sync(core, body)["proposalId"]
    path = f"/proposals/{proposal}"
    assert core.call(BOB, "GET", path).status_code == 200
    del body["members"]
    assert counts(sync(core, body)["removed"]) == {}
    body["members"], body["sessions"][0]["people"] = [{"person": "carol", "role": "Associate"}], []
    told = sync(core, body)
    assert counts(told["removed"]) == {"members": 1, "sessionPeople": 1}
    assert counts(told["created"]) == {"members": 1}
    assert members(core, proposal).keys() == {"alice", "carol"}
    assert core.call(BOB, "GET", path).status_code == 404
    body["members"] = [{"person": "alice", "role": "Alternate Contact"}]
    assert counts(sync(core, body)["changed"]) == {"members": 1}
    assert members(core, proposal) == {"alice": "Alternate Contact"}
    body["sessions"][0]["localContacts"] = []
    assert counts(sync(core, body)["removed"]) == {"sessionPeople": 1}


def test_what_science_hangs_on_is_kept(core: Core) -> None:
    """Of three sessions and two proteins absent: what was used, or made here, stays."""
    body = example()
    number = body["proposalNumber"]
    plain, protein = body["sessions"][0], body["proteins"][0]
    stem = plain["externalId"][:-6]
    for visit in (2, 3):
        more = {"visit_number": visit, "externalId": f"{stem}9{visit}{number}"}
        more |= {"startDate": f"2027-04-0{visit}T09:30:00+02:00"}
        more |= {"endDate": "2027-04-20T09:00:00+02:00"}
        body["sessions"].append({**plain, **more})
    body["proteins"].append({**protein, "acronym": "Used", "externalId": f"{stem}88{number}"})
    first = sync(core, body)
    used, unused, foreign = first["created"]["sessions"]
    group = {"sessionId": used, "experimentType": "OSC"}
    assert core.call(CAROL, "POST", "/datacollection-groups", group).status_code == 201
    unhung, hanging = first["created"]["proteins"]
    assert core.call(ALICE, "POST", "/crystals", {"proteinId": hanging}).status_code == 201
    session = core.tables["BLSession"]
    with core.database.writing() as connection:
        row = session.c.sessionId == foreign
        connection.execute(session.update().where(row).values(externalId=None))
    told = sync(core, {**body, "sessions": [], "proteins": []})
    assert told["removed"]["sessions"] == [unused]
    assert told["removed"]["proteins"] == [unhung]
    assert told["kept"]["sessions"] == [used, foreign]
    assert told["kept"]["proteins"] == [hanging]
    assert counts(told["removed"])["sessionPeople"] == 2
    parts = {row.sessionId for row in core.rows("Session_has_Person")}
    assert {used, foreign} <= parts


def test_a_person_is_who_their_external_id_says(core: Core) -> None:
    """A login is given, changed by its letters, and never taken from somebody else."""
    body = example()
    number = body["proposalNumber"]
    identity = f"5f0c1d5e-6a51-4b8f-9d64-77774a3e{number}"
    body["people"].append({"login": f"new{number}", "familyName": "New", "externalId": identity})
    person = sync(core, body)["created"]["people"][-1]
    body["people"][-1]["login"] = f"renamed{number}"
    assert sync(core, body)["changed"]["people"] == [person]
    assert core.get(ERIN, f"/persons/{person}")["login"] == f"renamed{number}"
    body["people"][-1]["login"] = "oscar"
    told = faults(core, body)
    assert told == {"people[4]": "another row has one of these values already"}
    stranger = copy.deepcopy(body)
    stranger["people"][-1] |= {"login": f"RENAMED{number}", "externalId": identity[:-1] + "f"}
    assert faults(core, stranger).keys() == {"people[4]"}


def test_a_session_is_found_by_its_number_or_its_start(core: Core) -> None:
    body = example()
    first = sync(core, body)["created"]["sessions"]
    one = body["sessions"][0]
    del one["externalId"]
    assert sync(core, body)["unchanged"]["sessions"] == first
    del one["visit_number"]
    assert sync(core, body)["unchanged"]["sessions"] == first
    one["visit_number"] = 2
    told = sync(core, body)
    assert (len(told["created"]["sessions"]), told["removed"]["sessions"]) == (1, first)


@pytest.mark.parametrize("field", ["molecularMass", "density"])
@pytest.mark.parametrize(
    ("first", "again", "outcome"),
    [
        (0.1, 0.1, "unchanged"),
        (1 / 3, 1 / 3, "unchanged"),
        (14313.0625, 14313.0625, "unchanged"),
        (1e-7, 1e-7, "unchanged"),
        (0.333333, 0.333334, "changed"),
        (0.1, 0.2, "changed"),
    ],
)
def test_a_number_that_is_sent_again_is_no_change(
    core: Core, field: str, first: float, again: float, outcome: str
) -> None:
    body = example()
    body["proteins"][0][field] = first
    (key,) = sync(core, body)["created"]["proteins"]
    body["proteins"][0][field] = again
    assert sync(core, body)[outcome]["proteins"] == [key]


FAULTS: list[tuple[dict[str, Any], dict[str, str]]] = [
    ({}, {"proposalCode": "is required", "proposalNumber": "is required",
          "principalInvestigator": "is required"}),
    ({"colour": 1, "title": 7, "people": {}, "proposalCode": "M1"},
     {"colour": "allowed", "title": "a text", "people": "a list", "proposalCode": "matches",
      "proposalNumber": "is required", "principalInvestigator": "is required"}),
    ({"proposalCode": "MX", "proposalNumber": "9000", "principalInvestigator": "eve",
      "people": [{"login": "alice"}, {"login": "alice"}, 7, {"familyName": 3},
                 {"givenName": "x"}],
      "members": [{"person": "alice", "role": "King"}, {"person": "alice"}, {}]},
     {"principalInvestigator": "no such key", "people[1].key": "people[0] too",
      "people[2]": "object", "people[1]": "same", "people[3].familyName": "text",
      "people[4].familyName": "required",
      "members[0].role": "one of", "members[1].person": "members[0] too",
      "members[2].person": "required"}),
    ({"proposalCode": "MX", "proposalNumber": "9000", "principalInvestigator": "alice",
      "people": [{"login": "alice"}],
      "labContacts": [{"person": "alice"}, {"person": "alice", "cardName": "twice"}],
      "sessions": [
          {"beamLineName": "BL1", "startDate": "soon", "endDate": "2027-03-02T08:00:00+01:00"},
          {"beamLineName": "BL1", "startDate": "2027-03-03T08:00:00",
           "endDate": "2027-03-02T08:00"},
          {"visit_number": 4, "people": [{"person": "alice"}],
           "localContacts": [{"person": "alice"}]},
          {"visit_number": 4, "beamLineName": "BL1", "startDate": "2027-05-03T08:00:00",
           "endDate": "2027-05-04T08:00:00"}],
      "proteins": [{"acronym": "a b"}, {"acronym": "x"}, {"acronym": "X"}]},
     {"labContacts[0].cardName": "required", "labContacts[1]": "same",
      "sessions[0].startDate": "ISO 8601", "sessions[1].endDate": "before",
      "sessions[2].beamLineName": "required", "sessions[2].startDate": "required",
      "sessions[2].endDate": "required",
      "sessions[2].localContacts[0].person": "sessions[2].people[0] too",
      "sessions[3]": "same", "proteins[0].acronym": "matches", "proteins[2]": "same"}),
]  # fmt: skip


@pytest.mark.parametrize(("body", "told"), FAULTS)
def test_every_fault_is_told_at_its_place(
    core: Core, body: dict[str, Any], told: dict[str, str]
) -> None:
    before = stored(core)
    found = faults(core, body)
    assert found.keys() == told.keys()
    for path, part in told.items():
        assert part in found[path], (path, found[path])
    assert stored(core) == before


def test_a_fault_takes_everything_back(core: Core) -> None:
    body, before = example(), stored(core)
    body["proteins"].append({"acronym": "x", "molecularMass": "heavy"})
    assert faults(core, body).keys() == {"proteins[1].molecularMass"}
    assert stored(core) == before


@pytest.mark.parametrize(
    ("who", "status"),
    [
        (None, 401),
        (OSCAR, 403),
        (ALICE, 403),
        (CAROL, 403),
        (MXCUBE, 403),
        (OFFICE, 200),
        (ERIN, 200),
    ],
)
def test_who_may(core: Core, who: Somebody | None, status: int) -> None:
    before = stored(core)
    answer = core.call(who, "POST", "/sync/proposal?validate=only", example())
    assert answer.status_code == status, answer.text
    assert stored(core) == before


@pytest.mark.parametrize("query", ["?validate=all", "?validate=only&validate=only", "?dry=1"])
def test_nothing_else_is_asked(core: Core, query: str) -> None:
    assert core.call(ERIN, "POST", f"/sync/proposal{query}", example()).status_code == 400


def test_a_renamed_protein_takes_no_samples_name(core: Core) -> None:
    body = example()
    identity = body["proteins"][0]["externalId"]
    body["proteins"].append({"acronym": "Other", "externalId": identity[:-6] + "ababab"})
    for protein in sync(core, body)["created"]["proteins"]:
        crystal = core.call(ALICE, "POST", "/crystals", {"proteinId": protein}).get_json()
        sample = {"crystalId": crystal["crystalId"], "name": "x1"}
        assert core.call(ALICE, "POST", "/samples", sample).status_code == 201
    body["proteins"] = [{"acronym": "Lyso", "externalId": body["proteins"][1]["externalId"]}]
    answer = core.call(ERIN, "POST", "/sync/proposal", body)
    assert answer.status_code == 409
    assert [error["field"] for error in answer.get_json()["errors"]] == ["acronym"]


def test_racing_syncs_make_no_duplicates(core: Core) -> None:
    body = example()
    number = body["proposalNumber"]
    body["people"].append({"login": f"racer{number}", "familyName": "Racer"})
    body["laboratories"][0]["name"] = f"Racers' {number}"
    sent = json.dumps(body)

    def send(_: int) -> int:
        with core.client.application.test_client() as client:
            headers = {**core.issuing.bearer(ERIN), "Content-Type": "application/json"}
            for _attempt in range(10):
                answer = client.post("/core/sync/proposal", data=sent, headers=headers)
                if answer.status_code != 503:
                    break
            return answer.status_code

    with ThreadPoolExecutor(RACERS) as threads:
        assert list(threads.map(send, range(RACERS))) == [200] * RACERS
    again = sync(core, body)
    assert counts(again["created"]) == counts(again["changed"]) == counts(again["removed"]) == {}
    proposal = again["proposalId"]
    assert len(members(core, proposal)) == 2
    for path in (
        f"/sessions?proposalId={proposal}",
        f"/proteins?proposalId={proposal}",
        f"/labcontacts?proposalId={proposal}",
        f"/proposals?proposalCode=MX&proposalNumber={number}",
        f"/persons?login=racer{number}",
    ):
        assert core.get(ERIN, path)["total"] == 1
    name = body["laboratories"][0]["name"]
    assert [row.name for row in core.rows("Laboratory")].count(name) == 1

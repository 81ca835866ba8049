"""The list of what happened: who sees it, in which order, page by page, in few statements."""

from datetime import datetime, timedelta
from typing import Any

import pytest
import sqlalchemy as sa
from tests.cast import ALICE, BOB, CAROL, ERIN, MXCUBE, OSCAR, Somebody
from tests.core.conftest import Core
from tests.core.test_statements import counted

START = datetime(2031, 3, 1, 8)  # noqa: DTZ001  # as a DATETIME column holds it


@pytest.fixture(scope="module")
def session(core: Core) -> int:
    """alice's session on BL1, with two groups, a robot action, a scan and a spectrum in it."""
    made = core.call(
        ERIN,
        "POST",
        "/sessions",
        {
            "proposalId": core.one("/proposals?proposal=MX1001")["proposalId"],
            "beamLineName": "BL1",
            "startDate": datetime.now().astimezone().isoformat(),
            "endDate": (datetime.now().astimezone() + timedelta(days=1)).isoformat(),
        },
    ).get_json()["sessionId"]
    for path, minutes, body in (
        ("datacollection-groups", 1, {"experimentType": "OSC"}),
        ("energy-scans", 2, {"element": "Se"}),
        ("xfe-spectra", 3, {"filename": "x.dat"}),
        ("datacollection-groups", 4, {"experimentType": "Mesh"}),
        ("datacollection-groups", None, {"experimentType": "SAD", "comments": "undated"}),
    ):
        start = None if minutes is None else (START + timedelta(minutes=minutes)).isoformat()
        _made(core, f"/{path}", {"sessionId": made, "startTime": start, **body})
    at = (START + timedelta(minutes=2)).isoformat() + "+01:00"
    action = {"actionType": "LOAD", "status": "SUCCESS", "startTimestamp": at, "endTimestamp": at}
    _made(core, "/robot-actions", {"blsessionId": made, **action})
    group = core.one(f"/datacollection-groups?sessionId={made}&experimentType=OSC")
    for images, status in ((100, "failed"), (900, "Data collection successful")):
        _made(
            core,
            "/datacollections",
            {
                "dataCollectionGroupId": group["dataCollectionGroupId"],
                "numberOfImages": images,
                "runStatus": status,
            },
        )
    _process(core, group["dataCollectionGroupId"])
    return int(made)


def _made(core: Core, path: str, body: dict[str, Any]) -> None:
    answer = core.call(ALICE, "POST", path, body)
    assert answer.status_code == 201, answer.text


def _process(core: Core, group: int) -> None:
    """Three programs integrated the group's collections: one failed, one still runs."""
    program, integration = core.tables["AutoProcProgram"], core.tables["AutoProcIntegration"]
    collection = core.tables["DataCollection"]
    with core.database.writing() as connection:
        first = sa.select(sa.func.min(collection.c.dataCollectionId)).where(
            collection.c.dataCollectionGroupId == group
        )
        of = connection.execute(first).scalar_one()
        for status in (1, 0, None):
            made = connection.execute(sa.insert(program).values(processingStatus=status))
            key = made.inserted_primary_key[0]  # type: ignore[index]
            values = {"dataCollectionId": of, "autoProcProgramId": key}
            connection.execute(sa.insert(integration).values(values))


ORDER = [
    ("datacollection-groups", "Mesh"),
    ("xfe-spectra", "x.dat"),
    ("robot-actions", "LOAD"),  # as early as the scan: kinds have an order
    ("energy-scans", "Se"),
    ("datacollection-groups", "OSC"),
    ("datacollection-groups", "SAD"),  # without a time: last
]


def _named(item: dict[str, Any]) -> tuple[str, str]:
    (name,) = [
        item[word]
        for word in ("experimentType", "filename", "actionType", "element")
        if item.get(word)
    ]
    return item["kind"], name


def test_the_newest_comes_first_over_all_kinds(core: Core, session: int) -> None:
    page = core.get(ALICE, f"/activity?sessionId={session}")
    assert [_named(item) for item in page["results"]] == ORDER
    assert page["total"] == 6
    assert page["counts"] == {
        "datacollection-groups": 3,
        "robot-actions": 1,
        "energy-scans": 1,
        "xfe-spectra": 1,
    }
    assert page["next"] is None


@pytest.mark.parametrize("limit", [1, 2, 3, 5])
def test_pages_follow_one_another(core: Core, session: int, limit: int) -> None:
    told: list[tuple[str, str]] = []
    after = ""
    while True:
        page = core.get(ALICE, f"/activity?sessionId={session}&limit={limit}{after}")
        told += [_named(item) for item in page["results"]]
        if page["next"] is None:
            break
        after = f"&after={page['next']}"
    assert told == ORDER


def test_a_group_tells_of_its_collections_and_their_processing(core: Core, session: int) -> None:
    results = core.get(ALICE, f"/activity?sessionId={session}")["results"]
    (group,) = [item for item in results if item.get("experimentType") == "OSC"]
    assert group["counts"] == {"datacollections": 2, "images": 1000}
    assert group["processing"] == {"running": 1, "succeeded": 1, "failed": 1}
    assert group["status"] == "Data collection successful"
    assert group["start"] == "2031-03-01T08:01:00+01:00"


WHO = [
    (ALICE, "sessionId", 200),
    (CAROL, "sessionId", 200),
    (MXCUBE, "sessionId", 200),
    (ERIN, "sessionId", 200),
    (BOB, "sessionId", 404),
    (OSCAR, "sessionId", 404),
    (None, "sessionId", 401),
]


@pytest.mark.parametrize(("who", "by", "status"), WHO)
def test_who_sees_it(core: Core, session: int, who: Somebody | None, by: str, status: int) -> None:
    assert core.call(who, "GET", f"/activity?{by}={session}").status_code == status


def test_a_participant_sees_of_the_proposal_what_their_session_recorded(
    core: Core, session: int
) -> None:
    assert session
    past = core.get(BOB, "/activity?proposal=MX1001")
    assert past["total"] == 2
    assert {item["kind"] for item in past["results"]} == {"datacollection-groups", "robot-actions"}
    everything = core.get(ALICE, "/activity?proposal=MX1001&limit=500")
    assert everything["total"] == len(everything["results"]) > past["total"]


def test_of_a_sample(core: Core, session: int) -> None:
    sample = core.one("/samples?name=MX1001-s01")["blSampleId"]
    assert session
    (item,) = core.get(ALICE, f"/activity?blSampleId={sample}")["results"]
    assert (item["kind"], item["blSampleId"]) == ("datacollection-groups", sample)


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ("", "sessionId, proposal, blSampleId"),
        ("sessionId=1&proposal=MX1001", "sessionId, proposal, blSampleId"),
        ("sessionId=1&kind=persons", "kind"),
        ("sessionId=1&limit=0", "limit"),
        ("sessionId=1&limit=501", "limit"),
        ("sessionId=1&limit=%D9%A1", "limit"),
        ("sessionId=1&after=x", "after"),
        ("sessionId=1&after=999999999999999999.0.1", "after"),
        ("sessionId=1&after=1.9.1", "after"),
        ("sessionId=1&sessionId=2", "sessionId"),
        ("sessionId=1&colour=red", "colour"),
    ],
)
def test_a_faulty_query_is_400_and_names_the_fault(core: Core, query: str, field: str) -> None:
    answer = core.call(ALICE, "GET", f"/activity?{query}")
    assert answer.status_code == 400
    assert field in {error["field"] for error in answer.get_json()["errors"]}


def test_a_page_costs_few_statements(core: Core, session: int) -> None:
    core.get(ALICE, f"/activity?sessionId={session}")
    with counted(core) as seen:
        core.get(ALICE, f"/activity?sessionId={session}")
    assert 0 < len(seen) <= 15, seen  # six of them look the caller up, whom no one keeps

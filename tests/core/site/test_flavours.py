"""What core answers on a database that differs from ISPyB's own: which, what is asked, then."""

from collections.abc import Callable
from typing import Any

import pytest
from tests.cast import ALICE, BOB, CAROL, ERIN
from tests.core.conftest import Core
from tests.core.site.flavours import (
    FLAVOURS,
    NEWER,
    OLDER,
    OTHER,
    PLAIN,
    READ_ONLY,
    UNREADABLE,
    WITH_WORKFLOWS,
    WITHOUT_OWN,
    Flavour,
)

Sites = Callable[[Flavour], Core]

READS = [
    (PLAIN, "/workflows", 404, "this site's database has no table Workflow"),
    (PLAIN, "/workflow-steps/1", 404, "no table WorkflowStep"),
    (PLAIN, "/datacollection-groups?workflowId=1", 400, "no column DataCollectionGroup.workflowId"),
    (WITH_WORKFLOWS, "/workflows?workflowType=MeshScan", 200, '"total":0'),
    (WITH_WORKFLOWS, "/workflows?sort=resultFilePath", 400, "no column Workflow.resultFilePath"),
    (WITH_WORKFLOWS, "/workflow-meshes", 404, "this site's database has no table WorkflowMesh"),
    (NEWER, "/shippings", 200, ""),
    (NEWER, "/shippings?siteRemark=x", 400, "no such filter"),
    (OTHER, "/dewars?isStorageDewar=0", 200, ""),
    (OTHER, "/dewars?weight[gte]=1.25&sort=weight", 200, ""),
    (OTHER, "/shippings?comments=%CE%A9", 400, "characters"),
    (UNREADABLE, "/xfe-spectra", 404, "SELECT on XFEFluorescenceSpectrum is not granted"),
    (UNREADABLE, "/xfe-spectra/1/history", 404, "SELECT on XFEFluorescenceSpectrum"),
    (UNREADABLE, "/motion-corrections", 404, "Movie cannot be read, to which it belongs"),
    (UNREADABLE, "/persons", 200, ""),
    (UNREADABLE, "/persons?emailAddress=x", 400, "no column Person.emailAddress to be read"),
    (UNREADABLE, "/activity?proposal=MX1001", 200, ""),
    (UNREADABLE, "/user/current", 200, ""),
    (READ_ONLY, "/shippings", 200, ""),
    (WITHOUT_OWN, "/shippings?include=Dewar", 200, ""),
    (OLDER, "/samples?include=Crystal.Protein,Container,DiffractionPlan", 200, ""),
    (OLDER, "/containers?include=dewar,BLSession,BLSample", 200, ""),
    (OLDER, "/containers?currentDewarId=1", 400, "has no column Container.currentDewarId"),
    (OLDER, "/containers?sort=currentDewarId", 400, "has no column Container.currentDewarId"),
    (OLDER, "/containers?fields=currentDewarId", 400, "has no column Container.currentDewarId"),
    (OLDER, "/diffraction-plans", 200, ""),
    (OLDER, "/sample-groups?search=x", 400, "cannot be searched"),
    (OLDER, "/tomograms", 404, "this site's database has no table Tomogram"),
    (OLDER, "/datacollections", 200, ""),
    (OLDER, "/activity?proposal=MX1001", 200, ""),
    (OLDER, "/user/access", 200, ""),
]


@pytest.mark.parametrize(
    ("flavour", "path", "status", "said"), READS, ids=[f"{r[0].name} {r[1]}" for r in READS]
)
def test_a_read(site: Sites, flavour: Flavour, path: str, status: int, said: str) -> None:
    answer = site(flavour).call(ALICE, "GET", path)
    assert answer.status_code == status, answer.text
    assert said in answer.text


@pytest.mark.parametrize("flavour", FLAVOURS, ids=[one.name for one in FLAVOURS])
def test_every_noun_is_served_or_says_why_not(site: Sites, flavour: Flavour) -> None:
    core = site(flavour)
    told = core.get(ERIN, "/nouns")
    for noun in told["results"]:
        if "{parent}" in noun["path"]:  # it is read below its parent
            continue
        page = core.get(ERIN, f"/{noun['name']}?limit=2")
        schema = core.get(ERIN, f"/nouns/{noun['name']}")
        for include in schema["includes"]:
            core.get(ERIN, f"/{noun['name']}?limit=1&include={include}")
        for row in page["results"]:
            assert not set(row) & set(noun["missing"]), noun["name"]
            asked = core.call(ALICE, "GET", f"/{noun['name']}?limit=1")
            closed = noun["area"] == "administration"
            assert asked.status_code == (403 if closed else 200), asked.text
    for name, why in told["absent"].items():
        answer = core.call(ERIN, "GET", f"/{name}")
        assert (answer.status_code, answer.get_json()["detail"]) == (404, why)
        assert core.call(ERIN, "GET", f"/nouns/{name}").status_code == 404


SHIPPING = "/shippings?shippingName=MX1001-shipment"
DEWAR = "/dewars?code=MX1001-dewar-1"
PROTEIN = "/proteins?acronym=LYSO"
CONTAINER = "/containers?code=MX1001-puck-1"
PATCHES = [
    (NEWER, SHIPPING, {"siteRemark": "x"}, 422, "no such field"),
    (NEWER, CONTAINER, {"comments": "x"}, 200, ""),
    (OTHER, DEWAR, {"isStorageDewar": "1"}, 200, '"isStorageDewar":"1"'),
    (OTHER, DEWAR, {"isStorageDewar": "2"}, 422, "takes one of 0, 1"),
    (OTHER, DEWAR, {"isStorageDewar": 1}, 422, "takes one of 0, 1"),
    (OTHER, DEWAR, {"weight": 12.34}, 200, '"weight":12.34'),
    (OTHER, DEWAR, {"weight": 1000}, 422, "at most 3 digits before the point"),
    (OTHER, DEWAR, {"weight": 999.999}, 422, "at most 3 digits before the point"),
    (OTHER, DEWAR, {"customsValue": -1}, 422, "from 0 to 4294967295"),
    (OTHER, DEWAR, {"customsValue": 4294967295}, 200, "4294967295"),
    (OTHER, SHIPPING, {"shippingName": "a" * 31}, 422, "at most 30 characters, not 31"),
    (OTHER, SHIPPING, {"comments": "Zürich, 5 €"}, 200, "Zürich, 5 €"),
    (OTHER, SHIPPING, {"comments": "5 Ω"}, 422, "latin1, which has no 'Ω'"),
    (OTHER, SHIPPING, {"physicalLocation": "Ω"}, 200, "Ω"),
    (OTHER, SHIPPING, {"physicalLocation": "🧊"}, 422, "utf8mb3, which has no"),
    (READ_ONLY, SHIPPING, {"comments": "seen"}, 200, "seen"),
    (READ_ONLY, PROTEIN, {"name": "x"}, 403, "UPDATE on Protein is not granted"),
    (WITHOUT_OWN, SHIPPING, {"comments": "x"}, 503, "read-only"),
    (OLDER, CONTAINER, {"comments": "x"}, 200, '"comments":"x"'),
    (OLDER, CONTAINER, {"currentDewarId": 1}, 422, "has no column Container.currentDewarId"),
    (OLDER, SHIPPING, {"comments": "5 Ω"}, 422, "latin1, which has no 'Ω'"),
    (OLDER, "/proteins?acronym=LYSO", {"containmentLevel": 2}, 422, "Protein.containmentLevel"),
]


@pytest.mark.parametrize(
    ("flavour", "of", "body", "status", "said"),
    PATCHES,
    ids=[f"{r[0].name} {r[2]}" for r in PATCHES],
)
def test_a_patch(
    site: Sites, flavour: Flavour, of: str, body: dict[str, Any], status: int, said: str
) -> None:
    core = site(flavour)
    noun = of.partition("?")[0]
    (row,) = core.get(ALICE, of)["results"]
    key = core.get(ALICE, f"/nouns{noun}")["key"]
    answer = core.call(ALICE, "PATCH", f"{noun}/{row[key]}", body)
    assert answer.status_code == status, answer.text
    assert said in answer.text
    if status == 422:
        assert [fault["field"] for fault in answer.get_json()["errors"]] == list(body)


CREATES = [
    (NEWER, "/shippings", {"shippingName": "new"}, 201, ""),
    (NEWER, "/containers", {"code": "new"}, 403, "Container.siteNumber needs a value"),
    (UNREADABLE, "/shippings", {"shippingName": "new"}, 201, ""),
    (READ_ONLY, "/shippings", {"shippingName": "new"}, 403, "INSERT on Shipping is not granted"),
    (READ_ONLY, "/proteins", {"acronym": "NEW", "name": "new"}, 201, ""),
    (WITHOUT_OWN, "/shippings", {"shippingName": "new"}, 503, "read-only"),
    (OLDER, "/shippings", {"shippingName": "new"}, 201, ""),
    (OLDER, "/proteins", {"acronym": "NEW", "name": "new"}, 201, ""),
    (OLDER, "/containers", {"code": "new"}, 201, ""),
]


@pytest.mark.parametrize(
    ("flavour", "path", "body", "status", "said"),
    CREATES,
    ids=[f"{r[0].name} {r[1]}" for r in CREATES],
)
def test_a_create(
    site: Sites, flavour: Flavour, path: str, body: dict[str, Any], status: int, said: str
) -> None:
    core = site(flavour)
    parent = {"proposalId": core.get(ALICE, "/proposals/MX1001")["proposalId"]}
    if path == "/containers":
        parent = {"dewarId": core.get(ALICE, DEWAR)["results"][0]["dewarId"]}
    answer = core.call(ALICE, "POST", path, {**parent, **body})
    assert answer.status_code == status, answer.text
    assert said in answer.text


DELETES = [
    (NEWER, "MX1001-shipment", 409, "1 SiteParcel"),
    (READ_ONLY, "MX1001-shipment", 403, "DELETE on Shipping is not granted"),
]


@pytest.mark.parametrize(
    ("flavour", "name", "status", "said"), DELETES, ids=[r[0].name for r in DELETES]
)
def test_a_delete(site: Sites, flavour: Flavour, name: str, status: int, said: str) -> None:
    core = site(flavour)
    (row,) = core.get(ALICE, f"/shippings?shippingName={name}")["results"]
    answer = core.call(ALICE, "DELETE", f"/shippings/{row['shippingId']}")
    assert answer.status_code == status, answer.text
    assert said in answer.text


TOLD = [
    (PLAIN, ("well",)),
    (WITH_WORKFLOWS, ("columns not there: Workflow.workflowTypeId", "of another form")),
    (
        NEWER,
        ("1 tables more than core knows: SiteParcel", "Shipping.siteRemark", "Container (create)"),
    ),
    (OTHER, ("of another form", "Dewar.weight", "Shipping.shippingName")),
    (
        UNREADABLE,
        ("not there or not granted: Movie, XFEFluorescenceSpectrum", "Person.emailAddress"),
    ),
    (READ_ONLY, ("2 not writable: Protein (delete, patch), Shipping (create, delete)",)),
    (WITHOUT_OWN, ("well",)),
    (OLDER, ("Atlas", "columns not there", "of another form")),
]


@pytest.mark.parametrize(("flavour", "words"), TOLD, ids=[r[0].name for r in TOLD])
def test_ready_tells_the_difference(site: Sites, flavour: Flavour, words: tuple[str, ...]) -> None:
    answer = site(flavour).client.get("/health/ready", base_url="http://localhost:9102")
    told = answer.get_json()["noted"]["the site's database"]
    assert [word for word in words if word not in told] == [], told
    assert answer.status_code == (503 if flavour is WITHOUT_OWN else 200)


def test_a_database_of_ours_differs_in_nothing(core: Core) -> None:
    answer = core.client.get("/health/ready", base_url="http://localhost:9102")
    assert answer.get_json()["noted"]["the site's database"] == "well"
    told = core.get(ERIN, "/nouns")
    assert (told["absent"], [one for one in told["results"] if one["missing"]]) == ({}, [])


def test_a_workflow_from_its_start_to_its_end(site: Sites) -> None:
    """As a beamline's program records it: the workflow, its group, its steps; then others look."""
    core = site(WITH_WORKFLOWS)
    (session,) = core.get(ALICE, "/sessions?beamLineName=BL1&limit=1")["results"]
    wrong = core.call(ALICE, "POST", "/workflows", {"workflowType": "Dance"})
    assert (wrong.status_code, "MeshScan" in wrong.text) == (422, True)
    body = {"workflowTitle": "mesh", "workflowType": "MeshScan", "comments": "Zürich"}
    made = core.call(ALICE, "POST", "/workflows", body)
    assert made.status_code == 201, made.text
    workflow = made.get_json()["workflowId"]
    assert core.call(BOB, "GET", f"/workflows/{workflow}").status_code == 404
    assert core.call(CAROL, "GET", f"/workflows/{workflow}").status_code == 404, "of no session yet"
    group = core.call(
        ALICE,
        "POST",
        "/datacollection-groups",
        {"sessionId": session["sessionId"], "experimentType": "Mesh", "workflowId": workflow},
    )
    assert group.status_code == 201, group.text
    step = {"workflowId": workflow, "type": "scan", "status": "done"}
    for who, status in ((BOB, 404), (CAROL, 201)):
        assert core.call(who, "POST", "/workflow-steps", step).status_code == status
    found = core.get(CAROL, f"/workflows/{workflow}?include=WorkflowStep,DataCollectionGroup")
    assert [one["status"] for one in found["WorkflowStep"]] == ["done"]
    assert [one["dataCollectionGroupId"] for one in found["DataCollectionGroup"]] == [
        group.get_json()["dataCollectionGroupId"]
    ]
    absent = {"sessionId": session["sessionId"], "experimentType": "Mesh", "workflowId": 1}
    answer = core.call(ALICE, "POST", "/datacollection-groups", absent)
    assert answer.status_code == 422, "the row of nobody is no row to her"

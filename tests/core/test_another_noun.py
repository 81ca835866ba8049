"""Declaring one more noun is one block: routes, schema, rules and history follow from it."""

from collections.abc import Iterator
from dataclasses import replace

import pytest
from tests.cast import ALICE, CAROL, OSCAR
from tests.core.conftest import Core

from pyispyb_chassis.configuration import load
from pyispyb_chassis.nouns.catalogue import BadDeclaration
from pyispyb_chassis.nouns.noun import KEPT, Noun
from pyispyb_chassis.permissions import Permission
from pyispyb_core.app import create_app
from pyispyb_core.rules import Level

DECLARED = Noun(
    table="DataCollectionComment",
    path="datacollection-comments",
    area="collections",
    doc="What somebody had to say of a data collection",
    level=Level.DATA,
    belongs_to=("dataCollectionId",),
    read=Permission.DATACOLLECTIONS_READ,
    write=Permission.DATACOLLECTIONS_WRITE,
    actions=KEPT,
    writable=("dataCollectionId", "personId", "comments"),
    includes=("DataCollection",),
    search=("comments",),
    sort="-dataCollectionCommentId",
    stamps={"createTime": "create", "modTime": "write"},
)


@pytest.fixture(scope="module")
def with_one_more(core: Core) -> Iterator[Core]:
    """The same database behind a core that knows one noun more."""
    app = create_app(load(core.file, environ={}), more=(DECLARED,))
    yield replace(core, client=app.test_client())
    for database in app.extensions["pyispyb_databases"]:
        database.dispose()


def test_a_declaration_is_a_noun(with_one_more: Core) -> None:
    core, path = with_one_more, "/datacollection-comments"
    session = core.get(ALICE, "/sessions?beamLineName=BL1&limit=1")["results"][0]["sessionId"]
    group = {"sessionId": session, "experimentType": "OSC"}
    grouped = core.call(ALICE, "POST", "/datacollection-groups", group).get_json()
    within = {"dataCollectionGroupId": grouped["dataCollectionGroupId"], "imagePrefix": "x"}
    collection = core.call(ALICE, "POST", "/datacollections", within).get_json()["dataCollectionId"]
    person = core.get(ALICE, "/user/current")["personId"]
    body = {"dataCollectionId": collection, "personId": person, "comments": "ice rings"}
    made = core.call(ALICE, "POST", path, body)
    assert made.status_code == 201, made.text
    key = made.get_json()["dataCollectionCommentId"]
    assert made.get_json()["createTime"] is not None
    assert core.get(ALICE, f"{path}?search=rings&include=DataCollection")["total"] == 1
    assert core.get(ALICE, f"{path}/{key}/history")["total"] == 1
    assert path.strip("/") in {one["name"] for one in core.get(ALICE, "/nouns")["results"]}
    refused = core.call(ALICE, "PATCH", f"{path}/{key}", {"createTime": None, "rings": 1})
    assert refused.status_code == 422
    assert {one["field"] for one in refused.get_json()["errors"]} == {"createTime", "rings"}
    assert core.get(OSCAR, path)["total"] == 0
    assert core.call(OSCAR, "GET", f"{path}/{key}").status_code == 404
    assert core.call(OSCAR, "POST", path, body).status_code == 404
    assert core.call(None, "GET", path).status_code == 401
    assert core.call(CAROL, "DELETE", f"{path}/{key}").status_code == 405


def test_a_wrong_declaration_stops_the_start_and_names_every_fault(core: Core) -> None:
    wrong = replace(
        DECLARED,
        writable=("dataCollectionId", "remarks"),
        named_by=("images.imageNumber",),
        nested=("comments", "dataCollectionId"),
    )
    with pytest.raises(BadDeclaration) as raised:
        create_app(load(core.file, environ={}), more=(wrong,))
    assert "no column remarks" in str(raised.value)
    assert "images.imageNumber does not lead to it" in str(raised.value)
    for column in ("comments", "dataCollectionId"):
        assert f"{column} is no foreign key that an object could tell" in str(raised.value)

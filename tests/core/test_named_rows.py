"""Rows that nothing names yet are their maker's; and what pipelines write."""

from typing import Any

import pytest
from tests.cast import ALICE, BOB, CAROL, OSCAR, Somebody
from tests.core.conftest import Core

PIPELINE = Somebody(
    "pipeline",
    {
        "client_id": "pipeline",
        "beamlines": ["BL1"],
        "scope": "datacollections:read autoproc-programs:read autoproc-programs:write "
        "autoprocs:read autoprocs:write autoproc-integrations:read autoproc-integrations:write "
        "autoproc-scalings:read autoproc-scalings:write autoproc-scaling-integrations:read "
        "autoproc-scaling-integrations:write autoproc-scaling-statistics:read "
        "autoproc-scaling-statistics:write",
    },
)


def make(core: Core, who: Somebody, path: str, **body: Any) -> dict[str, Any]:
    """The row that this person creates."""
    answer = core.call(who, "POST", f"/{path}", body)
    assert answer.status_code == 201, answer.text
    return dict(answer.get_json())


def test_a_structure_is_its_makers_until_a_protein_names_it(core: Core) -> None:
    made = make(core, ALICE, "structures", name="model", code="1ABC")
    path = f"/structures/{made['pdbId']}"
    assert core.get(ALICE, path)["code"] == "1ABC"
    for who in (BOB, CAROL, OSCAR):
        assert core.call(who, "GET", path).status_code == 404
    protein = core.one("/proteins?acronym=INS")["proteinId"]
    stolen = {"proteinid": protein, "pdbid": made["pdbId"]}
    answer = core.call(BOB, "POST", "/protein-structures", stolen)
    assert answer.status_code == 422
    assert answer.get_json()["errors"][0]["field"] == "pdbid"
    assert core.call(ALICE, "PATCH", path, {"source": "AlphaFold"}).status_code == 200
    hers = core.one("/proteins?acronym=LYSO")["proteinId"]
    make(core, ALICE, "protein-structures", proteinid=hers, pdbid=made["pdbId"])
    assert core.get(CAROL, path)["source"] == "AlphaFold"
    assert core.call(BOB, "GET", path).status_code == 404
    assert core.call(ALICE, "DELETE", path).status_code == 409


def test_who_writes_nowhere_begins_nothing(core: Core) -> None:
    for path in ("structures", "positions", "motor-positions", "screening-rank-sets"):
        assert core.call(OSCAR, "POST", f"/{path}", {}).status_code == 403


def test_a_pipeline_delivers_a_whole_result(core: Core) -> None:
    session = core.get(ALICE, "/sessions?beamLineName=BL1&limit=1")["results"][0]["sessionId"]
    group = make(core, ALICE, "datacollection-groups", sessionId=session, experimentType="OSC")
    collection = make(
        core,
        ALICE,
        "datacollections",
        dataCollectionGroupId=group["dataCollectionGroupId"],
        imagePrefix="x",
    )["dataCollectionId"]
    # the program is known before its integration names the collection
    program = make(core, PIPELINE, "autoproc-programs", processingPrograms="xia2")
    key = program["autoProcProgramId"]
    assert core.call(ALICE, "GET", f"/autoproc-programs/{key}").status_code == 404
    integration = make(
        core,
        PIPELINE,
        "autoproc-integrations",
        dataCollectionId=collection,
        autoProcProgramId=key,
        cell_a=78.1,
    )
    cell = make(core, PIPELINE, "autoprocs", autoProcProgramId=key, spaceGroup="P43212")
    scaling = make(core, PIPELINE, "autoproc-scalings", autoProcId=cell["autoProcId"])
    make(
        core,
        PIPELINE,
        "autoproc-scaling-integrations",
        autoProcIntegrationId=integration["autoProcIntegrationId"],
        autoProcScalingId=scaling["autoProcScalingId"],
    )
    make(
        core,
        PIPELINE,
        "autoproc-scaling-statistics",
        autoProcScalingId=scaling["autoProcScalingId"],
        scalingStatisticsType="overall",
        rMerge=0.05,
    )
    path = f"/autoproc-programs/{key}"
    assert core.get(ALICE, path)["processingPrograms"] == "xia2"
    ended = {"processingStatus": 1, "processingMessage": "processing successful"}
    assert core.call(PIPELINE, "PATCH", path, ended).status_code == 200
    assert core.call(ALICE, "PATCH", path, ended).status_code == 403
    assert core.call(OSCAR, "GET", path).status_code == 404


@pytest.mark.parametrize("column", ["positionId", "position2Id"])
def test_a_position_is_named_by_a_place(core: Core, column: str) -> None:
    point = make(core, ALICE, "positions", posX=1.5, posY=2.5)["positionId"]
    sample = core.one("/samples?name=MX1001-s03")["blSampleId"]
    place = make(core, ALICE, "sub-samples", blSampleId=sample, **{column: point})
    assert place[column] == point
    assert core.get(CAROL, f"/positions/{point}")["posY"] == 2.5
    assert core.call(BOB, "GET", f"/positions/{point}").status_code == 404

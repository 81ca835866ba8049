"""The queue of containers: put in once, completed or taken out with what was to be measured."""

from concurrent.futures import ThreadPoolExecutor

from tests.cast import ALICE
from tests.core.conftest import Core

RACERS = 6


def container(core: Core, code: str) -> int:
    dewar = core.get(ALICE, "/dewars?limit=1")["results"][0]["dewarId"]
    made = core.call(ALICE, "POST", "/containers", {"dewarId": dewar, "code": code})
    assert made.status_code == 201, made.text
    return int(made.get_json()["containerId"])


def test_a_container_waits_once(core: Core) -> None:
    body = {"containerId": container(core, "waits")}

    def put(_: int) -> int:
        with core.client.application.test_client() as client:
            headers = core.issuing.bearer(ALICE)
            return client.post("/core/container-queue", json=body, headers=headers).status_code

    with ThreadPoolExecutor(RACERS) as threads:
        assert sorted(threads.map(put, range(RACERS))) == [201, *[409] * (RACERS - 1)]
    query = f"/container-queue?containerId={body['containerId']}&completedTimeStamp[null]=true"
    (waiting,) = core.get(ALICE, query)["results"]
    path = f"/container-queue/{waiting['containerQueueId']}"
    done = core.call(ALICE, "PATCH", path, {"completedTimeStamp": "2026-01-01T08:00:00"})
    assert done.status_code == 200
    assert core.get(ALICE, query)["total"] == 0
    assert core.call(ALICE, "POST", "/container-queue", body).status_code == 201
    told = core.call(ALICE, "PATCH", path, {"completedTimeStamp": None})
    assert told.status_code == 409
    assert told.get_json()["errors"][0]["field"] == "completedTimeStamp"


def test_what_is_taken_out_takes_its_samples_along(core: Core) -> None:
    place = core.call(ALICE, "POST", "/container-queue", {"containerId": container(core, "goes")})
    key = place.get_json()["containerQueueId"]
    sample = core.get(ALICE, "/samples?limit=1&proposal=MX1001")["results"][0]["blSampleId"]
    body = {"containerQueueId": key, "blSampleId": sample}
    assert core.call(ALICE, "POST", "/container-queue-samples", body).status_code == 201
    waiting = core.get(ALICE, f"/container-queue/{key}?include=ContainerQueueSample")
    assert [one["blSampleId"] for one in waiting["ContainerQueueSample"]] == [sample]
    assert core.call(ALICE, "DELETE", f"/container-queue/{key}").status_code == 204
    assert core.get(ALICE, f"/container-queue-samples?containerQueueId={key}")["total"] == 0

"""The second foreign keys of what samples are made of, of screenings, of what pipelines made.

Each case: who, what, body without the key, the key, what it names, the status.
"""

from typing import Any

_ALICE: list[tuple[str, dict[str, Any], str, str]] = [
    ("protein-components", {"proteinId": "@MX1001/LYSO"}, "componentId", "component"),
    ("sample-compositions", {"blSampleId": "@MX1001/sample 3"}, "componentId", "component"),
    ("crystal-compositions", {"crystalId": "@MX1001/LYSO-tetragonal"}, "componentId", "component"),
]
_RUNNING = "@MX1001/running session"
# carol is staff of that session: she records what processing made of it
_CAROL: list[tuple[str, dict[str, Any], str, str]] = [
    (
        "autoproc-programs",
        {"processingJobId": f"{_RUNNING}/job"},
        "parentAutoProcProgramId",
        "program",
    ),
    (
        "autoproc-integrations",
        {"dataCollectionId": f"{_RUNNING}/collection"},
        "autoProcProgramId",
        "program",
    ),
    (
        "autoproc-scaling-integrations",
        {"autoProcIntegrationId": f"{_RUNNING}/integration"},
        "autoProcScalingId",
        "scaling",
    ),
]
_TYPED = {"proposalId": "@MX1001", "name": "next"}
_LOOKED = {"containerId": "@MX1001/puck 2", "inspectionTypeId": "@inspection type"}
_SCANNED = {"energyScanId": f"{_RUNNING}/scan"}
_JOB = {"processingJobId": f"{_RUNNING}/job"}

KEYS_OF_PARTS: list[tuple[str, str, dict[str, Any], str, str, int]] = [
    *[
        ("alice", noun, body, key, f"@{proposal}/{last}", status)
        for noun, body, key, last in _ALICE
        for proposal, status in (("MX1001", 201), ("MX1002", 422))
    ],
    *[
        ("carol", noun, body, key, f"@{session}/{last}", status)
        for noun, body, key, last in _CAROL
        for session, status in (
            ("MX1001/running session", 201),
            ("MX1001/past session", 422),  # unseen by her
            ("IN2001/session", 422),
        )
    ],
    ("alice", "components", _TYPED, "componentTypeId", "@component type", 201),
    ("alice", "components", _TYPED, "componentTypeId", "@nothing", 422),
    ("alice", "container-inspections", _LOOKED, "scheduleComponentid", "@first look", 201),
    ("alice", "container-inspections", _LOOKED, "scheduleComponentid", "@nothing", 422),
    ("alice", "energy-scan-samples", _SCANNED, "blSampleId", "@MX1001/sample 3", 201),
    ("alice", "energy-scan-samples", _SCANNED, "blSampleId", "@MX1003/sample", 422),
    ("alice", "energy-scan-samples", _SCANNED, "blSampleId", "@MX1002/sample 1", 422),
    (
        "alice",
        "processing-job-image-sweeps",
        _JOB,
        "dataCollectionId",
        "@MX1001/past session/collection",
        201,
    ),
    (
        "alice",
        "processing-job-image-sweeps",
        _JOB,
        "dataCollectionId",
        "@MX1003/old session/collection",
        422,
    ),
    (
        "alice",
        "processing-job-image-sweeps",
        _JOB,
        "dataCollectionId",
        "@IN2001/session/collection",
        422,
    ),
]

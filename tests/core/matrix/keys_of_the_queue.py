"""The second foreign keys of what waits in the queue.

Each case: who, what, body without the key, the key, what it names, the status.
"""

from typing import Any

_WAITING = {"containerQueueId": "@MX1001/puck 2 waits"}
KEYS_OF_THE_QUEUE: list[tuple[str, str, dict[str, Any], str, str, int]] = [
    ("alice", "container-queue-samples", _WAITING, key, named, status)
    for key, named, status in (
        ("blSampleId", "@MX1001/sample 3", 201),
        ("blSampleId", "@MX1002/sample 1", 422),
        ("blSampleId", "@nothing", 422),
        ("blSubSampleId", "@nothing", 422),
        ("dataCollectionPlanId", "@nothing", 422),
    )
]

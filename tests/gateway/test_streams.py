"""Answers that come piece by piece: none is held back, and none is cut for lasting long."""

import http.client
import time
from contextlib import closing

import pytest
from tests.gateway.stand import Stand
from tests.gateway.tokens import bearer

READ_TIMEOUT = 5


@pytest.mark.parametrize("accepted", ["identity", "gzip"])
def test_events_arrive_as_they_are_sent(stand: Stand, accepted: str) -> None:
    sent = {"X-Pieces": "3", "X-Pause": "1", "Accept-Encoding": accepted}
    connection = http.client.HTTPConnection("127.0.0.1", stand.ports["gateway"], timeout=20)
    with closing(connection):
        connection.request("GET", "/ssx/runs/1/stream", headers=bearer(stand.token) | sent)
        response = connection.getresponse()
        arrived = []
        for number in range(3):
            assert response.read(9) == f"data: {number}\n\n".encode()
            arrived.append(time.monotonic())
    assert arrived[2] - arrived[0] > 1.5


def test_a_stream_outlives_the_time_out(stand: Stand) -> None:
    sent = {"X-Pieces": "3", "X-Pause": "3"}
    answer = stand.ask("/ssx/runs/1/stream", headers=bearer(stand.token) | sent)
    assert answer.took > READ_TIMEOUT
    assert answer.body.count(b"data:") == 3

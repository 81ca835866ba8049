"""Clients that stop in the middle: each is ended by a time-out, and nobody else waits for them."""

import contextlib
import json
import socket
from collections.abc import Iterator

import pytest
from tests.gateway.stand import Stand
from tests.gateway.tokens import bearer

MANY = 200  # of each kind: more than a service has threads
HEAD = "GET /core/version HTTP/1.1\r\nHost: a\r\nX-Slow: "
BODY = (
    "PUT {path} HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer {token}\r\nContent-Length: 9\r\n\r\n{{"
)
CHUNKS = BODY.replace("Content-Length: 9", "Transfer-Encoding: chunked").replace("{{", "9\r\n{{")
KINDS = {
    "head": HEAD,
    "body": BODY.replace("{path}", "/core/proposals"),
    "chunks": CHUNKS.replace("{path}", "/core/proposals"),
    "batch": BODY.replace("{path}", "/ssx/runs/1/batches/0"),
}
LONGEST = 90.0  # seconds; the time-out of a body that stops is 60


@pytest.fixture(scope="module")
def stopped(stand: Stand) -> Iterator[dict[str, list[socket.socket]]]:
    """Connections of each kind, all of them begun and none of them finished."""
    with contextlib.ExitStack() as opened:
        found: dict[str, list[socket.socket]] = {kind: [] for kind in KINDS}
        for kind, sent in KINDS.items():
            for _ in range(MANY):
                address = ("127.0.0.1", stand.ports["gateway"])
                one = opened.enter_context(socket.create_connection(address, timeout=LONGEST))
                one.sendall(sent.replace("{token}", stand.token).replace("{{", "{").encode())
                found[kind].append(one)
        yield found


@pytest.mark.parametrize("path", ["/core/proposals", "/ssx/runs", "/auth/login"])
def test_others_are_answered(
    stand: Stand, stopped: dict[str, list[socket.socket]], path: str
) -> None:
    for kind in stopped:
        for method in ("GET", "PUT"):
            answer = stand.ask(path, method, bearer(stand.token), b"{}")
            assert answer.status == 200, kind
            assert answer.took < 10, kind


@pytest.mark.parametrize("kind", KINDS)
def test_each_is_ended(stopped: dict[str, list[socket.socket]], kind: str) -> None:
    for one in stopped[kind]:
        received = b""
        while piece := one.recv(65536):
            received += piece
        head, _, body = received.partition(b"\r\n\r\n")
        assert head.startswith(b"HTTP/1.1 408 ")
        assert set(json.loads(body)) == {"message", "request_id"}

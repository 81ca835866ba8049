"""The table of what the gateway does (parity.toml), sent byte for byte to a running Envoy."""

import json
import socket
import tomllib
from typing import Any

import pytest
from tests.gateway.stand import ROOT, Stand

CASES: list[dict[str, Any]] = tomllib.loads(
    (ROOT / "tests/gateway/parity.toml").read_text(encoding="utf-8")
)["case"]
FIELDS = {"name", "send", "envoy", "service", "seen", "answered", "kong", "source"}
HEAVY = 11 * 2**20  # more than a body may have
FLOOD = "".join(f"X-Flood-{n}: x\r\n" for n in range(300))


@pytest.mark.parametrize("case", CASES, ids=[case["name"] for case in CASES])
def test_case(stand: Stand, case: dict[str, Any]) -> None:
    status, head, body = exchange(stand, filled(stand, case["send"]))
    assert status == case["envoy"]
    for name, value in case.get("answered", {}).items():
        assert head.get(name, "") == filled(stand, value)
    if "service" in case:
        told = json.loads(body)
        assert told["service"] == case["service"]
        for name, value in case.get("seen", {}).items():
            assert told["headers"].get(name, "") == value


def test_the_gateway_goes_on_after_all_of_it(stand: Stand) -> None:
    assert stand.ask("/core/version").status == 200


def test_a_slow_head_is_hung_up_on(stand: Stand) -> None:
    with socket.create_connection(("127.0.0.1", stand.ports["gateway"]), timeout=20) as connection:
        connection.sendall(b"GET /core/version HTTP/1.1\r\nHost: a\r\nX-Slow: ")
        assert connection.recv(100)[:12] in {b"", b"HTTP/1.1 408"}


def test_the_table_is_whole() -> None:
    names = [case["name"] for case in CASES]
    assert len(set(names)) == len(names)
    for case in CASES:
        assert set(case) <= FIELDS, case["name"]
        assert {"kong", "envoy", "source"} <= set(case), case["name"]
        assert case["envoy"] != 200 or {"service", "answered"} & set(case), case["name"]
        assert case["source"].startswith(("measured on 3.9.1", "read: ")), case["name"]


def filled(stand: Stand, text: str) -> str:
    url = f"http://127.0.0.1:{stand.ports['gateway']}"
    given = {"token": stand.token, "long": "a" * 100_000, "flood": FLOOD, "url": url}
    given["heavy"] = "a" * HEAVY
    for name, value in given.items():
        text = text.replace("{" + name + "}", value)
    return text


def exchange(stand: Stand, request: str) -> tuple[int | str, dict[str, str], bytes]:
    """The first answer on a connection of its own: status, head with names in lower case, body."""
    with socket.create_connection(("127.0.0.1", stand.ports["gateway"]), timeout=20) as connection:
        received = b""
        try:
            connection.sendall(request.encode())
            while b"\r\n\r\n" not in received and (piece := connection.recv(65536)):
                received += piece
            head, _, body = received.partition(b"\r\n\r\n")
            lines = head.decode("latin-1").split("\r\n")
            pairs = [line.split(": ", 1) for line in lines[1:] if ": " in line]
            found = {name.lower(): value for name, value in pairs}
            while len(body) < int(found.get("content-length", 0)):
                body += connection.recv(65536)
        except (BrokenPipeError, ConnectionResetError):
            return "closed", {}, b""
    return (int(lines[0].split()[1]) if lines[0] else "closed"), found, body

"""The tables of what the gateway does, sent byte for byte to a running Envoy.

parity.toml is what it should do, bad_input.toml what it should not be brought to do.
"""

import json
import re
import socket
import tomllib
from typing import Any

import pytest
from tests.gateway.stand import ROOT, Stand

TABLES = ("parity.toml", "bad_input.toml")
CASES: list[dict[str, Any]] = [
    case
    for table in TABLES
    for case in tomllib.loads((ROOT / "tests/gateway" / table).read_text(encoding="utf-8"))["case"]
]
NEEDED = {"name", "envoy", "kong", "source"}
FIELDS = NEEDED | {"send", "target", "then", "service", "path", "bytes", "seen", "answered"}
AIMED = "Host: a\r\nAuthorization: Bearer {token}\r\nConnection: close\r\n\r\n"
HEAVY = 11 * 2**20  # more than a body may have
STATUS = re.compile(rb"HTTP/1\.1 (\d{3}) ")
FLOOD = "".join(f"X-Flood-{n}: x\r\n" for n in range(300))


@pytest.mark.parametrize("case", CASES, ids=[case["name"] for case in CASES])
def test_case(stand: Stand, case: dict[str, Any]) -> None:
    send = case.get("send", f"GET {case.get('target')} HTTP/1.1\r\n{AIMED}")
    status, head, body, rest = exchange(stand, filled(stand, send), whole="then" in case)
    assert status == case["envoy"]
    assert [int(status) for status in STATUS.findall(rest)] == case.get("then", [])
    for name, value in case.get("answered", {}).items():
        assert head.get(name, "") == filled(stand, value)
    if "service" in case:
        told = json.loads(body)
        assert told["service"] == case["service"]
        assert told["path"] == case.get("path", told["path"])
        assert told["bytes"] == case.get("bytes", told["bytes"])
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
        assert set(case) >= NEEDED, case["name"]
        assert ("send" in case) != ("target" in case), case["name"]
        assert case["envoy"] != 200 or {"service", "answered"} & set(case), case["name"]
        assert case["source"].startswith(("measured on 3.9.1", "read: ")), case["name"]


def filled(stand: Stand, text: str) -> str:
    url = f"http://127.0.0.1:{stand.ports['gateway']}"
    given = {"token": stand.token, "long": "a" * 100_000, "flood": FLOOD, "url": url}
    given["detours"] = "/core" + "/x/.." * 2000
    given["heavy"] = "a" * HEAVY
    for name, value in given.items():
        text = text.replace("{" + name + "}", value)
    return text


def exchange(
    stand: Stand, request: str, *, whole: bool = False
) -> tuple[int | str, dict[str, str], bytes, bytes]:
    """The first answer on a connection of its own: status, head with names in lower case, body.

    With `whole` also what comes after it, until the gateway ends the connection.
    """
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
            length = int(found.get("content-length", 0))
            while len(body) < length or whole:
                piece = connection.recv(65536)
                body += piece
                whole = whole and bool(piece)
        except (BrokenPipeError, ConnectionResetError):
            return "closed", {}, b"", b""
    status = int(lines[0].split()[1]) if lines[0] else "closed"
    return status, found, body[:length], body[length:]

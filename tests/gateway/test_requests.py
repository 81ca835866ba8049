"""Ids, headers taken off and put on, sizes, CORS, and the one line of log."""

import json
import re
from collections.abc import Iterator

import pytest
from tests.gateway.stand import Stand
from tests.gateway.tokens import bearer

UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
MEGABYTE = 2**20
FIELDS = {
    "ts",
    "level",
    "service",
    "request_id",
    "method",
    "path",
    "status",
    "duration_ms",
    "upstream",
    "bytes",
    "user_agent",
    "message",
}


@pytest.mark.parametrize(
    ("sent", "kept"),
    [
        ("abc-123", True),
        ("A" * 64, True),
        ("A" * 65, False),
        ("", False),
        ("-", False),
        ("a b", False),
        ("a_b", False),
        ('x","level":"ERROR', False),
        ("a,b", False),
        ("é", False),
        (None, False),
    ],
)
@pytest.mark.parametrize("path", ["/core/version", "/core/proposals", "/corexyz"])
def test_request_id(stand: Stand, path: str, sent: str | None, kept: bool) -> None:  # noqa: FBT001
    answer = stand.ask(path, headers={} if sent is None else {"X-Request-ID": sent})
    answered = answer.headers["x-request-id"]
    assert answered == sent if kept else UUID.fullmatch(answered)
    seen = (
        answer.json["headers"]["x-request-id"]
        if answer.status == 200
        else answer.json["request_id"]
    )
    assert seen == answered


def test_ids_differ(stand: Stand) -> None:
    assert len({stand.ask("/core/version").headers["x-request-id"] for _ in range(20)}) == 20


@pytest.mark.parametrize(
    "name",
    [
        "X-Consumer-ID",
        "X-Consumer-Custom-ID",
        "X-Consumer-Username",
        "X-Consumer-Groups",
        "X-Credential-Identifier",
        "X-Anonymous-Consumer",
        "X_Consumer_ID",
        "X_Consumer_Username",
        "x_consumer_groups",
        "X_Credential_Identifier",
        "X_Anonymous_Consumer",
        "X-Consumer_ID",
        "X-Authenticated-Userid",
        "Remote-User",
        "Remote_User",
        "X-Forwarded-User",
        "X-Forwarded-Prefix",
        "X_Forwarded_Prefix",
        "X-Script-Name",
        "Script-Name",
        "SCRIPT_NAME",
        "Path-Info",
        "PATH_INFO",
        "X-Original-URL",
        "X-Rewrite-URL",
        "Forwarded",
        "Proxy",
        "X-Envoy-Original-Path",
        "X-Envoy-Upstream-Rq-Timeout-Ms",
    ],
)
@pytest.mark.parametrize("path", ["/core/proposals", "/auth/login", "/"])
def test_nobody_says_who_they_are(stand: Stand, path: str, name: str) -> None:
    seen = stand.ask(path, headers=bearer(stand.token) | {name: "sent-by-client"}).json["headers"]
    assert "sent-by-client" not in seen.values()


def test_where_a_request_came_from(stand: Stand) -> None:
    sent = {
        "Host": "evil.example:1",
        "X-Forwarded-Host": "worse.example",
        "X-Forwarded-Proto": "https",
        "X-Forwarded-Port": "1",
        "X-Forwarded-Path": "/worse",
        "X-Real-IP": "203.0.113.9",
        "X-Forwarded-For": "203.0.113.9",
    }
    seen = stand.ask("/auth/login?a=b", headers=sent).json["headers"]
    assert seen["host"] == "auth"
    assert seen["x-forwarded-host"] == "evil.example:1"
    assert seen["x-forwarded-proto"] == "http"
    assert seen["x-forwarded-port"] == str(stand.ports["gateway"])
    assert seen["x-forwarded-path"] == "/auth/login"
    assert seen["x-real-ip"] == "127.0.0.1"
    assert re.fullmatch(r"203\.0\.113\.9, ?127\.0\.0\.1", seen["x-forwarded-for"])


@pytest.mark.parametrize(
    ("path", "size", "status"),
    [
        ("/auth/login", 10 * MEGABYTE, 200),
        ("/auth/login", 10 * MEGABYTE + 1, 413),
        ("/core/proposals", 10 * MEGABYTE, 200),
        ("/core/proposals", 10 * MEGABYTE + 1, 413),
        ("/ssx/runs", 11 * MEGABYTE, 413),
        ("/ssx/runs/1/batches/0", 11 * MEGABYTE, 200),
        ("/ssx/runs/1/batches/0", 64 * MEGABYTE, 200),
        ("/ssx/runs/1/batches/0", 64 * MEGABYTE + 1, 413),
    ],
)
@pytest.mark.parametrize("chunked", [False, True], ids=["whole", "chunked"])
def test_size(stand: Stand, path: str, size: int, status: int, chunked: bool) -> None:  # noqa: FBT001
    body = _pieces(size) if chunked else b"x" * size
    answer = stand.ask(path, "PUT", bearer(stand.token), body)
    assert answer.status == status
    if status == 413:
        assert answer.json["message"] == "Request size limit exceeded"
    else:
        assert answer.json["bytes"] == size


@pytest.mark.parametrize(
    ("path", "status"),
    [("/core/version", 200), ("/core/proposals", 401), ("/corexyz", 404), ("/auth/metrics", 404)],
)
def test_cors_answers(stand: Stand, path: str, status: int) -> None:
    ours = f"http://127.0.0.1:{stand.ports['gateway']}"
    answer = stand.ask(path, headers={"Origin": ours})
    assert answer.status == status
    assert answer.headers["access-control-allow-origin"] == ours
    assert "X-Request-ID" in answer.headers["access-control-expose-headers"]
    for other in ("http://evil.example", f"{ours}.evil.example", "null", f"{ours}1"):
        answer = stand.ask(path, headers={"Origin": other})
        assert answer.status == status
        assert "access-control-allow-origin" not in answer.headers


@pytest.mark.parametrize("path", ["/core/proposals", "/ssx/runs/1/batches/0", "/auth/login"])
def test_cors_preflight_needs_no_token(stand: Stand, path: str) -> None:
    ours = f"http://127.0.0.1:{stand.ports['gateway']}"
    asked = {"Origin": ours, "Access-Control-Request-Method": "PUT"}
    answer = stand.ask(path, "OPTIONS", asked | {"Access-Control-Request-Headers": "authorization"})
    assert answer.status == 200
    assert answer.headers["access-control-allow-origin"] == ours
    assert "PUT" in answer.headers["access-control-allow-methods"]
    assert "Authorization" in answer.headers["access-control-allow-headers"]


@pytest.mark.parametrize(
    ("path", "status", "shown", "upstream"),
    [
        ("/core/version?a=sekrit", 200, "/core/version", "core-open"),
        ("/core/proposals?jwt=sekrit", 401, "/core/proposals", "core"),
        ("/core/links/sekrit?x=sekrit", 200, "/core/links/***", "core-open"),
        ("/core/links/sekrit/file.cbf?x=sekrit", 401, "/core/links/***/file.cbf", "core"),
        ("/core//links//sekrit", 200, "/core/links/***", "core-open"),
        ("/core/%6cinks/sekrit", 200, "/core/links/***", "core-open"),
        ("/core/links%2Fsekrit", 401, "/core/links%2F***", "core"),
        ("/ssx/links/sekrit", 200, "/ssx/links/***", "ssx-open"),
        ("/corexyz?sekrit", 404, "/corexyz", None),
        ("/core/%zz?sekrit", 400, "/core/%zz", "core"),
    ],
)
def test_log_line(stand: Stand, path: str, status: int, shown: str, upstream: str | None) -> None:
    sent = {
        "Cookie": "session=sekrit",
        "Referer": "http://x/?sekrit",
        "User-Agent": "mxcube",
        "Proxy-Authorization": "sekrit",
    }
    answer = stand.ask(path, headers=sent)
    assert answer.status == status
    [line] = stand.lines(answer.headers["x-request-id"])
    assert set(line) == FIELDS
    assert line["service"] == "gateway"
    assert line["message"] == "request"
    assert line["level"] == "INFO"
    assert (line["method"], line["path"], line["status"]) == ("GET", shown, status)
    assert (line["upstream"], line["user_agent"]) == (upstream, "mxcube")
    assert isinstance(line["duration_ms"], int)
    assert line["bytes"] == len(answer.body)
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", line["ts"])
    assert "sekrit" not in json.dumps(line)


def test_no_secret_in_the_log(stand: Stand) -> None:
    """Bodies and tokens of all that was asked in this module so far."""
    token = stand.token
    answer = stand.ask("/core/proposals", "POST", bearer(token), b'{"password": "alice-demo"}')
    stand.lines(answer.headers["x-request-id"])
    written = stand.log.read_text()
    assert "eyJ" not in written
    assert token[-20:] not in written
    assert "alice-demo" not in written
    for line in written.splitlines():
        assert json.loads(line)["service"] == "gateway"


def _pieces(size: int) -> Iterator[bytes]:
    piece = b"x" * MEGABYTE
    for _ in range(size // MEGABYTE):
        yield piece
    if size % MEGABYTE:
        yield piece[: size % MEGABYTE]

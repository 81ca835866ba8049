"""A log line is one JSON object, names request and login, and holds no secret."""

import io
import json
import logging
from collections.abc import Iterator
from typing import Any

import pytest
from flask.testing import FlaskClient
from tests.cast import ALICE, Issuing

from pyispyb_chassis.logs import JsonLines

TOKEN = "eyJhbGciOiJFUzI1NiJ9.eyJzdWIiOiJhbGljZSJ9.c2lnbmF0dXJl"


@pytest.fixture
def lines() -> Iterator[io.StringIO]:
    """What all loggers of the process write, formatted as a service formats it."""
    written = io.StringIO()
    handler = logging.StreamHandler(written)
    handler.setFormatter(JsonLines("hello"))
    root = logging.getLogger()
    before = root.level
    root.addHandler(handler)
    root.setLevel(logging.INFO)
    yield written
    root.removeHandler(handler)
    root.setLevel(before)


def read(written: io.StringIO) -> list[dict[str, Any]]:
    return [json.loads(line) for line in written.getvalue().splitlines()]


def test_a_request_is_one_line_and_its_events_carry_its_id_and_login(
    client: FlaskClient, issuing: Issuing, lines: io.StringIO
) -> None:
    headers = {**issuing.bearer(ALICE), "X-Request-ID": "abc-1"}
    client.get("/hello/things/7", headers=headers)
    event, request = read(lines)
    assert event["message"] == "a thing was read"
    assert event["thingId"] == 7
    assert event["password"] == "***"
    for line in (event, request):
        assert (line["request_id"], line["login"], line["service"]) == ("abc-1", "alice", "hello")
    assert {name: request[name] for name in ("method", "path", "status", "level")} == {
        "method": "GET",
        "path": "/hello/things/7",
        "status": 200,
        "level": "INFO",
    }
    assert request["sessionId"] == 12
    assert not {"sessionId", "runId"} & set(event) | {"runId"} & set(request)
    assert request["duration_ms"] >= 0
    assert request["ts"].endswith("Z")


@pytest.mark.parametrize(
    ("given", "outcome"),
    [
        ("abc-123", "kept"),
        ("A" * 64, "kept"),
        ("A" * 65, "replaced"),
        ("", "replaced"),
        ("a b", "replaced"),
        ("a\tb", "replaced"),
        ('","login":"erin', "replaced"),
        ("ä", "replaced"),
        (TOKEN, "replaced"),
    ],
)
def test_a_request_id_from_outside_is_kept_only_if_well_formed(
    client: FlaskClient, lines: io.StringIO, given: str, outcome: str
) -> None:
    answer = client.get("/hello/version", headers={"X-Request-ID": given})
    (line,) = read(lines)
    assert ("kept" if line["request_id"] == given else "replaced") == outcome
    assert answer.headers["X-Request-ID"] == line["request_id"]
    assert line["login"] is None


@pytest.mark.parametrize(
    ("message", "fields", "secret"),
    [
        (f"got {TOKEN}", {}, "c2lnbmF0dXJl"),
        ("got Bearer geheim.x", {}, "geheim"),
        ("got ispyb_svc_geheim-1_x as a password", {}, "geheim"),
        ("sent", {"claimed": "ispyb_pat_geheim"}, "geheim"),
        ("cannot reach mariadb+pymysql://ispyb:geheim@db/ispyb", {}, "geheim"),
        ("GET /core/links/one-time-word?x=1", {}, "one-time-word"),
        ("sent", {"refreshToken": "geheim"}, "geheim"),
        ("sent", {"Authorization": "Basic geheim"}, "geheim"),
        ("sent", {"headers": {"Cookie": "geheim", "n": [{"password": "geheim"}]}}, "geheim"),
        ("two\nlines", {"client_secret": "geheim"}, "geheim"),
    ],
)
def test_no_secret_is_written(
    lines: io.StringIO, message: str, fields: dict[str, Any], secret: str
) -> None:
    logging.getLogger("x").info(message, extra=fields)
    assert len(lines.getvalue().splitlines()) == 1
    assert secret not in lines.getvalue()
    assert "***" in lines.getvalue()


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"path": "/core/links/word", "status": 404}, {"path": "/core/links/***", "status": 404}),
        ({"path": '/core/links/w"rd', "status": 404}, {"status": 404}),
        ({"url": "http://h", "mail": "a@b"}, {"url": "http://h", "mail": "a@b"}),
        ({"url": "http://u:pass@h", "mail": "a@b"}, {"url": "http://u:***@h", "mail": "a@b"}),
        ({"said": f"Bearer {TOKEN}", "mail": "a@b"}, {"said": "Bearer ***", "mail": "a@b"}),
    ],
)
def test_a_masked_line_is_json_still(
    lines: io.StringIO, fields: dict[str, Any], said: dict[str, Any]
) -> None:
    logging.getLogger("x").info("sent", extra=fields)
    (line,) = read(lines)
    assert {name: line[name] for name in said} == said


def test_what_json_cannot_say_is_still_written() -> None:
    fields = {"msg": "half a %s", "args": ("\ud800 pair",), "number": 2**70}
    line = json.loads(JsonLines("hello").format(logging.makeLogRecord(fields)))
    assert line["message"] == "half a \ud800 pair"
    assert line["number"] == 2**70

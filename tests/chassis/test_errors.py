"""Every error has one shape, whoever raised it, and gives nothing away."""

from typing import Any

import pytest
from flask.testing import FlaskClient

GOOD = '{"name": "a", "size": 1}'
JSON = "application/json"


@pytest.mark.parametrize(
    ("method", "path", "sent", "status", "fields"),
    [
        ("GET", "/nowhere", {}, 404, None),
        ("GET", "/hello/nothing", {}, 404, None),
        ("GET", "/hello/things/one", {}, 404, None),
        ("GET", "/hello/docs/nothing.js", {}, 404, None),
        ("GET", "/hello/docs/..%2f..%2fpyproject.toml", {}, 404, None),
        ("DELETE", "/hello/things", {}, 405, None),
        ("POST", "/hello/version", {}, 405, None),
        ("GET", "/hello/things", {}, 401, None),
        ("POST", "/hello/things", {"data": GOOD, "content_type": JSON}, 201, None),
        ("POST", "/hello/things", {"data": GOOD, "content_type": "text/plain"}, 415, None),
        ("POST", "/hello/things", {}, 415, None),
        ("POST", "/hello/things", {"data": "", "content_type": JSON}, 400, None),
        ("POST", "/hello/things", {"data": "{", "content_type": JSON}, 400, None),
        ("POST", "/hello/things", {"data": "[1]", "content_type": JSON}, 400, None),
        ("POST", "/hello/things", {"data": b"\xff", "content_type": JSON}, 400, None),
        ("POST", "/hello/things", {"data": "[" * 1900, "content_type": JSON}, 400, None),
        ("POST", "/hello/things", {"data": '{"name":NaN}', "content_type": JSON}, 400, None),
        (
            "POST",
            "/hello/things",
            {"data": '{"name": "too long", "size": "1", "colour": 1}', "content_type": JSON},
            422,
            {"name", "size", "colour"},
        ),
        ("POST", "/hello/things", {"data": "{}", "content_type": JSON}, 422, {"name", "size"}),
        ("POST", "/hello/things", {"data": "x" * 3000, "content_type": JSON}, 413, None),
        ("GET", "/hello/things/broken/conflict", {}, 409, {"name"}),
        ("GET", "/hello/things/broken/unavailable", {}, 503, None),
        ("GET", "/hello/things/broken/service", {}, 500, None),
        ("GET", "/hello/things/broken/otherwise", {}, 500, None),
    ],
)
def test_one_shape(
    client: FlaskClient,
    method: str,
    path: str,
    sent: dict[str, Any],
    status: int,
    fields: set[str] | None,
) -> None:
    answer = client.open(path, method=method, headers={"X-Request-ID": "known"}, **sent)
    assert answer.status_code == status
    assert answer.headers["X-Request-ID"] == "known"
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    if status < 400:
        return
    assert answer.mimetype == "application/problem+json"
    problem = answer.get_json()
    assert set(problem) - {"errors"} == {
        "type",
        "title",
        "status",
        "detail",
        "instance",
        "request_id",
    }
    assert problem["status"] == status
    assert problem["request_id"] == "known"
    assert problem["instance"] == answer.request.path
    named = {fault["field"] for fault in problem["errors"]} if "errors" in problem else None
    assert named == fields
    assert "SELECT" not in answer.text
    assert "Traceback" not in answer.text


@pytest.mark.parametrize(
    ("method", "path", "header", "value"),
    [
        ("GET", "/hello/things/broken/unavailable", "Retry-After", "2"),
        ("POST", "/hello/version", "Allow", "GET"),
        ("GET", "/hello/things", "WWW-Authenticate", "Bearer"),
    ],
)
def test_what_an_error_says_in_its_headers(
    client: FlaskClient, method: str, path: str, header: str, value: str
) -> None:
    assert value in client.open(path, method=method).headers[header]


def test_an_unexpected_fault_is_in_the_log_and_not_in_the_answer(
    client: FlaskClient, caplog: pytest.LogCaptureFixture
) -> None:
    answer = client.get("/hello/things/broken/otherwise")
    assert "Person" not in answer.text
    assert "SELECT secret FROM Person" in caplog.text

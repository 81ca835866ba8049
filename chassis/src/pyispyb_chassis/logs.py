"""One JSON object a line on stdout, with the request's id and login, and no secret in it."""

import json
import logging
import re
import sys
import time
from dataclasses import asdict
from datetime import UTC, datetime
from typing import Any

import orjson
from flask import Flask, Response, g, has_request_context, request

from pyispyb_chassis.ids import request_id
from pyispyb_chassis.principal import Principal

log = logging.getLogger("pyispyb.access")

MASK = "***"
_TOKEN = re.compile(r"eyJ[\w-]+\.[\w-]+\.[\w-]*")
_OPAQUE = re.compile(r"(ispyb_(?:svc|pat)_)[\w-]+")
_BEARER = re.compile(r"(bearer )[\w.~+/=-]+", re.IGNORECASE)
# A line is masked as a whole: none of these may go on over the end of a JSON text.
_URL_PASSWORD = re.compile(r'(://[^:/@\s"]*:)[^@/\s"]+@')
_LINK = re.compile(r'(/links/)[^/?\s"\\]+')
_SECRET_NAMES = re.compile(r"password|secret|token|authorization|cookie", re.IGNORECASE)
_STANDARD = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime", "taskName"}


# What a request is about, where its answer says so: a session's log is found by it.
_ABOUT = ("sessionId", "runId")


def about(answered: dict[str, Any]) -> None:
    """Have the log lines of this request, from here on, name the session and run of an answer."""
    g.about = {name: answered[name] for name in _ABOUT if isinstance(answered.get(name), int)}


def masked(text: str) -> str:
    """`text` without tokens, secrets of ours, passwords in URLs, and one-time links."""
    text = _TOKEN.sub(MASK, text)
    text = _OPAQUE.sub(r"\1" + MASK, text)
    text = _BEARER.sub(r"\1" + MASK, text)
    text = _URL_PASSWORD.sub(r"\1" + MASK + "@", text)
    return _LINK.sub(r"\1" + MASK, text)


class JsonLines(logging.Formatter):
    """Formats a record as one JSON object on one line."""

    def __init__(self, service: str) -> None:
        super().__init__()
        self._service = service

    def format(self, record: logging.LogRecord) -> str:
        """The record's fields, the request's id and login put on where there is a request."""
        line: dict[str, Any] = {
            "ts": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname,
            "service": self._service,
            "logger": record.name,
        }
        line["ts"] = line["ts"].replace("+00:00", "Z")
        if has_request_context():
            caller = g.get("principal")
            line["request_id"] = request_id()
            line["login"] = caller.name if isinstance(caller, Principal) else None
            line |= g.get("about", {})
        for name, value in vars(record).items():
            if name not in _STANDARD:
                line[name] = _without_secrets(name, value)
        line["message"] = record.getMessage()
        if record.exc_info:
            line["exception"] = self.formatException(record.exc_info)
        return masked(_one_line(line))


def _without_secrets(name: str, value: Any) -> Any:
    """`value`, masked where its name, or one inside it, is that of a secret."""
    if _SECRET_NAMES.search(name):
        return MASK
    if isinstance(value, dict):
        return {str(key): _without_secrets(str(key), part) for key, part in value.items()}
    if isinstance(value, (list, tuple)):
        return [_without_secrets("", part) for part in value]
    return value


def _one_line(line: dict[str, Any]) -> str:
    try:
        return orjson.dumps(line, default=str).decode()
    except orjson.JSONEncodeError:  # numbers beyond 64 bits, half a surrogate pair
        return json.dumps(line, default=str)


def configure_logs(service: str, level: str) -> None:
    """Send every logger of this process to stdout as JSON lines."""
    handler = logging.StreamHandler(sys.stdout)
    handler.setFormatter(JsonLines(service))
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level)
    logging.captureWarnings(capture=True)


def log_requests(app: Flask) -> None:
    """One line for each request of this app, and its id on the answer."""

    @app.before_request
    def start() -> None:
        g.started = time.perf_counter()
        request_id()

    @app.after_request
    def finish(response: Response) -> Response:
        response.headers["X-Request-ID"] = request_id()
        line = {
            "method": request.method,
            "path": request.path,
            "status": response.status_code,
        }
        sent = g.get("sent")
        if sent is None:
            log.info("request", extra={**line, "duration_ms": _since(g.started)})
            return response
        # A body that is sent in pieces: its line comes when it ends, outside of the request.
        caller, started = g.get("principal"), g.started
        line["request_id"] = request_id()
        line["login"] = caller.login if isinstance(caller, Principal) else None

        def ended() -> None:
            log.info("request", extra={**line, "duration_ms": _since(started), **asdict(sent)})

        response.call_on_close(ended)
        return response


def _since(started: float) -> float:
    return round((time.perf_counter() - started) * 1000, 1)

"""The pages every service has: public ones, and the inside port that no gateway route reaches."""

import logging
import time
from collections.abc import Callable, Iterable, Mapping
from http import HTTPStatus
from importlib.metadata import version
from importlib.resources import files
from typing import TYPE_CHECKING, Any

import orjson
import prometheus_client
from flask import Flask, Response, current_app, g, request
from prometheus_client import CollectorRegistry, multiprocess

from pyispyb_chassis.access import public
from pyispyb_chassis.bodies import json_answer
from pyispyb_chassis.errors import NotFound, ServiceError
from pyispyb_chassis.figures import DURATION, REFUSED, REQUESTS
from pyispyb_chassis.openapi import Contract

if TYPE_CHECKING:
    from pyispyb_chassis.app import Service

log = logging.getLogger(__name__)

WELL = "well"

StartResponse = Callable[..., Any]
WsgiApp = Callable[[dict[str, Any], StartResponse], Iterable[bytes]]

# A client may send any word as its method; each one kept would be a figure of its own.
_METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
_ASSETS = {
    "swagger-ui.css": "text/css",
    "swagger-ui-bundle.js": "text/javascript",
    "swagger-ui-standalone-preset.js": "text/javascript",
    "favicon-32x32.png": "image/png",
}
# Ours; the login is the same on the API pages and on the front page.
_OWN = {"login.js": "text/javascript", "login.css": "text/css", "start.js": "text/javascript"}
# The login first: it takes a code out of the address, whatever else is slow to load.
_PAGE = """<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>{title}</title>
<meta name="viewport" content="width=device-width, initial-scale=1">
<link rel="stylesheet" href="{prefix}/docs/swagger-ui.css">
<link rel="stylesheet" href="{prefix}/docs/login.css">
<link rel="icon" href="{prefix}/docs/favicon-32x32.png"></head>
<body><div id="swagger-ui" data-contract="{prefix}/openapi.json"></div>
<script src="{prefix}/docs/login.js"></script>
<script src="{prefix}/docs/swagger-ui-bundle.js"></script>
<script src="{prefix}/docs/start.js"></script></body></html>
"""
# Swagger UI styles its elements in place and draws its icons from data: URLs.
_POLICY = (
    "default-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; "
    "form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)


def add_public_pages(app: Flask, name: str, prefix: str, contract: Contract) -> None:
    """Liveness, version, the contract and its page: open to anybody."""
    app.before_request(_start_clock)
    app.after_request(_measure)

    @public
    def live() -> Response:
        """Say that the service lives."""
        return json_answer({"status": "live", "service": name})

    @public
    def shown_version() -> Response:
        """Say which version of the service this is."""
        return json_answer({"service": name, "version": version(f"pyispyb-{name}")})

    @public
    def openapi() -> Response:
        return Response(contract.data(), mimetype="application/json")

    @public
    def docs() -> Response:
        page = _PAGE.format(title=contract.title, prefix=prefix)
        return Response(page, mimetype="text/html", headers={"Content-Security-Policy": _POLICY})

    @public
    def asset(file: str) -> Response:
        if file in _OWN:
            own = files("pyispyb_chassis").joinpath("pages", file).read_bytes()
            return Response(own, mimetype=_OWN[file], headers={"Cache-Control": "max-age=300"})
        if file not in _ASSETS:
            raise NotFound("no such asset")
        # Its files only; the one bundle on PyPI that renders OpenAPI 3.1.
        data = files("flask_swagger_ui").joinpath("dist", file).read_bytes()
        age = {"Cache-Control": "max-age=86400"}
        return Response(data, mimetype=_ASSETS[file], headers=age)

    for path, view in (
        ("/health/live", live),
        ("/version", shown_version),
        ("/openapi.json", openapi),
        ("/docs", docs),
        ("/docs/", docs),
        ("/docs/<file>", asset),
    ):
        endpoint = f"public{path}".replace(".", "_")
        app.add_url_rule(f"{prefix}{path}", endpoint, view, methods=["GET"])


def _start_clock() -> None:
    g.measured_from = time.perf_counter()


def _measure(response: Response) -> Response:
    service = current_app.name
    route = request.url_rule.rule if request.url_rule is not None else "none"
    method = request.method if request.method in _METHODS else "other"
    REQUESTS.labels(service, method, route, f"{response.status_code // 100}xx").inc()
    DURATION.labels(service, method, route).observe(time.perf_counter() - g.measured_from)
    if response.status_code == HTTPStatus.UNAUTHORIZED:
        REFUSED.labels(service).inc()
    return response


class InsidePort:
    """Answers readiness, metrics and a service's own pages on the inside port.

    Which port a request came in by is what the server says of its listener, never a header.
    """

    def __init__(
        self, app: WsgiApp, service: "Service", issuers: Callable[[], dict[str, Any]]
    ) -> None:
        self._app = app
        self._service = service
        self._issuers = issuers
        self._port = service.settings.inside_listen.rpartition(":")[2]

    def __call__(self, environ: dict[str, Any], start_response: StartResponse) -> Iterable[bytes]:
        """The WSGI call."""
        if environ.get("SERVER_PORT") != self._port:
            return self._app(environ, start_response)
        match environ.get("PATH_INFO"):
            case "/health/ready":
                status, body = self._ready()
                kind = "application/json"
            case "/metrics":
                status, body, kind = (
                    HTTPStatus.OK,
                    _metrics(),
                    prometheus_client.CONTENT_TYPE_LATEST,
                )
            case str(path) if path in self._service.inside:
                status, kind, body = _page(self._service.inside[path])
            case _:
                status, body, kind = HTTPStatus.NOT_FOUND, b'{"status":404}\n', "application/json"
        headers = [("Content-Type", kind), ("Content-Length", str(len(body)))]
        start_response(f"{status.value} {status.phrase}", headers)
        return [body]

    def _ready(self) -> tuple[HTTPStatus, bytes]:
        checks = _checked(self._service.ready)
        well = all(fault == WELL for fault in checks.values())
        body = {
            "service": self._service.name,
            "ready": well,
            "checks": checks,
            "issuers": self._issuers(),
            "noted": _checked(self._service.noted),
        }
        status = HTTPStatus.OK if well else HTTPStatus.SERVICE_UNAVAILABLE
        return status, orjson.dumps(body, option=orjson.OPT_APPEND_NEWLINE)


def _page(page: Callable[[], tuple[str, bytes]]) -> tuple[HTTPStatus, str, bytes]:
    """A page of the service's own; one that fails is an answer all the same."""
    try:
        return HTTPStatus.OK, *page()
    except ServiceError as error:
        status, detail = error.status, error.detail
    except Exception:
        log.exception("an inside page failed")
        status, detail = HTTPStatus.INTERNAL_SERVER_ERROR, "it failed; see the log"
    body = orjson.dumps(
        {"status": status.value, "detail": detail}, option=orjson.OPT_APPEND_NEWLINE
    )
    return status, "application/json", body


def _checked(checks: Mapping[str, Callable[[], str | None]]) -> dict[str, str]:
    return {name: _fault_of(name, check) or WELL for name, check in checks.items()}


def _fault_of(name: str, check: Callable[[], str | None]) -> str | None:
    """What a check says; one that fails itself is a fault and not the end of the answer."""
    try:
        return check()
    except ServiceError as error:
        return error.detail
    except Exception:
        log.exception("a readiness check failed", extra={"check": name})
        return "the check failed; see the log"


def _metrics() -> bytes:
    """All workers' figures together, where there are several."""
    try:
        registry = CollectorRegistry()
        multiprocess.MultiProcessCollector(registry)  # type: ignore[no-untyped-call]
    except ValueError:  # one process only
        registry = prometheus_client.REGISTRY
    return prometheus_client.generate_latest(registry)

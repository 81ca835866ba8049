"""OpenAPI 3.1, made from the route marks and from what resources say of themselves."""

import re
from collections.abc import Callable
from http import HTTPStatus
from importlib.metadata import version
from typing import Any, TypeVar

import orjson
from apispec import APISpec
from flask import Flask

from pyispyb_chassis.access import Public, Requires, marks

Json = dict[str, Any]
F = TypeVar("F", bound=Callable[..., Any])
_ARGUMENT = re.compile(r"<(?:(\w+):)?(\w+)>")
# The pages that show the contract are no part of it.
_PAGES = re.compile(r".*(/docs(/.*)?|/openapi\.json)")
_CONVERTERS = {"int": "integer", "float": "number"}

PROBLEM: Json = {
    "type": "object",
    "description": "RFC 9457: what went wrong; errors name each field",
    "properties": {
        "type": {"type": "string"},
        "title": {"type": "string"},
        "status": {"type": "integer"},
        "detail": {"type": "string"},
        "instance": {"type": "string"},
        "request_id": {"type": "string"},
        "errors": {
            "type": "array",
            "items": {
                "type": "object",
                "properties": {"field": {"type": "string"}, "detail": {"type": "string"}},
                "required": ["field", "detail"],
            },
        },
    },
    "required": ["type", "title", "status", "detail", "instance", "request_id"],
}


class Contract:
    """The OpenAPI document of one app, built when it is first asked for.

    `app.extensions["pyispyb_openapi"]` may hold callables that give further {paths, schemas};
    a view may carry `openapi`, a dict that is laid over what is derived from its docstring.
    """

    def __init__(self, app: Flask, title: str) -> None:
        self._app = app
        self.title = title
        self._data: bytes | None = None

    def data(self) -> bytes:
        """The document as JSON bytes."""
        if self._data is None:
            self._data = orjson.dumps(self.document(), option=orjson.OPT_SORT_KEYS)
        return self._data

    def document(self) -> Json:
        """The document."""
        spec = APISpec(self.title, version(f"pyispyb-{self._app.name}"), "3.1.0")
        spec.components.security_scheme(
            "token", {"type": "http", "scheme": "bearer", "bearerFormat": "JWT"}
        )
        spec.components.schema("Problem", PROBLEM)
        content = {"application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}}}
        spec.components.response("Problem", {"description": "a fault", "content": content})
        told: Json = {}
        for tell in self._app.extensions.get("pyispyb_openapi", []):
            part = tell()
            told.update(part["paths"])
            for name, schema in part["schemas"].items():
                spec.components.schema(name, schema)
        for path, operations in sorted(self._operations(told).items()):
            spec.path(path, operations=operations)
        return dict(spec.to_dict())

    def _operations(self, told: Json) -> dict[str, Json]:
        paths: dict[str, Json] = {}
        for rule, method, mark in marks(self._app):
            path = _ARGUMENT.sub(r"{\2}", rule)
            if path == "/" or _PAGES.fullmatch(path):
                continue
            operation = dict(told.get(path, {}).get(method.lower()) or self._derived(rule, method))
            shared = told.get(path, {}).get("parameters", [])
            operation["parameters"] = [*shared, *operation.get("parameters", [])]
            operation["security"] = [] if isinstance(mark, Public) else [{"token": []}]
            if isinstance(mark, Requires) and mark.permissions:
                operation["x-permission"] = " ".join(mark.permissions)
            paths.setdefault(path, {})[method.lower()] = operation
        return paths

    def _derived(self, rule: str, method: str) -> Json:
        """What a route's own code says: its docstring, its arguments, what it declares."""
        call = _call_of(self._app, rule, method)
        lines = [line.strip() for line in (call.__doc__ or "").strip().splitlines()]
        operation: Json = {
            "summary": lines[0] if lines else "",
            "parameters": [
                {
                    "name": name,
                    "in": "path",
                    "required": True,
                    "schema": {"type": _CONVERTERS.get(converter, "string")},
                }
                for converter, name in _ARGUMENT.findall(rule)
            ],
            "responses": {
                "200": {"description": HTTPStatus.OK.phrase},
                "default": {"$ref": "#/components/responses/Problem"},
            },
        }
        if lines[1:]:
            operation["description"] = "\n".join(lines[1:]).strip()
        declared: Json = getattr(call, "openapi", {})
        parameters = [*operation["parameters"], *declared.get("parameters", [])]
        return {**operation, **declared, "parameters": parameters}


def tells(operation: Json) -> Callable[[F], F]:
    """Lay this over what the contract derives from a route's docstring and arguments."""

    def lay(call: F) -> F:
        call.__dict__["openapi"] = operation
        return call

    return lay


def _call_of(app: Flask, rule: str, method: str) -> Any:
    for one in app.url_map.iter_rules():
        if one.rule == rule and method in (one.methods or set()):
            view = app.view_functions[one.endpoint]
            resource = getattr(view, "view_class", None)
            return getattr(resource, method.lower(), view) if resource else view
    raise LookupError(rule)


def contract_of(app: Flask) -> Json:
    """The OpenAPI document of a service's app, as it is committed in openapi.json."""
    contract = Contract(app, app.extensions["pyispyb"].service.title)
    return contract.document()

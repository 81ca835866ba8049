"""What a route takes and gives, laid over its part of the contract; what a query may hold."""

from collections.abc import Callable
from http import HTTPStatus
from typing import Any, TypeVar

from flask import request
from pydantic import BaseModel

from pyispyb_chassis.errors import BadRequest
from pyispyb_chassis.openapi import tells

F = TypeVar("F", bound=Callable[..., Any])
Schema = dict[str, Any]


def described(
    *,
    takes: type[BaseModel] | None = None,
    gives: type[BaseModel] | Schema | None = None,
    status: int = 200,
    query: Schema | None = None,
) -> Callable[[F], F]:
    """Lay this over the contract; `query` holds the schemas of parameters by their names."""
    answer: Schema = {"description": HTTPStatus(status).phrase}
    if gives is not None:
        answer["content"] = {"application/json": {"schema": _schema(gives)}}
    problem = {"$ref": "#/components/responses/Problem"}
    operation: Schema = {"responses": {str(status): answer, "default": problem}}
    if takes is not None:
        content = {"application/json": {"schema": _schema(takes)}}
        operation["requestBody"] = {"required": True, "content": content}
    if query is not None:
        operation["parameters"] = [
            {"name": name, "in": "query", "schema": schema} for name, schema in query.items()
        ]
    return tells(operation)


def list_of(model: type[BaseModel]) -> Schema:
    """The schema of a list that is given whole."""
    whole = {"type": "integer"}
    return {
        "type": "object",
        "properties": {
            "total": whole,
            "results": {"type": "array", "items": _schema(model)},
            "limit": whole,
            "skip": whole,
            "next": {"type": "null"},
        },
    }


def query_of(*known: str) -> dict[str, str]:
    """The query string, each parameter once. Raises BadRequest for what is not known."""
    given = request.args.to_dict(flat=False)
    faults = [
        (name, "give it once" if name in known else f"no such parameter; allowed: {allowed}")
        for allowed in [", ".join(known) or "none"]
        for name, values in given.items()
        if name not in known or len(values) != 1
    ]
    if faults:
        raise BadRequest("the query has faults", errors=faults)
    return {name: values[0] for name, values in given.items()}


def _schema(of: type[BaseModel] | Schema) -> Schema:
    if isinstance(of, dict):
        return of
    schema = of.model_json_schema()
    # One schema each, without definitions of its own that the document does not have.
    named = schema.pop("$defs", {})
    return dict(_inlined(schema, named))


def _inlined(value: Any, named: Schema) -> Any:
    if isinstance(value, dict):
        if "$ref" in value:
            return _inlined(named[value["$ref"].rpartition("/")[2]], named)
        return {key: _inlined(part, named) for key, part in value.items()}
    if isinstance(value, list):
        return [_inlined(part, named) for part in value]
    return value

"""What comes in with a request: a JSON body, read once and closed."""

from collections.abc import Callable, Sequence
from typing import Any, TypeVar

import orjson
from flask import Response, request
from pydantic import BaseModel, ValidationError

from pyispyb_chassis.errors import BadRequest, Unprocessable, UnsupportedMediaType
from pyispyb_chassis.logs import about

M = TypeVar("M", bound=BaseModel)
Fault = tuple[str, str]


def listed(rows: Sequence[Any]) -> dict[str, Any]:
    """A list that is given whole, in the form of every list."""
    return {"total": len(rows), "results": rows, "limit": len(rows), "skip": 0, "next": None}


def json_object() -> dict[str, Any]:
    """The request's body, which must be a JSON object.

    Raises UnsupportedMediaType where it does not say that it is JSON, BadRequest where it is not.
    """
    return _object(_json())


def _json() -> Any:
    if request.mimetype not in {"application/json", "application/merge-patch+json"}:
        raise UnsupportedMediaType("send application/json")
    try:
        return orjson.loads(request.get_data())
    except orjson.JSONDecodeError as error:
        raise BadRequest(f"the body is not JSON: {error}") from error


def _object(body: Any) -> dict[str, Any]:
    if not isinstance(body, dict):
        raise BadRequest("the body must be a JSON object")
    return body


def json_objects(most: int) -> dict[str, Any] | list[Any]:
    """The request's body: a JSON object, or an array of 1 to `most` of them.

    Raises what `json_object` raises, and Unprocessable for an array of another length.
    """
    body = _json()
    if isinstance(body, list):
        if not 1 <= len(body) <= most:
            raise Unprocessable(f"an array takes 1 to {most} objects, not {len(body)}")
        return body
    return _object(body)


def json_model(kind: type[M], also: Callable[[dict[str, Any]], list[Fault]] | None = None) -> M:
    """The request's body as a closed model; `also` finds faults that lie between fields.

    Raises Unprocessable with every fault at once.
    """
    body = json_object()
    faults = also(body) if also is not None else []
    try:
        model = kind.model_validate(body, strict=True)
    except ValidationError as error:
        faults += [
            (".".join(str(part) for part in fault["loc"]), fault["msg"])
            for fault in error.errors(include_url=False, include_input=False)
        ]
    if faults:
        raise Unprocessable("the body has faults", errors=faults)
    return model


def json_answer(value: Any, status: int = 200, headers: dict[str, str] | None = None) -> Response:
    """`value` as JSON bytes; the log says which session and run it is about."""
    if isinstance(value, dict):
        about(value)
    data = orjson.dumps(value, option=orjson.OPT_APPEND_NEWLINE)
    return Response(data, status=status, mimetype="application/json", headers=headers)

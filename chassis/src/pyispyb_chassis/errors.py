"""What can go wrong, as nouns, and the one place where it becomes HTTP (RFC 9457)."""

import logging
from collections.abc import Iterable, Mapping
from http import HTTPStatus
from typing import Any

import orjson
from flask import Flask, Response, request
from werkzeug.exceptions import HTTPException

from pyispyb_chassis.ids import request_id

log = logging.getLogger(__name__)

RETRY_AFTER_SECONDS = 2


class ServiceError(Exception):
    """A fault that the caller is told of; `errors` names fields, `headers` go out with it."""

    status = HTTPStatus.INTERNAL_SERVER_ERROR

    def __init__(
        self,
        detail: str = "",
        *,
        errors: Iterable[tuple[str, str]] = (),
        headers: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(detail or self.status.phrase)
        self.detail = detail or self.status.phrase
        self.errors = list(errors)
        self.headers = dict(headers or {})


class BadRequest(ServiceError):
    """A body that cannot be parsed, or a fault in the query string."""

    status = HTTPStatus.BAD_REQUEST


class Unauthenticated(ServiceError):
    """No token, or none that can be trusted."""

    status = HTTPStatus.UNAUTHORIZED

    def __init__(self, detail: str = "a valid access token is needed") -> None:
        super().__init__(detail, headers={"WWW-Authenticate": "Bearer"})


class Forbidden(ServiceError):
    """The caller sees it, but may not do this."""

    status = HTTPStatus.FORBIDDEN


class NotFound(ServiceError):
    """No such thing, or none the caller may see."""

    status = HTTPStatus.NOT_FOUND


class NotAcceptable(ServiceError):
    """None of the forms that the caller accepts is one that this route answers in."""

    status = HTTPStatus.NOT_ACCEPTABLE


class Conflict(ServiceError):
    """It contradicts what is stored."""

    status = HTTPStatus.CONFLICT


class Stale(ServiceError):
    """It has changed since the caller read it."""

    status = HTTPStatus.PRECONDITION_FAILED


class TooLarge(ServiceError):
    """The body is larger than this route takes."""

    status = HTTPStatus.REQUEST_ENTITY_TOO_LARGE


class UnsupportedMediaType(ServiceError):
    """The body's content type is not one that this route reads."""

    status = HTTPStatus.UNSUPPORTED_MEDIA_TYPE


class Unprocessable(ServiceError):
    """The body can be read but not accepted; `errors` holds every fault at once."""

    status = HTTPStatus.UNPROCESSABLE_ENTITY


class TooManyRequests(ServiceError):
    """The caller is too fast."""

    status = HTTPStatus.TOO_MANY_REQUESTS

    def __init__(self, detail: str, *, retry_after: int) -> None:
        super().__init__(detail, headers={"Retry-After": str(retry_after)})


class Unavailable(ServiceError):
    """Something that this service stands on does not answer; it is worth trying again."""

    status = HTTPStatus.SERVICE_UNAVAILABLE

    def __init__(self, detail: str, *, retry_after: int = RETRY_AFTER_SECONDS) -> None:
        super().__init__(detail, headers={"Retry-After": str(retry_after)})


def answer_error(error: Exception) -> Response:
    """The one shape of an error, ours and the framework's; never a stack trace or SQL."""
    if isinstance(error, ServiceError):
        status, detail, errors, headers = error.status, error.detail, error.errors, error.headers
    elif isinstance(error, HTTPException) and error.code is not None:
        status, detail, errors = HTTPStatus(error.code), error.description or "", []
        kept = {"allow", "retry-after", "location"}
        headers = {k: v for k, v in error.get_headers() if k.lower() in kept}
    else:
        log.error("unhandled error", exc_info=error)
        status, detail, errors, headers = (
            HTTPStatus.INTERNAL_SERVER_ERROR,
            "an unexpected fault; it is in the log under this request_id",
            [],
            {},
        )
    body: dict[str, Any] = {
        "type": "about:blank",
        "title": status.phrase,
        "status": status.value,
        "detail": detail,
        "instance": request.path,
        "request_id": request_id(),
    }
    if errors:
        body["errors"] = [{"field": field, "detail": reason} for field, reason in errors]
    response = Response(
        orjson.dumps(body) + b"\n", status=status, mimetype="application/problem+json"
    )
    response.headers.update(headers)
    return response


def install_errors(app: Flask) -> None:
    """Answer every raise of this app in the one shape."""
    app.register_error_handler(Exception, answer_error)

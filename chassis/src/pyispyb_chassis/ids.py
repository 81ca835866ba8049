"""The id of the request being served: one for the gateway, every service and every log line."""

import re
import uuid

from flask import g, has_request_context, request

_WELL_FORMED = re.compile(r"[A-Za-z0-9-]{1,64}")


def request_id() -> str:
    """The id under which every process logs this request; a malformed one is replaced."""
    if not has_request_context():
        return ""
    if "request_id" not in g:
        given = request.headers.get("X-Request-ID", "")
        g.request_id = given if _WELL_FORMED.fullmatch(given) else str(uuid.uuid4())
    return str(g.request_id)

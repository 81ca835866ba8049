"""The id of the request being served: one for the gateway, every service and every log line."""

import re
import uuid

from flask import g, has_request_context, request

_WELL_FORMED = re.compile(r"[A-Za-z0-9-]{1,64}")


def client_address() -> str:
    """Who calls, as the gateway says; it overwrites what a client sends under that name."""
    return request.headers.get("X-Real-IP") or request.remote_addr or ""


def request_id() -> str:
    """The id under which every process logs this request; a malformed one is replaced."""
    if not has_request_context():
        return ""
    if "request_id" not in g:
        given = request.headers.get("X-Request-ID", "")
        g.request_id = given if _WELL_FORMED.fullmatch(given) else str(uuid.uuid4())
    return str(g.request_id)

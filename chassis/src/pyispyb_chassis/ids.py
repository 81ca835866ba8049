"""What the gateway says of the request being served: its id in every log, and who called."""

import re
import uuid
from ipaddress import ip_address

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


def client_address() -> str:
    """The address that the request came from: as the gateway says, else who is connected to us.

    The gateway overwrites `X-Real-IP`, and nobody else reaches a service's ports; what is no
    address there is not believed. Two spellings of one IPv6 address are one; "" for a socket file
    and outside of requests.
    """
    if not has_request_context():
        return ""
    for said in (request.headers.get("X-Real-IP", ""), request.remote_addr or ""):
        try:
            return str(ip_address(said))
        except ValueError:
            continue
    return ""

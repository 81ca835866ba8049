"""What Envoy answers by itself, in Kong's words and Kong's form."""

from pyispyb_gateway.envoy.extensions import Part, header

UNREACHABLE = ["UF", "UC", "URX"]
HUNG = ["UT", "SI", "DT"]


def replies(realm: str) -> Part:
    """The first mapper that fits a local reply gives its status, headers and body."""
    return {
        "mappers": [
            {
                **_reply(_status(401), "Unauthorized"),
                "headers_to_add": [header("www-authenticate", f'Bearer realm="{realm}"')],
            },
            _reply(_status(404), "no such path"),
            _reply(_status(408), "Request Timeout"),
            _reply(_status(413), "Request size limit exceeded"),
            _reply(_status(429), "API rate limit exceeded"),
            _reply(
                _flags(UNREACHABLE),
                "An invalid response was received from the upstream server",
                502,
            ),
            _reply(_flags(HUNG), "The upstream server is timing out", 504),
            _reply(_status(503), "failure to get a peer from the ring-balancer"),
        ],
        "body_format": _body("%LOCAL_REPLY_BODY%"),
    }


def _reply(filtered: Part, message: str, status: int | None = None) -> Part:
    reply = {"filter": filtered, "body_format_override": _body(message)}
    return reply if status is None else {**reply, "status_code": status}


def _body(message: str) -> Part:
    return {"json_format": {"message": message, "request_id": "%REQ(X-REQUEST-ID)%"}}


def _status(code: int) -> Part:
    value = {"default_value": code, "runtime_key": f"replies.{code}"}
    return {"status_code_filter": {"comparison": {"op": "EQ", "value": value}}}


def _flags(flags: list[str]) -> Part:
    return {"response_flag_filter": {"flags": flags}}

"""One JSON line a request on stdout, with the top-level fields of the whole suite."""

from pyispyb_gateway.envoy.extensions import Part, typed

STDOUT = "envoy.extensions.access_loggers.stream.v3.StdoutAccessLog"
FIELDS = {
    "ts": "%START_TIME(%Y-%m-%dT%H:%M:%S.%3fZ)%",
    "service": "gateway",
    "request_id": "%REQ(X-REQUEST-ID)%",
    "method": "%REQ(:METHOD)%",
    # The path as the Lua filter left it: no query string, no token of a link.
    "path": "%DYNAMIC_METADATA(gateway:path)%",
    "status": "%RESPONSE_CODE%",
    "duration_ms": "%DURATION%",
    "upstream": "%METADATA(ROUTE:gateway:service)%",
    "bytes": "%BYTES_SENT%",
    "user_agent": "%REQ(USER-AGENT)%",
    "message": "request",
}


def access_log() -> list[Part]:
    """Two logs, because the level depends on the status."""
    return [_log("ERROR", "GE", 500), _log("INFO", "LE", 499)]


def _log(level: str, comparison: str, status: int) -> Part:
    value = {"default_value": status, "runtime_key": f"access_log.{level.lower()}"}
    return {
        "name": "envoy.access_loggers.stdout",
        "filter": {"status_code_filter": {"comparison": {"op": comparison, "value": value}}},
        "typed_config": typed(STDOUT, log_format={"json_format": {"level": level, **FIELDS}}),
    }

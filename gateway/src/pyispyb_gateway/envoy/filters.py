"""Kong's plugins as Envoy's HTTP filters: the chain, and what each route sets of it."""

import json
import re
from collections.abc import Mapping, Sequence
from importlib.resources import files
from pathlib import Path
from typing import Any

from pyispyb_gateway.envoy.extensions import HTTP, Part, header, typed
from pyispyb_gateway.keys import Credential, web_key
from pyispyb_gateway.router import Route

Config = Mapping[str, Any]
TOKENS = "envoy.filters.http.jwt_authn"
JWT = "jwt_authn.v3.JwtAuthentication"
GZIP = "envoy.extensions.compression.gzip.compressor.v3.Gzip"
PERIODS = {"second": 1, "minute": 60, "hour": 3600, "day": 86400}
UNITS = {"megabytes": 2**20, "kilobytes": 2**10, "bytes": 1}
# Callers whose counts are kept at the same time; the one unseen for longest is forgotten.
CALLERS = 10_000
REMEMBERED_TOKENS = 1000
EVERY_REQUEST = {"default_value": {"numerator": 100, "denominator": "HUNDRED"}}
# What is worth compressing; server-sent events are not, they would wait for a block to fill.
COMPRESSED = (
    "application/json",
    "application/problem+json",
    "application/x-ndjson",
    "text/css",
    "text/csv",
    "text/html",
    "text/javascript",
)
COMPRESSED_FROM = 1400  # bytes: less fits into one packet as it is
UNLIMITED = {"max_tokens": 10**9, "tokens_per_fill": 10**9, "fill_interval": "1s"}


def token_filter(credentials: Sequence[Credential]) -> Part:
    """Verifies tokens, with all keys of all issuers."""
    return typed(
        f"{HTTP}.{JWT}",
        providers={"issuers": _provider(credentials)},
        requirement_map={"token": {"provider_name": "issuers"}},
        bypass_cors_preflight=True,
    )


def found_in(path: Path) -> Part:
    """The token filter as it stands in a file: a new one is in force from the next request on."""
    source = {"path": str(path), "watched_directory": {"path": str(path.parent)}}
    return {
        "config_discovery": {
            "config_source": {"path_config_source": source, "resource_api_version": "V3"},
            "type_urls": [f"type.googleapis.com/{HTTP}.{JWT}"],
        }
    }


def chain(tokens: Part, port: int, *, behind_a_proxy: bool = False) -> list[Part]:
    """The filters in the order in which Kong runs the plugins they stand for."""
    source = _lua(port, behind_a_proxy=behind_a_proxy)
    return [
        _filter("lua", "lua.v3.Lua", default_source_code={"inline_string": source}),
        _filter("cors", "cors.v3.Cors"),
        _compressor(),
        {"name": TOKENS, **tokens},
        _filter("local_ratelimit", "local_ratelimit.v3.LocalRateLimit", stat_prefix="requests"),
        _filter("buffer", "buffer.v3.Buffer", max_request_bytes=UNITS["megabytes"]),
        _filter("router", "router.v3.Router", suppress_envoy_headers=True),
    ]


def _compressor() -> Part:
    """Answers in gzip for those who accept it; their tags become weak, as nginx makes them."""
    level = typed(GZIP, compression_level="COMPRESSION_LEVEL_1", window_bits=15, memory_level=8)
    return _filter(
        "compressor",
        "compressor.v3.Compressor",
        compressor_library={"name": "gzip", "typed_config": level},
        response_direction_config={
            "common_config": {
                "min_content_length": COMPRESSED_FROM,
                "content_type": list(COMPRESSED),
            },
            "weaken_etag_on_compress": True,
        },
    )


def of_route(route: Route) -> Part:
    """What this route sets of each filter."""
    plugins = route.plugins
    settings = {
        "buffer": typed(
            f"{HTTP}.buffer.v3.BufferPerRoute",
            buffer={"max_request_bytes": _bytes(plugins["request-size-limiting"])},
        ),
        "cors": _cors(plugins["cors"]),
        "jwt_authn": _token(required="jwt" in plugins),
    }
    if "rate-limiting" in plugins:
        settings["local_ratelimit"] = _limit(plugins["rate-limiting"])
    return {f"envoy.filters.http.{name}": part for name, part in settings.items()}


def _filter(name: str, kind: str, **fields: Any) -> Part:
    return {"name": f"envoy.filters.http.{name}", "typed_config": typed(f"{HTTP}.{kind}", **fields)}


def _lua(port: int, *, behind_a_proxy: bool) -> str:
    source = files("pyispyb_gateway.envoy").joinpath("request.lua").read_text(encoding="utf-8")
    known = f"local PORT, BEHIND_A_PROXY = {port}, {json.dumps(behind_a_proxy)}\n"
    return known + source


def _provider(credentials: Sequence[Credential]) -> Part:
    """All keys of all issuers; who issued a token is for the services to judge, as behind Kong."""
    keys = {"keys": [web_key(credential) for credential in credentials]}
    return {
        "local_jwks": {"inline_string": json.dumps(keys)},
        "from_headers": [{"name": "authorization", "value_prefix": "Bearer "}],
        "forward": True,
        "require_expiration": True,
        "clock_skew_seconds": 1,
        # A signature is verified once; the times of a remembered token are looked at each time.
        "jwt_cache_config": {"jwt_cache_size": REMEMBERED_TOKENS},
    }


def _token(*, required: bool) -> Part:
    kind = f"{HTTP}.jwt_authn.v3.PerRouteConfig"
    return typed(kind, requirement_name="token") if required else typed(kind, disabled=True)


def _cors(config: Config) -> Part:
    origins = [
        {"safe_regex": {"regex": f"(?i){re.escape(origin)}"}} for origin in config["origins"]
    ]
    return typed(
        f"{HTTP}.cors.v3.CorsPolicy",
        allow_origin_string_match=origins,
        allow_methods=",".join(config["methods"]),
        allow_headers=",".join(config["headers"]),
        expose_headers=",".join(config["exposed_headers"]),
        allow_credentials=config["credentials"],
        max_age=str(config["max_age"]),
    )


def _limit(config: Config) -> Part:
    """A bucket a caller: by address, or by the header that the plugin names."""
    period = next(name for name in PERIODS if name in config)
    bucket = {
        "max_tokens": config[period],
        "tokens_per_fill": config[period],
        "fill_interval": f"{PERIODS[period]}s",
    }
    if config["limit_by"] == "header":
        key = config["header_name"]
        action = {"request_headers": {"header_name": key, "descriptor_key": key}}
    else:
        key = "remote_address"
        action = {"remote_address": {}}
    return typed(
        f"{HTTP}.local_ratelimit.v3.LocalRateLimit",
        stat_prefix="requests",
        status={"code": "TooManyRequests"},
        token_bucket=UNLIMITED,
        filter_enabled=EVERY_REQUEST,
        filter_enforced=EVERY_REQUEST,
        descriptors=[{"entries": [{"key": key}], "token_bucket": bucket}],
        rate_limits=[{"actions": [action]}],
        max_dynamic_descriptors=CALLERS,
        response_headers_to_add=[header("retry-after", str(PERIODS[period]))],
    )


def _bytes(config: Config) -> int:
    return int(config["allowed_payload_size"]) * UNITS[config.get("size_unit", "megabytes")]

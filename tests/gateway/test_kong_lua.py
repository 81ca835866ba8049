"""The Lua of kong.yml, run by LuaJIT as Kong runs it: what it does to requests and log lines."""

import base64
import json
from typing import Any

import pytest
from lupa.luajit21 import LuaRuntime
from tests.gateway.stand import ROOT
from tests.gateway.tokens import Key, signed_with_public_key, unsigned, with_signature_of

from pyispyb_gateway.document import plain, read
from pyispyb_gateway.envoy.bootstrap import REMOVED

PLUGINS = {
    plugin["name"]: plugin["config"]
    for plugin in plain(read(ROOT / "gateway" / "kong.yml").tree)["plugins"]
}
KEY = Key("now")
TOKEN = KEY.token()
# As much of Kong's plugin development kit as the file uses; names of headers in lower case.
KIT = """
local sent, answer = ...
kong = {
  request = {
    get_header = function(name) return sent[name:lower()] end,
    get_headers = function() local all = {} for name, value in pairs(sent) do all[name] = value end
      return all end,
    get_method = function() return "GET" end,
  },
  service = {request = {
    clear_header = function(name) sent[name:lower()] = nil end,
    set_header = function(name, value) sent[name:lower()] = value end,
  }},
  response = {get_status = function() return answer.status end},
  router = {get_service = function() return answer.service and {name = answer.service} end},
}
ngx = {
  decode_base64 = decode,
  now = function() return 1795399387.25 end,
  var = {uri = answer.uri, request_time = "0.0125", bytes_sent = "79", kong_request_id = "k"},
}
"""

CLOCK = """
local date = os.date
os.date = function(form) return date(form, 1795399387) end
"""


def run(sent: dict[str, str]) -> dict[str, str]:
    """The headers that are left after the rewrite phase."""
    lua, headers = _kong(sent, {})
    for chunk in PLUGINS["pre-function"]["rewrite"]:
        lua.execute(chunk)
    return {str(name): str(value) for name, value in headers.items()}


def logged(**answer: Any) -> dict[str, Any]:
    """The fields of a log line; those that are nil are off."""
    lua, _ = _kong({"x-request-id": "r-1", "user-agent": "mxcube"}, answer)
    fields = PLUGINS["file-log"]["custom_fields_by_lua"]
    found = {name: lua.execute(chunk) for name, chunk in fields.items()}
    return {name: value for name, value in found.items() if value is not None}


@pytest.mark.parametrize(
    ("sent", "kept"),
    [
        ("abc-123", True),
        ("A" * 64, True),
        ("A" * 65, False),
        ("-", False),
        ("a b", False),
        ("a_b", False),
        ('x","level":"ERROR', False),
        ("a\nb", False),
    ],
)
def test_request_id(sent: str, kept: bool) -> None:  # noqa: FBT001
    assert run({"x-request-id": sent}) == ({"x-request-id": sent} if kept else {})


@pytest.mark.parametrize(
    "name",
    [
        "x-consumer-id",
        "x-consumer-custom-id",
        "x-consumer-username",
        "x-consumer-groups",
        "x-credential-identifier",
        "x-anonymous-consumer",
        "x-authenticated-userid",
        "x_consumer_id",
        "x-consumer_id",
        "script_name",
        "path_info",
        "any_thing",
        "x-forwarded-prefix",
        "script-name",
        "path-info",
        "remote-user",
        "x-original-url",
        "x-rewrite-url",
        "forwarded",
        "proxy",
    ],
)
def test_nobody_says_who_they_are(name: str) -> None:
    assert run({name: "pyispyb", "accept": "*/*"}) == {"accept": "*/*"}


@pytest.mark.parametrize("name", REMOVED)
def test_both_take_off_the_same(name: str) -> None:
    assert run({name: "root", name.replace("-", "_"): "root"}) == {}


@pytest.mark.parametrize(
    ("sent", "left"),
    [
        (f"Bearer {TOKEN}", f"Bearer {TOKEN}"),
        (f"bearer   {TOKEN}", f"Bearer {TOKEN}"),
        (f"Basic {TOKEN}", None),
        (f"Basic xBearer {TOKEN}", None),
        (TOKEN, None),
        ("Bearer abc", None),
        (f"Bearer {TOKEN}.x", None),
        (f"Bearer {unsigned('now')}", None),
        (f"Bearer {with_signature_of(TOKEN, 10)}", None),
        (f"Bearer {with_signature_of(TOKEN, 100)}", None),
        # Not of this length's business: the jwt plugin knows the algorithm of each key.
        (f"Bearer {signed_with_public_key(KEY)}", f"Bearer {signed_with_public_key(KEY)}"),
    ],
)
def test_only_a_token_is_left(sent: str, left: str | None) -> None:
    assert run({"authorization": sent}) == ({} if left is None else {"authorization": left})


@pytest.mark.parametrize(
    ("uri", "shown"),
    [
        ("/core/proposals", "/core/proposals"),
        ("/core/links/sekrit", "/core/links/***"),
        ("/core/links//sekrit/file", "/core/links//***/file"),
        ("/ssx/links/sekrit", "/ssx/links/***"),
    ],
)
def test_log_line(uri: str, shown: str) -> None:
    assert logged(uri=uri, status=404, service="core") == {
        "ts": "2026-11-23T02:03:07.250Z",
        "level": "INFO",
        "service": "gateway",
        "request_id": "r-1",
        "gateway_id": "k",
        "method": "GET",
        "path": shown,
        "status": 404,
        "duration_ms": 12,
        "upstream": "core",
        "bytes": 79,
        "user_agent": "mxcube",
        "message": "request",
    }


@pytest.mark.parametrize(
    ("status", "level"), [(200, "INFO"), (499, "INFO"), (500, "ERROR"), (503, "ERROR")]
)
def test_level(status: int, level: str) -> None:
    line = logged(uri="/", status=status)
    assert line["level"] == level
    assert "upstream" not in line


def test_what_the_gateway_answers_is_json() -> None:
    tree = plain(read(ROOT / "gateway" / "kong.yml").tree)
    for route in tree["routes"]:
        [shut] = [one["config"] for one in route["plugins"] if one["name"] == "request-termination"]
        assert shut["content_type"] == "application/json"
        assert set(json.loads(shut["body"])) == {"message"}


def _kong(sent: dict[str, str], answer: dict[str, Any]) -> tuple[LuaRuntime, Any]:
    lua = LuaRuntime(unpack_returned_tuples=True)
    headers = lua.table_from(sent)
    fields = lua.table_from({"uri": "/", "status": 200} | answer)
    lua.globals().decode = _decoded
    lua.execute(CLOCK)
    lua.execute(KIT, headers, fields)
    return lua, headers


def _decoded(text: str) -> str | None:
    """As ngx.decode_base64: padding may be left out, what is no base64 is nil."""
    try:
        return base64.b64decode(text + "=" * (-len(text) % 4), validate=True).decode("latin-1")
    except ValueError:
        return None

"""Each unsafe default, put once into a copy of our file, is named with its line and its cure."""

import json
import re
from pathlib import Path

import pytest
from tests.gateway.stand import ROOT
from tests.gateway.tokens import Key

from pyispyb_chassis.configuration import Suite
from pyispyb_gateway.document import leaves, plain, read
from pyispyb_gateway.fill import NAMES, WHOLE, fill, values
from pyispyb_gateway.keys import Credential
from pyispyb_gateway.lint import RULES, Finding, left_over, lint
from pyispyb_gateway.lint.file import FIELDS
from pyispyb_gateway.router import route_of
from pyispyb_gateway.settings import GatewaySettings

FILE = ROOT / "gateway" / "kong.yml"
KEY = Key("now")
CORE_ROUTE = "  - {name: core, paths: [/core/], strip_path: false}"
ONE_KEY = "{key: now, algorithm: ES256, rsa_public_key: PEM}"
SIZE = "  config: {allowed_payload_size: '${BODY_MEGABYTES}', size_unit: megabytes}\n"

# (rule, what stands in our file, what is put in its place, the new line that must be named,
#  a word of the cure). The text is replaced where it stands first.
MISTAKES = [
    (
        "format-version",
        '_format_version: "3.0"',
        "_format_version: 3.0",
        "_format_version: 3.0",
        "quotes",
    ),
    ("format-version", '_format_version: "3.0"', '_format_version: "2.1"', '"2.1"', "3.0"),
    (
        "jwt-exp",
        "      claims_to_verify: [exp]\n",
        "",
        "    config:\n      key_claim_name",
        "[exp]",
    ),
    ("jwt-exp", "claims_to_verify: [exp]", "claims_to_verify: [nbf]", "[nbf]", "[exp]"),
    ("jwt-uri", "uri_param_names: []", "uri_param_names: [jwt]", "[jwt]", "uri_param_names: []"),
    (
        "jwt-uri",
        "      uri_param_names: []\n",
        "",
        "    config:\n      key_claim_name",
        "uri_param_names: []",
    ),
    ("jwt-cookie", "cookie_names: []", "cookie_names: [token]", "[token]", "cookie_names: []"),
    ("jwt-key-claim", "key_claim_name: kid", "key_claim_name: iss", "key_claim_name: iss", "kid"),
    ("jwt-anonymous", "      realm: pyispyb", "      anonymous: pyispyb", "anonymous:", "401"),
    (
        "jwt-missing",
        "plugins: [*token, *by-token]",
        "plugins: [*by-token]",
        "name: ssx, paths",
        "jwt",
    ),
    ("jwt-missing", "~/ssx/(docs(/", "~/ssx/(runs|docs(/", "name: ssx-open\n    paths", "jwt"),
    (
        "credential-algorithm",
        "'${ISSUER_KEYS}'",
        "[{key: now, rsa_public_key: PEM}]",
        "{key: now, rsa",
        "algorithm",
    ),
    (
        "credential-key",
        "'${ISSUER_KEYS}'",
        "[{key: now, algorithm: ES256, rsa_public_key: garbage}]",
        "garbage",
        "PEM",
    ),
    (
        "credential-key",
        "'${ISSUER_KEYS}'",
        "[{key: now, algorithm: RS256, rsa_public_key: PEM}]",
        "RS256",
        "PEM",
    ),
    (
        "vault",
        "'${ISSUER_KEYS}'",
        "[{key: now, algorithm: ES256, rsa_public_key: '{vault://env/key}'}]",
        "{vault:",
        "literally",
    ),
    (
        "kid-twice",
        "'${ISSUER_KEYS}'",
        f"\n  - {ONE_KEY}\n  - {ONE_KEY} # again",
        "# again",
        "kid",
    ),
    ("placeholder", "'${ORIGINS}'", "'${ORIGINZ}'", "ORIGINZ", "value"),
    (
        "placeholder",
        "http_path: /ssx/health/live",
        "http_path: '/${PREFIX}/live'",
        "PREFIX",
        "value",
    ),
    (
        "rate-global",
        "- name: prometheus",
        "- *by-address\n- name: prometheus",
        "name: rate-limiting\n    config: {minute: '${RATE_PER_ADDRESS}",
        "each service",
    ),
    (
        "rate-batches",
        "  - *token\n  - name: request-size",
        "  - *token\n  - *by-token\n  - name: request-size",
        "name: rate-limiting\n    config: {minute: '${RATE_PER_TOKEN}",
        "beamline",
    ),
    (
        "rate-missing",
        "plugins: [*token, *by-token]",
        "plugins: [*token]",
        "name: ssx, paths",
        "rate-limiting",
    ),
    (
        "rate-headers",
        "hide_client_headers: false",
        "hide_client_headers: true",
        "hide_client_headers: true",
        "false",
    ),
    ("rate-by", "limit_by: ip", "limit_by: consumer", "limit_by: consumer", "authorization"),
    ("rate-by", "limit_by: ip, ", "", "config: {minute: '${RATE_PER_ADDRESS}'", "authorization"),
    ("rate-policy", "policy: local", "policy: redis", "policy: redis", "local"),
    (
        "route-attributes",
        "paths: [/core/],",
        "paths: [/core/], methods: [GET],",
        "methods:",
        "path alone",
    ),
    (
        "route-attributes",
        "paths: [/core/],",
        "paths: [/core/], hosts: [a.example],",
        "hosts:",
        "path alone",
    ),
    (
        "strip-path",
        "{name: core, paths: [/core/], strip_path: false}",
        "{name: core, paths: [/core/]}",
        "name: core, paths",
        "strip_path: false",
    ),
    (
        "strip-path",
        "[/core/], strip_path: false",
        "[/core/], strip_path: true",
        "strip_path: true",
        "strip_path: false",
    ),
    ("prefix-slash", "paths: [/core/]", "paths: [/core]", "paths: [/core]", "slash"),
    ("regex-end", "batches/[^/]+$", "batches/[^/]+", "batches/[^/]+'", "$"),
    ("regex-any", "batches/[^/]+$", "batches/.*$", "batches/.*", "[^/]+"),
    ("catch-all", "  paths: [/]\n", "  paths: [/nowhere/]\n", "routes:\n# What is nowhere", "404"),
    ("inside", "|metrics|", "|", "name: core, paths", "regex_priority"),
    (
        "inside",
        "~/((auth|core|ssx)/)?(health",
        "~/((auth|core)/)?(health",
        "name: ssx, paths",
        "regex_priority",
    ),
    (
        "passive-checks",
        "    active: {<<: *active, http_path: /ssx/health/live}",
        "    passive: {unhealthy: {tcp_failures: 1}}\n    active: {<<: *active}",
        "passive:",
        "replica",
    ),
    (
        "active-checks",
        "healthy: {interval: 1, successes: 1}",
        "healthy: {successes: 1}",
        "healthchecks:",
        "interval",
    ),
    ("active-checks", ", timeouts: 2}", "}", "healthchecks:", "timeouts"),
    ("timeouts", "read_timeout: 5000", "read_timeout: 60000", "60000", "6 s"),
    ("timeouts", "  read_timeout: 5000\n", "", "- &service", "6 s"),
    (
        "folded-lua",
        "    - |\n      -- A client's request id",
        "    - >\n      -- A client's request id",
        "    - >",
        "literal",
    ),
    ("id-cleaner", '"x-request-id"', '"x-other-id"', "name: correlation-id", "rewrite"),
    ("identity-headers", '"X-Credential-Identifier", ', "", "name: pre-function", "rewrite"),
    ("identity-headers", 'gsub("-", "_")', 'gsub("-", "-")', "name: pre-function", "rewrite"),
    ("es256-length", "#signature == 86 or", "#signature > 0 or", "name: pre-function", "rewrite"),
    ("log-fields", "      upstream_uri: *off\n", "", "custom_fields_by_lua:", "nil"),
    (
        "log-fields",
        "      request: &off 'return nil'\n      response: *off",
        "      response: &off 'return nil'",
        "custom_fields_by_lua:",
        "nil",
    ),
    (
        "log-fields",
        'ngx.var.uri:gsub("(/links/+)[^/]+", "%1***")',
        "ngx.var.uri",
        "path: 'return",
        "/links/<token>",
    ),
    ("cors-origin", "origins: '${ORIGINS}'", "origins: ['*']", "['*']", "origins"),
    ("cors-origin", "origins: '${ORIGINS}'", "origins: []", "origins: []", "origins"),
    ("cors-origin", "    origins: '${ORIGINS}'\n", "", "  config:\n    methods:", "origins"),
    (
        "size-limit",
        f"- name: request-size-limiting\n{SIZE}",
        "",
        "plugins:\n# The rewrite",
        "request-size-limiting",
    ),
    ("plugin", "- name: prometheus", "- name: key-auth", "key-auth", "not rendered"),
    ("unknown-field", "realm: pyispyb", "realms: pyispyb", "realms:", "kong_3_9_fields.json"),
    ("unknown-field", "retries: 1", "retry: 1", "retry: 1", "kong_3_9_fields.json"),
    (
        "unknown-field",
        "regex_priority: 100",
        "priority: 100",
        "priority: 100",
        "kong_3_9_fields.json",
    ),
    (
        "unknown-field",
        "timeouts: 2}",
        "timeouts: 2, tries: 2}",
        "timeouts: 2, tries",
        "kong_3_9_fields.json",
    ),
    ("unknown-field", "consumers:", "customers:", "customers:", "kong_3_9_fields.json"),
]


def test_our_file_is_clean() -> None:
    assert lint(read(FILE)) == []
    assert found_in(FILE) == []


def test_every_rule_has_its_mistake() -> None:
    before_filling = {"sync"}  # has a test of its own
    tried = {mistake[0] for mistake in MISTAKES} | before_filling
    assert tried == {rule.name for rule in RULES}


@pytest.mark.parametrize(
    ("rule", "ours", "theirs", "named", "cure"),
    MISTAKES,
    ids=[f"{number}-{mistake[0]}" for number, mistake in enumerate(MISTAKES)],
)
def test_mistake(tmp_path: Path, rule: str, ours: str, theirs: str, named: str, cure: str) -> None:
    text = FILE.read_text()
    assert ours in text
    pem = json.dumps(KEY.pem)
    changed = text.replace(ours, theirs, 1)
    line = changed[: changed.index(named)].count("\n") + 1
    path = tmp_path / "kong.yml"
    path.write_text(changed.replace("rsa_public_key: PEM", f"rsa_public_key: {pem}"))
    findings = [finding for finding in found_in(path) if finding.rule == rule]
    assert line in {finding.line for finding in findings}
    [finding] = [finding for finding in findings if finding.line == line][:1]
    assert cure in finding.cure
    assert finding.shown(path).startswith(f"{path}:{line}: {rule}: {finding.what}; ")


@pytest.mark.parametrize("name", sorted(NAMES))
def test_what_is_not_filled_is_refused(name: str) -> None:
    given = values(GatewaySettings(), Suite(), credentials())
    del given[name]
    [finding] = {finding.what: finding for finding in left_over(fill(read(FILE), given))}.values()
    assert finding.what == f"${{{name}}} is not filled"
    assert name in FILE.read_text().splitlines()[finding.line - 1]


def test_filling_a_value_and_a_whole_list() -> None:
    settings = GatewaySettings(core_targets=("a:1", "b:2"), rate_per_token=7)
    tree = plain(fill(read(FILE), values(settings, Suite(), credentials())).tree)
    core = next(upstream for upstream in tree["upstreams"] if upstream["name"] == "core")
    assert core["targets"] == [{"target": "a:1"}, {"target": "b:2"}]
    minutes = {
        plugin["config"]["minute"]
        for service in tree["services"]
        for plugin in service["plugins"]
        if plugin["name"] == "rate-limiting"
    }
    assert minutes == {7, settings.rate_per_address}
    assert tree["consumers"][0]["jwt_secrets"] == [dict(key) for key in credentials()]
    cors = next(plugin for plugin in tree["plugins"] if plugin["name"] == "cors")
    assert cors["config"]["origins"] == [Suite().url]


def test_a_file_lets_the_site_shut_the_sync(tmp_path: Path) -> None:
    """Told before it is filled: afterwards nobody knows what the site has decided."""
    path = tmp_path / "kong.yml"
    path.write_text(FILE.read_text().replace(", '${SHUT_SYNC}']", "]"))
    [finding] = lint(read(path))
    assert finding.rule == "sync"
    assert finding.line == path.read_text().splitlines().index(CORE_ROUTE) + 1


@pytest.mark.parametrize(
    ("settings", "reaches"),
    [(GatewaySettings(), None), (GatewaySettings(open_sync=True), "core")],
)
def test_a_site_opens_the_sync(settings: GatewaySettings, reaches: str | None) -> None:
    document = fill(read(FILE), values(settings, Suite(), credentials()))
    assert lint(document) + left_over(document) == []
    tree = plain(document.tree)
    for path in ("/core/sync/proposal", "/core/sync", "/core/x/../sync/proposal", "/core//sync/"):
        taken = route_of(tree, path)
        assert taken is not None
        assert taken.service == reaches
    elsewhere = route_of(tree, "/core/synchrotrons")
    assert elsewhere is not None
    assert elsewhere.service == "core"
    ready = route_of(tree, "/core/health/ready")
    assert ready is not None
    assert ready.service is None


def test_the_placeholders_are_those_of_the_file() -> None:
    tree = read(FILE).tree
    found = {match[1] for value, _ in leaves(tree) if (match := WHOLE.fullmatch(str(value)))}
    assert found == NAMES


def test_field_list() -> None:
    """Where each part comes from is said; nothing of ours is missing from it or idle in it."""
    assert FIELDS["source"]["tag"].startswith("3.9.")
    for kind in ("entities", "plugins"):
        for name, entry in FIELDS[kind].items():
            assert entry["source"].startswith("kong/"), name
            assert len(set(entry["fields"])) == len(entry["fields"]), name
    tree = read(FILE).tree
    owners = [*tree["services"], *tree["routes"], tree]
    used = {plugin["name"] for owner in owners for plugin in owner["plugins"]}
    assert used == set(FIELDS["plugins"])


def test_kong_is_told_of_the_same_plugins() -> None:
    """Kong loads only what its container is told of, and refuses a file that uses another."""
    loaded = re.search(r"KONG_PLUGINS: (\S+)", (ROOT / "docker-compose.yml").read_text())
    assert loaded is not None
    assert set(loaded[1].split(",")) == set(FIELDS["plugins"])


def credentials() -> list[Credential]:
    return [{"key": KEY.kid, "algorithm": "ES256", "rsa_public_key": KEY.pem}]


def found_in(path: Path) -> list[Finding]:
    """As the gateway lints before it starts: filled."""
    return lint(fill(read(path), values(GatewaySettings(), Suite(), credentials())))

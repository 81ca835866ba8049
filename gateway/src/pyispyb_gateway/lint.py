"""Names each unsafe default and each unknown field of a kong.yml: line, what, cure."""

import json
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path
from typing import Any

from pyispyb_gateway.document import Document, Row, Table, leaves
from pyispyb_gateway.fill import ANYWHERE, NAMES, WHOLE
from pyispyb_gateway.keys import NoKeys, load
from pyispyb_gateway.router import BELOW, EXACT, REGEX, Route, route_of, routes

FIELDS: dict[str, Any] = json.loads(
    files("pyispyb_gateway").joinpath("kong_3_9_fields.json").read_text(encoding="utf-8")
)
TOKEN_SERVICES = frozenset({"core", "ssx"})
# One of each kind of path that must never be answered without a token.
PROTECTED = (
    "/core/proposals",
    "/core/persons/1",
    "/core/docs/a/b",
    "/ssx/runs",
    "/ssx/runs/1/summary",
    "/ssx/runs/1/batches/1",
)
INSIDE = tuple(
    f"{prefix}{name}"
    for prefix in ("", "/auth", "/core", "/ssx")
    for name in ("/health/ready", "/metrics", "/revocations")
)
HEALTH = ("healthy", "unhealthy")
# What a log line must not get from Kong's own serializer: headers, query strings, whole URLs.
MASKED = ("request", "response", "upstream_uri", "tries")
IDENTITY = ("X-Consumer-ID", "X-Consumer-Username", "X-Credential-Identifier", "X-Forwarded-Prefix")
Fault = tuple[int, str]


@dataclass(frozen=True, order=True)
class Finding:
    """One fault of the file."""

    line: int
    rule: str
    what: str
    cure: str

    def shown(self, path: Path) -> str:
        """The finding as one line of output."""
        return f"{path}:{self.line}: {self.rule}: {self.what}; {self.cure}"


@dataclass(frozen=True)
class Rule:
    """A named check; its cure is the same for each of its faults."""

    name: str
    cure: str
    faults: Callable[[Document], Iterator[Fault]]


RULES: list[Rule] = []


def lint(document: Document) -> list[Finding]:
    """Every finding, by line. Known placeholders count as filled."""
    faults = [
        Finding(line, rule.name, what, rule.cure)
        for rule in RULES
        for line, what in rule.faults(document)
    ]
    return sorted(set(faults))


def left_over(document: Document) -> list[Finding]:
    """Placeholders in a document that should have none left."""
    return [
        Finding(line, "placeholder", f"{value} is not filled", "give it a value, or take it out")
        for value, line in leaves(document.tree)
        if isinstance(value, str) and ANYWHERE.search(value)
    ]


def rule(name: str, cure: str) -> Callable[[Callable[[Document], Iterator[Fault]]], None]:
    """Add a check to the list."""

    def add(faults: Callable[[Document], Iterator[Fault]]) -> None:
        RULES.append(Rule(name, cure, faults))

    return add


@rule("format-version", 'write _format_version: "3.0", in quotes: 3.0 is a number to YAML')
def _format_version(document: Document) -> Iterator[Fault]:
    version = document.tree.get("_format_version")
    if version != "3.0":
        yield document.tree.line_of("_format_version"), f"_format_version is {version!r}"


@rule("unknown-field", "use a field of kong_3_9_fields.json; Kong refuses the whole file for it")
def _unknown_fields(document: Document) -> Iterator[Fault]:
    for kind, table in _entities(document.tree):
        yield from _strange(table, FIELDS["entities"][kind]["fields"], kind)
    for plugin in _plugins(document.tree):
        known = FIELDS["plugins"].get(plugin.get("name"))
        if known is not None:
            yield from _strange(_config(plugin), known["fields"], plugin["name"])


@rule("plugin", "use a plugin of kong_3_9_fields.json: the others are not rendered for Envoy")
def _unknown_plugins(document: Document) -> Iterator[Fault]:
    for plugin in _plugins(document.tree):
        if plugin.get("name") not in FIELDS["plugins"]:
            yield plugin.line_of("name"), f"plugin {plugin.get('name')} is outside of the subset"


@rule("placeholder", "give it a value, or take it out")
def _placeholders(document: Document) -> Iterator[Fault]:
    for value, line in leaves(document.tree):
        if not isinstance(value, str):
            continue
        for match in ANYWHERE.finditer(value):
            whole = WHOLE.fullmatch(value)
            if whole is None or whole[1] not in NAMES:
                yield line, f"{match[0]} is not filled"


@rule("vault", "put the value itself in: Kong takes a vault reference in a credential literally")
def _vault(document: Document) -> Iterator[Fault]:
    for value, line in leaves(document.tree):
        if isinstance(value, str) and value.startswith("{vault://"):
            yield line, f"{value} is a vault reference"


@rule("folded-lua", "write Lua with comments as a literal block (|)")
def _folded_lua(document: Document) -> Iterator[Fault]:
    lua = set(_lua(document.tree))
    for scalar in document.scalars:
        if scalar.value in lua and scalar.style != "|" and re.search(r"--", scalar.value):
            yield scalar.line, "a Lua comment in a scalar that is one line swallows what follows"


@rule("jwt-exp", "set claims_to_verify: [exp]")
def _jwt_exp(document: Document) -> Iterator[Fault]:
    for config in _configs(document.tree, "jwt"):
        if "exp" not in config.get("claims_to_verify", []):
            yield config.line_of("claims_to_verify"), "jwt takes expired tokens"


@rule("jwt-uri", "set uri_param_names: []")
def _jwt_uri(document: Document) -> Iterator[Fault]:
    for config in _configs(document.tree, "jwt"):
        if config.get("uri_param_names") != []:
            yield config.line_of("uri_param_names"), "jwt takes tokens from the URL"


@rule("jwt-cookie", "set cookie_names: []")
def _jwt_cookie(document: Document) -> Iterator[Fault]:
    for config in _configs(document.tree, "jwt"):
        if config.get("cookie_names") != []:
            yield config.line_of("cookie_names"), "jwt takes tokens from cookies"


@rule("jwt-key-claim", "set key_claim_name: kid")
def _jwt_key_claim(document: Document) -> Iterator[Fault]:
    for config in _configs(document.tree, "jwt"):
        if config.get("key_claim_name") != "kid":
            yield (
                config.line_of("key_claim_name"),
                "jwt looks for the key by another claim than kid",
            )


@rule("jwt-anonymous", "take anonymous out: no token is 401")
def _jwt_anonymous(document: Document) -> Iterator[Fault]:
    for config in _configs(document.tree, "jwt"):
        if "anonymous" in config:
            yield config.line_of("anonymous"), "jwt lets callers without a token through"


@rule("jwt-missing", "put the jwt plugin on the service")
def _jwt_missing(document: Document) -> Iterator[Fault]:
    lines = dict(_lines_of_routes(document.tree))
    found = _routes(document)
    taken = {route.name for path in PROTECTED if (route := route_of(document.tree, path))}
    for route in found:
        open_to_all = "jwt" not in route.plugins and route.upstream in TOKEN_SERVICES
        prefix = any(not path.startswith(REGEX) for path in route.paths)
        if open_to_all and (prefix or route.name in taken):
            yield lines[route.name], f"route {route.name} is open to callers without a token"


@rule("credential-algorithm", "write its algorithm: Kong's default is HS256")
def _credential_algorithm(document: Document) -> Iterator[Fault]:
    for credential in _credentials(document.tree):
        if "algorithm" not in credential:
            yield credential.line, f"key {credential.get('key')} has no algorithm"


@rule("credential-key", "put in the public key in PEM form, of the kind its algorithm needs")
def _credential_key(document: Document) -> Iterator[Fault]:
    for credential in _credentials(document.tree):
        pem = credential.get("rsa_public_key")
        try:
            load(str(pem), credential.get("algorithm", "ES256"))
        except NoKeys as fault:
            at = credential.line_of("rsa_public_key")
            yield at, f"key {credential.get('key')}: {fault}: every token of it would be a 500"


@rule("kid-twice", "give every key of every issuer a kid of its own")
def _kid_twice(document: Document) -> Iterator[Fault]:
    seen: set[str] = set()
    for credential in _credentials(document.tree):
        kid = credential.get("key")
        if kid in seen:
            yield credential.line_of("key"), f"two keys have the kid {kid}"
        seen.add(str(kid))


@rule("rate-global", "put rate-limiting on each service: only one instance runs for a request")
def _rate_global(document: Document) -> Iterator[Fault]:
    for plugin in _tables(document.tree, "plugins"):
        if plugin.get("name") == "rate-limiting":
            yield plugin.line_of("name"), "rate-limiting is global"


@rule("rate-batches", "take rate-limiting off: a beamline that is slowed down loses images")
def _rate_batches(document: Document) -> Iterator[Fault]:
    for service in _tables(document.tree, "services"):
        paths = [path for route in _tables(service, "routes") for path in route.get("paths", [])]
        if any("/batches" in path for path in paths):
            for plugin in _all_plugins_of(service):
                if plugin.get("name") == "rate-limiting":
                    yield plugin.line_of("name"), "batches are rate-limited"


@rule("rate-missing", "put rate-limiting on the service, or on the route if it has none")
def _rate_missing(document: Document) -> Iterator[Fault]:
    lines = dict(_lines_of_routes(document.tree))
    for route in _routes(document):
        batches = any("/batches" in path for path in route.paths)
        if not batches and "rate-limiting" not in route.plugins:
            yield lines[route.name], f"route {route.name} has no limit"


@rule("rate-headers", "set hide_client_headers: false")
def _rate_headers(document: Document) -> Iterator[Fault]:
    for config in _configs(document.tree, "rate-limiting"):
        if config.get("hide_client_headers", False):
            yield config.line_of("hide_client_headers"), "429 goes without Retry-After"


@rule("rate-by", "limit by ip, or by the header authorization")
def _rate_by(document: Document) -> Iterator[Fault]:
    for config in _configs(document.tree, "rate-limiting"):
        by = config.get("limit_by", "consumer")
        if by not in {"ip", "header"}:
            yield (
                config.line_of("limit_by"),
                f"limit_by {by}: all callers of an issuer share a bucket",
            )


@rule("rate-policy", "set policy: local: there is neither a database nor a redis")
def _rate_policy(document: Document) -> Iterator[Fault]:
    for config in _configs(document.tree, "rate-limiting"):
        if config.get("policy", "local") != "local":
            yield config.line_of("policy"), f"policy {config['policy']}"


@rule("route-attributes", "match by path alone: one more attribute outranks every longer path")
def _route_attributes(document: Document) -> Iterator[Fault]:
    for route in _all_routes(document.tree):
        for attribute in ("methods", "hosts", "headers", "snis", "sources", "destinations"):
            if attribute in route:
                yield route.line_of(attribute), f"route {route.get('name')} matches by {attribute}"


@rule("strip-path", "set strip_path: false: a path is the same on both sides")
def _strip_path(document: Document) -> Iterator[Fault]:
    for route in _all_routes(document.tree):
        if route.get("strip_path", True) is not False:
            yield route.line_of("strip_path"), f"route {route.get('name')} strips its path"


@rule("prefix-slash", "end the prefix with a slash: it is a plain string prefix")
def _prefix_slash(document: Document) -> Iterator[Fault]:
    for path, line in _paths(document.tree):
        if not path.startswith(REGEX) and not path.endswith("/"):
            yield line, f"{path} also matches {path}xyz"


@rule("regex-end", f"end the regex with {EXACT} or {BELOW}")
def _regex_end(document: Document) -> Iterator[Fault]:
    for path, line in _paths(document.tree):
        if path.startswith(REGEX) and not path.endswith((EXACT, BELOW)):
            yield line, f"{path} matches whatever follows"


@rule("regex-any", "say which characters: [^/]+ for one part of a path")
def _regex_any(document: Document) -> Iterator[Fault]:
    for path, line in _paths(document.tree):
        if path.startswith(REGEX) and re.search(r"(?<!\\)\.[*+]", path):
            yield line, f"{path} runs across / and %2F"


@rule("catch-all", "add a route with paths: [/] and request-termination 404")
def _catch_all(document: Document) -> Iterator[Fault]:
    for route in _routes(document):
        if "/" in route.paths and "request-termination" in route.plugins:
            return
    yield (
        document.tree.line_of("routes"),
        "unknown prefixes get no id, no CORS, no limit and no line",
    )


@rule("inside", "shut it by a regex route with request-termination and the highest regex_priority")
def _inside(document: Document) -> Iterator[Fault]:
    lines = dict(_lines_of_routes(document.tree))
    for path in INSIDE:
        taken = route_of(document.tree, path)
        if taken is not None and "request-termination" not in taken.plugins:
            yield lines[taken.name], f"{path} reaches {taken.service}"


@rule("passive-checks", "take them out: one address that hangs up would take every replica out")
def _passive_checks(document: Document) -> Iterator[Fault]:
    for upstream in _tables(document.tree, "upstreams"):
        checks = upstream.get("healthchecks")
        if isinstance(checks, Table) and "passive" in checks:
            yield checks.line_of("passive"), f"upstream {upstream.get('name')} has passive checks"


@rule(
    "active-checks", "give healthy and unhealthy an interval, successes, tcp_failures and timeouts"
)
def _active_checks(document: Document) -> Iterator[Fault]:
    for upstream in _tables(document.tree, "upstreams"):
        active = _below(upstream, "healthchecks", "active")
        wanted = (
            ("healthy", "interval"),
            ("healthy", "successes"),
            ("unhealthy", "interval"),
            ("unhealthy", "tcp_failures"),
            ("unhealthy", "timeouts"),
        )
        said_never = all(_below(active, kind).get("interval") == 0 for kind in HEALTH)
        if said_never and upstream.get("name") not in TOKEN_SERVICES:
            continue  # a site's own auth service, which need not tell its health
        missing = [".".join(keys) for keys in wanted if not _below(active, keys[0]).get(keys[1])]
        if missing:
            yield (
                upstream.line_of("healthchecks"),
                (f"upstream {upstream.get('name')} is never checked: no {', '.join(missing)}"),
            )


@rule("timeouts", "set read_timeout to 5000 at most: a hung service must answer within 6 s")
def _timeouts(document: Document) -> Iterator[Fault]:
    for service in _tables(document.tree, "services"):
        if service.get("read_timeout", 60000) > 5000:
            yield (
                service.line_of("read_timeout"),
                f"service {service.get('name')} may hang for long",
            )


@rule("id-cleaner", "clear malformed ones in the rewrite phase of a global pre-function")
def _id_cleaner(document: Document) -> Iterator[Fault]:
    plugin = _global(document.tree, "correlation-id")
    if plugin is None:
        yield document.tree.line_of("plugins"), "requests get no id: correlation-id is not global"
    elif 'get_header("x-request-id")' not in _rewrite(document.tree).lower():
        yield plugin.line_of("name"), "correlation-id keeps whatever a client sends"


@rule("identity-headers", "clear them in the rewrite phase of a global pre-function")
def _identity_headers(document: Document) -> Iterator[Fault]:
    sent = _rewrite(document.tree).lower()
    kept = [name for name in IDENTITY if f'"{name.lower()}"' not in sent]
    if kept or 'gsub("-", "_")' not in sent:
        plugin = _global(document.tree, "pre-function")
        line = plugin.line_of("name") if plugin else document.tree.line_of("plugins")
        yield line, f"clients may send {', '.join(kept) or 'identity headers with underscores'}"


@rule("es256-length", "clear such tokens in the rewrite phase of a global pre-function")
def _es256_length(document: Document) -> Iterator[Fault]:
    if "86" not in _rewrite(document.tree):
        plugin = _global(document.tree, "pre-function")
        line = plugin.line_of("name") if plugin else document.tree.line_of("plugins")
        yield line, "an ES256 signature of other than 64 bytes is answered 500"


@rule("log-fields", "set the field to 'return nil', and path to one that masks /links/<token>")
def _log_fields(document: Document) -> Iterator[Fault]:
    plugin = _global(document.tree, "file-log")
    if plugin is None:
        yield document.tree.line_of("plugins"), "requests leave no line: file-log is not global"
        return
    fields = _below(plugin, "config", "custom_fields_by_lua")
    for name in MASKED:
        if fields.get(name) != "return nil":
            yield fields.line_of(name), f"the log has {name}: query strings and tokens with it"
    if "/links/" not in str(fields.get("path", "")):
        yield fields.line_of("path"), "the log has the tokens of links"


@rule("cors-origin", "list the origins")
def _cors_origin(document: Document) -> Iterator[Fault]:
    for config in _configs(document.tree, "cors"):
        origins = config.get("origins")
        if not origins or "*" in origins:
            yield config.line_of("origins"), "every web page may call"


@rule("size-limit", "add a global request-size-limiting")
def _size_limit(document: Document) -> Iterator[Fault]:
    if _global(document.tree, "request-size-limiting") is None:
        yield document.tree.line_of("plugins"), "bodies have no limit"


def _strange(table: Table, known: list[str], where: str) -> Iterator[Fault]:
    for key in table:
        if key not in known:
            yield table.line_of(key), f"{where} has no field {key}"


def _entities(tree: Table) -> Iterator[tuple[str, Table]]:
    """Each table of the file that is not a plugin's config, with its name in the field list."""
    yield "document", tree
    for kind in ("services", "routes", "upstreams", "consumers"):
        for entity in _tables(tree, kind):
            yield kind, entity
            for part in ("routes", "targets", "jwt_secrets"):
                for inner in _tables(entity, part):
                    yield part, inner
            checks = _below(entity, "healthchecks")
            if checks:
                yield "healthchecks", checks
            active = _below(checks, "active")
            yield "healthchecks.active", active
            yield "healthchecks.active.healthy", _below(active, "healthy")
            yield "healthchecks.active.unhealthy", _below(active, "unhealthy")
    for plugin in _plugins(tree):
        yield "plugins", plugin


def _tables(table: Table, key: str) -> list[Table]:
    """The tables listed below `key`; none while a placeholder stands there."""
    rows = table.get(key)
    return [row for row in rows if isinstance(row, Table)] if isinstance(rows, Row) else []


def _below(table: Table, *keys: str) -> Table:
    for key in keys:
        inner = table.get(key)
        table = inner if isinstance(inner, Table) else Table(table.line_of(key))
    return table


def _all_routes(tree: Table) -> list[Table]:
    inner = [route for service in _tables(tree, "services") for route in _tables(service, "routes")]
    return inner + _tables(tree, "routes")


def _lines_of_routes(tree: Table) -> Iterator[tuple[str, int]]:
    for route in _all_routes(tree):
        yield str(route.get("name")), route.line_of("name")


def _routes(document: Document) -> list[Route]:
    """The routes with their plugins; none if the file lacks names (another rule's finding)."""
    named = all("name" in route for route in _all_routes(document.tree))
    return list(routes(document.tree)) if named else []


def _paths(tree: Table) -> Iterator[tuple[str, int]]:
    for route in _all_routes(tree):
        paths = route.get("paths")
        if isinstance(paths, Row):
            yield from zip(map(str, paths), paths.lines, strict=True)


def _all_plugins_of(owner: Table) -> list[Table]:
    of_routes = [
        plugin for route in _tables(owner, "routes") for plugin in _tables(route, "plugins")
    ]
    return _tables(owner, "plugins") + of_routes


def _plugins(tree: Table) -> list[Table]:
    """Every plugin of the file; one that is written once and used by an alias comes once a use."""
    owners = [*_tables(tree, "services"), *_tables(tree, "routes"), *_tables(tree, "consumers")]
    return [plugin for owner in owners for plugin in _all_plugins_of(owner)] + _tables(
        tree, "plugins"
    )


def _config(plugin: Table) -> Table:
    return _below(plugin, "config")


def _configs(tree: Table, name: str) -> Iterator[Table]:
    for plugin in _plugins(tree):
        if plugin.get("name") == name:
            yield _config(plugin)


def _global(tree: Table, name: str) -> Table | None:
    return next((one for one in _tables(tree, "plugins") if one.get("name") == name), None)


def _rewrite(tree: Table) -> str:
    """All Lua of the one phase that runs before everything else and cannot be displaced."""
    plugin = _global(tree, "pre-function")
    return "\n".join(map(str, _config(plugin).get("rewrite", []))) if plugin else ""


def _lua(tree: Table) -> Iterator[str]:
    for config in _configs(tree, "pre-function"):
        for chunks in config.values():
            yield from map(str, chunks)
    for config in _configs(tree, "file-log"):
        yield from map(str, _below(config, "custom_fields_by_lua").values())


def _credentials(tree: Table) -> Iterator[Table]:
    for consumer in _tables(tree, "consumers"):
        yield from _tables(consumer, "jwt_secrets")

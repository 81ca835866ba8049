"""Limits that would miss, or that would turn away whom they must not."""

from collections.abc import Iterator

from pyispyb_gateway.document import Document
from pyispyb_gateway.lint.reading import (
    configs,
    global_plugin,
    lines_of_routes,
    plugins_of,
    routes_of,
    tables,
)
from pyispyb_gateway.lint.rules import Fault, rule


@rule("rate-global", "put rate-limiting on each service: only one instance runs for a request")
def _rate_global(document: Document) -> Iterator[Fault]:
    for plugin in tables(document.tree, "plugins"):
        if plugin.get("name") == "rate-limiting":
            yield plugin.line_of("name"), "rate-limiting is global"


@rule("rate-batches", "take rate-limiting off: a beamline that is slowed down loses images")
def _rate_batches(document: Document) -> Iterator[Fault]:
    for service in tables(document.tree, "services"):
        paths = [path for route in tables(service, "routes") for path in route.get("paths", [])]
        if any("/batches" in path for path in paths):
            for plugin in plugins_of(service):
                if plugin.get("name") == "rate-limiting":
                    yield plugin.line_of("name"), "batches are rate-limited"


@rule("rate-missing", "put rate-limiting on the service, or on the route if it has none")
def _rate_missing(document: Document) -> Iterator[Fault]:
    lines = dict(lines_of_routes(document.tree))
    for route in routes_of(document):
        batches = any("/batches" in path for path in route.paths)
        if not batches and "rate-limiting" not in route.plugins:
            yield lines[route.name], f"route {route.name} has no limit"


@rule("rate-headers", "set hide_client_headers: false")
def _rate_headers(document: Document) -> Iterator[Fault]:
    for config in configs(document.tree, "rate-limiting"):
        if config.get("hide_client_headers", False):
            yield config.line_of("hide_client_headers"), "429 goes without Retry-After"


@rule("rate-by", "limit by ip, or by the header authorization")
def _rate_by(document: Document) -> Iterator[Fault]:
    for config in configs(document.tree, "rate-limiting"):
        by = config.get("limit_by", "consumer")
        if by not in {"ip", "header"}:
            yield (
                config.line_of("limit_by"),
                f"limit_by {by}: all callers of an issuer share a bucket",
            )


@rule("rate-policy", "set policy: local: there is neither a database nor a redis")
def _rate_policy(document: Document) -> Iterator[Fault]:
    for config in configs(document.tree, "rate-limiting"):
        if config.get("policy", "local") != "local":
            yield config.line_of("policy"), f"policy {config['policy']}"


@rule("size-limit", "add a global request-size-limiting")
def _size_limit(document: Document) -> Iterator[Fault]:
    if global_plugin(document.tree, "request-size-limiting") is None:
        yield document.tree.line_of("plugins"), "bodies have no limit"

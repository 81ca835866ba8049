"""Routes that match by accident, and inside paths that are reached from outside."""

import re
from collections.abc import Iterator

from pyispyb_gateway.document import Document, leaves
from pyispyb_gateway.fill import WHOLE
from pyispyb_gateway.lint.reading import all_routes, lines_of_routes, paths, routes_of
from pyispyb_gateway.lint.rules import Fault, rule
from pyispyb_gateway.router import BELOW, EXACT, REGEX, route_of

INSIDE = tuple(
    f"{prefix}{name}"
    for prefix in ("", "/auth", "/core", "/ssx")
    for name in ("/health/ready", "/metrics", "/revocations")
)
# Writes logins and memberships.
SYNC, SHUT_SYNC = "/core/sync/proposal", "${SHUT_SYNC}"


@rule("route-attributes", "match by path alone: one more attribute outranks every longer path")
def _route_attributes(document: Document) -> Iterator[Fault]:
    for route in all_routes(document.tree):
        for attribute in ("methods", "hosts", "headers", "snis", "sources", "destinations"):
            if attribute in route:
                yield route.line_of(attribute), f"route {route.get('name')} matches by {attribute}"


@rule("strip-path", "set strip_path: false: a path is the same on both sides")
def _strip_path(document: Document) -> Iterator[Fault]:
    for route in all_routes(document.tree):
        if route.get("strip_path", True) is not False:
            yield route.line_of("strip_path"), f"route {route.get('name')} strips its path"


@rule("prefix-slash", "end the prefix with a slash: it is a plain string prefix")
def _prefix_slash(document: Document) -> Iterator[Fault]:
    for path, line in paths(document.tree):
        is_filled = not WHOLE.fullmatch(path)
        if is_filled and not path.startswith(REGEX) and not path.endswith("/"):
            yield line, f"{path} also matches {path}xyz"


@rule("regex-end", f"end the regex with {EXACT} or {BELOW}")
def _regex_end(document: Document) -> Iterator[Fault]:
    for path, line in paths(document.tree):
        if path.startswith(REGEX) and not path.endswith((EXACT, BELOW)):
            yield line, f"{path} matches whatever follows"


@rule("regex-any", "say which characters: [^/]+ for one part of a path")
def _regex_any(document: Document) -> Iterator[Fault]:
    for path, line in paths(document.tree):
        if path.startswith(REGEX) and re.search(r"(?<!\\)\.[*+]", path):
            yield line, f"{path} runs across / and %2F"


@rule("catch-all", "add a route with paths: [/] and request-termination 404")
def _catch_all(document: Document) -> Iterator[Fault]:
    for route in routes_of(document):
        if "/" in route.paths and "request-termination" in route.plugins:
            return
    yield (
        document.tree.line_of("routes"),
        "unknown prefixes get no id, no CORS, no limit and no line",
    )


@rule("inside", "shut it by a regex route with request-termination and the highest regex_priority")
def _inside(document: Document) -> Iterator[Fault]:
    lines = dict(lines_of_routes(document.tree))
    for path in INSIDE:
        taken = route_of(document.tree, path)
        if taken is not None and "request-termination" not in taken.plugins:
            yield lines[taken.name], f"{path} reaches {taken.service}"


@rule("sync", "let the site decide: paths: ['${SHUT_SYNC}'] at a route with request-termination")
def _sync(document: Document) -> Iterator[Fault]:
    """Before it is filled; afterwards the site may have opened it."""
    if not any(WHOLE.fullmatch(str(value)) for value, _ in leaves(document.tree)):
        return
    taken = route_of(document.tree, SYNC)
    is_shut = taken is not None and "request-termination" in taken.plugins
    decided = any(
        SHUT_SYNC in route.paths and "request-termination" in route.plugins
        for route in routes_of(document)
    )
    if taken is not None and not is_shut and not decided:
        yield dict(lines_of_routes(document.tree))[taken.name], f"{SYNC} reaches {taken.service}"

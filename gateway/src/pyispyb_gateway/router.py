"""Which route Kong takes for a path: its normalisation and its order of precedence."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

_TRIPLET = re.compile(r"%([0-9A-Fa-f]{2})")
_BROKEN = re.compile(r"%(?![0-9A-Fa-f]{2})|%00")
# A triplet of a reserved character keeps its meaning only while it stays one (RFC 3986, 2.2).
_RESERVED = frozenset("!#$%&'()*+,/:;=?@[]")
REGEX = "~"
# The two ways an anchored regex may end: exactly there, or there and at anything below.
EXACT = "$"
BELOW = "(/|$)"


class BadPath(Exception):
    """A path that is refused before any route is looked for."""


@dataclass(frozen=True)
class Route:
    """A route of the file; `service` is None where the gateway answers by itself.

    `host` is what the service finds in its Host header.
    """

    name: str
    paths: tuple[str, ...]
    regex_priority: int
    service: str | None
    upstream: str | None
    host: str | None
    plugins: Mapping[str, Mapping[str, Any]]
    read_timeout: int
    connect_timeout: int
    retries: int


def routes(tree: Mapping[str, Any]) -> Iterator[Route]:
    """Every route with the plugins in force on it: its own over its service's over global ones."""
    everywhere = _by_name(tree.get("plugins", []))
    hosts = {one.get("name"): one.get("host_header") for one in tree.get("upstreams", [])}
    for service in tree.get("services", []):
        on_service = everywhere | _by_name(service.get("plugins", []))
        for route in service.get("routes", []):
            yield _route(route, service, on_service, hosts)
    for route in tree.get("routes", []):
        yield _route(route, None, everywhere, hosts)


def normalise(path: str) -> str:
    """The path that routes are matched against."""
    if not path.startswith("/") or _BROKEN.search(path):
        raise BadPath(path)
    path = _TRIPLET.sub(_decoded, path)
    path = re.sub(r"/{2,}", "/", path)
    kept: list[str] = []
    for segment in path.split("/")[1:]:
        if segment == "..":
            if not kept:
                raise BadPath(path)
            kept.pop()
        elif segment != ".":
            kept.append(segment)
    if path.endswith(("/.", "/..")):
        kept.append("")
    return "/" + "/".join(kept)


def route_of(tree: Mapping[str, Any], path: str) -> Route | None:
    """The route that Kong takes for a path without its query string."""
    asked = normalise(path)
    matching = [
        (_precedence(route, pattern), route)
        for route in routes(tree)
        for pattern in route.paths
        if _matches(pattern, asked)
    ]
    return max(matching, key=lambda match: match[0])[1] if matching else None


def _precedence(route: Route, pattern: str) -> tuple[bool, int, int]:
    """Any regex before any prefix; regexes by their priority, prefixes by their length."""
    if pattern.startswith(REGEX):
        return True, route.regex_priority, 0
    return False, 0, len(pattern)


def _matches(pattern: str, path: str) -> bool:
    if pattern.startswith(REGEX):
        return re.match(pattern[1:], path) is not None
    return path.startswith(pattern)


def _decoded(triplet: re.Match[str]) -> str:
    character = chr(int(triplet[1], 16))
    if character in _RESERVED or not " " < character <= "~":
        return triplet[0].upper()
    return character


def _by_name(plugins: list[dict[str, Any]]) -> dict[str, Mapping[str, Any]]:
    return {plugin["name"]: plugin.get("config", {}) for plugin in plugins}


def _route(
    route: Mapping[str, Any],
    service: Mapping[str, Any] | None,
    plugins: dict[str, Mapping[str, Any]],
    hosts: Mapping[str, str | None],
) -> Route:
    owner = service or {}
    upstream = owner.get("host")
    return Route(
        name=route["name"],
        paths=tuple(route.get("paths", ())),
        regex_priority=route.get("regex_priority", 0),
        service=owner.get("name"),
        upstream=upstream,
        host=hosts.get(str(upstream)) or upstream,
        plugins=plugins | _by_name(route.get("plugins", [])),
        read_timeout=owner.get("read_timeout", 60000),
        connect_timeout=owner.get("connect_timeout", 60000),
        retries=owner.get("retries", 5),
    )

"""Kong's routes in Kong's order of precedence, as Envoy's first-match list."""

from collections.abc import Iterable

from pyispyb_gateway.envoy.extensions import Part, seconds, typed
from pyispyb_gateway.envoy.filters import of_route
from pyispyb_gateway.router import BELOW, EXACT, REGEX, Route

# No cluster has this name, and a missing cluster is a 404 with everything else a request gets.
# A direct response would get no CORS headers, and its body would be wrapped twice.
NOWHERE = "nowhere"
OTHER_REPLICAS = "envoy.extensions.retry.host.previous_hosts.v3.PreviousHostsPredicate"


def table(routes: Iterable[Route]) -> Part:
    """The whole route table."""
    ordered = sorted(
        ((rank, entry) for route in routes for rank, entry in _entries(route)),
        key=lambda pair: pair[0],
    )
    return {
        "name": "public",
        "validate_clusters": False,
        "virtual_hosts": [
            {
                "name": "public",
                "domains": ["*"],
                "routes": [entry for _, entry in ordered],
            }
        ],
    }


def full_match(regex: str) -> str:
    """A regex of Kong, which is anchored at its start only, as one that matches the whole path."""
    if regex.endswith(BELOW):
        return regex.removesuffix(BELOW) + "(/.*)?"
    return regex.removesuffix(EXACT)


def _entries(route: Route) -> Iterable[tuple[tuple[int, int], Part]]:
    regexes = [
        full_match(path.removeprefix(REGEX)) for path in route.paths if path.startswith(REGEX)
    ]
    if regexes:
        # One entry for all: each entry would count its own requests against the limit.
        whole = "|".join(f"(?:{regex})" for regex in regexes)
        yield (0, -route.regex_priority), _entry(route, {"safe_regex": {"regex": whole}})
    for path in route.paths:
        if not path.startswith(REGEX):
            yield (1, -len(path)), _entry(route, {"prefix": path})


def _entry(route: Route, match: Part) -> Part:
    return {
        "name": route.name,
        "match": match,
        "metadata": {"filter_metadata": {"gateway": {"service": route.service}}},
        "typed_per_filter_config": of_route(route),
        "route": _action(route),
    }


def _action(route: Route) -> Part:
    if route.upstream is None:
        return {"cluster": NOWHERE, "cluster_not_found_response_code": "NOT_FOUND"}
    return {
        "cluster": route.upstream,
        # A client never says under which name a service believes to be called.
        "host_rewrite_literal": route.host,
        "timeout": "0s",
        "retry_policy": {
            "retry_on": "connect-failure,refused-stream",
            "num_retries": route.retries,
            # From the end of the request to the first byte of the answer: a client that sends or
            # reads slowly is not a service that hangs.
            "per_try_timeout": seconds(route.read_timeout),
            "retry_back_off": {"base_interval": "0.025s", "max_interval": "0.1s"},
            "retry_host_predicate": [
                {
                    "name": "envoy.retry_host_predicates.previous_hosts",
                    "typed_config": typed(OTHER_REPLICAS),
                }
            ],
            "host_selection_retry_max_attempts": 3,
        },
    }

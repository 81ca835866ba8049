"""Replicas that are never looked at, looked at in the wrong way, or waited for too long."""

from collections.abc import Iterator

from pyispyb_gateway.document import Document, Table
from pyispyb_gateway.lint.reading import below, tables
from pyispyb_gateway.lint.rules import Fault, rule
from pyispyb_gateway.lint.tokens import TOKEN_SERVICES

HEALTH = ("healthy", "unhealthy")


@rule("timeouts", "set read_timeout to 5000 at most: a hung service must answer within 6 s")
def _timeouts(document: Document) -> Iterator[Fault]:
    for service in tables(document.tree, "services"):
        if service.get("read_timeout", 60000) > 5000:
            yield (
                service.line_of("read_timeout"),
                f"service {service.get('name')} may hang for long",
            )


@rule("passive-checks", "take them out: one address that hangs up would take every replica out")
def _passive_checks(document: Document) -> Iterator[Fault]:
    for upstream in tables(document.tree, "upstreams"):
        checks = upstream.get("healthchecks")
        if isinstance(checks, Table) and "passive" in checks:
            yield checks.line_of("passive"), f"upstream {upstream.get('name')} has passive checks"


@rule(
    "active-checks", "give healthy and unhealthy an interval, successes, tcp_failures and timeouts"
)
def _active_checks(document: Document) -> Iterator[Fault]:
    for upstream in tables(document.tree, "upstreams"):
        active = below(upstream, "healthchecks", "active")
        wanted = (
            ("healthy", "interval"),
            ("healthy", "successes"),
            ("unhealthy", "interval"),
            ("unhealthy", "tcp_failures"),
            ("unhealthy", "timeouts"),
        )
        said_never = all(below(active, kind).get("interval") == 0 for kind in HEALTH)
        if said_never and upstream.get("name") not in TOKEN_SERVICES:
            continue  # a site's own auth service, which need not tell its health
        missing = [".".join(keys) for keys in wanted if not below(active, keys[0]).get(keys[1])]
        if missing:
            yield (
                upstream.line_of("healthchecks"),
                (f"upstream {upstream.get('name')} is never checked: no {', '.join(missing)}"),
            )

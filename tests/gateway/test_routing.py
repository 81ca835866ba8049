"""The same path takes the same route in Kong, as its router is modelled, and in a real Envoy."""

import subprocess
from pathlib import Path

import pytest
import yaml
from tests.gateway.stand import Stand, environment
from tests.gateway.tokens import bearer

from pyispyb_gateway.router import BadPath, normalise, route_of

NOWHERE = None
REFUSED = "refused"

# (path, the service that must answer; None for 404 by the gateway, "refused" for 400)
PATHS = [
    ("/", "core"),
    ("/?a=b", "core"),
    ("/.", "core"),
    ("/./", "core"),
    ("/index.html", NOWHERE),
    ("/favicon.ico", NOWHERE),
    ("/docs", NOWHERE),
    ("/version", NOWHERE),
    ("/health/live", NOWHERE),
    ("/auth", NOWHERE),
    ("/auth/", "auth"),
    ("/auth/login", "auth"),
    ("/auth/login?plugin=ldap", "auth"),
    ("/auth//login", "auth"),
    ("/auth/./login", "auth"),
    ("/auth/a/../login", "auth"),
    ("/auth/refresh", "auth"),
    ("/auth/logout", "auth"),
    ("/auth/token", "auth"),
    ("/auth/config", "auth"),
    ("/auth/userinfo", "auth"),
    ("/auth/docs", "auth"),
    ("/auth/docs/swagger-ui.css", "auth"),
    ("/auth/openapi.json", "auth"),
    ("/auth/version", "auth"),
    ("/auth/health/live", "auth"),
    ("/auth/.well-known/oauth-authorization-server", "auth"),
    ("/.well-known/oauth-authorization-server/auth", "auth"),
    ("/%2Ewell-known/oauth-authorization-server/auth", "auth"),
    ("//.well-known//oauth-authorization-server/auth", "auth"),
    ("/.well-known/oauth-authorization-server/auth/", NOWHERE),
    ("/.well-known/oauth-authorization-server/authx", NOWHERE),
    ("/.well-known/oauth-authorization-server/core", NOWHERE),
    ("/.well-known/oauth-authorization-server", NOWHERE),
    ("/xwell-known/oauth-authorization-server/auth", NOWHERE),
    ("/.well-known/openid-configuration", NOWHERE),
    ("/authxyz", NOWHERE),
    ("/authentic/login", NOWHERE),
    ("/AUTH/login", NOWHERE),
    ("/Auth/login", NOWHERE),
    ("/auth%2Flogin", NOWHERE),
    ("/%61uth/login", "auth"),
    ("/auth/health/ready", NOWHERE),
    ("/auth/metrics", NOWHERE),
    ("/auth/revocations", NOWHERE),
    ("/auth/revocations/now", NOWHERE),
    ("//auth//revocations", NOWHERE),
    ("/auth/revocation%73", NOWHERE),
    ("/auth/%72evocations", NOWHERE),
    ("/auth/./%72evocations?x=1", NOWHERE),
    ("/%61uth/revocations/", NOWHERE),
    ("/auth/revocationsx", "auth"),
    ("/core", NOWHERE),
    ("/core/", "core"),
    ("/corexyz", NOWHERE),
    ("/core-open", NOWHERE),
    ("/core.html", NOWHERE),
    ("/core;x/proposals", NOWHERE),
    ("/CORE/proposals", NOWHERE),
    ("/core%2Fproposals", NOWHERE),
    ("/core%2fproposals", NOWHERE),
    ("/core/proposals", "core"),
    ("/core/proposals/", "core"),
    ("/core/proposals/MX1001", "core"),
    ("/core/proposals?limit=5&skip=10", "core"),
    ("/core/proposals?next=/ssx/runs", "core"),
    ("/core/proposals%3Flimit=5", "core"),
    ("/core/%70roposals", "core"),
    ("//core/proposals", "core"),
    ("/core//proposals", "core"),
    ("/core/./proposals", "core"),
    ("/core/persons/../proposals", "core"),
    ("/core/../ssx/runs", "ssx"),
    ("/core/%2e%2e/ssx/runs", "ssx"),
    ("/core/%2E./ssx/runs", "ssx"),
    ("/core/..%2Fssx/runs", "core"),
    ("/core/../corexyz", NOWHERE),
    ("/core/user/current", "core"),
    ("/core/user/access", "core"),
    ("/core/docs", "core"),
    ("/core/docs/", "core"),
    ("/core/docs/swagger-ui.css", "core"),
    ("/core/docs/a/b", "core"),
    ("/core/docs/a%2Fb", "core"),
    ("/core/docsx", "core"),
    ("/core/openapi.json", "core"),
    ("/core/openapiXjson", "core"),
    ("/core/version", "core"),
    ("/core/version/", "core"),
    ("/core/health/live", "core"),
    ("/core/health/live/x", "core"),
    ("/core/health/ready", NOWHERE),
    ("/core/health/ready/", NOWHERE),
    ("/core/health/ready?x=1", NOWHERE),
    ("/core//health//ready", NOWHERE),
    ("/core/health/%72eady", NOWHERE),
    ("/core/x/../health/ready", NOWHERE),
    ("/core/health/READY", "core"),
    ("/core/sync", NOWHERE),
    ("/core/sync/proposal", NOWHERE),
    ("/core/sync/proposal?validate=only", NOWHERE),
    ("/core/%73ync/proposal", NOWHERE),
    ("/core//sync//proposal", NOWHERE),
    ("/core/x/../sync/proposal", NOWHERE),
    ("/core/synchrotrons", "core"),
    ("/core/metrics", NOWHERE),
    ("/core/metrics/x", NOWHERE),
    ("/core/%6detrics", NOWHERE),
    ("/core/%6Detrics", NOWHERE),
    ("/core/./metrics", NOWHERE),
    ("/core/metricsx", "core"),
    ("/core/revocations", NOWHERE),
    ("/CORE/metrics", NOWHERE),
    ("/metrics", NOWHERE),
    ("//metrics", NOWHERE),
    ("/health/ready", NOWHERE),
    ("/revocations", NOWHERE),
    ("//revocations", NOWHERE),
    ("/%72evocations", NOWHERE),
    ("/core/../revocations", NOWHERE),
    ("/ispyb/api/v1/revocations", NOWHERE),
    ("/ispyb/api/v1/metrics", NOWHERE),
    ("/ispyb/api/v1/auth/revocations", NOWHERE),
    ("/core/links", "core"),
    ("/core/links/", "core"),
    ("/core/links/aB3_-x", "core"),
    ("/core/links/aB3_-x?download=1", "core"),
    ("//core//links//aB3", "core"),
    ("/core/%6cinks/aB3", "core"),
    ("/core/links/aB3/", "core"),
    ("/core/links/aB3/file.cbf", "core"),
    ("/core/links/a.b", "core"),
    ("/core/links/..%2Fproposals", "core"),
    ("/core/links/../proposals", "core"),
    ("/core/user/links", "core"),
    ("/core/user/links/7", "core"),
    ("/ssx/links/aB3_-x", "ssx"),
    ("/ssx/links/aB3/images", "ssx"),
    ("/ssx/user/links/7", "ssx"),
    ("/links/aB3", NOWHERE),
    ("/auth/links/aB3", "auth"),
    ("/ssx", NOWHERE),
    ("/ssx/", "ssx"),
    ("/ssxx/runs", NOWHERE),
    ("/SSX/runs", NOWHERE),
    ("/ssx/runs", "ssx"),
    ("/ssx/runs/1", "ssx"),
    ("/ssx/runs/1/summary", "ssx"),
    ("/ssx/runs/1/images?limit=10", "ssx"),
    ("/ssx/runs/1/close", "ssx"),
    ("/ssx/runs/1/batches", "ssx"),
    ("/ssx/runs/1/batches/", "ssx"),
    ("/ssx/runs/1/batches/0", "ssx"),
    ("/ssx/runs/1/batches/0/x", "ssx"),
    ("/ssx/runs/1/batches/%30", "ssx"),
    ("/ssx/runs/a%2Fb/batches/0", "ssx"),
    ("/ssx/runs//batches/0", "ssx"),
    ("/ssx/docs", "ssx"),
    ("/ssx/docs/index.css", "ssx"),
    ("/ssx/openapi.json", "ssx"),
    ("/ssx/version", "ssx"),
    ("/ssx/health/live", "ssx"),
    ("/ssx/health/ready", NOWHERE),
    ("/ssx/metrics", NOWHERE),
    ("/ssx/revocations", NOWHERE),
    ("/ssx/../core/metrics", NOWHERE),
    ("/ssx/%2e%2e/core/%6detrics", NOWHERE),
    ("/ispyb/api/v1/proposals", NOWHERE),
    ("/admin", NOWHERE),
    ("/stats", NOWHERE),
    ("/core/%00", REFUSED),
    ("/core/%zz", REFUSED),
    ("/core/%", REFUSED),
    ("/core/%4", REFUSED),
]

# Kong refuses what climbs above the root, Envoy stops there (RFC 3986 allows both). Neither way
# leads anywhere that the path itself does not.
DIFFERENT = [
    ("/..", REFUSED, "core"),
    ("/../core/proposals", REFUSED, "core"),
    ("/../core/metrics", REFUSED, NOWHERE),
    ("/core/../../ssx/health/ready", REFUSED, NOWHERE),
    ("//", "core", NOWHERE),
]


def test_enough_paths() -> None:
    assert len({path for path, _ in PATHS}) == len(PATHS) >= 100


@pytest.fixture(scope="module")
def kong(stand: Stand) -> dict[str, object]:
    """The file as Kong would read it, rendered by the command line."""
    path = stand.folder / "kong.yml"
    command = stand.command("render", "--for", "kong", "-o", str(path))
    subprocess.run(command, check=True, env=environment(), cwd=Path(__file__).parents[2])
    loaded = yaml.safe_load(path.read_text())
    assert loaded["_format_version"] == "3.0"
    return dict(loaded)


@pytest.mark.parametrize(("path", "service"), PATHS)
def test_same_route(stand: Stand, kong: dict[str, object], path: str, service: str | None) -> None:
    try:
        taken = route_of(kong, path.partition("?")[0])
    except BadPath:
        assert service == REFUSED
        assert stand.ask(path).status == 400
        return
    assert taken is not None
    assert taken.upstream == service
    answer = stand.ask(
        path, headers=bearer(stand.token) | {"X-Request-ID": f"r-{PATHS.index((path, service))}"}
    )
    if service is None:
        assert answer.status == 404
        assert set(answer.json) <= {"message", "request_id"}
        assert answer.headers["content-type"].startswith("application/json")
        return
    assert answer.status == 200
    assert answer.json["service"] == service
    assert answer.json["path"].partition("?")[2] == path.partition("?")[2]
    without = stand.ask(path)
    assert without.status == (401 if "jwt" in taken.plugins else 200)


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/core/links/aB3_-x", 200),
        ("/ssx/links/aB3_-x", 200),
        ("/core/links/aB3/../../proposals", 401),
        ("/core/links/aB3/file.cbf", 401),
        ("/core/links/a.b", 401),
        ("/core/links/a%2Fb", 401),
        ("/core/links/", 401),
        ("/core/user/links", 401),
        ("/core/user/links/7", 401),
        ("/ssx/user/links", 401),
        ("/.well-known/oauth-authorization-server/auth", 200),
    ],
)
def test_what_is_open(stand: Stand, path: str, status: int) -> None:
    """A link is its own proof, and nothing that only looks like one."""
    assert stand.ask(path).status == status


@pytest.mark.parametrize(("path", "in_kong", "in_envoy"), DIFFERENT)
def test_known_differences(
    stand: Stand, kong: dict[str, object], path: str, in_kong: str | None, in_envoy: str | None
) -> None:
    try:
        taken = route_of(kong, path)
    except BadPath:
        assert in_kong == REFUSED
    else:
        assert taken is not None
        assert taken.upstream == in_kong
    answer = stand.ask(path, headers=bearer(stand.token))
    assert answer.status == (404 if in_envoy is None else 200)
    assert in_envoy is None or answer.json["service"] == in_envoy


@pytest.mark.parametrize(
    ("path", "normal"),
    [
        ("/core/%41", "/core/A"),
        ("/core/%2f", "/core/%2F"),
        ("/core/a/..", "/core/"),
        ("/core/a/.", "/core/a/"),
        ("//a///b/", "/a/b/"),
        ("/%E2%82%ac", "/%E2%82%AC"),
    ],
)
def test_normal_form(path: str, normal: str) -> None:
    assert normalise(path) == normal


@pytest.mark.parametrize("path", ["/core/proposals", "/core/a%2Fb", "/ssx/runs/1/batches/0"])
def test_a_path_is_the_same_on_both_sides(stand: Stand, path: str) -> None:
    assert stand.ask(path, headers=bearer(stand.token)).json["path"] == path

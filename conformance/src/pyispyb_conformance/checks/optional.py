"""Section 6: what may be there besides; if it is, it must be right."""

from pyispyb_conformance.asking import Answer
from pyispyb_conformance.clauses import Broken, Level, NotTried, clause
from pyispyb_conformance.subject import OK, Subject

METADATA = (
    "/.well-known/oauth-authorization-server/auth",
    "/auth/.well-known/oauth-authorization-server",
)
HEALTH = "/auth/health/live"
CONFIG = "/auth/config"


@clause("6.1", Level.INFORMATION, "health path")
def says_that_it_lives(subject: Subject) -> str:
    """`GET /auth/health/live` answers 200; else give the gateway another path, or none."""
    answer = subject.auth.get(HEALTH)
    return "there" if answer.status == OK else f"{answer.seen}: set the gateway's health path"


@clause("6.2", Level.REQUIRED, "config")
def tells_its_providers(subject: Subject) -> str:
    """Where there is `GET /auth/config`, it answers `{"issuer", "providers": [{"name",
    "takes": […]}]}`: the front page makes its login form of it."""
    answer = subject.auth.get(CONFIG)
    if answer.status != OK:
        raise NotTried(f"there is none: {answer.seen}")
    told = answer.object(OK)
    if told.get("issuer") != subject.claims.get("iss"):
        raise Broken(f"issuer {told.get('issuer')!r}")
    providers = told.get("providers")
    if not isinstance(providers, list):
        raise Broken("providers is no list")
    for one in providers:
        takes = one.get("takes") if isinstance(one, dict) else None
        if not isinstance(takes, list) or not isinstance(one.get("name"), str):
            raise Broken(f"provider {one!r}")
    return ", ".join(one["name"] for one in providers) or "no provider"


@clause("6.3", Level.REQUIRED, "metadata")
def describes_itself(subject: Subject) -> str:
    """Where there is RFC 8414 metadata, its `issuer` is the token's `iss` and its `jwks_uri` is a
    URL."""
    found = [answer for path in METADATA if (answer := subject.auth.get(path)).status == OK]
    if not found:
        raise NotTried("there is none")
    told = _told(found[0])
    if told.get("issuer") != subject.claims.get("iss"):
        raise Broken(f"issuer {told.get('issuer')!r}")
    if not str(told.get("jwks_uri", "")).startswith(("http://", "https://")):
        raise Broken(f"jwks_uri {told.get('jwks_uri')!r}")
    return str(told["jwks_uri"])


def _told(answer: Answer) -> dict[str, object]:
    return answer.object(OK)

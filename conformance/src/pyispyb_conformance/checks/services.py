"""Section 7: what core and ssx accept, with the gateway before them."""

import time

from pyispyb_conformance.clauses import Broken, Level, NotTried, clause
from pyispyb_conformance.subject import OK, Subject, token_in
from pyispyb_conformance.tokens import forgeries, parts_of

CORE, SSX = "/core/user/current", "/ssx/runs"
UNAUTHORIZED = 401
WORTH_WAITING = 15  # seconds that a token may live for its end to be waited for
SKEW = 2


@clause("7.1", Level.REQUIRED, "core")
def core_accepts(subject: Subject) -> str:
    """`GET /core/user/current` with the token answers 200 with the same `login`."""
    said = subject.services.get(CORE, subject.token).object(OK).get("login")
    claim = subject.block.login_claim if subject.block else "sub"
    if said != subject.claims.get(claim):
        raise Broken(f"login {said!r}")
    return f"200, {said}"


@clause("7.2", Level.REQUIRED, "ssx")
def ssx_accepts(subject: Subject) -> str:
    """`GET /ssx/runs` with the token answers 200."""
    subject.services.get(SSX, subject.token).object(OK)
    return "200"


@clause("7.3", Level.REQUIRED, "refreshed")
def services_accept_the_next(subject: Subject) -> str:
    """Both accept the token of a refresh too."""
    token = token_in(subject.refreshed, "token")
    for path in (CORE, SSX):
        subject.services.get(path, token).must_be(OK)
    return "200"


@clause("7.4", Level.REQUIRED, "without")
def services_refuse_nobody(subject: Subject) -> str:
    """Without a token both answer 401."""
    for path in (CORE, SSX):
        subject.services.get(path).must_be(UNAUTHORIZED)
    return "401"


@clause("7.5", Level.REQUIRED, "tampered")
def services_refuse_forgeries(subject: Subject) -> str:
    """Changed claims, a changed signature, `alg: none`, HS256 by the public key, another `kid`:
    both answer 401."""
    services = subject.services
    try:
        key = subject.key_of(subject.token)
    except (Broken, NotTried):
        key = None
    forged = forgeries(subject.token, key)
    for what, token in forged.items():
        for path in (CORE, SSX):
            if (answer := services.get(path, token)).status != UNAUTHORIZED:
                raise Broken(f"{path}: {what}: {answer.seen}")
    return f"401 to {len(forged)} forgeries"


@clause("7.6", Level.REQUIRED, "refresh token")
def services_refuse_a_refresh_token(subject: Subject) -> str:
    """With the refresh token as bearer both answer 401."""
    for path in (CORE, SSX):
        subject.services.get(path, subject.refresh_token).must_be(UNAUTHORIZED)
    return "401"


@clause("7.7", Level.REQUIRED, "expiry")
def services_refuse_the_expired(subject: Subject) -> str:
    """An expired token is refused with 401 (waited for where a token lives at most 15 s)."""
    services = subject.services
    token = token_in(subject.log_in(), "token")
    ends = parts_of(token)[1].get("exp")
    if not isinstance(ends, (int, float)):
        raise NotTried("exp is no number")
    wait = ends - time.time() + SKEW
    if wait > WORTH_WAITING + SKEW:
        raise NotTried(f"it lives {ends - time.time():.0f} s")
    time.sleep(max(wait, 0))
    for path in (CORE, SSX):
        services.get(path, token).must_be(UNAUTHORIZED)
    return "401"

"""Section 2: the access token, its header, its claims, its times."""

import re

from pyispyb_conformance.clauses import Broken, Level, NotTried, clause
from pyispyb_conformance.subject import Subject, token_in
from pyispyb_conformance.tokens import ALGORITHMS, parts_of

LONGEST = 7900  # with `Bearer ` and reserve in the 8000 that a service reads
LOGIN = r"[A-Za-z0-9._@-]{1,45}"
SKEW = 1  # what the services forgive
SLOW = 30  # seconds by which a clock is behind in earnest
DAY, SHORT = 86400, 900
LISTS = ("scope", "groups", "beamlines", "aud")
OF_ID_TOKENS: tuple[str, ...] = ("nonce", "at_hash", "c_hash")
USUAL = {"iss", "sub", "exp", "iat", "jti", "sid", "nbf", "typ"}


def number(subject: Subject, claim: str) -> float:
    """A claim that is a time. Raises NotTried."""
    value = subject.claims.get(claim)
    if not isinstance(value, (int, float)) or isinstance(value, bool):
        raise NotTried(f"{claim} is no number")
    return value


@clause("2.1", Level.REQUIRED, "form")
def is_a_signed_jwt(subject: Subject) -> str:
    """The token is a signed JWT (RFC 7519) in compact form, of at most 7900 characters."""
    parts_of(subject.token)
    if len(subject.token) > LONGEST:
        raise Broken(f"{len(subject.token)} characters")
    return f"{len(subject.token)} characters"


@clause("2.2", Level.REQUIRED, "alg")
def is_asymmetric(subject: Subject) -> str:
    """Its header's `alg` is `ES256`, `RS256` or `EdDSA`."""
    said = subject.header.get("alg")
    if said not in ALGORITHMS:
        raise Broken(f"alg {said!r}")
    return str(said)


@clause("2.3", Level.REQUIRED, "kid")
def names_its_key(subject: Subject) -> str:
    """Its header's `kid` is the id of the key that signed it, a text that is not empty."""
    said = subject.header.get("kid")
    if not isinstance(said, str) or not said:
        raise Broken(f"kid {said!r}")
    return said


@clause("2.4", Level.REQUIRED, "typ")
def is_of_a_known_type(subject: Subject) -> str:
    """Its header's `typ` is `JWT` or `at+jwt` or is left out; there is no `crit`."""
    said = str(subject.header.get("typ", "JWT"))
    if said.lower() not in {"jwt", "at+jwt", "application/at+jwt"}:
        raise Broken(f"typ {said!r}")
    if "crit" in subject.header:
        raise Broken(f"crit {subject.header['crit']!r}")
    return said


@clause("2.5", Level.REQUIRED, "iss")
def names_its_issuer(subject: Subject) -> str:
    """Claim `iss`: your issuer's name, a text, the same in every token."""
    said = subject.claims.get("iss")
    if not isinstance(said, str) or not said:
        raise Broken(f"iss {said!r}")
    again = parts_of(token_in(subject.second, "token"))[1].get("iss")
    if again != said:
        raise Broken(f"{said!r}, then {again!r}")
    return said


@clause("2.6", Level.REQUIRED, "sub")
def names_its_subject(subject: Subject) -> str:
    """Claim `sub`: the ISPyB login (or another claim, named by `login_claim`), a text that
    matches `[A-Za-z0-9._@-]{1,45}` (or your `login_pattern`)."""
    said = subject.claims.get("sub")
    if not isinstance(said, str) or not said:
        raise Broken(f"sub {said!r}")
    claim = subject.block.login_claim if subject.block else "sub"
    pattern = subject.block.login_pattern if subject.block else LOGIN
    login = subject.claims.get(claim)
    if not isinstance(login, str) or not re.fullmatch(pattern, login):
        raise Broken(f"{claim} {login!r} does not match {pattern}")
    return login


@clause("2.7", Level.REQUIRED, "exp, iat")
def says_its_times(subject: Subject) -> str:
    """Claims `exp` and `iat`: seconds since 1970, numbers and not texts."""
    for claim in ("exp", "iat"):
        value = subject.claims.get(claim)
        if not isinstance(value, (int, float)) or isinstance(value, bool):
            raise Broken(f"{claim} {value!r}")
    return "numbers"


@clause("2.8", Level.REQUIRED, "clock ahead")
def is_not_of_tomorrow(subject: Subject) -> str:
    """`iat`, and `nbf` if there is one, are never later than now: your clock is not ahead by more
    than 1 s."""
    now = subject.first.received
    for claim in ("iat", "nbf"):
        if claim in subject.claims and (ahead := number(subject, claim) - now) > SKEW:
            raise Broken(f"{claim} is {ahead:.1f} s ahead of this machine's clock")
    return f"iat {number(subject, 'iat') - now:+.1f} s by this machine's clock"


@clause("2.9", Level.RECOMMENDED, "clock behind")
def is_not_of_yesterday(subject: Subject) -> str:
    """Your clock is not behind by more than 30 s: tokens would end too early."""
    behind = subject.first.received - subject.first.seconds - number(subject, "iat")
    if behind > SLOW:
        raise Broken(f"iat is {behind:.0f} s behind this machine's clock")
    return f"{max(behind, 0):.0f} s"


@clause("2.10", Level.REQUIRED, "lifetime")
def ends_within_a_day(subject: Subject) -> str:
    """A token lives longer than it takes to use it and at most a day (`exp` after `iat`)."""
    lives = number(subject, "exp") - number(subject, "iat")
    if not 0 < lives <= DAY:
        raise Broken(f"{lives:g} s")
    if number(subject, "exp") <= subject.first.received:
        raise Broken("it has expired when it comes")
    return f"{lives:g} s"


@clause("2.11", Level.RECOMMENDED, "short life")
def ends_soon(subject: Subject) -> str:
    """A token lives at most 15 minutes: without a revocation list nothing else ends it."""
    lives = number(subject, "exp") - number(subject, "iat")
    if lives > SHORT:
        raise Broken(f"{lives:g} s")
    return f"{lives:g} s"


@clause("2.12", Level.REQUIRED, "no ID token")
def is_no_id_token(subject: Subject) -> str:
    """It is an access token: no `nonce`, `at_hash` or `c_hash`, and no claim `typ` of `ID`,
    `Refresh` or `Logout`."""
    found = [claim for claim in OF_ID_TOKENS if claim in subject.claims]
    if str(subject.claims.get("typ", "")).lower() in {"id", "refresh", "logout"}:
        found.append(f"typ {subject.claims['typ']}")
    if found:
        raise Broken(", ".join(found))
    return "none of them"


@clause("2.13", Level.RECOMMENDED, "jti")
def has_an_id(subject: Subject) -> str:
    """Claim `jti`: a text, another in each token."""
    said = subject.claims.get("jti")
    if not isinstance(said, str) or not said:
        raise Broken(f"jti {said!r}")
    if parts_of(token_in(subject.second, "token"))[1].get("jti") == said:
        raise Broken("the same in two tokens")
    return "unique"


@clause("2.14", Level.REQUIRED, "optional claims")
def writes_lists_as_lists(subject: Subject) -> str:
    """`scope`, `groups`, `beamlines` and `aud`, where they are there, are a text or a list of
    texts."""
    for claim in LISTS:
        value = subject.claims.get(claim, [])
        parts = value if isinstance(value, list) else [value]
        if not all(isinstance(part, str) for part in parts):
            raise Broken(f"{claim} {value!r}")
    return ", ".join(claim for claim in LISTS if claim in subject.claims) or "none there"


@clause("2.15", Level.INFORMATION, "other claims")
def carries_more(subject: Subject) -> str:
    """Other claims are carried and ignored; `scope`, `groups` and `beamlines` count where the
    issuer block believes them."""
    return ", ".join(sorted(set(subject.claims) - USUAL)) or "none"

"""Section 1: a login, and what it gives."""

from typing import Any

from pyispyb_conformance.clauses import Broken, Level, NotTried, clause
from pyispyb_conformance.subject import OK, Subject, token_in

NEAR = 2  # seconds that two ways to say one time may differ
FIVE = ("token", "refreshToken", "expiresIn", "tokenType", "login")


def answer_of(subject: Subject) -> dict[str, Any]:
    """The JSON of the first login."""
    if subject.first.status != OK or not isinstance(subject.first.json, dict):
        raise NotTried("no login")
    return subject.first.json


@clause("1.1", Level.REQUIRED, "login")
def logs_in(subject: Subject) -> str:
    """`POST /auth/login` with `{"login", "password"}` answers 200 and a JSON object."""
    subject.first.object(OK)
    return f"200 in {subject.first.seconds:.2f} s"


@clause("1.2", Level.REQUIRED, "token")
def gives_a_bearer_token(subject: Subject) -> str:
    """It holds `token`, a text, and `tokenType`, the word `Bearer`."""
    answer = answer_of(subject)
    if not isinstance(answer.get("token"), str) or not answer["token"]:
        raise Broken("no token")
    if answer.get("tokenType") != "Bearer":
        raise Broken(f"tokenType {answer.get('tokenType')!r}")
    return "Bearer"


@clause("1.3", Level.REQUIRED, "refreshToken")
def gives_a_refresh_token(subject: Subject) -> str:
    """It holds `refreshToken`, a text of at most 8192 characters and not the `token`."""
    answer = answer_of(subject)
    value = answer.get("refreshToken")
    if not isinstance(value, str) or not 0 < len(value) <= 8192:
        raise Broken("no refreshToken, or a longer one")
    if value == answer.get("token"):
        raise Broken("it is the access token")
    return f"{len(value)} characters"


@clause("1.4", Level.REQUIRED, "expiresIn")
def says_how_long(subject: Subject) -> str:
    """It holds `expiresIn`, whole seconds until the token's `exp`."""
    value = answer_of(subject).get("expiresIn")
    if not isinstance(value, int) or isinstance(value, bool) or value <= 0:
        raise Broken(f"expiresIn {value!r}")
    exp, iat = subject.claims.get("exp"), subject.claims.get("iat")
    if not isinstance(exp, (int, float)) or not isinstance(iat, (int, float)):
        raise NotTried("exp or iat is no number")
    if abs(exp - iat - value) > NEAR:
        raise Broken(f"expiresIn {value}, but exp is {exp - iat:g} s after iat")
    return f"{value} s"


@clause("1.5", Level.REQUIRED, "login")
def says_who(subject: Subject) -> str:
    """It holds `login`, the same as the token's login claim."""
    said = answer_of(subject).get("login")
    claim = subject.block.login_claim if subject.block else "sub"
    if said != subject.claims.get(claim):
        raise Broken(f"login {said!r}, {claim} {subject.claims.get(claim)!r}")
    return str(said)


@clause("1.6", Level.RECOMMENDED, "not stored")
def is_not_stored(subject: Subject) -> str:
    """Answers that hold tokens carry `Cache-Control: no-store`."""
    token_in(subject.first, "token")
    said = subject.first.headers.get("cache-control", "none")
    if "no-store" not in said:
        raise Broken(f"Cache-Control: {said}")
    return said

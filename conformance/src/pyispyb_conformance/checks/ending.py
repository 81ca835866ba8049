"""Section 5: logging out, and tokens that end before their time."""

from functools import cache
from typing import Any

from pyispyb_conformance.asking import Answer, Asking
from pyispyb_conformance.clauses import Broken, Level, NotTried, clause
from pyispyb_conformance.subject import OK, Subject, token_in
from pyispyb_conformance.tokens import parts_of, verify

DONE = (200, 204)
ABSENT = (404, 405, 501)
UNAUTHORIZED = 401
LIST_TYPE = "revocations+jwt"
FORM = {"revoked_jti": list, "revoked_sid": list, "not_before": dict}


@cache
def logged_out(subject: Subject) -> tuple[Answer, Answer]:
    """A login of its own, and the answer to its end."""
    login = subject.log_in()
    body = {"refreshToken": token_in(login, "refreshToken")}
    return login, subject.auth.post("/auth/logout", body, token_in(login, "token"))


def revocations(subject: Subject) -> str:
    """The list of revoked tokens. Raises NotTried where the issuer block names none."""
    if subject.block is None:
        raise NotTried("give --issuer-block FILE")
    url = subject.block.fields.get("revocations_url")
    if url is None:
        raise NotTried("the issuer block names no revocations_url")
    answer = Asking(str(url)).get("")
    answer.must_be(OK)
    return answer.text.strip()


@clause("5.1", Level.INFORMATION, "logout")
def has_a_logout(subject: Subject) -> str:
    """`POST /auth/logout` with `{"refreshToken"}` and the bearer, if you have it, answers 200 or
    204."""
    status = logged_out(subject)[1].status
    return "there is none" if status in ABSENT else logged_out(subject)[1].seen


@clause("5.2", Level.REQUIRED, "logout ends")
def logout_ends_the_login(subject: Subject) -> str:
    """Where there is a logout, the refresh token is refused after it with 401."""
    login, answer = logged_out(subject)
    if answer.status in ABSENT:
        raise NotTried("there is no logout")
    answer.must_be(*DONE)
    subject.refresh(token_in(login, "refreshToken")).must_be(UNAUTHORIZED)
    return "401"


@clause("5.3", Level.INFORMATION, "revocation")
def revokes(subject: Subject) -> str:
    """`revocations_url`, if you have it: a signed list that the services ask for every few
    seconds. Without it a token ends at its `exp` and no sooner."""
    lives = answer_seconds(subject)
    if subject.block is None:
        return f"unknown without --issuer-block; at the latest after {lives}"
    if "revocations_url" not in subject.block.fields:
        return f"none: a token ends at its exp, after {lives}"
    return str(subject.block.fields["revocations_url"])


@clause("5.4", Level.REQUIRED, "list of revoked")
def serves_a_list(subject: Subject) -> str:
    """Where the block names `revocations_url`, it answers 200 with a JWS by one of the same keys:
    header `typ: "revocations+jwt"`, claims `iss`, `iat`, `revoked_jti` and `revoked_sid` (lists
    of texts), `not_before` (login to seconds)."""
    token = revocations(subject)
    header, claims, _ = parts_of(token)
    verify(token, subject.key_of(token))
    if header.get("typ") != LIST_TYPE:
        raise Broken(f"typ {header.get('typ')!r}")
    if claims.get("iss") != subject.claims.get("iss"):
        raise Broken(f"iss {claims.get('iss')!r}")
    if not isinstance(claims.get("iat"), (int, float)):
        raise Broken(f"iat {claims.get('iat')!r}")
    wrong = [name for name, kind in FORM.items() if not isinstance(claims.get(name), kind)]
    if wrong:
        raise Broken(f"wrong or missing: {', '.join(wrong)}")
    return f"{len(claims['revoked_jti'])} jti, {len(claims['revoked_sid'])} sid"


@clause("5.5", Level.REQUIRED, "revoked by logout")
def lists_what_ended(subject: Subject) -> str:
    """After a logout the list names the token's `jti` or `sid`, until it would have expired."""
    login, answer = logged_out(subject)
    if answer.status not in DONE:
        raise NotTried("there is no logout")
    listed: dict[str, Any] = parts_of(revocations(subject))[1]
    claims = parts_of(token_in(login, "token"))[1]
    by_jti = claims.get("jti") in listed.get("revoked_jti", [])
    if not by_jti and claims.get("sid") not in listed.get("revoked_sid", []):
        raise Broken("neither its jti nor its sid")
    return "jti" if by_jti else "sid"


def answer_seconds(subject: Subject) -> str:
    """How long a token lives, in words."""
    exp, iat = subject.claims.get("exp"), subject.claims.get("iat")
    if isinstance(exp, (int, float)) and isinstance(iat, (int, float)):
        return f"{exp - iat:g} s"
    return "an unknown time"

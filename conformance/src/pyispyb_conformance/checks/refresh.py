"""Section 4: going on by a refresh token."""

import json

from pyispyb_conformance.checks.login import FIVE
from pyispyb_conformance.clauses import Broken, Level, NotTried, clause
from pyispyb_conformance.subject import OK, Subject, token_in
from pyispyb_conformance.tokens import parts_of, verify

UNAUTHORIZED = 401


@clause("4.1", Level.REQUIRED, "refresh")
def goes_on(subject: Subject) -> str:
    """`POST /auth/refresh` with `{"refreshToken"}` answers 200 with the same five fields as a
    login."""
    answer = subject.refreshed.object(OK)
    missing = [name for name in FIVE if not answer.get(name)]
    if missing:
        raise Broken(f"without {', '.join(missing)}")
    return f"200 in {subject.refreshed.seconds:.2f} s"


@clause("4.2", Level.REQUIRED, "its token")
def gives_a_new_token(subject: Subject) -> str:
    """Its `token` is a new one for the same `iss` and `sub`, verified by the same keys."""
    token = token_in(subject.refreshed, "token")
    if token == subject.token:
        raise Broken("the same token again")
    claims = subject.verified(token)
    for claim in ("iss", "sub"):
        if claims.get(claim) != subject.claims.get(claim):
            raise Broken(f"{claim} {claims.get(claim)!r}, was {subject.claims.get(claim)!r}")
    return "new, same login"


@clause("4.3", Level.RECOMMENDED, "rotation")
def rotates(subject: Subject) -> str:
    """Each refresh gives another `refreshToken`."""
    if token_in(subject.refreshed, "refreshToken") == subject.refresh_token:
        raise Broken("the same refreshToken again")
    return "rotates"


@clause("4.4", Level.RECOMMENDED, "used before")
def refuses_an_old_one(subject: Subject) -> str:
    """A refresh token whose successor has been used is refused with 401."""
    first = token_in(subject.second, "refreshToken")
    second = token_in(subject.refresh(first), "refreshToken")
    if second == first:
        raise NotTried("it does not rotate")
    token_in(subject.refresh(second), "refreshToken")
    subject.refresh(first).must_be(UNAUTHORIZED)
    return "401"


@clause("4.5", Level.INFORMATION, "used just now")
def may_repeat(subject: Subject) -> str:
    """The last used refresh token may be taken once more for some seconds, for a client whose
    answer was lost."""
    if token_in(subject.refreshed, "refreshToken") == subject.refresh_token:
        return "it does not rotate"
    return "taken again" if subject.refresh(subject.refresh_token).status == OK else "refused"


@clause("4.6", Level.REQUIRED, "garbage")
def refuses_garbage(subject: Subject) -> str:
    """A refresh token of nobody answers 401, and so does an access token in its place."""
    subject.refresh("garbage-of-nobody-0123456789abcdef").must_be(UNAUTHORIZED)
    subject.refresh(subject.token).must_be(UNAUTHORIZED)
    return "401"


@clause("4.7", Level.REQUIRED, "broken bodies")
def refuses_broken_bodies(subject: Subject) -> str:
    """A body that is no JSON, no object, without `refreshToken` or with one that is no text is a
    4xx, never a 5xx."""
    bodies = [b"", b"{", b"[]", b"{}", b'{"refreshToken": 7}', b'{"refreshToken": null}', b"\xff"]
    bodies.append(json.dumps({"refreshToken": {"a": "b"}}).encode())
    answers = [subject.auth.post_raw("/auth/refresh", body) for body in bodies]
    for answer in answers:
        answer.must_refuse_well()
    return ", ".join(sorted({str(answer.status) for answer in answers}))


@clause("4.8", Level.REQUIRED, "no access by it")
def is_no_access_token(subject: Subject) -> str:
    """A refresh token opens nothing but `/auth/refresh`: it is opaque, or a JWT that says
    `typ: "Refresh"` in its claims."""
    token = subject.refresh_token
    try:
        header, claims, _ = parts_of(token)
        verify(token, subject.key_of(token))
    except Broken:
        return "opaque"
    said = str(claims.get("typ", "")).lower()
    if said != "refresh" and str(header.get("typ", "JWT")).lower() in {"jwt", "at+jwt"}:
        raise Broken("a JWT by the same key that says nowhere that it is a refresh token")
    return "a JWT that says so"

"""Section 9: refusals; tried last, because a service may slow down who is refused often."""

from functools import cache

from pyispyb_conformance.asking import Answer
from pyispyb_conformance.clauses import Broken, Level, NotTried, clause
from pyispyb_conformance.subject import Subject

UNAUTHORIZED = 401
TRIES = 3
NOBODY, WRONG = "nobody-7f3a", "a wrong password of the conformance kit"
ALIKE_SECONDS, ALIKE_SHARE = 0.05, 0.5
EMPTY_REFUSED = (400, 401, 422)


@cache
def refused(subject: Subject) -> tuple[list[Answer], list[Answer]]:
    """Three wrong passwords of a known login and of an unknown one, in turn."""
    known, unknown = [], []
    for _ in range(TRIES):
        known.append(subject.try_login(subject.given.login, WRONG))
        unknown.append(subject.try_login(NOBODY, WRONG))
    return known, unknown


@clause("9.1", Level.REQUIRED, "wrong password")
def refuses_a_wrong_password(subject: Subject) -> str:
    """A wrong password answers 401, and the answer does not hold it."""
    answer = refused(subject)[0][0]
    answer.must_be(UNAUTHORIZED)
    if WRONG in answer.text:
        raise Broken("the answer repeats the password")
    return "401"


@clause("9.2", Level.REQUIRED, "unknown login")
def answers_alike(subject: Subject) -> str:
    """An unknown login gets the same status and the same body (a request's id apart)."""
    known, unknown = (answers[0] for answers in refused(subject))
    if known.status != unknown.status:
        raise Broken(f"{known.status} for a known login, {unknown.status} for an unknown one")
    if _without_id(known) != _without_id(unknown):
        raise Broken("the bodies tell which logins exist")
    return f"{known.status}, same body"


@clause("9.3", Level.RECOMMENDED, "same time")
def takes_as_long(subject: Subject) -> str:
    """The same takes about as long: the quickest of three differ by at most half, or by 50 ms."""
    known, unknown = (
        [answer.seconds for answer in answers if answer.status == UNAUTHORIZED]
        for answers in refused(subject)
    )
    if not known or not unknown:
        raise NotTried("they are not refused with 401")
    apart, longer = abs(min(known) - min(unknown)), max(min(known), min(unknown))
    if apart > max(ALIKE_SECONDS, ALIKE_SHARE * longer):
        raise Broken(f"known {min(known):.2f} s, unknown {min(unknown):.2f} s")
    return f"known {min(known):.2f} s, unknown {min(unknown):.2f} s"


@clause("9.4", Level.REQUIRED, "empty password")
def refuses_an_empty_password(subject: Subject) -> str:
    """An empty password is refused (400, 401 or 422), whatever stands behind you: many directories
    take it for an anonymous bind."""
    answer = subject.try_login(subject.given.login, "")
    answer.must_be(*EMPTY_REFUSED)
    return answer.seen


@clause("9.5", Level.REQUIRED, "broken bodies")
def refuses_broken_bodies(subject: Subject) -> str:
    """A login that is no JSON, no object, lacks a field, has both `password` and `token`, or has
    one that is no text is a 4xx, never a 5xx."""
    bodies = [b"", b"{", b"[]", b"null", b"{}", b"\xff", b'{"login": "nobody"}']
    bodies += [b'{"password": "x"}', b'{"login": 7, "password": "x"}']
    bodies += [b'{"login": "nobody", "password": {}}', b'{"login": "nobody", "password": null}']
    bodies += [b'{"login": "nobody", "password": "x", "token": "y"}', b"[" * 20000]
    answers = [subject.auth.post_raw("/auth/login", body) for body in bodies]
    for answer, body in zip(answers, bodies, strict=True):
        if not 400 <= answer.status < 500:
            raise Broken(f"{answer.seen} to {body[:40]!r}")
    return ", ".join(sorted({str(answer.status) for answer in answers}))


@clause("9.6", Level.RECOMMENDED, "readable")
def refuses_readably(subject: Subject) -> str:
    """A refusal's body is a JSON object with a `detail` or `message` for a person."""
    said = refused(subject)[0][0].json
    if not isinstance(said, dict) or not (said.get("detail") or said.get("message")):
        raise Broken("no JSON object with detail or message")
    return str(said.get("detail") or said.get("message"))


def _without_id(answer: Answer) -> object:
    """The body without what differs from request to request."""
    if not isinstance(answer.json, dict):
        return answer.text
    return {name: value for name, value in answer.json.items() if name != "request_id"}

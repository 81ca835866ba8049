"""Tokens that end before they expire: what a list says, which lists count, and for how long."""

import json
import time
from collections.abc import Callable
from http import HTTPStatus
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from tests.cast import Issuing
from tests.chassis.served import Served, serving
from tests.peers.http import Answering

from pyispyb_chassis.configuration import Issuer
from pyispyb_chassis.errors import ServiceError
from pyispyb_chassis.tokens import Verifier

NOW = int(time.time())
HONOURED_WITHIN_SECONDS = 30


def trusting(issuing: Issuing, server: Answering, **block: Any) -> Issuer:
    return Issuer(
        issuer=issuing.issuer,
        pem_file=issuing.pem_file,
        kid=issuing.kid,
        revocations_url=f"{server.url}/revocations",
        **block,
    )


def outcome(verifier: Verifier, token: str) -> str:
    """The login, or the name of what is raised."""
    try:
        return verifier.verify([f"Bearer {token}"]).login
    except ServiceError as error:
        return type(error).__name__


def poll(verifier: Verifier) -> list[bool]:
    return [issuer.revocations.poll() for issuer in verifier.trusted]


@pytest.mark.parametrize(
    ("said", "claims", "ended"),
    [
        ({}, {}, False),
        ({"revoked_jti": ["j1"]}, {"jti": "j1"}, True),
        ({"revoked_jti": ["j1"]}, {"jti": "j2"}, False),
        ({"revoked_jti": ["j1"]}, {"jti": "j2", "sid": "j1"}, False),
        ({"revoked_jti": ["j1"]}, {"jti": None}, False),
        ({"revoked_jti": ["None"]}, {"jti": None}, False),
        ({"revoked_sid": ["s1"]}, {"sid": "s1"}, True),
        ({"revoked_sid": ["s1"]}, {"sid": "s2", "jti": "s1"}, False),
        ({"revoked_sid": ["p1"]}, {"pat": "p1", "sid": "s1"}, True),
        ({"revoked_sid": ["s1"]}, {"sid": {"s1": 1}}, False),
        ({"not_before": {"alice": NOW}}, {"iat": NOW - 1}, True),
        ({"not_before": {"alice": NOW}}, {"iat": NOW}, False),
        ({"not_before": {"alice": NOW}}, {"iat": NOW - 0.5}, True),
        ({"not_before": {"bob": NOW}}, {"iat": NOW - 1}, False),
        ({"not_before": {"ALICE": NOW}}, {"iat": NOW - 1}, False),
    ],
)
def test_what_a_list_ends(
    issuing: Issuing, said: dict[str, Any], claims: dict[str, Any], *, ended: bool
) -> None:
    """A token that was verified before ends like one that comes for the first time."""
    known, fresh = (issuing.token("alice", extra=n, **claims) for n in range(2))
    with Answering(issuing.revocations()) as server:
        verifier = Verifier({"suite": trusting(issuing, server)})
        assert poll(verifier) == [True]
        assert outcome(verifier, known) == "alice"
        server.body = issuing.revocations(**said)
        assert poll(verifier) == [True]
    then = "Unauthenticated" if ended else "alice"
    assert [outcome(verifier, known), outcome(verifier, fresh)] == [then, then]


def another(issuing: Issuing, **claims: Any) -> bytes:
    """A list that somebody else signed in this issuer's name."""
    other = object.__new__(Issuing)
    other.issuer, other.kid = issuing.issuer, issuing.kid
    other.key = ec.generate_private_key(ec.SECP256R1())
    return other.revocations(**claims)


NO_LISTS: dict[str, tuple[int, Callable[[Issuing], Any]]] = {
    "500": (500, lambda _: b""),
    "404": (404, lambda _: b""),
    "empty": (200, lambda _: b""),
    "garbage": (200, lambda _: b"a.b.c"),
    "a page": (200, lambda _: b"<html>"),
    "JSON without a signature": (200, lambda _: {"revoked_jti": []}),
    "another's signature": (200, another),
    "of another type": (200, lambda one: one.revocations(typ="JWT")),
    "an access token": (200, lambda one: one.token("alice").encode()),
    "of another issuer": (200, lambda one: one.revocations(iss="https://elsewhere.example.org")),
    "without iss": (200, lambda one: one.revocations(iss=None)),
    "without iat": (200, lambda one: one.revocations(iat=None)),
    "older": (200, lambda one: one.revocations(iat=NOW - 100)),
    "from the future": (200, lambda one: one.revocations(iat=int(time.time()) + 3600)),
    "iat as text": (200, lambda one: one.revocations(iat="now")),
    "jti as text": (200, lambda one: one.revocations(revoked_jti="j1")),
    "logins as a list": (200, lambda one: one.revocations(not_before=["alice"])),
    "a moment as text": (200, lambda one: one.revocations(not_before={"alice": "now"})),
    "too long": (200, lambda _: b" " * 8_100_000),
}


@pytest.mark.parametrize(("status", "body"), NO_LISTS.values(), ids=NO_LISTS.keys())
def test_what_is_no_list_changes_nothing(
    issuing: Issuing, status: int, body: Callable[[Issuing], Any]
) -> None:
    ended, good = issuing.token("alice", jti="j1"), issuing.token("bob")
    with Answering(issuing.revocations(revoked_jti=["j1"])) as server:
        verifier = Verifier({"suite": trusting(issuing, server)})
        assert poll(verifier) == [True]
        server.status, server.body = status, body(issuing)
        assert poll(verifier) == [False]
        assert [outcome(verifier, one) for one in (ended, good)] == ["Unauthenticated", "bob"]
        server.status, server.body = 200, issuing.revocations(iat=int(time.time()) + 20)
        assert poll(verifier) == [True]
        assert outcome(verifier, ended) == "alice"


def test_a_list_ends_tokens_of_its_own_issuer_only(issuing: Issuing, tmp_path: Path) -> None:
    other = Issuing(tmp_path, issuer="https://other.example.org")
    list_ = issuing.revocations(revoked_jti=["j1"], revoked_sid=["s1"], not_before={"alice": NOW})
    with Answering(list_) as server, Answering(other.revocations()) as others:
        verifier = Verifier(
            {"suite": trusting(issuing, server), "other": trusting(other, others)},
        )
        assert poll(verifier) == [True, True]
    claims: dict[str, Any] = {"jti": "j1", "sid": "s1", "iat": NOW - 9}
    assert outcome(verifier, issuing.token("alice", **claims)) == "Unauthenticated"
    assert outcome(verifier, other.token("alice", **claims)) == "alice"


def test_an_issuer_without_a_list_ends_tokens_by_expiry(issuing: Issuing) -> None:
    block = Issuer(issuer=issuing.issuer, pem_file=issuing.pem_file, kid=issuing.kid)
    verifier = Verifier({"suite": block})
    assert poll(verifier) == [True]
    assert verifier.told() == {"suite": {"revocation": "by expiry only"}}


def test_an_issuer_that_is_down_is_logged_when_it_goes_and_when_it_comes(
    issuing: Issuing, caplog: pytest.LogCaptureFixture
) -> None:
    server = Answering(issuing.revocations())
    verifier = Verifier({"suite": trusting(issuing, server)})
    assert [poll(verifier) for _ in range(3)] == [[False]] * 3
    with server:
        assert [poll(verifier) for _ in range(3)] == [[True]] * 3
    said = [record.message for record in caplog.records if record.name.endswith("revocations")]
    assert said == ["issuer's revocations cannot be had", "issuer's revocations can be had again"]


@pytest.mark.parametrize("tampered", [False, True])
def test_the_last_list_is_known_after_a_restart_and_verified_again(
    issuing: Issuing, tmp_path: Path, *, tampered: bool
) -> None:
    ended = issuing.token("alice", sid="s1")
    with Answering(issuing.revocations(revoked_sid=["s1"])) as server:
        block = trusting(issuing, server)
        assert poll(Verifier({"suite": block}, folder=tmp_path)) == [True]
    (kept,) = tmp_path.iterdir()
    if tampered:
        kept.write_bytes(another(issuing))
    restarted = Verifier({"suite": block}, folder=tmp_path)
    for issuer in restarted.trusted:
        issuer.recall()
    assert outcome(restarted, ended) == ("alice" if tampered else "Unauthenticated")
    age = restarted.told()["suite"]["ageSeconds"]
    assert age is None if tampered else 0 <= age < 10
    assert kept.stat().st_mode & 0o077 == 0


def test_a_state_folder_that_cannot_be_written_is_no_fault(
    issuing: Issuing, tmp_path: Path
) -> None:
    (tmp_path / "file").touch()
    with Answering(issuing.revocations(revoked_sid=["s1"])) as server:
        verifier = Verifier({"suite": trusting(issuing, server)}, folder=tmp_path / "file" / "x")
        verifier.trusted[0].recall()
        assert poll(verifier) == [True]
    assert outcome(verifier, issuing.token("alice", sid="s1")) == "Unauthenticated"


def test_every_worker_ends_a_token_in_time_and_a_restart_without_the_issuer_knows_it(
    issuing: Issuing, tmp_path: Path
) -> None:
    """Served by gunicorn, keys by URL; the issuer's two addresses go down before the restart."""
    ended, good = issuing.token("alice", jti="j1"), issuing.token("bob")

    def told(served: Served, token: str) -> set[int]:
        headers = {"Authorization": f"Bearer {token}"}
        return {served.get("/hello/things", headers=headers)[0] for _ in range(12)}

    def listed(served: Served) -> set[int]:
        bodies = [served.get("/health/ready", inside=True)[1] for _ in range(12)]
        return {json.loads(body)["issuers"]["suite"].get("entries") for body in bodies}

    with Answering(issuing.jwks()) as keys, Answering(issuing.revocations()) as lists:
        block = Issuer(
            issuer=issuing.issuer,
            jwks_url=f"{keys.url}/jwks.json",
            revocations_url=f"{lists.url}/revocations",
        )
        with serving(tmp_path, workers=2, issuer=block) as served:
            assert told(served, ended) == {HTTPStatus.OK}
            lists.body = issuing.revocations(revoked_jti=["j1"])
            began = time.monotonic()
            # Both workers: ready is each one's own, and so is what it knows of the list.
            while told(served, ended) != {HTTPStatus.UNAUTHORIZED} or listed(served) != {1}:
                assert time.monotonic() - began < HONOURED_WITHIN_SECONDS
                time.sleep(0.3)
            assert told(served, good) == {HTTPStatus.OK}
            status, body, _ = served.get("/health/ready", inside=True)
            assert status == HTTPStatus.OK
            said = json.loads(body)["issuers"]["suite"]
            assert said["revocation"] == "by list"
            assert said["ageSeconds"] < HONOURED_WITHIN_SECONDS
    with serving(tmp_path, workers=2, issuer=block) as served:
        assert told(served, ended) == {HTTPStatus.UNAUTHORIZED}
        assert told(served, good) == {HTTPStatus.OK}
        assert served.get("/health/ready", inside=True)[0] == HTTPStatus.OK

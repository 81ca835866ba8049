"""An issuer's keys by URL: fetched seldom, kept through failures, gone when it drops them."""

import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from tests.cast import Issuing
from tests.peers.http import Answering

from pyispyb_chassis.configuration import Issuer
from pyispyb_chassis.errors import ServiceError
from pyispyb_chassis.issuer_keys import USUAL, Limits, fetched
from pyispyb_chassis.tokens import Verifier

QUICK = Limits(between_fetches=0.2, for_strangers=0.2, old_after=0.3, most_kept=5)


def trusting(issuing: Issuing, server: Answering, limits: Limits = USUAL) -> Verifier:
    block = Issuer(issuer=issuing.issuer, jwks_url=f"{server.url}/jwks.json")
    return Verifier({"suite": block}, limits)


def outcome(verifier: Verifier, token: str) -> str:
    """The login, or the name of what is raised."""
    try:
        return verifier.verify([f"Bearer {token}"]).login
    except ServiceError as error:
        return type(error).__name__


def test_one_fetch_serves_many_tokens(issuing: Issuing) -> None:
    with Answering(issuing.jwks()) as server:
        verifier = trusting(issuing, server)
        assert [outcome(verifier, issuing.token("alice")) for _ in range(50)] == ["alice"] * 50
        assert len(server.asked) == 1


def test_keys_fetched_ahead_serve_without_the_issuer(issuing: Issuing) -> None:
    with Answering(issuing.jwks()) as server:
        verifier = trusting(issuing, server)
        verifier.prepare()
        deadline = time.monotonic() + 20
        while not server.asked and time.monotonic() < deadline:
            time.sleep(0.01)
        time.sleep(0.2)
    assert outcome(verifier, issuing.token("alice")) == "alice"
    assert len(server.asked) == 1


def test_keys_are_asked_for_again_until_they_are_had(issuing: Issuing) -> None:
    with Answering({"keys": []}) as server:
        verifier = trusting(issuing, server, QUICK)
        verifier.prepare()
        deadline = time.monotonic() + 20
        while len(server.asked) < 3 and time.monotonic() < deadline:
            time.sleep(0.01)
        assert len(server.asked) >= 3
        server.body = issuing.jwks()
        before, deadline = len(server.asked), time.monotonic() + 5
        while len(server.asked) == before and time.monotonic() < deadline:
            time.sleep(0.01)
        time.sleep(0.2)
    assert outcome(verifier, issuing.token("alice")) == "alice"


def test_many_at_once_share_the_first_fetch(issuing: Issuing) -> None:
    with Answering(issuing.jwks(), delay=0.3) as server:
        verifier = trusting(issuing, server)
        assert at_once(16, lambda: outcome(verifier, issuing.token("bob"))) == ["bob"] * 16
        assert len(server.asked) == 1


def test_a_flood_of_unknown_kids_fetches_once_and_keeps_nothing(issuing: Issuing) -> None:
    strangers = [f"stranger-{n}" for n in range(300)]
    with Answering(issuing.jwks()) as server:
        verifier = trusting(issuing, server)
        assert outcome(verifier, issuing.token("alice")) == "alice"
        for kid in strangers:
            assert outcome(verifier, under(kid, issuing)) == "Unauthenticated"
        assert len(server.asked) == 1
        assert verifier.kept == 1


def test_a_stranger_may_be_a_new_key_but_a_flood_of_them_fetches_once(
    issuing: Issuing, tmp_path: Path
) -> None:
    """A key published just after a fetch is found at once; then strangers wait for 30 s."""
    new = Issuing(tmp_path, kid="new")
    with Answering(issuing.jwks()) as server:
        verifier = trusting(issuing, server, Limits(between_fetches=0.1))
        outcome(verifier, issuing.token("alice"))
        server.body = {"keys": [*issuing.jwks()["keys"], *new.jwks()["keys"]]}
        time.sleep(0.15)
        assert outcome(verifier, new.token("alice")) == "alice"
        assert len(server.asked) == 2
        ends = time.monotonic() + 0.5
        while time.monotonic() < ends:
            assert outcome(verifier, under("stranger", issuing)) == "Unauthenticated"
        assert len(server.asked) == 2


def test_the_same_key_fetched_again_has_no_token_verified_again(issuing: Issuing) -> None:
    with Answering(issuing.jwks()) as server:
        verifier = trusting(issuing, server, Limits(between_fetches=0, renew_every=0))
        (issuer,) = verifier.trusted
        outcome(verifier, issuing.token("alice"))
        held = issuer.keys.held(issuing.kid)
        assert issuer.keys.renew()
        assert len(server.asked) == 2
        assert issuer.keys.held(issuing.kid) is held


def test_keys_once_had_are_known_after_a_restart(issuing: Issuing, tmp_path: Path) -> None:
    with Answering(issuing.jwks()) as server:
        block = Issuer(issuer=issuing.issuer, jwks_url=f"{server.url}/jwks.json")
        assert outcome(Verifier({"suite": block}, folder=tmp_path), issuing.token("bob")) == "bob"
    elsewhere = Issuer(issuer=issuing.issuer, jwks_url="http://127.0.0.1:1/jwks.json")
    for trusted, told in ((block, "bob"), (elsewhere, "Unavailable")):
        restarted = Verifier({"suite": trusted}, folder=tmp_path)
        restarted.trusted[0].recall()
        assert outcome(restarted, issuing.token("bob")) == told


def test_verified_tokens_are_kept_up_to_a_bound(issuing: Issuing) -> None:
    with Answering(issuing.jwks()) as server:
        verifier = trusting(issuing, server, QUICK)
        for _ in range(20):
            outcome(verifier, issuing.token("alice"))
        assert verifier.kept == 5


@pytest.mark.parametrize(
    ("pause", "login"), [(60, "Unauthenticated"), (0.2, "alice")], ids=["too soon", "in time"]
)
def test_a_new_key_is_found_but_not_asked_for_too_often(
    issuing: Issuing, tmp_path: Path, pause: float, login: str
) -> None:
    new = Issuing(tmp_path, kid="new")
    with Answering(issuing.jwks()) as server:
        verifier = trusting(issuing, server, Limits(between_fetches=pause))
        outcome(verifier, issuing.token("alice"))
        server.body = {"keys": [*issuing.jwks()["keys"], *new.jwks()["keys"]]}
        time.sleep(0.25)
        assert outcome(verifier, new.token("alice")) == login
        assert outcome(verifier, issuing.token("alice")) == "alice"


@pytest.mark.parametrize("instead", ["another kid", "another key"])
def test_a_key_that_is_gone_opens_nothing_not_even_for_a_known_token(
    issuing: Issuing, tmp_path: Path, instead: str
) -> None:
    other = Issuing(tmp_path, kid="other" if instead == "another kid" else issuing.kid)
    with Answering(issuing.jwks()) as server:
        verifier = trusting(issuing, server, Limits(between_fetches=0.2, old_after=2))
        token = issuing.token("alice")
        assert outcome(verifier, token) == "alice"
        server.body = other.jwks()
        assert outcome(verifier, token) == "alice"
        time.sleep(2.1)
        assert outcome(verifier, token) == "Unauthenticated"
        assert outcome(verifier, other.token("alice")) == "alice"


ANSWERS: dict[str, tuple[int, object]] = {
    "500": (500, {}),
    "404": (404, {}),
    "a page": (200, b"<html>"),
    "a list": (200, []),
    "no keys": (200, {"keys": []}),
    "keys that are none": (200, {"keys": ["a", {"kty": "EC", "kid": "x"}]}),
    "a secret": (200, {"keys": [{"kty": "oct", "kid": "test-key", "k": "AAAA"}]}),
    "a megabyte": (200, b" " * 1_100_000),
}


@pytest.mark.parametrize(("status", "body"), ANSWERS.values(), ids=ANSWERS.keys())
def test_no_keys_is_unavailable_never_unauthenticated(
    issuing: Issuing, status: int, body: object
) -> None:
    token = issuing.token("alice")
    with Answering(body, status=status) as server:
        verifier = trusting(issuing, server, QUICK)
        first = [outcome(verifier, token) for _ in range(10)]
        assert first == ["Unavailable"] * 10
        assert len(server.asked) < 5
        server.status, server.body = 200, issuing.jwks()
        time.sleep(0.3)
        assert outcome(verifier, token) == "alice"


def test_an_issuer_that_is_down_and_comes_back(issuing: Issuing) -> None:
    server = Answering(issuing.jwks())
    verifier = trusting(issuing, server, QUICK)
    assert outcome(verifier, issuing.token("alice")) == "Unavailable"
    with server:
        assert outcome(verifier, issuing.token("alice")) == "Unavailable"
        time.sleep(0.3)
        assert outcome(verifier, issuing.token("alice")) == "alice"


def test_an_issuer_that_starts_with_us_is_soon_asked_again(issuing: Issuing) -> None:
    server = Answering(issuing.jwks())
    verifier = trusting(issuing, server, Limits(between_fetches=60))
    assert outcome(verifier, issuing.token("alice")) == "Unavailable"
    with server:
        deadline = time.monotonic() + 20
        while outcome(verifier, issuing.token("alice")) != "alice":
            assert time.monotonic() < deadline
            time.sleep(0.05)


def test_keys_once_had_are_used_while_the_issuer_is_down(issuing: Issuing) -> None:
    with Answering(issuing.jwks()) as server:
        verifier = trusting(issuing, server, QUICK)
        known = issuing.token("alice")
        outcome(verifier, known)
    time.sleep(0.4)
    assert outcome(verifier, known) == "alice"
    assert outcome(verifier, issuing.token("bob")) == "bob"
    assert outcome(verifier, under("stranger", issuing)) == "Unavailable"


def test_an_issuer_that_hangs_holds_up_one_caller_for_two_seconds_and_nobody_else(
    issuing: Issuing,
) -> None:
    with Answering(issuing.jwks()) as server:
        verifier = trusting(issuing, server, QUICK)
        outcome(verifier, issuing.token("alice"))
        time.sleep(0.4)
        server.delay = 20
        began = time.monotonic()
        stranger = threading.Thread(target=outcome, args=(verifier, under("stranger", issuing)))
        stranger.start()
        time.sleep(0.1)
        assert outcome(verifier, issuing.token("bob")) == "bob"
        assert stranger.is_alive()
        stranger.join()
        assert 1.5 < time.monotonic() - began < 10
        assert at_once(8, lambda: outcome(verifier, under("x", issuing))) == ["Unavailable"] * 8
        assert time.monotonic() - began < 15


def test_an_answer_that_drips_is_given_up() -> None:
    """A byte now and then keeps a socket's own time-out from ending it."""
    import socket

    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        stop = threading.Event()

        def drip() -> None:
            peer, _ = listener.accept()
            with peer:
                peer.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 900000\r\n\r\n")
                while not stop.wait(0.2):
                    try:
                        peer.sendall(b" ")
                    except OSError:
                        return

        thread = threading.Thread(target=drip)
        thread.start()
        began = time.monotonic()
        with pytest.raises(ValueError, match="too long"):
            fetched(f"http://127.0.0.1:{listener.getsockname()[1]}", 1_000_000)
        assert time.monotonic() - began < 20
        stop.set()
        thread.join()


def test_a_proxy_of_the_environment_is_not_asked_for_what_is_inside(
    issuing: Issuing, monkeypatch: pytest.MonkeyPatch
) -> None:
    with Answering(issuing.jwks()) as server, Answering({"keys": []}) as proxy:
        monkeypatch.setenv("http_proxy", proxy.url)
        assert outcome(trusting(issuing, server), issuing.token("alice")) == "alice"
        assert proxy.asked == []


def under(kid: str, issuing: Issuing) -> str:
    """A token that names this key."""
    import jwt

    claims = {"iss": issuing.issuer, "sub": "alice", "iat": 1, "exp": time.time() + 60}
    return jwt.encode(claims, issuing.key, algorithm="ES256", headers={"kid": kid})


def at_once(many: int, call: Callable[[], str]) -> list[str]:
    """What `many` threads are told that call at the same time."""
    told: list[str] = []
    threads = [threading.Thread(target=lambda: told.append(call())) for _ in range(many)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return told

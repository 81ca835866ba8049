"""Which tokens the gateway lets through to core and ssx, and that no other door is open."""

import time

import pytest
from tests.gateway.stand import Stand
from tests.gateway.tokens import Key, bearer, signed_with_public_key, unsigned, with_signature_of

FOREIGN = Key("now")
NOW = int(time.time())

CASES = [
    ("none", lambda _: None, 401),
    ("good", lambda keys: f"Bearer {keys[0].token()}", 200),
    ("good, of the next key", lambda keys: f"Bearer {keys[1].token()}", 200),
    ("scheme in lower case", lambda keys: f"bearer {keys[0].token()}", 200),
    ("two blanks", lambda keys: f"Bearer  {keys[0].token()}", 200),
    ("no scheme", lambda keys: keys[0].token(), 401),
    ("another scheme", lambda keys: f"Basic {keys[0].token()}", 401),
    ("a scheme that ends like ours", lambda keys: f"Basic xBearer {keys[0].token()}", 401),
    ("empty", lambda _: "Bearer ", 401),
    ("no token", lambda _: "Bearer abc", 401),
    ("two parts", lambda keys: f"Bearer {keys[0].token().rpartition('.')[0]}", 401),
    ("four parts", lambda keys: f"Bearer {keys[0].token()}.x", 401),
    ("changed", lambda keys: f"Bearer {keys[0].token()[:-8]}AAAAAAAA", 401),
    ("other claims, same signature", lambda keys: f"Bearer {_spliced(keys[0])}", 401),
    ("expired", lambda keys: f"Bearer {keys[0].token(exp=NOW - 60)}", 401),
    ("expired a while ago", lambda keys: f"Bearer {keys[0].token(exp=1)}", 401),
    ("no exp", lambda keys: f"Bearer {keys[0].token(exp=None)}", 401),
    ("foreign key, our kid", lambda _: f"Bearer {FOREIGN.token()}", 401),
    ("foreign key, foreign kid", lambda _: f"Bearer {FOREIGN.token(kid='evil')}", 401),
    ("our key, unknown kid", lambda keys: f"Bearer {keys[0].token(kid='old')}", 401),
    ("our key, kid of the other", lambda keys: f"Bearer {keys[0].token(kid='next')}", 401),
    ("alg none", lambda keys: f"Bearer {unsigned(keys[0].kid)}", 401),
    ("alg none, some signature", lambda keys: f"Bearer {unsigned(keys[0].kid)}AAAA", 401),
    ("HS256 with the public key", lambda keys: f"Bearer {signed_with_public_key(keys[0])}", 401),
    ("short signature", lambda keys: f"Bearer {with_signature_of(keys[0].token(), 10)}", 401),
    ("long signature", lambda keys: f"Bearer {with_signature_of(keys[0].token(), 100)}", 401),
]


@pytest.mark.parametrize(
    ("authorization", "status"), [case[1:] for case in CASES], ids=[case[0] for case in CASES]
)
@pytest.mark.parametrize("path", ["/core/proposals", "/ssx/runs", "/ssx/runs/1/batches/0"])
def test_token(stand: Stand, authorization: object, status: int, path: str) -> None:
    sent = authorization(stand.keys)  # type: ignore[operator]
    answer = stand.ask(path, headers={} if sent is None else {"Authorization": sent})
    assert answer.status == status
    if status == 401:
        assert answer.headers["www-authenticate"] == 'Bearer realm="pyispyb"'
        assert set(answer.json) <= {"message", "request_id"}


@pytest.mark.parametrize(
    ("path", "headers"),
    [
        ("/core/proposals?jwt={}", {}),
        ("/core/proposals?access_token={}", {}),
        ("/core/proposals", {"Cookie": "jwt={}"}),
        ("/core/proposals", {"X-Consumer-Username": "pyispyb"}),
        ("/core/proposals", {"Proxy-Authorization": "Bearer {}"}),
    ],
)
def test_a_token_elsewhere_is_none(stand: Stand, path: str, headers: dict[str, str]) -> None:
    sent = {name: value.format(stand.token) for name, value in headers.items()}
    assert stand.ask(path.format(stand.token), headers=sent).status == 401


def test_a_token_that_was_good_expires(stand: Stand) -> None:
    headers = bearer(stand.keys[0].token(exp=int(time.time()) + 5))
    assert stand.ask("/core/proposals", headers=headers).status == 200
    time.sleep(7.1)
    assert stand.ask("/core/proposals", headers=headers).status == 401


def test_the_service_gets_the_token(stand: Stand) -> None:
    """Services verify it again: the gateway's word is not enough for them."""
    headers = bearer(stand.token)
    assert (
        stand.ask("/core/proposals", headers=headers).json["headers"]["authorization"]
        == headers["Authorization"]
    )


@pytest.mark.parametrize("path", ["/auth/login", "/core/version", "/", "/ssx/docs"])
def test_open_paths_take_any_token(stand: Stand, path: str) -> None:
    assert stand.ask(path, headers=bearer("a.b.c")).status == 200


def _spliced(key: Key) -> str:
    head, _, signature = key.token().split(".")
    return ".".join((head, key.token(sub="erin").split(".")[1], signature))

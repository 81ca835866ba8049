"""Which tokens are trusted, and how far: a table of everything that is not one."""

import base64
import hashlib
import hmac
import json
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from tests.cast import Issuing
from tests.chassis.conftest import trusted

from pyispyb_chassis.configuration import Issuer
from pyispyb_chassis.errors import Unauthenticated, Unavailable
from pyispyb_chassis.principal import Principal
from pyispyb_chassis.tokens import Verifier

NOW = int(time.time())
Make = Callable[[Issuing], str]


def encoded(part: Any) -> str:
    text = part if isinstance(part, bytes) else json.dumps(part).encode()
    return base64.urlsafe_b64encode(text).rstrip(b"=").decode()


def usual(issuing: Issuing, **claims: Any) -> dict[str, Any]:
    return {"iss": issuing.issuer, "sub": "alice", "iat": NOW, "exp": NOW + 3600, **claims}


def signed(headers: dict[str, Any], *, key: Any = None, **claims: Any) -> Make:
    """Signed by the issuer's key (or another), under these headers (None takes one out)."""

    def make(issuing: Issuing) -> str:
        return jwt.encode(
            usual(issuing, **claims),
            key or issuing.key,
            algorithm="ES256",
            headers={"kid": issuing.kid, **headers},
        )

    return make


def with_claims(**claims: Any) -> Make:
    return lambda issuing: issuing.token(**{"login": "alice", **claims})


def unsigned(issuing: Issuing) -> str:
    header = {"alg": "none", "typ": "JWT", "kid": issuing.kid}
    return f"{encoded(header)}.{encoded(usual(issuing))}."


def unsigned_with_a_signature(issuing: Issuing) -> str:
    return unsigned(issuing) + "AAAA"


def hmac_with_the_public_key(issuing: Issuing) -> str:
    said = f"{encoded({'alg': 'HS256', 'kid': issuing.kid})}.{encoded(usual(issuing))}"
    mac = hmac.new(issuing.pem_file.read_bytes(), said.encode(), hashlib.sha256)
    return f"{said}.{encoded(mac.digest())}"


def without_kid(issuing: Issuing) -> str:
    return jwt.encode(usual(issuing), issuing.key, algorithm="ES256")


def by_an_rsa_key(issuing: Issuing) -> str:
    key = rsa.generate_private_key(65537, 2048)
    return jwt.encode(usual(issuing), key, algorithm="RS256", headers={"kid": issuing.kid})


def with_its_own_key(issuing: Issuing) -> str:
    """The key that signed it travels in its header."""
    own = ec.generate_private_key(ec.SECP256R1())
    jwk = json.loads(jwt.algorithms.ECAlgorithm.to_jwk(own.public_key()))
    return signed({"jwk": jwk}, key=own)(issuing)


def der_signature(issuing: Issuing) -> str:
    head, _, _ = issuing.token("alice").rpartition(".")
    return f"{head}.{encoded(b'0E' + bytes(69))}"


def changed_claims(issuing: Issuing) -> str:
    header, _, signature = issuing.token("alice").split(".")
    return f"{header}.{encoded(usual(issuing, sub='erin'))}.{signature}"


def payload(text: bytes) -> Make:
    """A rightly signed token whose claims are this text."""

    def make(issuing: Issuing) -> str:
        said = text.replace(b"ISS", issuing.issuer.encode())
        return jwt.PyJWS().encode(said, issuing.key, "ES256", {"kid": issuing.kid, "typ": "JWT"})

    return make


def just(text: str) -> Make:
    return lambda _issuing: text


BAD: dict[str, Make] = {
    "alg none": unsigned,
    "alg none, with a signature": unsigned_with_a_signature,
    "HS256 with the public key": hmac_with_the_public_key,
    "RS256 where ES256 is agreed": by_an_rsa_key,
    "another's signature": signed({}, key=ec.generate_private_key(ec.SECP256R1())),
    "its own key in the header": with_its_own_key,
    "a signature of another form": der_signature,
    "changed claims": changed_claims,
    "an unknown kid": signed({"kid": "unknown"}),
    "no kid": without_kid,
    "a path as kid": signed({"kid": "../../etc/passwd"}),
    "crit": signed({"crit": ["till-noon"], "till-noon": True}),
    "header typ of an ID token": signed({"typ": "ID"}),
    "header typ of a logout token": signed({"typ": "logout+jwt"}),
    "another issuer": with_claims(iss="https://elsewhere.example.org"),
    "the issuer with a slash": with_claims(iss="https://issuer.example.org/"),
    "no issuer": with_claims(iss=None),
    "a list of issuers": payload(b'{"iss":["ISS"],"sub":"alice","iat":1,"exp":9999999999}'),
    "expired": with_claims(exp=NOW - 60),
    "no exp": with_claims(exp=None),
    "exp as text": with_claims(exp=str(NOW + 3600)),
    "exp as truth": with_claims(exp=True),
    "exp as a list": with_claims(exp=[NOW + 3600]),
    "no iat": with_claims(iat=None),
    "iat as text": with_claims(iat=str(NOW)),
    "iat as truth": with_claims(iat=True),
    "issued in the future": with_claims(iat=NOW + 600),
    "not yet valid": with_claims(nbf=NOW + 600),
    "nbf as text": with_claims(nbf="soon"),
    "no sub": with_claims(sub=None),
    "sub as a number": with_claims(sub=12),
    "sub as a list": with_claims(sub=["alice"]),
    "an empty sub": with_claims(sub=""),
    "a sub that is no login": with_claims(sub="alice' OR 1=1"),
    "a login with a line feed": with_claims(sub="alice\n"),
    "a login that is too long": with_claims(sub="a" * 46),
    "nonce": with_claims(nonce="n"),
    "at_hash": with_claims(at_hash="h"),
    "c_hash": with_claims(c_hash="h"),
    "typ ID": with_claims(typ="ID"),
    "typ Refresh": with_claims(typ="Refresh"),
    "exp infinite": payload(b'{"iss":"ISS","sub":"alice","iat":1,"exp":Infinity}'),
    "exp not a number": payload(b'{"iss":"ISS","sub":"alice","iat":1,"exp":NaN}'),
    "iat infinite": payload(b'{"iss":"ISS","sub":"alice","iat":-1e999,"exp":9999999999}'),
    "nbf infinite": payload(b'{"iss":"ISS","sub":"alice","iat":1,"exp":9999999999,"nbf":1e999}'),
    "claims that are a list": payload(b'["ISS"]'),
    "claims that are no JSON": payload(b"alice"),
    "claims that are no text": payload(b"\xff\xfe"),
    "claims nested deep": payload(b'{"iss":"ISS","x":' + b"[" * 2000 + b"]" * 2000 + b"}"),
    "empty": just(""),
    "two parts": just("a.b"),
    "four parts": just("eyJhbGciOiJFUzI1NiJ9.e30.c2ln.c2ln"),
    "garbage": just("not-a-token"),
    "garbage in three parts": just("a.b.c"),
    "a header that is a list": just("W10.e30.c2ln"),
    "100 kB": just("a" * 100_000),
    "100 kB of claims": with_claims(padding="x" * 100_000),
}


@pytest.mark.parametrize("make", BAD.values(), ids=BAD.keys())
def test_what_is_no_access_token_is_refused(issuing: Issuing, make: Make) -> None:
    with pytest.raises(Unauthenticated):
        verified(issuing, make(issuing))


@pytest.mark.parametrize(
    "make",
    [
        with_claims(),
        with_claims(exp=NOW + 3600.5, iat=NOW - 0.5),
        with_claims(nbf=NOW - 10),
        with_claims(aud="anybody"),
        with_claims(extra={"deep": [1, 2]}),
        signed({"typ": "at+jwt"}),
        signed({"typ": None}),
    ],
)
def test_what_is_one_is_taken(issuing: Issuing, make: Make) -> None:
    assert verified(issuing, make(issuing)).login == "alice"


def test_the_clocks_may_be_a_second_apart(issuing: Issuing) -> None:
    """Issued half a second from now by another machine's clock."""
    soon = time.time() + 0.5
    assert verified(issuing, issuing.token("alice", iat=soon, nbf=soon)).login == "alice"


@pytest.mark.parametrize(
    "headers",
    [
        [],
        [""],
        ["Bearer"],
        ["Bearer "],
        ["TOKEN"],
        ["Basic TOKEN"],
        ["Basic xBearer TOKEN"],
        ["Bearer TOKEN TOKEN"],
        ["Bearer TOKEN, Bearer TOKEN"],
        ["Bearer TOKEN,"],
        ["Bearer TOKEN\n"],
        ["Bearer TOKEN", "Bearer TOKEN"],
        ["Bearer TOKEN", "Basic YTpi"],
    ],
)
def test_one_header_in_one_form(issuing: Issuing, headers: list[str]) -> None:
    verifier = Verifier({"suite": trusted(issuing)})
    token = issuing.token("alice")
    assert verifier.verify([f"Bearer {token}"]).login == "alice"
    with pytest.raises(Unauthenticated):
        verifier.verify([header.replace("TOKEN", token) for header in headers])


def test_a_known_token_ends_with_its_expiry(issuing: Issuing) -> None:
    verifier = Verifier({"suite": trusted(issuing)})
    header = f"Bearer {issuing.token('alice', exp=time.time() + 0.3)}"
    verifier.verify([header])
    time.sleep(1.6)
    with pytest.raises(Unauthenticated):
        verifier.verify([header])


@pytest.mark.parametrize(
    ("wanted", "aud", "login"),
    [
        (None, None, "alice"),
        ("ispyb", "ispyb", "alice"),
        ("ispyb", ["other", "ispyb"], "alice"),
        ("ispyb", None, None),
        ("ispyb", "other", None),
        ("ispyb", ["other"], None),
        ("ispyb", "ispyb2", None),
        ("ispyb", {"ispyb": 1}, None),
        ("ispyb", 1, None),
    ],
)
def test_the_audience(issuing: Issuing, wanted: str | None, aud: Any, login: str | None) -> None:
    block = trusted(issuing).model_copy(update={"audience": wanted})
    token = issuing.token("alice", aud=aud)
    if login is None:
        with pytest.raises(Unauthenticated):
            verified(issuing, token, block)
    else:
        assert verified(issuing, token, block).login == login


SERVICE = {"client_id": "mxcube", "scope": "runs:read runs:write", "beamlines": ["BL1", 2]}
EVERYTHING = {"groups": ["administrators", "goods"], "scope": "runs:read", "beamlines": ["BL1"]}


@pytest.mark.parametrize(
    ("block", "sub", "claims", "said"),
    [
        # What is not believed gives nothing, and what is not said narrows nothing.
        ({}, "alice", {}, {"scope": None, "beamlines": set(), "groups": set()}),
        (
            {"believes": frozenset()},
            "alice",
            EVERYTHING,
            {"scope": None, "beamlines": set(), "groups": set(), "administrator": False},
        ),
        (
            {},
            "alice",
            EVERYTHING,
            {
                "scope": {"runs:read"},
                "beamlines": {"BL1"},
                "groups": {"administrators", "goods"},
                "administrator": True,
            },
        ),
        ({"administrators": False}, "alice", EVERYTHING, {"administrator": False}),
        ({"believes": frozenset({"scope"})}, "alice", EVERYTHING, {"administrator": False}),
        ({}, "alice", {"administrator": True}, {"administrator": False}),
        ({}, "alice", {"scope": ""}, {"scope": set()}),
        ({}, "alice", {"scope": ["a", "b"]}, {"scope": {"a", "b"}}),
        ({}, "alice", {"scope": 7}, {"scope": set()}),
        ({}, "alice", {"groups": "administrators"}, {"administrator": True}),
        # A service account is one that its issuer may speak for, under its own name.
        (
            {},
            "mxcube",
            SERVICE,
            {"service": True, "scope": {"runs:read", "runs:write"}, "beamlines": {"BL1"}},
        ),
        ({"services": False}, "mxcube", SERVICE, {"service": False}),
        ({}, "alice", SERVICE, {"service": False}),
        ({}, "mxcube", {"client_id": "mxcube"}, {"service": True, "scope": set()}),
        ({"believes": frozenset()}, "mxcube", SERVICE, {"service": True, "scope": set()}),
    ],
)
def test_how_far_an_issuer_is_believed(
    issuing: Issuing,
    block: dict[str, Any],
    sub: str,
    claims: dict[str, Any],
    said: dict[str, Any],
) -> None:
    caller = verified(
        issuing, issuing.token(sub, **claims), trusted(issuing).model_copy(update=block)
    )
    assert {name: getattr(caller, name) for name in said} == said


@pytest.mark.parametrize(
    ("claim", "pattern", "claims", "login"),
    [
        ("preferred_username", r"\w+", {"preferred_username": "carol"}, "carol"),
        ("preferred_username", r"\w+", {}, None),
        ("preferred_username", r"\w+", {"preferred_username": 3}, None),
        ("sub", r"[a-z]{1,3}", {}, None),
        ("sub", r"bob|alice", {}, "alice"),
        ("sub", r"alic", {}, None),
    ],
)
def test_the_login_is_the_claim_that_the_issuer_names(
    issuing: Issuing, claim: str, pattern: str, claims: dict[str, Any], login: str | None
) -> None:
    block = trusted(issuing).model_copy(update={"login_claim": claim, "login_pattern": pattern})
    token = issuing.token("alice", **claims)
    if login is None:
        with pytest.raises(Unauthenticated):
            verified(issuing, token, block)
    else:
        assert verified(issuing, token, block).login == login


def test_each_issuer_signs_for_itself_only(issuing: Issuing, tmp_path: Path) -> None:
    """The same kid, and still the one's key opens nothing in the other's name."""
    other = Issuing(tmp_path, issuer="https://other.example.org", kid=issuing.kid)
    verifier = Verifier({"suite": trusted(issuing), "other": trusted(other)})
    assert verifier.verify([f"Bearer {issuing.token('alice')}"]).issuer == "suite"
    assert verifier.verify([f"Bearer {other.token('alice')}"]).issuer == "other"
    with pytest.raises(Unauthenticated):
        verifier.verify([f"Bearer {other.token('alice', iss=issuing.issuer)}"])


@pytest.mark.parametrize("algorithm", ["RS256", "EdDSA"])
def test_other_algorithms_where_they_are_agreed(
    issuing: Issuing, tmp_path: Path, algorithm: str
) -> None:
    from cryptography.hazmat.primitives.asymmetric import ed25519

    key: Any = (
        rsa.generate_private_key(65537, 2048)
        if algorithm == "RS256"
        else ed25519.Ed25519PrivateKey.generate()
    )
    pem = tmp_path / "key.pem"
    pem.write_bytes(
        key.public_key().public_bytes(
            serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
        )
    )
    block = trusted(issuing).model_copy(update={"algorithms": (algorithm,), "pem_file": pem})
    token = jwt.encode(usual(issuing), key, algorithm=algorithm, headers={"kid": issuing.kid})
    assert verified(issuing, token, block).login == "alice"
    with pytest.raises(Unauthenticated):
        verified(issuing, issuing.token("alice"), block)


@pytest.mark.parametrize("content", [None, "", "no key", "-----BEGIN PUBLIC KEY-----\nAAAA\n"])
def test_a_pem_file_that_is_not_there_yet_is_waited_for(
    issuing: Issuing, tmp_path: Path, content: str | None
) -> None:
    pem = tmp_path / "late.pem"
    if content is not None:
        pem.write_text(content)
    block = trusted(issuing).model_copy(update={"pem_file": pem})
    verifier = Verifier({"suite": block})
    header = f"Bearer {issuing.token('alice')}"
    with pytest.raises(Unavailable):
        verifier.verify([header])
    pem.write_bytes(issuing.pem_file.read_bytes())
    time.sleep(2.1)
    assert verifier.verify([header]).login == "alice"


def test_without_an_issuer_nobody_is_known(issuing: Issuing) -> None:
    with pytest.raises(Unauthenticated):
        Verifier({}).verify([f"Bearer {issuing.token('alice')}"])


def verified(issuing: Issuing, token: str, block: Issuer | None = None) -> Principal:
    verifier = Verifier({"suite": block or trusted(issuing)})
    return verifier.verify([f"Bearer {token}"])

"""What is no access token, form by form: one table for the services and for the gateway."""

import base64
import hashlib
import hmac
import json
import time
from collections.abc import Callable
from typing import Any

import jwt
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from tests.cast import Issuing

NOW = int(time.time())
Make = Callable[[Issuing], str]


def encoded(part: Any) -> str:
    text = part if isinstance(part, bytes) else json.dumps(part).encode()
    return base64.urlsafe_b64encode(text).rstrip(b"=").decode()


def usual(issuing: Issuing, **claims: Any) -> dict[str, Any]:
    return {"iss": issuing.issuer, "sub": "alice", "iat": NOW, "exp": NOW + 36000, **claims}


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


def said_twice_in_the_header(issuing: Issuing) -> str:
    """Which of the two counts is each reader's own choice."""
    head = b'{"alg":"none","alg":"ES256","typ":"JWT","kid":"' + issuing.kid.encode() + b'"}'
    said = f"{encoded(head)}.{encoded(usual(issuing))}"
    signature = jwt.get_algorithm_by_name("ES256").sign(said.encode(), issuing.key)
    return f"{said}.{encoded(signature)}"


def nested(issuing: Issuing) -> str:
    """A good token signed once more: RFC 7519 calls that a nested one."""
    headers = {"kid": issuing.kid, "typ": "JWT", "cty": "JWT"}
    return jwt.PyJWS().encode(issuing.token("alice").encode(), issuing.key, "ES256", headers)


def just(text: str) -> Make:
    return lambda _issuing: text


# Each makes, for an issuer that is trusted, a text that must open nothing.
BAD: dict[str, Make] = {
    "alg none": unsigned,
    "alg none, with a signature": unsigned_with_a_signature,
    "HS256 with the public key": hmac_with_the_public_key,
    "RS256 where ES256 is agreed": by_an_rsa_key,
    "another's signature": signed({}, key=ec.generate_private_key(ec.SECP256R1())),
    "its own key in the header": with_its_own_key,
    "jwk beside the right signature": signed({"jwk": {"kty": "oct", "k": "AAAA"}}),
    "jku": signed({"jku": "https://elsewhere.example.org/jwks.json"}),
    "x5u": signed({"x5u": "https://elsewhere.example.org/chain.pem"}),
    "x5c": signed({"x5c": ["AAAA"]}),
    "a signature of another form": der_signature,
    "changed claims": changed_claims,
    "an unknown kid": signed({"kid": "unknown"}),
    "no kid": without_kid,
    "a path as kid": signed({"kid": "../../etc/passwd"}),
    "alg said twice": said_twice_in_the_header,
    "b64 false": signed({"b64": False}),
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
    "issued in the future": with_claims(iat=NOW + 36000),
    "not yet valid": with_claims(nbf=NOW + 36000),
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
    "exp beyond any calendar": payload(b'{"iss":"ISS","sub":"alice","iat":1,"exp":1e300}'),
    "exp of a thousand digits": payload(
        b'{"iss":"ISS","sub":"alice","iat":1,"exp":' + b"9" * 1000 + b"}"
    ),
    "iat before any calendar": payload(
        b'{"iss":"ISS","sub":"alice","iat":-1e300,"exp":9999999999}'
    ),
    "sub said twice": payload(b'{"iss":"ISS","sub":"erin","sub":"alice","iat":1,"exp":9999999999}'),
    "a claim said twice below": payload(
        b'{"iss":"ISS","sub":"alice","iat":1,"exp":9999999999,"x":{"y":1,"y":2}}'
    ),
    "a token in a token": nested,
    "a token in a token, as a text": lambda issuing: payload(
        json.dumps(issuing.token("alice")).encode()
    )(issuing),
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

# Authorization headers of one request, TOKEN a good one, that must open nothing either.
BAD_HEADERS: list[list[str]] = [
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
    ["Bearer TOKEN", "Bearer TOKEN"],
    ["Bearer TOKEN", "Basic YTpi"],
    ["Basic YTpi", "Bearer TOKEN"],
]

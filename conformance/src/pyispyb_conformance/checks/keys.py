"""Section 3: the public keys."""

import re

from pyispyb_conformance.clauses import Broken, Level, NotTried, clause
from pyispyb_conformance.subject import OK, Subject
from pyispyb_conformance.tokens import ALGORITHMS, public_key

PRIVATE = ("d", "p", "q", "dp", "dq", "qi", "oth", "k")
SOON, LARGEST = 2.0, 1_000_000
LONGEST_KEPT = 600
BY_KIND = {"EC": "ES256", "RSA": "RS256", "OKP": "EdDSA"}


@clause("3.1", Level.REQUIRED, "JWKS")
def publishes_keys(subject: Subject) -> str:
    """`GET /auth/.well-known/jwks.json` (or any URL: `jwks_url`) answers 200 with
    `{"keys": […]}` (RFC 7517), openly, within 2 s, in at most 1 MB."""
    answer = subject.jwks
    keys = answer.object(OK).get("keys")
    if not isinstance(keys, list) or not keys or not all(isinstance(key, dict) for key in keys):
        raise Broken("no list of keys")
    if answer.seconds > SOON or len(answer.text) > LARGEST:
        raise Broken(f"{len(answer.text)} characters in {answer.seconds:.1f} s")
    return f"{len(keys)} key(s)"


@clause("3.2", Level.REQUIRED, "nothing private")
def publishes_nothing_private(subject: Subject) -> str:
    """No key in it has a private part, and none is symmetric."""
    for key in subject.published:
        found = [part for part in PRIVATE if part in key]
        if found or key.get("kty") == "oct":
            raise Broken(f"key {key.get('kid')!r} shows {', '.join(found) or 'kty oct'}")
    return "public parts only"


@clause("3.3", Level.REQUIRED, "kid of each")
def names_each_key(subject: Subject) -> str:
    """Each key has a `kid`, a text that no other key has."""
    kids = [key.get("kid") for key in subject.published]
    named = [kid for kid in kids if isinstance(kid, str) and kid]
    if len(set(named)) < len(kids):
        raise Broken(f"kids {kids}")
    return ", ".join(named)


@clause("3.4", Level.REQUIRED, "kinds")
def has_keys_that_sign(subject: Subject) -> str:
    """Keys that sign are P-256 (`ES256`), RSA of at least 2048 bits (`RS256`) or Ed25519
    (`EdDSA`)."""
    found = []
    for key in subject.published:
        algorithm = str(key.get("alg") or BY_KIND.get(str(key.get("kty"))))
        if key.get("use", "sig") != "sig":
            continue
        if algorithm not in ALGORITHMS:
            raise Broken(f"key {key.get('kid')!r}: {algorithm}")
        public_key(key, algorithm)
        found.append(algorithm)
    if not found:
        raise Broken("no key that signs")
    return ", ".join(found)


@clause("3.5", Level.REQUIRED, "signature")
def verifies(subject: Subject) -> str:
    """The published key with the token's `kid` verifies its signature."""
    subject.verified(subject.token)
    return "verified"


@clause("3.6", Level.RECOMMENDED, "alg and use")
def says_what_keys_are_for(subject: Subject) -> str:
    """Each key says `alg` and `use: "sig"`; with two algorithms in the block it must."""
    for key in subject.published:
        if not isinstance(key.get("alg"), str) or key.get("use") != "sig":
            raise Broken(f"key {key.get('kid')!r}: alg {key.get('alg')!r}, use {key.get('use')!r}")
    return "both"


@clause("3.7", Level.RECOMMENDED, "kept for a while")
def lets_keys_be_kept(subject: Subject) -> str:
    """`Cache-Control: max-age` of at most 10 minutes; a new key is published that long before it
    signs, an old one stays until its last token has expired."""
    if subject.jwks.status != OK:
        raise NotTried("no keys came")
    said = subject.jwks.headers.get("cache-control", "none")
    found = re.search(r"max-age=(\d+)", said)
    if found is None or not 0 < int(found[1]) <= LONGEST_KEPT:
        raise Broken(f"Cache-Control: {said}")
    return said

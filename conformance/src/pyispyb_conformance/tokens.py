"""Reading tokens without believing them, verifying them, and making bad ones of good ones."""

import base64
import hashlib
import hmac
import json
from typing import Any

import jwt
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, EllipticCurvePublicKey
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from pyispyb_conformance.clauses import Broken, NotTried

ALGORITHMS = ("ES256", "RS256", "EdDSA")
SHORTEST_RSA = 2048
PublicKey = EllipticCurvePublicKey | RSAPublicKey | Ed25519PublicKey


def parts_of(token: str) -> tuple[dict[str, Any], dict[str, Any], bytes]:
    """Header, claims and signature of a JWT in compact form. Raises Broken."""
    parts = token.split(".")
    if len(parts) != 3 or not all(parts):
        raise Broken(f"{len(parts)} parts, or an empty one")
    try:
        header, claims = (json.loads(_read(part)) for part in parts[:2])
        signature = _read(parts[2])
    except ValueError as error:
        raise Broken("its parts are not base64url of JSON") from error
    if not isinstance(header, dict) or not isinstance(claims, dict):
        raise Broken("header or claims are not JSON objects")
    return header, claims, signature


def public_key(fields: dict[str, Any], algorithm: str) -> PublicKey:
    """The key of a JWK, which must be one for this algorithm. Raises Broken."""
    if algorithm not in ALGORITHMS:
        raise Broken(f"no key is for {algorithm}")
    try:
        key = jwt.PyJWK.from_dict(fields, algorithm=algorithm).key
    except (jwt.PyJWTError, ValueError, TypeError) as error:
        raise Broken(f"no key for {algorithm}") from error
    if isinstance(key, EllipticCurvePublicKey) and isinstance(key.curve, SECP256R1):
        return key
    if isinstance(key, RSAPublicKey):
        if key.key_size >= SHORTEST_RSA:
            return key
        raise Broken(f"an RSA key of {key.key_size} bits, fewer than {SHORTEST_RSA}")
    if isinstance(key, Ed25519PublicKey):
        return key
    raise Broken("not P-256, RSA or Ed25519")


def verify(token: str, key: PublicKey) -> None:
    """The signature, and nothing but the signature. Raises Broken."""
    try:
        jwt.PyJWS().decode(token, key, algorithms=list(ALGORITHMS))
    except (jwt.PyJWTError, ValueError, TypeError) as error:
        raise Broken(f"the signature does not verify: {type(error).__name__}") from error


def forgeries(token: str, key: PublicKey | None) -> dict[str, str]:
    """Tokens that nobody may accept, by what is wrong with them."""
    try:
        header, claims, signature = parts_of(token)
    except Broken as broken:
        raise NotTried("there is no token to tamper with") from broken
    body, sealed = token.split(".")[1:]
    more = {**claims, "sub": f"{claims.get('sub')}-2"}
    found = {
        "other claims, same signature": f"{_written(header)}.{_written(more)}.{sealed}",
        "one bit of the signature": token.rpartition(".")[0]
        + "."
        + _coded(bytes([signature[0] ^ 1]) + signature[1:]),
        "alg none": f"{_written({**header, 'alg': 'none'})}.{body}.{sealed}",
        "another kid": f"{_written({**header, 'kid': 'of-nobody'})}.{body}.{sealed}",
    }
    if key is not None:
        pem = key.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
        start = f"{_written({**header, 'alg': 'HS256'})}.{body}"
        mac = hmac.new(pem, start.encode(), hashlib.sha256).digest()
        found["HS256 by the public key"] = f"{start}.{_coded(mac)}"
    return found


def _read(part: str) -> bytes:
    if not set(part) <= set("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"):
        raise ValueError("not base64url")
    return base64.urlsafe_b64decode(part + "=" * (-len(part) % 4))


def _written(value: dict[str, Any]) -> str:
    return _coded(json.dumps(value, separators=(",", ":")).encode())


def _coded(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()

"""Keys and tokens for the gateway's tests, good and bad."""

import base64
import hashlib
import hmac
import json
import time
from typing import Any

import jwt
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from jwt.algorithms import ECAlgorithm
from tests import secrets_watch

ISSUER = "http://127.0.0.1:8000/auth"


class Key:
    """A private key and the kid that it is known by."""

    def __init__(self, kid: str) -> None:
        self.kid = kid
        self.private = ec.generate_private_key(ec.SECP256R1())

    @property
    def pem(self) -> str:
        public = self.private.public_key()
        return public.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()

    @property
    def web_key(self) -> dict[str, Any]:
        fields = json.loads(ECAlgorithm.to_jwk(self.private.public_key()))
        return {**fields, "kid": self.kid, "alg": "ES256", "use": "sig"}

    def token(self, *, kid: str | None = None, **claims: Any) -> str:
        """A token that is good unless a claim says otherwise; a claim of None is left out."""
        now = int(time.time())
        full = {"iss": ISSUER, "sub": "alice", "iat": now, "exp": now + 300, "jti": "1"} | claims
        full = {name: value for name, value in full.items() if value is not None}
        token = jwt.encode(full, self.private, "ES256", headers={"kid": kid or self.kid})
        secrets_watch.note("access token", token)
        return token


def bearer(token: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {token}"}


def unsigned(kid: str) -> str:
    """alg none, with an empty and with any signature refused alike."""
    return f"{_part({'alg': 'none', 'typ': 'JWT', 'kid': kid})}.{_claims()}."


def signed_with_public_key(key: Key) -> str:
    """HS256 with the public key as its secret: what a careless verifier takes."""
    head = _part({"alg": "HS256", "typ": "JWT", "kid": key.kid})
    signed = f"{head}.{_claims()}"
    mac = hmac.new(key.pem.encode(), signed.encode(), hashlib.sha256).digest()
    return f"{signed}.{_text(mac)}"


def with_signature_of(token: str, length: int) -> str:
    return f"{token.rpartition('.')[0]}.{_text(b'x' * length)}"


def _claims() -> str:
    now = int(time.time())
    return _part({"iss": ISSUER, "sub": "alice", "iat": now, "exp": now + 300})


def _part(fields: dict[str, Any]) -> str:
    return _text(json.dumps(fields).encode())


def _text(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()

"""The demo cast, and an issuer that signs real tokens for them."""

import time
import uuid
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import jwt
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec
from tests import secrets_watch

ISSUER = "https://issuer.example.org"


@dataclass(frozen=True, slots=True)
class Somebody:
    """One of the cast: a login and what their token carries besides."""

    login: str
    claims: dict[str, Any] = field(default_factory=dict, hash=False)


NOBODY = None
ALICE = Somebody("alice")
BOB = Somebody("bob")
CAROL = Somebody("carol")
DAVE = Somebody("dave")
ERIN = Somebody("erin")
OSCAR = Somebody("oscar")
MXCUBE = Somebody(
    "mxcube",
    {
        "client_id": "mxcube",
        "beamlines": ["BL1"],
        "scope": "proposals:read sessions:read sessions:write samples:read samples:write "
        "containers:read containers:write crystals:read proteins:read runs:read runs:write "
        "diffraction-plans:read detectors:read beamline-setups:read beamline-setups:write "
        "datacollection-groups:read datacollection-groups:write datacollections:read "
        "datacollections:write images:read images:write robot-actions:read robot-actions:write "
        "energy-scans:read energy-scans:write xfe-spectra:read xfe-spectra:write",
    },
)
CAST = (ALICE, BOB, CAROL, DAVE, ERIN, OSCAR, MXCUBE)


class Issuing:
    """An ES256 key pair whose public half lies in a PEM file, and the tokens it signs."""

    def __init__(self, folder: Path, *, issuer: str = ISSUER, kid: str = "test-key") -> None:
        self.issuer = issuer
        self.kid = kid
        self.key = ec.generate_private_key(ec.SECP256R1())
        self.pem_file = folder / f"{kid}.pem"
        self.pem_file.write_bytes(
            self.key.public_key().public_bytes(
                serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
            )
        )

    def token(self, login: str, **claims: Any) -> str:
        """An access token for this login; `claims` are laid over the usual ones, None takes out."""
        now = int(time.time())
        usual: dict[str, Any] = {
            "iss": self.issuer,
            "sub": login,
            "iat": now,
            "exp": now + 3600,
            "jti": str(uuid.uuid4()),
        }
        payload = {name: value for name, value in {**usual, **claims}.items() if value is not None}
        token = jwt.encode(payload, self.key, algorithm="ES256", headers={"kid": self.kid})
        secrets_watch.note("access token", token)
        return token

    def bearer(self, somebody: Somebody | None) -> dict[str, str]:
        """The headers with which one of the cast, or nobody, calls."""
        if somebody is None:
            return {}
        return {"Authorization": f"Bearer {self.token(somebody.login, **somebody.claims)}"}

    def jwks(self) -> dict[str, Any]:
        """The public key as a JWKS."""
        key = jwt.algorithms.ECAlgorithm.to_jwk(self.key.public_key(), as_dict=True)
        return {"keys": [{**key, "kid": self.kid, "alg": "ES256", "use": "sig"}]}

    def revocations(self, *, typ: str = "revocations+jwt", **claims: Any) -> bytes:
        """The signed list of what this issuer has revoked."""
        usual: dict[str, Any] = {
            "iss": self.issuer,
            "iat": int(time.time()),
            "revoked_jti": [],
            "revoked_sid": [],
            "not_before": {},
        }
        payload = {name: value for name, value in {**usual, **claims}.items() if value is not None}
        headers = {"kid": self.kid, "typ": typ}
        return jwt.encode(payload, self.key, algorithm="ES256", headers=headers).encode()

    def toml(self, name: str = "suite") -> str:
        """This issuer's block of ispyb.toml."""
        return f"""
[issuers.{name}]
issuer = "{self.issuer}"
pem_file = "{self.pem_file}"
kid = "{self.kid}"
believes = ["scope", "beamlines"]
services = true
administrators = true
"""

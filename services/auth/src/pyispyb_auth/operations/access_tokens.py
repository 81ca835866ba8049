"""Access tokens: signed for somebody proven, and read again when they come back to log out."""

import time
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC
from typing import Any

import jwt

from pyispyb_auth.operations.keyring import KeyRing
from pyispyb_auth.providers import Identity

ALGORITHM = "ES256"


@dataclass(frozen=True, slots=True)
class AccessTokens:
    """Signs as `issuer`, for `audience` where there is one, by a key of the ring."""

    issuer: str
    audience: str | None
    seconds: int
    ring: KeyRing

    def jwks(self) -> dict[str, Any]:
        """The public keys by which tokens are verified."""
        return {"keys": [key.jwk for key in self.ring.keys]}

    def life_of(self, identity: Identity) -> int:
        """How many seconds a token for this identity lives."""
        if identity.until is None:
            return self.seconds
        left = identity.until.replace(tzinfo=UTC).timestamp() - time.time()
        return max(0, min(self.seconds, int(left)))

    def sign(self, identity: Identity, sid: str) -> str:
        """A token for this identity, of the login `sid`."""
        now = int(time.time())
        claims = {
            **identity.claims,
            "iss": self.issuer,
            "sub": identity.login,
            "iat": now,
            "exp": now + self.life_of(identity),
            "jti": str(uuid.uuid4()),
            "sid": sid,
        }
        if self.audience is not None:
            claims["aud"] = self.audience
        key = self.ring.signing
        return jwt.encode(claims, key.private, algorithm=ALGORITHM, headers={"kid": key.kid})

    def sign_list(self, claims: Mapping[str, Any], kind: str) -> bytes:
        """Something else that we vouch for; its `typ` keeps it from being taken for a token."""
        key, now = self.ring.signing, int(time.time())
        headers = {"kid": key.kid, "typ": kind}
        said = {"iss": self.issuer, "iat": now, **claims}
        return jwt.encode(said, key.private, algorithm=ALGORITHM, headers=headers).encode()

    def login_of(self, token: str) -> str | None:
        """The `sid` of a token of ours that has not expired, else None."""
        claims = self.claims_of(token)
        return str(claims["sid"]) if claims is not None else None

    def claims_of(self, token: str) -> dict[str, Any] | None:
        """The claims of a token of ours that has not expired, else None."""
        try:
            kid = jwt.get_unverified_header(token).get("kid")
            public = {key.kid: key.private.public_key() for key in self.ring.keys}[str(kid)]
            claims: dict[str, Any] = jwt.decode(
                token,
                public,
                algorithms=[ALGORITHM],
                issuer=self.issuer,
                audience=self.audience,
                options={"require": ["exp", "sid", "jti", "sub"]},
            )
        except (jwt.PyJWTError, KeyError, ValueError, RecursionError):
            return None
        return claims

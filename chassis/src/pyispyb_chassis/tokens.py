"""Verifying access tokens: signed JWTs of the trusted issuers, and nothing like one."""

import hashlib
import re
import threading
import time
from collections import OrderedDict
from typing import Any

import jwt
import requests
from jwt import PyJWK, PyJWKSet

from pyispyb_chassis.configuration import Issuer
from pyispyb_chassis.errors import Unauthenticated, Unavailable
from pyispyb_chassis.principal import Principal

CLOCK_SKEW_SECONDS = 1
LONGEST_TOKEN = 8000
MOST_KEPT = 4096
FETCH_TIMEOUT = 2
REFRESH_AT_MOST_EVERY = 30
RETRY_A_FAILED_FETCH_AFTER = 2
OLD_AFTER = 600
ADMINISTRATORS_GROUP = "administrators"
_BEARER = re.compile(r"[Bb]earer +([\w-]+\.[\w-]+\.[\w-]+)")


class Keys:
    """The public keys of one issuer by `kid`, from its JWKS or from a PEM file.

    A JWKS is kept; an unknown `kid` fetches it again, at most once in 30 s and one fetch at a time.
    """

    def __init__(self, name: str, issuer: Issuer) -> None:
        self._name = name
        self._issuer = issuer
        self._keys: dict[str, Any] = {}
        self._lock = threading.Lock()
        self._next_fetch = 0.0
        self._old_at = 0.0
        self._failed = True
        self.generation = 0

    def get(self, kid: str) -> Any:
        """The key. Raises Unauthenticated for an unknown one, Unavailable with no keys."""
        key = self._keys.get(kid)
        if key is None or time.monotonic() > self._old_at:
            self._refresh()
            key = self._keys.get(kid)
        if key is None and self._failed:
            raise Unavailable(f"the keys of issuer {self._name} cannot be had")
        if key is None:
            raise Unauthenticated
        return key

    def _refresh(self) -> None:
        with self._lock:
            if time.monotonic() < self._next_fetch:
                return
            try:
                keys = self._read()
            except (OSError, ValueError, jwt.PyJWTError, requests.RequestException):
                self._failed = True
                self._next_fetch = time.monotonic() + RETRY_A_FAILED_FETCH_AFTER
                return
            if set(keys) != set(self._keys):
                self.generation += 1
            self._keys = keys
            self._failed = False
            self._next_fetch = time.monotonic() + REFRESH_AT_MOST_EVERY
            self._old_at = time.monotonic() + OLD_AFTER

    def _read(self) -> dict[str, Any]:
        if self._issuer.pem_file is not None:
            pem = self._issuer.pem_file.read_bytes()
            algorithm = jwt.get_algorithm_by_name(self._issuer.algorithms[0])
            return {str(self._issuer.kid): algorithm.prepare_key(pem)}
        answer = requests.get(str(self._issuer.jwks_url), timeout=FETCH_TIMEOUT)
        answer.raise_for_status()
        keys: list[PyJWK] = PyJWKSet.from_dict(answer.json()).keys
        return {str(key.key_id): key.key for key in keys if key.key_id}


class Verifier:
    """Turns an Authorization header into a Principal, or refuses it."""

    def __init__(self, issuers: dict[str, Issuer]) -> None:
        self._issuers = {block.issuer: (name, block) for name, block in issuers.items()}
        self._keys = {block.issuer: Keys(name, block) for name, block in issuers.items()}
        self._known: OrderedDict[bytes, tuple[int, Principal]] = OrderedDict()
        self._lock = threading.Lock()

    def verify(self, authorization: list[str]) -> Principal:
        """The principal of the one bearer token in `authorization`.

        Raises Unauthenticated, or Unavailable where an issuer's keys cannot be had.
        """
        if len(authorization) != 1:
            raise Unauthenticated
        match = _BEARER.fullmatch(authorization[0].strip())
        if match is None or len(match[1]) > LONGEST_TOKEN:
            raise Unauthenticated
        token = match[1]
        digest = hashlib.sha256(token.encode()).digest()
        generation = sum(keys.generation for keys in self._keys.values())
        known = self._known.get(digest)
        if known is not None and known[0] == generation and known[1].expires > time.time():
            return known[1]
        caller = self._read(token)
        with self._lock:
            self._known[digest] = (generation, caller)
            while len(self._known) > MOST_KEPT:
                self._known.popitem(last=False)
        return caller

    def _read(self, token: str) -> Principal:
        try:
            header = jwt.get_unverified_header(token)
            unverified = jwt.decode(token, options={"verify_signature": False})
        except (jwt.PyJWTError, ValueError, RecursionError) as error:
            raise Unauthenticated from error
        said = unverified.get("iss")
        found = self._issuers.get(said) if isinstance(said, str) else None
        kid = header.get("kid")
        if (
            found is None
            or not isinstance(kid, str)
            or header.get("alg") not in found[1].algorithms
        ):
            raise Unauthenticated
        name, block = found
        claims = self._checked(token, block, kid)
        return _principal(token, name, block, claims)

    def _checked(self, token: str, block: Issuer, kid: str) -> dict[str, Any]:
        key = self._keys[block.issuer].get(kid)
        try:
            claims: dict[str, Any] = jwt.decode(
                token,
                key,
                algorithms=list(block.algorithms),
                issuer=block.issuer,
                audience=block.audience,
                leeway=CLOCK_SKEW_SECONDS,
                options={
                    "require": ["exp", "iat", "iss", "sub"],
                    "verify_aud": block.audience is not None,
                },
            )
        except (jwt.PyJWTError, ValueError, TypeError) as error:
            raise Unauthenticated from error
        return claims


def _principal(token: str, name: str, block: Issuer, claims: dict[str, Any]) -> Principal:
    """What the verified claims say, as far as the issuer's block believes them."""
    login = claims.get(block.login_claim)
    if (
        not all(isinstance(claims[time_], (int, float)) for time_ in ("exp", "iat"))
        or not isinstance(login, str)
        or not re.fullmatch(block.login_pattern, login)
        or _is_no_access_token(claims)
    ):
        raise Unauthenticated
    scope = _words(claims.get("scope")) if "scope" in block.believes and "scope" in claims else None
    groups = _words(claims.get("groups")) if "groups" in block.believes else frozenset()
    beamlines = _words(claims.get("beamlines")) if "beamlines" in block.believes else frozenset()
    service = block.services and claims.get("client_id") == claims.get("sub")
    return Principal(
        login=login,
        issuer=name,
        expires=int(claims["exp"]),
        token=token,
        service=service,
        scope=scope,
        beamlines=beamlines,
        groups=groups,
        administrator=block.administrators and ADMINISTRATORS_GROUP in groups,
    )


def _is_no_access_token(claims: dict[str, Any]) -> bool:
    """ID and refresh tokens are signed by the same key; they open nothing here."""
    said = str(claims.get("typ", "")).lower()
    return said in {"id", "refresh", "logout"} or any(
        claim in claims for claim in ("nonce", "at_hash", "c_hash")
    )


def _words(value: Any) -> frozenset[str]:
    if isinstance(value, str):
        return frozenset(value.split())
    if isinstance(value, list):
        return frozenset(part for part in value if isinstance(part, str))
    return frozenset()

"""Verifying access tokens: signed JWTs of the trusted issuers, and nothing like one."""

import hashlib
import logging
import re
import threading
import time
from collections import OrderedDict
from dataclasses import dataclass
from typing import Any

import jwt
import orjson
import requests
from jwt import PyJWK, PyJWKSet
from urllib3.exceptions import HTTPError

from pyispyb_chassis.configuration import Issuer
from pyispyb_chassis.errors import Unauthenticated, Unavailable
from pyispyb_chassis.principal import Principal

log = logging.getLogger(__name__)

CLOCK_SKEW_SECONDS = 1
LONGEST_TOKEN = 8000
LARGEST_JWKS = 1_000_000
FETCH_TIMEOUT = 2
ADMINISTRATORS_GROUP = "administrators"
ACCESS_TOKEN_TYPES = frozenset({"jwt", "at+jwt", "application/at+jwt"})
ASYMMETRIC_TYPES = frozenset({"EC", "RSA", "OKP"})
_BEARER = re.compile(r"[Bb]earer +([\w-]+\.[\w-]+\.[\w-]+)")


@dataclass(frozen=True, slots=True)
class Limits:
    """How often keys are fetched, in seconds, and how many verified tokens are kept."""

    refresh_at_most_every: float = 30
    retry_a_failed_fetch_after: float = 2
    old_after: float = 600
    most_kept: int = 4096


class Keys:
    """The public keys of one issuer by `kid`, from its JWKS or from a PEM file.

    A JWKS is kept, and fetched again when it is old or a `kid` is unknown: at most once in 30 s,
    one fetch at a time. Keys once had are used for as long as a fetch fails.
    """

    def __init__(self, name: str, issuer: Issuer, limits: Limits) -> None:
        self._name = name
        self._issuer = issuer
        self._limits = limits
        self._keys: dict[str, Any] = {}
        self._lock = threading.Lock()
        self._next_fetch = 0.0
        self._old_at = 0.0
        self._failing = False

    def get(self, kid: str) -> Any:
        """The key. Raises Unauthenticated for an unknown one, Unavailable with no keys."""
        key = self._keys.get(kid)
        if key is not None and time.monotonic() < self._old_at:
            return key
        self._refresh(wait=key is None and not self._failing)
        key = self._keys.get(kid)
        if key is not None:
            return key
        if self._failing or not self._old_at:
            raise Unavailable(f"the keys of issuer {self._name} cannot be had")
        raise Unauthenticated

    def prepare(self) -> None:
        """Fetch until there are keys, ever more seldom."""
        pause = self._limits.retry_a_failed_fetch_after
        while True:
            self._refresh(wait=True)
            if self._old_at:
                return
            time.sleep(pause)
            pause = min(2 * pause, self._limits.refresh_at_most_every)

    def _refresh(self, *, wait: bool) -> None:
        """Fetch if it is time to; while another thread fetches, wait for it or go on without."""
        if not self._lock.acquire(blocking=wait):
            return
        try:
            if time.monotonic() < self._next_fetch:
                return
            try:
                self._keys = self._read()
            except (OSError, ValueError, TypeError, HTTPError, jwt.PyJWTError) as error:
                log.warning(
                    "issuer's keys cannot be had",
                    extra={"issuer": self._name, "reason": type(error).__name__},
                )
                self._failing = True
                self._next_fetch = time.monotonic() + self._limits.retry_a_failed_fetch_after
                return
            self._failing = False
            self._next_fetch = time.monotonic() + self._limits.refresh_at_most_every
            self._old_at = time.monotonic() + self._limits.old_after
        finally:
            self._lock.release()

    def _read(self) -> dict[str, Any]:
        if self._issuer.pem_file is not None:
            pem = self._issuer.pem_file.read_bytes()
            algorithm = jwt.get_algorithm_by_name(self._issuer.algorithms[0])
            return {str(self._issuer.kid): algorithm.prepare_key(pem)}
        keys: list[PyJWK] = PyJWKSet.from_dict(_fetched(str(self._issuer.jwks_url))).keys
        usable = {
            key.key_id: key.key
            for key in keys
            if key.key_id and key.key_type in ASYMMETRIC_TYPES and key.public_key_use != "enc"
        }
        if not usable:
            raise ValueError("no key that signs")
        return usable


def _fetched(url: str) -> dict[str, Any]:
    """The JSON at `url`, soon or never. Raises OSError or ValueError."""
    deadline = time.monotonic() + FETCH_TIMEOUT
    with requests.Session() as session:
        # A site's proxy is for what is outside; plain http is for what is inside.
        session.trust_env = url.startswith("https:")
        with session.get(url, timeout=FETCH_TIMEOUT, stream=True) as answer:
            answer.raise_for_status()
            data = b""
            while chunk := answer.raw.read1(65536, decode_content=True):
                data += chunk
                if len(data) > LARGEST_JWKS or time.monotonic() > deadline:
                    raise ValueError("too long")
    value = orjson.loads(data)
    if not isinstance(value, dict):
        raise ValueError("not an object")
    return value


@dataclass(frozen=True, slots=True)
class _Verified:
    """A token that was verified with this very key: good until it expires or the key changes."""

    kid: str
    key: Any
    keys: Keys
    caller: Principal


class Verifier:
    """Turns an Authorization header into a Principal, or refuses it."""

    def __init__(self, issuers: dict[str, Issuer], limits: Limits = Limits()) -> None:
        self._limits = limits
        self._issuers = {
            block.issuer: (name, block, Keys(name, block, limits))
            for name, block in issuers.items()
        }
        self._known: OrderedDict[bytes, _Verified] = OrderedDict()
        self._lock = threading.Lock()

    def prepare(self) -> None:
        """Fetch every issuer's keys beside the requests; call it in each process, after a fork.

        A worker that has seen no token yet can then do without the issuer too.
        """
        for _, _, keys in self._issuers.values():
            threading.Thread(target=keys.prepare, daemon=True).start()

    @property
    def kept(self) -> int:
        """How many verified tokens are kept."""
        return len(self._known)

    def verify(self, authorization: list[str]) -> Principal:
        """The principal of the one bearer token in `authorization`.

        Raises Unauthenticated, or Unavailable where an issuer's keys cannot be had.
        """
        if len(authorization) != 1 or len(authorization[0]) > LONGEST_TOKEN:
            raise Unauthenticated
        match = _BEARER.fullmatch(authorization[0])
        if match is None:
            raise Unauthenticated
        token = match[1]
        digest = hashlib.sha256(token.encode()).digest()
        known = self._known.get(digest)
        if (
            known is not None
            and known.caller.expires > time.time()
            and known.keys.get(known.kid) is known.key
        ):
            return known.caller
        verified = self._read(token)
        with self._lock:
            self._known[digest] = verified
            while len(self._known) > self._limits.most_kept:
                self._known.popitem(last=False)
        return verified.caller

    def _read(self, token: str) -> _Verified:
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
            or str(header.get("typ", "jwt")).lower() not in ACCESS_TOKEN_TYPES
        ):
            raise Unauthenticated
        name, block, keys = found
        key = keys.get(kid)
        caller = _principal(token, name, block, _checked(token, block, key))
        return _Verified(kid, key, keys, caller)


def _checked(token: str, block: Issuer, key: Any) -> dict[str, Any]:
    """The claims, now that the signature, the times and the addressee are right."""
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
        not all(_is_number(claims[moment]) for moment in ("exp", "iat"))
        or not isinstance(login, str)
        or not re.fullmatch(block.login_pattern, login)
        or _is_no_access_token(claims)
    ):
        raise Unauthenticated
    scope = _words(claims.get("scope")) if "scope" in block.believes and "scope" in claims else None
    groups = _words(claims.get("groups")) if "groups" in block.believes else frozenset()
    beamlines = _words(claims.get("beamlines")) if "beamlines" in block.believes else frozenset()
    service = block.services and claims.get("client_id") == claims["sub"]
    if service and scope is None:
        scope = frozenset()  # its scope is its whole right: none is nothing
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


def _is_number(value: Any) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool)


def _words(value: Any) -> frozenset[str]:
    if isinstance(value, str):
        return frozenset(value.split())
    if isinstance(value, list):
        return frozenset(part for part in value if isinstance(part, str))
    return frozenset()

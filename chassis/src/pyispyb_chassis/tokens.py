"""Verifying access tokens: signed JWTs of the trusted issuers, and nothing like one."""

import hashlib
import json
import random
import re
import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import jwt
from jwt.utils import base64url_decode

from pyispyb_chassis.configuration import Issuer
from pyispyb_chassis.errors import Unauthenticated
from pyispyb_chassis.issuer_keys import USUAL, Keys, Limits
from pyispyb_chassis.principal import Principal
from pyispyb_chassis.revocations import Mark, Revocations
from pyispyb_chassis.shelf import Shelf

CLOCK_SKEW_SECONDS = 1
LONGEST_TOKEN = 8000
YEAR_10000 = 253_402_300_800
ADMINISTRATORS_GROUP = "administrators"
ACCESS_TOKEN_TYPES = frozenset({"jwt", "at+jwt", "application/at+jwt"})
# A token says which key signed it, never where to find one.
KEYS_OF_ITS_OWN = frozenset({"jwk", "jku", "x5u", "x5c"})
_BEARER = re.compile(r"[Bb]earer +([\w-]+\.[\w-]+\.[\w-]+)", re.ASCII)


@dataclass(frozen=True, slots=True)
class OwnIssuer:
    """An issuer that this very process is: its JWKS and its list, had without HTTP."""

    jwks: Callable[[], bytes]
    revocations: Callable[[], bytes] | None = None


class Trusted:
    """One issuer: its block, its keys, its revocations."""

    def __init__(
        self, name: str, block: Issuer, limits: Limits, shelf: Shelf, own: OwnIssuer | None = None
    ) -> None:
        self.name = name
        self.block = block
        self.keys = Keys(name, block, limits, shelf, own.jwks if own else None)
        self.revocations = Revocations(
            name, block, self.keys, shelf, own.revocations if own else None
        )
        self._limits = limits

    def recall(self) -> None:
        """Take what was kept before a restart."""
        self.keys.recall()
        self.revocations.recall()

    def watch(self) -> None:
        """Keep keys and revocations fresh, for ever; never two workers at the same beat."""
        pause = self._limits.between_fetches
        while True:
            had = self.keys.renew()
            if self.revocations.poll() and had:
                pause = self._limits.poll_every
            time.sleep(pause * random.uniform(0.8, 1.1))  # noqa: S311
            pause = min(2 * pause, self._limits.poll_every)


@dataclass(frozen=True, slots=True)
class _Verified:
    """A token that was verified with this very key: good until it expires or the key changes."""

    kid: str
    key: Any
    issuer: Trusted
    mark: Mark
    caller: Principal

    @property
    def stands(self) -> bool:
        """Whether neither time, nor its key, nor its issuer's list has ended it."""
        return (
            self.caller.expires > time.time()
            and not self.is_revoked
            and self.issuer.keys.get(self.kid) is self.key
        )

    @property
    def is_revoked(self) -> bool:
        """Whether its issuer's list names it."""
        return self.issuer.revocations.list.has(self.mark)


class Verifier:
    """Turns an Authorization header into a Principal, or refuses it."""

    def __init__(
        self,
        issuers: dict[str, Issuer],
        limits: Limits = USUAL,
        *,
        folder: Path | None = None,
        own: Mapping[str, OwnIssuer] | None = None,
    ) -> None:
        self._limits = limits
        shelf = Shelf(folder)
        self._issuers = {
            block.issuer: Trusted(name, block, limits, shelf, (own or {}).get(name))
            for name, block in issuers.items()
        }
        self._known: OrderedDict[bytes, _Verified] = OrderedDict()
        self._lock = threading.Lock()

    def prepare(self) -> None:
        """Watch every issuer's keys and revocations; call it in each process, after a fork.

        A worker that has seen no token yet can then do without the issuer too.
        """
        for issuer in self.trusted:
            issuer.recall()
            threading.Thread(target=issuer.watch, daemon=True).start()

    def still_trusts(self, caller: Principal, since: float) -> bool:
        """Whether somebody known since then would still be taken for who they were.

        Their issuer is trusted as far as it was, and has not revoked all that was theirs.
        """
        issuer = next((one for one in self.trusted if one.name == caller.issuer), None)
        if issuer is None or issuer.block.of_people != caller.person:
            return False
        if (caller.service and not issuer.block.services) or (
            caller.administrator and not issuer.block.administrators
        ):
            return False
        earliest = issuer.revocations.list.not_before.get(caller.login)
        return earliest is None or since >= earliest

    def on_revoked_logins(self, tell: Callable[[str, Mapping[str, float]], bool]) -> None:
        """Have `tell` called with an issuer and its logins' not-before moments, when they change.

        It is called again with the next list where it says that it could not do its part.
        """
        for issuer in self.trusted:
            issuer.revocations.tell = tell

    def on_lists(self, heard: Callable[[str, float], object]) -> None:
        """Have `heard` called with an issuer and the time, whenever its list has been read."""
        for issuer in self.trusted:
            issuer.revocations.heard = heard

    def told(self) -> dict[str, Any]:
        """What readiness tells of each issuer."""
        return {issuer.name: issuer.revocations.told() for issuer in self.trusted}

    @property
    def trusted(self) -> tuple[Trusted, ...]:
        """The issuers, each with its keys and revocations."""
        return tuple(self._issuers.values())

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
        if known is not None and known.stands:
            return known.caller
        verified = known if known is not None and known.is_revoked else self._read(token)
        if verified.is_revoked:
            raise Unauthenticated
        with self._lock:
            self._known[digest] = verified
            while len(self._known) > self._limits.most_kept:
                self._known.popitem(last=False)
        return verified.caller

    def _read(self, token: str) -> _Verified:
        header, said = _parts(token)
        issuer = self._issuers.get(str(said.get("iss")))
        kid = header.get("kid")
        if (
            issuer is None
            or not isinstance(kid, str)
            or header.get("alg") not in issuer.block.algorithms
            or str(header.get("typ", "jwt")).lower() not in ACCESS_TOKEN_TYPES
            or not KEYS_OF_ITS_OWN.isdisjoint(header)
            or not all(_is_moment(said[name]) for name in ("exp", "iat", "nbf") if name in said)
        ):
            raise Unauthenticated
        key = issuer.keys.get(kid)
        claims = _checked(token, issuer.block, key)
        caller = _principal(token, issuer.name, issuer.block, claims)
        return _Verified(kid, key, issuer, Mark.of(caller.login, claims), caller)


def _parts(token: str) -> tuple[dict[str, Any], dict[str, Any]]:
    """Header and claims, not verified yet; a name said twice is nobody's to choose."""
    try:
        header, said = (
            json.loads(base64url_decode(part).decode(), object_pairs_hook=_each_once)
            for part in token.split(".")[:2]
        )
    except (ValueError, RecursionError) as error:
        raise Unauthenticated from error
    if not isinstance(header, dict) or not isinstance(said, dict):
        raise Unauthenticated
    return header, said


def _each_once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    members = dict(pairs)
    if len(members) != len(pairs):
        raise ValueError("a name said twice")
    return members


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
        not isinstance(login, str)
        or not re.fullmatch(block.login_pattern, login)
        or _is_no_access_token(claims)
    ):
        raise Unauthenticated
    believed = "scope" in block.believes and "scope" in claims
    # What only takes away needs no belief: a personal token's scope, and its beamlines.
    scope = _words(claims.get("scope")) if believed or "pat" in claims else None
    groups = _words(claims.get("groups")) if "groups" in block.believes else frozenset()
    beamlines = _words(claims.get("beamlines")) if "beamlines" in block.believes else frozenset()
    only = _words(claims["only_beamlines"]) if "only_beamlines" in claims else None
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
        beamlines=beamlines if only is None else beamlines & only,
        groups=groups,
        administrator=block.administrators and ADMINISTRATORS_GROUP in groups,
        only_beamlines=only,
        person=block.of_people,
    )


def _is_no_access_token(claims: dict[str, Any]) -> bool:
    """ID and refresh tokens are signed by the same key; they open nothing here."""
    said = str(claims.get("typ", "")).lower()
    return said in {"id", "refresh", "logout"} or any(
        claim in claims for claim in ("nonce", "at_hash", "c_hash")
    )


def _is_moment(value: Any) -> bool:
    """A number of seconds that lies in a calendar; neither infinite nor NaN does."""
    return (
        isinstance(value, (int, float)) and not isinstance(value, bool) and 0 <= value < YEAR_10000
    )


def _words(value: Any) -> frozenset[str]:
    if isinstance(value, str):
        return frozenset(value.split())
    if isinstance(value, list):
        return frozenset(part for part in value if isinstance(part, str))
    return frozenset()

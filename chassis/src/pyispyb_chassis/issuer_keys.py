"""The public keys of one issuer: fetched seldom, kept through failures, gone when it drops them."""

import logging
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import jwt
import orjson
import requests
from jwt import PyJWK, PyJWKSet
from urllib3.exceptions import HTTPError

from pyispyb_chassis.configuration import Issuer
from pyispyb_chassis.errors import Unauthenticated, Unavailable
from pyispyb_chassis.shelf import Shelf

log = logging.getLogger(__name__)

LARGEST_JWKS = 1_000_000
FETCH_TIMEOUT = 2
SOON = 0.1
ASYMMETRIC_TYPES = frozenset({"EC", "RSA", "OKP"})
# All that a fetch, and what it brings, can fail with.
FAULTS = (OSError, ValueError, TypeError, HTTPError, jwt.PyJWTError)


@dataclass(frozen=True, slots=True)
class Limits:
    """How often an issuer is asked, in seconds, and how many verified tokens are kept."""

    between_fetches: float = 2
    for_strangers: float = 30
    renew_every: float = 60
    old_after: float = 600
    poll_every: float = 10
    most_kept: int = 4096


USUAL = Limits()


class Keys:
    """The public keys of one issuer by `kid`, from its JWKS or from a PEM file.

    `fetch` brings the JWKS where it is not to be had by its URL: a service that is the issuer.

    A JWKS is renewed beside the requests. An unknown `kid` has it fetched at once, for it may be
    a new key; but that happens once in 30 s, so that a flood of strangers costs no more. Keys once
    had are used for as long as a fetch fails, after a restart too.
    """

    def __init__(
        self,
        name: str,
        issuer: Issuer,
        limits: Limits,
        shelf: Shelf,
        fetch: Callable[[], bytes] | None = None,
    ) -> None:
        self._name = name
        self._issuer = issuer
        self._limits = limits
        self._shelf = shelf
        self._fetch = fetch
        self._whose = f"{issuer.issuer} {issuer.jwks_url}"
        self._keys: dict[str, Any] = {}
        self._lock = threading.Lock()
        self._next_fetch = 0.0
        self._next_for_strangers = 0.0
        self._renew_at = 0.0
        self._old_at = 0.0
        self._failing = False

    def get(self, kid: str) -> Any:
        """The key. Raises Unauthenticated for an unknown one, Unavailable with no keys."""
        key = self._keys.get(kid)
        if key is not None and time.monotonic() < self._old_at:
            return key
        self._refresh(wait=key is None and not self._failing, stranger=key is None)
        key = self._keys.get(kid)
        if key is not None:
            return key
        if self._failing or not self._old_at:
            raise Unavailable(f"the keys of issuer {self._name} cannot be had")
        raise Unauthenticated

    def held(self, kid: str) -> Any:
        """The key, if it is at hand."""
        return self._keys.get(kid)

    def recall(self) -> None:
        """Take the keys that were kept before a restart, until they can be fetched."""
        if self._issuer.pem_file is not None:
            self._refresh(wait=True)
            return
        kept = self._shelf.get("jwks", self._whose)
        if kept is None:
            return
        try:
            self._keys = _of_jwks(kept)
        except FAULTS as error:
            log.warning("kept keys are of no use", extra={"reason": type(error).__name__})

    def renew(self) -> bool:
        """Fetch them if that was some time ago; whether they could be had."""
        if time.monotonic() >= self._renew_at:
            self._refresh(wait=True)
        return not self._failing and self._old_at > 0

    def _refresh(self, *, wait: bool, stranger: bool = False) -> None:
        """Fetch if it is time to; while another thread fetches, wait for it or go on without."""
        if not self._lock.acquire(blocking=wait):
            return
        try:
            moment = time.monotonic()
            if moment < self._next_fetch:
                return
            if stranger and self._keys and moment < self._old_at:
                if moment < self._next_for_strangers:
                    return
                self._next_for_strangers = moment + self._limits.for_strangers
            self._next_fetch = moment + self._limits.between_fetches
            try:
                had, new = self._keys, self._read()
                # The same key stays the same object: what was verified with it need not be again.
                self._keys = {k: had[k] if had.get(k) == key else key for k, key in new.items()}
            except FAULTS as error:
                self._say("issuer's keys cannot be had", failing=True, why=type(error).__name__)
                self._next_fetch = time.monotonic() + self._pause(time.monotonic() - moment)
                return
            self._say("issuer's keys can be had again", failing=False)
            # A service's own keys cost no request: a key that it takes out counts no more at once.
            every = self._limits.renew_every if self._fetch is None else 0
            self._renew_at = time.monotonic() + every
            self._old_at = time.monotonic() + self._limits.old_after
        finally:
            self._lock.release()

    def _pause(self, took: float) -> float:
        """How long an issuer is left alone since a fetch from it failed, after so many seconds.

        One that refuses at once may be starting with us: until its first keys it is soon asked
        again, for each request is refused so long. One that hangs is left alone.
        """
        usual = self._limits.between_fetches
        return usual if self._keys else min(usual, SOON + 4 * took)

    def _say(self, what: str, *, failing: bool, why: str | None = None) -> None:
        """Log a change for the worse or the better, once; they are asked for every few seconds."""
        if failing != self._failing:
            log.warning(what, extra={"issuer": self._name, "reason": why})
        self._failing = failing

    def _read(self) -> dict[str, Any]:
        if self._fetch is not None:
            return _of_jwks(self._fetch())
        if self._issuer.pem_file is not None:
            pem = self._issuer.pem_file.read_bytes()
            algorithm = jwt.get_algorithm_by_name(self._issuer.algorithms[0])
            return {str(self._issuer.kid): algorithm.prepare_key(pem)}
        data = fetched(str(self._issuer.jwks_url), LARGEST_JWKS)
        keys = _of_jwks(data)
        self._shelf.keep("jwks", self._whose, data)
        return keys


def _of_jwks(data: bytes) -> dict[str, Any]:
    """The keys of a JWKS that sign. Raises where there is none."""
    value = orjson.loads(data)
    if not isinstance(value, dict):
        raise ValueError("not an object")
    keys: list[PyJWK] = PyJWKSet.from_dict(value).keys
    usable = {
        key.key_id: key.key
        for key in keys
        if key.key_id and key.key_type in ASYMMETRIC_TYPES and key.public_key_use != "enc"
    }
    if not usable:
        raise ValueError("no key that signs")
    return usable


def fetched(url: str, most: int) -> bytes:
    """What is at `url`, soon or never. Raises OSError or ValueError."""
    deadline = time.monotonic() + FETCH_TIMEOUT
    with requests.Session() as session:
        # A site's proxy is for what is outside; plain http is for what is inside.
        session.trust_env = url.startswith("https:")
        with session.get(url, timeout=FETCH_TIMEOUT, stream=True) as answer:
            answer.raise_for_status()
            data = b""
            while chunk := answer.raw.read1(65536, decode_content=True):
                data += chunk
                if len(data) > most or time.monotonic() > deadline:
                    raise ValueError("too long")
    return data

"""Secrets that auth itself hands out: random, shown once, known by their prefix, kept hashed.

They have 256 random bits: nobody finds one by trying. argon2 makes it dear to guess the words
that people choose, at 50 ms for each honest login; here nothing can be guessed: SHA-256 is enough.
"""

import hashlib
import secrets
from typing import Protocol

from pyispyb_auth.providers import Identity

SERVICE, PERSONAL = "ispyb_svc_", "ispyb_pat_"
SECRET_BYTES = 32


class Keeper(Protocol):
    """A part of auth that hands out secrets, and says whose they are as a provider does."""

    @property
    def name(self) -> str:
        """As it stands with the logins that it has proven."""

    @property
    def prefix(self) -> str:
        """How its secrets begin."""

    @property
    def login_seconds(self) -> int | None:
        """As a provider's; with 0 a login is not refreshed at all."""

    def prove(self, login: str, secret: str) -> Identity | None:
        """Whose secret this is, or None."""

    def still(self, proven: Identity) -> Identity | None:
        """What is to be said of them now, or None where their login has ended."""


def new_secret(prefix: str) -> str:
    """A secret; whoever makes it shows it once and keeps its hash."""
    return prefix + secrets.token_urlsafe(SECRET_BYTES)


def hash_of(secret: str) -> str:
    """What is kept of a secret."""
    return hashlib.sha256(secret.encode()).hexdigest()

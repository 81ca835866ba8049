"""What a provider is to the rest of auth."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol


@dataclass(frozen=True, slots=True)
class Identity:
    """Somebody proven: the login, and what else the provider says of them as token claims.

    `proof` stands for what they proved it with, and does not tell it: a provider that finds it
    changed ends their logins. None where a provider has no such thing.
    """

    login: str
    claims: Mapping[str, Any] = field(default_factory=dict)
    proof: str | None = None


class Provider(Protocol):
    """One way to prove who you are; every refusal takes as long as every other."""

    name: str
    kind: str

    def knows(self, login: str) -> bool:
        """Whether this login is one of its own."""

    def prove(self, login: str, password: str) -> Identity | None:
        """The identity, or None for an unknown login and for a wrong password alike."""

    def still(self, proven: Identity) -> Identity | None:
        """What is to be said now of somebody proven before, or None where their login has ended."""

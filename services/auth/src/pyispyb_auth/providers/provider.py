"""What a provider is to the rest of auth."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol


@dataclass(frozen=True, slots=True)
class Identity:
    """Somebody proven: the login, and what else the provider says of them as token claims."""

    login: str
    claims: Mapping[str, Any] = field(default_factory=dict)


class Provider(Protocol):
    """One way to prove who you are; every refusal takes as long as every other."""

    name: str
    kind: str

    def knows(self, login: str) -> bool:
        """Whether this login is one of its own."""

    def prove(self, login: str, password: str) -> Identity | None:
        """The identity, or None for an unknown login and for a wrong password alike."""

    def fault(self) -> str | None:
        """One line where it cannot prove anybody just now, else None."""

"""What a provider is to the rest of auth, and what a package that brings one has to write."""

import re
from abc import ABC
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Annotated, Any, ClassVar, Literal

from pydantic import AfterValidator, Field

from pyispyb_chassis.configuration import Section

Takes = Literal["password", "token", "browser"]


def _is_an_expression(value: str) -> str:
    try:
        re.compile(value)
    except re.error as error:
        raise ValueError(f"not a regular expression: {error}") from error
    return value


class ProviderSettings(Section):
    """[auth.providers.<name>]: what every kind has."""

    kind: str
    title: str | None = Field(None, description="what people read; by default its name")
    login_pattern: Annotated[str, AfterValidator(_is_an_expression)] | None = Field(
        None, description="logins like this are its own, and no others"
    )


class DistantSettings(ProviderSettings):
    """What every kind has that asks a server of the site's."""

    # Below the gateway's own time-out, so that the client hears our 503 and not its 504.
    timeout_seconds: float = Field(3.0, gt=0, le=4, description="then it does not answer")
    refusal_seconds: float = Field(
        0.5, ge=0, le=4, description="no refusal is quicker, for an unknown login or a wrong word"
    )
    login_seconds: int = Field(
        86400, ge=60, description="how long a login goes on where the server cannot be asked of it"
    )


@dataclass(frozen=True, slots=True)
class Identity:
    """Somebody proven: the login, and what else the provider says of them as token claims.

    `proof` stands for what they proved it with, and does not tell it: a provider that finds it
    changed ends their logins. None where a provider has no such thing. No token outlives `until`,
    in UTC without saying so, where there is one.
    """

    login: str
    claims: Mapping[str, Any] = field(default_factory=dict)
    proof: str | None = None
    until: datetime | None = None


@dataclass(frozen=True, slots=True)
class Departure:
    """Where a browser is sent to log in, and what must be at hand when it comes back."""

    url: str
    kept: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Arrival:
    """A browser that came back: by which address, with which query, and what was kept for it."""

    callback: str
    query: Mapping[str, str]
    kept: Mapping[str, str]


class Provider(ABC):
    """One way to prove who you are; a kind overrides what it takes.

    Every method may raise Unavailable, soon, where the site's server does not answer: that is
    never a refusal. None is a refusal, and one refusal tells no more than another.
    """

    settings_kind: ClassVar[type[ProviderSettings]]
    """The class of its part of ispyb.toml."""
    takes: frozenset[Takes] = frozenset({"password"})
    """What it can be given."""
    is_local: bool = False
    """Whether a password that it is given stays in this process."""
    refusal_seconds: float = 0.0
    """No refusal is quicker; 0 where each takes as long as the others anyway."""
    login_seconds: int | None = None
    """How long a login goes on where `still` cannot tell, None where it can."""

    def __init__(self, name: str, settings: ProviderSettings) -> None:
        self.name = name
        self.kind = settings.kind
        self.title = settings.title or name
        self.login_pattern = settings.login_pattern

    def knows(self, login: str) -> bool | None:  # noqa: ARG002
        """Whether this login is one of its own; None where only the password would tell."""
        return None

    def prove(self, login: str, password: str) -> Identity | None:  # noqa: ARG002
        """The identity, or None for an unknown login and for a wrong password alike."""
        return None

    def recognises(self, token: str) -> bool:  # noqa: ARG002
        """Whether this has the form of a token of its own; nobody is asked for it."""
        return True

    def prove_token(self, token: str) -> Identity | None:  # noqa: ARG002
        """Who a token is of that the client got elsewhere, or None."""
        return None

    def depart(self, callback: str, state: str) -> Departure:
        """Where to send a browser that shall come back to `callback` with this `state`."""
        raise NotImplementedError(f"{self.kind} takes no browser")

    def arrive(self, arrival: Arrival) -> Identity | None:
        """Who came back, or None."""
        raise NotImplementedError(f"{self.kind} takes no browser")

    def still(self, proven: Identity) -> Identity | None:
        """What is to be said now of somebody proven before, or None where their login has ended."""
        return proven

    def public_settings(self) -> Mapping[str, Any]:
        """What `GET /auth/config` tells of it beyond what it tells of all; nothing secret."""
        return {}

    def fault(self) -> str | None:
        """One line where it cannot do its work just now, else None."""
        return None

    def is_for(self, login: str) -> bool:
        """Whether its login_pattern, if it has one, lets this login in."""
        return self.login_pattern is None or bool(re.fullmatch(self.login_pattern, login))

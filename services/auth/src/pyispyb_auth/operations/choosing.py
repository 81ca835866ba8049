"""Which provider decides about a login; never more than one is given a password or a token."""

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from pyispyb_auth.operations.opaque import Keeper
from pyispyb_auth.providers import Identity, Provider
from pyispyb_chassis.errors import Unavailable

Fault = tuple[str, str]


@dataclass(frozen=True, slots=True)
class Credentials:
    """What somebody says to be, and proves it by: a password or a token, one of the two."""

    login: str
    password: str | None = None
    token: str | None = None


class Choosing:
    """The configured providers, and the choice among them (docs/decisions/0006).

    A `login_pattern` picks a provider, else `plugin`; else they are asked in order, and the first
    that knows the login decides. A secret that auth itself handed out goes to none of them,
    whatever the plugin: its keeper decides.
    """

    def __init__(self, providers: Mapping[str, Provider], keepers: Sequence[Keeper] = ()) -> None:
        self._providers = providers
        self._keepers = keepers

    def faults_of(self, body: Mapping[str, Any]) -> list[Fault]:
        """What is wrong with the body of a login beyond its single fields."""
        given = [name for name in ("password", "token") if body.get(name) is not None]
        login, plugin = (body.get(name) for name in ("login", "plugin"))
        faults: list[Fault] = []
        candidates: list[Provider] = []
        if len(given) != 1:
            faults.append(("password", "give exactly one of password and token"))
        if isinstance(plugin, str) and plugin not in self._providers:
            known = ", ".join(self._providers) or "none"
            faults.append(("plugin", f"no such plugin; configured: {known}"))
        elif isinstance(login, str) and not self._is_kept(body, given):
            named = plugin if isinstance(plugin, str) else None
            candidates = self._candidates(login, named)
            if named is not None and not candidates:
                faults.append(("plugin", self._why_not(login, named)))
        if len(given) == 1 and not self._is_kept(body, given):
            faults += self._untaken(given[0], candidates)
        return faults

    def decide(
        self, credentials: Credentials, plugin: str | None
    ) -> tuple[Provider | Keeper | None, Identity | None]:
        """The provider that decided, and who it says this is; None for a refusal.

        One refusal takes as long as another. Raises Unavailable naming a provider that is down.
        """
        secret = credentials.password or credentials.token or ""
        keeper = self._keeper_of(secret)
        if keeper is not None:
            return keeper, keeper.prove(credentials.login, secret)
        started = time.monotonic()
        kind = "password" if credentials.password is not None else "token"
        asked = [one for one in self._candidates(credentials.login, plugin) if kind in one.takes]
        slowest = max((one.refusal_seconds for one in asked), default=0.0)
        try:
            provider, identity = _decided(asked, credentials)
        except Unavailable:
            _wait_until(started + slowest)
            raise
        if identity is None:
            _wait_until(started + slowest)
        return provider, identity

    def may_say(self, provider: Provider, login: str) -> bool:
        """Whether this login may be one of that provider's: nobody comes as another's."""
        return provider in self._candidates(login, provider.name)

    def _keeper_of(self, secret: object) -> Keeper | None:
        if not isinstance(secret, str):
            return None
        return next((one for one in self._keepers if secret.startswith(one.prefix)), None)

    def _is_kept(self, body: Mapping[str, Any], given: Sequence[str]) -> bool:
        return len(given) == 1 and self._keeper_of(body[given[0]]) is not None

    def _candidates(self, login: str, plugin: str | None) -> list[Provider]:
        """The providers that this login and this plugin leave."""
        picked = [
            one for one in self._providers.values() if one.login_pattern and one.is_for(login)
        ]
        left = picked or [one for one in self._providers.values() if one.login_pattern is None]
        if plugin is not None:
            return [one for one in left if one.name == plugin]
        return picked[:1] or left

    def _why_not(self, login: str, plugin: str) -> str:
        if not self._providers[plugin].is_for(login):
            return f"{plugin} takes no such logins"
        return f"such logins belong to {self._candidates(login, None)[0].name}"

    def _untaken(self, kind: str, candidates: Sequence[Provider]) -> list[Fault]:
        taking = [one.name for one in self._providers.values() if kind in one.takes]
        if not taking:
            return [(kind, f"no configured provider takes a {kind}")]
        if not candidates or any(kind in one.takes for one in candidates):
            return []
        names = ", ".join(one.name for one in candidates)
        return [(kind, f"not taken by {names}; a {kind} is taken by {', '.join(taking)}")]


def _decided(
    asked: Sequence[Provider], credentials: Credentials
) -> tuple[Provider | None, Identity | None]:
    if credentials.token is not None:
        return _by_token(asked, credentials.login, credentials.token)
    provider, doubt = _knowing(asked, credentials.login)
    if provider is None:
        if doubt is not None:
            raise doubt
        return None, None
    identity = provider.prove(credentials.login, credentials.password or "")
    if identity is None and doubt is not None:
        raise doubt
    return provider, identity


def _by_token(
    asked: Sequence[Provider], login: str, token: str
) -> tuple[Provider | None, Identity | None]:
    provider = next((one for one in asked if one.recognises(token)), None)
    identity = provider.prove_token(token) if provider is not None else None
    return provider, identity if identity is not None and identity.login == login else None


def _knowing(asked: Sequence[Provider], login: str) -> tuple[Provider | None, Unavailable | None]:
    """Who decides about this login, and the error of one before it that does not answer.

    The first that knows it; else the first that cannot say; else the first, which will refuse.
    Behind one that is down only a provider decides that keeps the password in this process.
    """
    doubt: Unavailable | None = None
    silent: Provider | None = None
    if len(asked) == 1:
        return asked[0], None
    for one in asked:
        if doubt is not None and not one.is_local:
            continue
        try:
            known = one.knows(login)
        except Unavailable as error:
            doubt = error
            continue
        if known:
            return one, doubt
        silent = silent or (one if known is None else None)
    if doubt is not None:
        return None, doubt
    return silent or next(iter(asked), None), None


def _wait_until(moment: float) -> None:
    time.sleep(max(0.0, moment - time.monotonic()))

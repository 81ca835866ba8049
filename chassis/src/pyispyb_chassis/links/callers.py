"""Who made a link: kept with it, and rebuilt when it is used."""

import hashlib
from dataclasses import fields, replace
from typing import Any

import orjson

from pyispyb_chassis.principal import Principal

# A token is never kept, and a link has an end of its own.
_NOT_KEPT = frozenset({"token", "expires", "link"})


def owner_of(caller: Principal) -> str:
    """One name for all tokens of a login of an issuer."""
    return hashlib.sha256(f"{caller.issuer}\0{caller.login}".encode()).hexdigest()


def is_whole(caller: Principal) -> bool:
    """Whether this is a person with all their rights: no narrowed token, no service account."""
    return (
        caller.person
        and not caller.service
        and caller.scope is None
        and caller.only_beamlines is None
    )


def plain(caller: Principal) -> Principal:
    """The caller without what only their token said: that cannot be looked up again later."""
    nothing: frozenset[str] = frozenset()
    return replace(caller, administrator=False, groups=nothing, beamlines=nothing)


def written(caller: Principal) -> str:
    """A caller as text, without their token."""
    said: dict[str, Any] = {}
    for field in fields(caller):
        value = getattr(caller, field.name)
        if field.name not in _NOT_KEPT:
            said[field.name] = sorted(value) if isinstance(value, frozenset) else value
    return orjson.dumps(said).decode()


def read(text: str, *, expires: int, link: str) -> Principal:
    """The caller that was written; where they ask a sibling, they do so by `link`."""
    said: dict[str, Any] = {
        name: frozenset(value) if isinstance(value, list) else value
        for name, value in orjson.loads(text).items()
    }
    return Principal(**said, expires=expires, token="", link=link)

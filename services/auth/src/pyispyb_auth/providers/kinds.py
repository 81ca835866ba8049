"""The kinds of providers that are installed: ours and everybody's, by the same entry points."""

from importlib.metadata import entry_points
from typing import Any

from pydantic import ValidationError

from pyispyb_auth.providers.provider import Provider, ProviderSettings

GROUP = "pyispyb.auth_providers"


class NoSuchKind(ValueError):
    """No installed package brings this kind, or what it brings cannot be used."""


def class_of(kind: str) -> type[Provider]:
    """The class behind a `kind`. Raises NoSuchKind."""
    found = {entry.name: entry for entry in entry_points(group=GROUP)}
    if kind not in found:
        raise NoSuchKind(f"no such kind; installed: {', '.join(sorted(found))}")
    try:
        loaded = found[kind].load()
    except (ImportError, AttributeError) as error:
        raise NoSuchKind(f"the package that brings it cannot be imported: {error}") from error
    if not (isinstance(loaded, type) and issubclass(loaded, Provider)):
        raise NoSuchKind(f"{found[kind].value} is no provider")
    return loaded


def settings_of(value: Any) -> ProviderSettings:
    """A table [auth.providers.<name>] as the settings of its kind.

    Raises ValueError, and pydantic's error with every fault of the table.
    """
    if isinstance(value, ProviderSettings):
        return value
    kind = value.get("kind") if isinstance(value, dict) else None
    if not isinstance(kind, str):
        raise ValueError("a table is needed, with its kind")
    try:
        known = class_of(kind).settings_kind
    except NoSuchKind as error:
        fault = {"type": "value_error", "loc": ("kind",), "input": kind, "ctx": {"error": error}}
        raise ValidationError.from_exception_data("provider", [fault]) from error  # type: ignore[list-item]
    return known.model_validate(value)

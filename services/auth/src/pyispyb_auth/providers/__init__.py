"""The ways to prove who you are: one file each, chosen and named in ispyb.toml."""

from collections.abc import Mapping

from pyispyb_auth.providers.kinds import class_of
from pyispyb_auth.providers.provider import Identity, Provider, ProviderSettings

__all__ = ["Identity", "Provider", "providers_of"]


def providers_of(settings: Mapping[str, ProviderSettings]) -> dict[str, Provider]:
    """The configured providers by their name, in the file's order."""
    return {name: class_of(one.kind)(name, one) for name, one in settings.items()}

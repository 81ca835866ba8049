"""The [auth] part of ispyb.toml."""

from pathlib import Path
from typing import Annotated

from pydantic import AfterValidator, BeforeValidator, Field, SecretStr

from pyispyb_auth.providers.kinds import settings_of
from pyispyb_auth.providers.provider import ProviderSettings
from pyispyb_chassis.configuration import Address, DatabaseUrl, Prefix, ServiceSection


def _is_no_name_of_ours(name: str) -> str:
    if name == "tokens":
        raise ValueError("/auth/browser/tokens is a route already: choose another name")
    if name in {"service-accounts", "personal-tokens"}:
        raise ValueError("the accounts that auth itself keeps have this name: choose another one")
    return name


# It stands in paths, in tables and in what clients send as `plugin`.
ProviderName = Annotated[
    str, Field(pattern=r"^[a-z0-9][a-z0-9_-]{0,63}$"), AfterValidator(_is_no_name_of_ours)
]
AnyProvider = Annotated[ProviderSettings, BeforeValidator(settings_of)]


class AuthSettings(ServiceSection):
    """[auth]: how logins are proven and what tokens are given for them."""

    listen: Address = "127.0.0.1:8101"
    inside_listen: Address = "127.0.0.1:9101"
    prefix: Prefix = "/auth"
    database_url: DatabaseUrl = Field(SecretStr("sqlite:///var/db/auth.sqlite"))
    keys_dir: Path = Field(Path("var/keys"), description="the folder of the signing keys")
    issuer: str = Field("suite", description="the [issuers] block whose tokens this service signs")
    token_seconds: int = Field(900, ge=30, le=86400, description="life of an access token")
    refresh_seconds: int = Field(14 * 86400, ge=60, description="life of a login that is refreshed")
    refresh_grace_seconds: int = Field(
        30, ge=0, le=300, description="how long the last used refresh token may be used again"
    )
    key_lead_seconds: int = Field(
        120, ge=0, le=86400, description="how long a new key is published before it signs"
    )
    throttle_after: int = Field(
        10, ge=1, le=1000, description="refusals of a login from one address before it waits"
    )
    throttle_login_after: int = Field(
        50, ge=1, le=100_000, description="refusals of a login from everywhere"
    )
    throttle_address_after: int = Field(
        200, ge=1, le=100_000, description="refusals from one address, whatever the login"
    )
    throttle_longest_seconds: int = Field(
        60, ge=1, le=3600, description="the longest wait, reached by doubling from 1 s"
    )
    outage_seconds: int = Field(
        86400, ge=0, description="how long a login is refreshed while its provider is down"
    )
    personal_token_days: int = Field(
        366, ge=1, le=3660, description="the furthest end of a personal access token"
    )
    providers: dict[ProviderName, AnyProvider] = Field(default_factory=dict)

"""The [auth] part of ispyb.toml."""

from pathlib import Path
from typing import Literal

from pydantic import Field, SecretStr

from pyispyb_chassis.configuration import Address, DatabaseUrl, Prefix, Section, ServiceSection


class StaticProviderSettings(Section):
    """[auth.providers.<name>] with kind = "static": accounts in a file."""

    kind: Literal["static"]
    accounts_file: Path


ProviderSettings = StaticProviderSettings


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
    providers: dict[str, ProviderSettings] = Field(default_factory=dict)

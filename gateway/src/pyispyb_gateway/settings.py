"""The [gateway] part of ispyb.toml."""

from ipaddress import IPv4Network, IPv6Network, ip_network
from pathlib import Path
from typing import Annotated

from pydantic import BeforeValidator, Field

from pyispyb_chassis.configuration import Address, Section

Origin = Annotated[str, Field(pattern=r"^https?://[A-Za-z0-9.-]+(:\d{1,5})?$")]
Targets = Annotated[
    tuple[Address, ...], Field(min_length=1, description="host:port of each replica")
]


def _somebody(written: str) -> IPv4Network | IPv6Network:
    network = ip_network(written)
    if network.prefixlen == 0:
        raise ValueError("to trust everybody is to let each client choose its own address")
    return network


Network = Annotated[IPv4Network | IPv6Network, BeforeValidator(_somebody)]


class GatewaySettings(Section):
    """[gateway]: where it listens, where the services are, and how much one caller may ask."""

    listen: Address = Field("127.0.0.1:8000", description="where the local gateway listens")
    file: Path = Field(Path("gateway/kong.yml"), description="every public path, with placeholders")
    auth_targets: Targets = ("127.0.0.1:8101",)
    auth_url: Origin | None = Field(
        None, description="a site's own auth service, in the place of auth_targets"
    )
    auth_health_path: str = Field(
        "/auth/health/live",
        pattern=r"^(/[^\s?#]*)?$",
        description="answers 200; empty: not checked",
    )
    auth_ca: Path = Field(
        Path("/etc/ssl/certs/ca-certificates.crt"),
        description="who may have signed the certificate of an https auth_url",
    )
    core_targets: Targets = ("127.0.0.1:8102",)
    ssx_targets: Targets = ("127.0.0.1:8103",)
    rate_per_token: int = Field(
        12000, ge=1, description="requests a minute of one token, by service"
    )
    rate_per_address: int = Field(
        1200, ge=1, description="requests a minute of one address to paths without a token"
    )
    body_megabytes: int = Field(10, ge=1, le=1024, description="the largest body")
    batch_megabytes: int = Field(64, ge=1, le=1024, description="the largest batch of results")
    cors_origins: tuple[Origin, ...] = Field(
        (), description="web pages that may call the API; none: the suite's own URL only"
    )
    trusted_proxies: tuple[Network, ...] = Field(
        (), description="proxies before the gateway, which say who the client is"
    )
    open_sync: bool = Field(
        default=False, description="whether the user-office sync of core is reached from outside"
    )
    keys_within: float = Field(
        60, gt=0, le=3600, description="seconds to wait at start for the keys of each issuer"
    )
    keys_every: float = Field(
        5, gt=0, le=3600, description="seconds between two looks at the keys of each issuer"
    )
    concurrency: int = Field(2, ge=1, le=64, description="threads of the local gateway")

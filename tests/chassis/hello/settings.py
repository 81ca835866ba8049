"""The settings of the small service."""

from pathlib import Path

from pyispyb_chassis.configuration import Configuration, Issuer, Server, ServiceSection, Suite

# A service's version is that of the installed package `pyispyb-<name>`.
NAME = "chassis"


def configured(
    folder: Path, ports: tuple[int, int], issuer: Issuer | None, *, workers: int = 1
) -> Configuration:
    """The configuration of this service."""
    return Configuration(
        Suite(
            state=folder,
            server=Server(workers=workers, threads=4, graceful_timeout=9, max_body=2000),
            issuers={} if issuer is None else {"suite": issuer},
        ),
        ServiceSection(
            listen=f"127.0.0.1:{ports[0]}", inside_listen=f"127.0.0.1:{ports[1]}", prefix="/hello"
        ),
    )

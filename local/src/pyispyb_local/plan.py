"""What a local run consists of: four programs, their addresses, the folder of their state."""

import os
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import orjson

from pyispyb_auth.settings import AuthSettings
from pyispyb_chassis.configuration import (
    FILE_VARIABLE,
    BadConfiguration,
    Configuration,
    ServiceSection,
    load,
)
from pyispyb_core.settings import CoreSettings
from pyispyb_gateway.settings import GatewaySettings
from pyispyb_local.screen import Refusal
from pyispyb_ssx.settings import SsxSettings

SERVICES = ("auth", "core", "ssx")
OUTSIDE_STEP, INSIDE_STEP = 101, 1101  # gateway 8000: auth 8101 and inside 9101, core 8102, …
HIGHEST_PORT = 65535 - INSIDE_STEP - len(SERVICES)


@dataclass(frozen=True, slots=True)
class Program:
    """One program: its command, where it listens, where it tells whether it is ready."""

    name: str
    command: tuple[str, ...]
    listen: str
    inside: str | None = None


@dataclass(frozen=True, slots=True)
class Plan:
    """All that the local run needs to know, from ispyb.toml and the command line."""

    configuration: Configuration
    environment: dict[str, str]
    programs: tuple[Program, ...]
    state: Path

    @property
    def url(self) -> str:
        """What clients call."""
        return self.configuration.suite.url

    @property
    def logs(self) -> Path:
        """One file a program."""
        return self.state / "log"

    @property
    def marks(self) -> Path:
        """Pid files, and what the process runner reads."""
        return self.state / "run"


def make_plan(port: int | None, state: Path) -> Plan:
    """The plan in force; a port moves all seven addresses, the folder holds all state.

    Raises Refusal when the configuration has faults or is not a local one.
    """
    environment = dict(os.environ)
    environment[FILE_VARIABLE] = str(configuration_file(environment).absolute())
    environment["ISPYB_STATE"] = str(state)
    if port is not None:
        environment |= _moved_to(port)
    try:
        configuration = load(environ=environment)
    except BadConfiguration as bad:
        raise Refusal("\n".join(bad.faults)) from bad
    if configuration.suite.environment != "local":
        raise Refusal(
            f"{environment[FILE_VARIABLE]}: environment: this is a"
            f" {configuration.suite.environment} configuration; demo data need a local one"
        )
    gateway = configuration.section(GatewaySettings)
    services: tuple[ServiceSection, ...] = (
        configuration.section(AuthSettings),
        configuration.section(CoreSettings),
        configuration.section(SsxSettings),
    )
    programs = [
        Program(name, (_script(f"pyispyb-{name}"), "serve"), its.listen, its.inside_listen)
        for name, its in zip(SERVICES, services, strict=True)
    ]
    programs.append(Program("gateway", (_script("pyispyb-gateway"), "run"), gateway.listen))
    return Plan(configuration, environment, tuple(programs), state)


def configuration_file(environment: Mapping[str, str]) -> Path:
    """The configuration file that the programs read."""
    return Path(environment.get(FILE_VARIABLE, "ispyb.toml"))


def _moved_to(port: int) -> dict[str, str]:
    if not 1 <= port <= HIGHEST_PORT:
        raise Refusal(f"PORT={port}: give one between 1 and {HIGHEST_PORT}")
    outside = {name: f"127.0.0.1:{port + OUTSIDE_STEP + n}" for n, name in enumerate(SERVICES)}
    inside = {name: f"127.0.0.1:{port + INSIDE_STEP + n}" for n, name in enumerate(SERVICES)}
    moved = {
        "ISPYB_URL": f"http://127.0.0.1:{port}",
        "ISPYB_ISSUERS__SUITE__JWKS_URL": f"http://{outside['auth']}/auth/.well-known/jwks.json",
        "ISPYB_ISSUERS__SUITE__REVOCATIONS_URL": f"http://{inside['auth']}/revocations",
        "ISPYB_SSX__CORE_URL": f"http://{outside['core']}",
        "ISPYB_GATEWAY__LISTEN": f"127.0.0.1:{port}",
    }
    for name in SERVICES:
        moved[f"ISPYB_GATEWAY__{name.upper()}_TARGETS"] = orjson.dumps([outside[name]]).decode()
        moved[f"ISPYB_{name.upper()}__LISTEN"] = outside[name]
        moved[f"ISPYB_{name.upper()}__INSIDE_LISTEN"] = inside[name]
    return moved


def _script(name: str) -> str:
    """A command of this very environment, whatever PATH says."""
    return str(Path(sys.executable).with_name(name))

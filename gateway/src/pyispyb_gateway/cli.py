"""pyispyb-gateway: lint, render, show, run and watch."""

import argparse
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pyispyb_chassis.configuration import loaded_or_exit
from pyispyb_gateway.document import NotADocument, plain, read
from pyispyb_gateway.fill import fill, values
from pyispyb_gateway.following import CannotStart, write
from pyispyb_gateway.lint import lint
from pyispyb_gateway.router import Route, routes
from pyispyb_gateway.run import all_keys, filled, for_envoy, for_kong, run, watch
from pyispyb_gateway.settings import GatewaySettings


def main() -> None:
    """The command line of the gateway."""
    arguments = _parser().parse_args()
    try:
        sys.exit(arguments.command(arguments))
    except (CannotStart, NotADocument) as error:
        sys.exit(f"pyispyb-gateway: {error}")


def lint_file(arguments: argparse.Namespace) -> int:
    """Name every fault of a kong.yml; 1 if there is one."""
    document = read(_file(arguments))
    findings = lint(document)
    for finding in findings:
        sys.stdout.write(f"{finding.shown(document.path)}\n")
    return 1 if findings else 0


def render_file(arguments: argparse.Namespace) -> int:
    """Write the filled file for Kong or for Envoy."""
    configuration = loaded_or_exit(arguments.config)
    document = filled(configuration, all_keys(configuration))
    settings = configuration.section(GatewaySettings)
    text = for_kong(document) if arguments.form == "kong" else for_envoy(document, settings)
    write(arguments.output, text)
    return 0


def show_paths(arguments: argparse.Namespace) -> int:
    """Print each public path, the service behind it, and who checks what."""
    configuration = loaded_or_exit(arguments.config)
    settings = configuration.section(GatewaySettings)
    path = arguments.file or settings.file
    for row in path_table(path, values(settings, configuration.suite, [])):
        sys.stdout.write(f"| {' | '.join(row)} |\n")
    return 0


def run_gateway(arguments: argparse.Namespace) -> int:
    """Run the local gateway, its keys following those of the issuers."""
    return run(loaded_or_exit(arguments.config))


def watch_keys(arguments: argparse.Namespace) -> int:
    """Write the filled file for Kong, and again whenever a key of an issuer changes."""
    return watch(loaded_or_exit(arguments.config), arguments.output)


def path_table(path: Path, given: Mapping[str, Any]) -> list[tuple[str, ...]]:
    """The table that `show` prints and README.md holds, with the values of a site."""
    head: list[tuple[str, ...]] = [("path", "service", "the gateway checks"), ("---", "---", "---")]
    found = routes(plain(fill(read(path), given).tree))
    return head + [
        (_escaped(one), _service(route), _checks(route)) for route in found for one in route.paths
    ]


def _escaped(path: str) -> str:
    return f"`{path}`".replace("|", "\\|")


def _service(route: Route) -> str:
    return route.upstream or "none"


def _checks(route: Route) -> str:
    if "request-termination" in route.plugins:
        return "answers 404 by itself"
    limit = route.plugins.get("rate-limiting", {}).get("limit_by")
    limits = {"ip": "limit by address", "header": "limit by token", None: "no limit"}
    size = str(route.plugins["request-size-limiting"]["allowed_payload_size"])
    token = "token" if "jwt" in route.plugins else "open"
    return f"{token}, {limits[limit]}, bodies to {size} MB"


def _file(arguments: argparse.Namespace) -> Path:
    if arguments.file is not None:
        return Path(arguments.file)
    return loaded_or_exit(arguments.config).section(GatewaySettings).file


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="pyispyb-gateway", description=__doc__)
    parser.add_argument("--config", type=Path, help="ispyb.toml")
    commands = parser.add_subparsers(required=True)
    one = commands.add_parser("lint", help=lint_file.__doc__)
    one.add_argument("file", nargs="?", type=Path)
    one.set_defaults(command=lint_file)
    one = commands.add_parser("render", help=render_file.__doc__)
    one.add_argument("--for", dest="form", choices=("kong", "envoy"), required=True)
    one.add_argument("-o", "--output", type=Path, required=True)
    one.set_defaults(command=render_file)
    one = commands.add_parser("show", help=show_paths.__doc__)
    one.add_argument("file", nargs="?", type=Path)
    one.set_defaults(command=show_paths)
    one = commands.add_parser("watch", help=watch_keys.__doc__)
    one.add_argument("--for", dest="form", choices=("kong",), required=True)
    one.add_argument("-o", "--output", type=Path, required=True)
    one.set_defaults(command=watch_keys)
    one = commands.add_parser("run", help=run_gateway.__doc__)
    one.set_defaults(command=run_gateway)
    return parser

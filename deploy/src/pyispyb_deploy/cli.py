"""pyispyb-deploy: secrets, databases and welcome, the one-shot services of docker-compose.yml."""

import argparse
import logging
import sys
from pathlib import Path

from pyispyb_chassis.configuration import loaded_or_exit
from pyispyb_chassis.logs import configure_logs
from pyispyb_deploy.databases import Places, prepare
from pyispyb_deploy.secrets import CannotPrepare, make_secrets
from pyispyb_deploy.welcome import wait_for, welcome

log = logging.getLogger(__name__)
PATIENCE = 300.0


def main() -> None:
    """Run one command; a fault is a line of the log, and exit code 1."""
    arguments = _parser().parse_args()
    configure_logs("init", "INFO")
    try:
        arguments.run(arguments)
    except CannotPrepare as error:
        for line in str(error).splitlines():
            log.error("cannot prepare", extra={"reason": line})
        sys.exit(1)


def secrets(arguments: argparse.Namespace) -> None:
    """Take the secrets that the site gives, make the others."""
    for line in make_secrets(arguments.given, arguments.secrets, bundled=arguments.bundled != "0"):
        log.info("secret", extra={"file": line})


def databases(arguments: argparse.Namespace) -> None:
    """Make keys, databases and tables that are missing; wait for a server that is down."""
    configuration = loaded_or_exit()
    places = Places(arguments.secrets, arguments.state, arguments.published)
    prepare(configuration, places, within=arguments.within)
    log.info("the services can start")


def show_welcome(arguments: argparse.Namespace) -> None:
    """Wait for the gateway, then print the first screen."""
    suite = loaded_or_exit().suite
    # An empty file stands for no certificate.
    tls = arguments.certificate.exists() and arguments.certificate.stat().st_size > 0
    wait_for(f"{'https' if tls else 'http'}://{arguments.gateway}", arguments.within)
    sys.stdout.write(welcome(suite, arguments.log_page))


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="pyispyb-deploy", description=__doc__)
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    one = commands.add_parser("secrets", help=secrets.__doc__)
    one.add_argument("--given", type=Path, default=Path("/run/secrets"))
    one.add_argument("--bundled", default="1", help="0: the site's own database is used")
    one.set_defaults(run=secrets)
    two = commands.add_parser("databases", help=databases.__doc__)
    two.add_argument("--state", type=Path, default=Path("/state"))
    two.add_argument("--published", default="127.0.0.1", help="where the gateway can be reached")
    two.set_defaults(run=databases)
    three = commands.add_parser("welcome", help=show_welcome.__doc__)
    three.add_argument("--gateway", default="gateway:8000")
    three.add_argument("--certificate", type=Path, default=Path("/run/secrets/tls_certificate"))
    three.add_argument("--log-page", help="the address of the log's search page")
    three.set_defaults(run=show_welcome)
    for command in (one, two):
        command.add_argument("--secrets", type=Path, default=Path("/secrets"))
    for command in (two, three):
        command.add_argument("--within", type=float, default=PATIENCE, help="seconds to wait")
    return parser

"""The command line of ssx: serve, database, simulate, demo."""

import argparse
import sys
from pathlib import Path

from sqlalchemy.exc import DBAPIError

from pyispyb_chassis.configuration import Configuration, loaded_or_exit
from pyispyb_chassis.database import Database
from pyispyb_chassis.errors import ServiceError
from pyispyb_ssx.migrations import MIGRATIONS
from pyispyb_ssx.settings import SsxSettings

DEMO_IMAGES = 25_600


def main() -> None:
    """Run one command; a fault is one line and exit code 1."""
    arguments = _parser().parse_args()
    try:
        arguments.run(arguments)
    except ServiceError as error:
        sys.exit(str(error))
    except DBAPIError as error:
        sys.exit(f"the database of ssx: {error.orig}")
    except KeyboardInterrupt:
        sys.exit(130)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="pyispyb-ssx", description=__doc__)
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    serve = commands.add_parser("serve", help="serve ssx on its two ports")
    serve.set_defaults(run=_serve)
    database = commands.add_parser("database", help="make or update the tables")
    database.add_argument("action", choices=["upgrade"])
    database.set_defaults(run=_upgrade)
    _add_demo(commands.add_parser("demo", help="put in a finished demo run (local only)"))
    _add_simulate(
        commands.add_parser("simulate", help="record a run as a beamline would, at any gateway")
    )
    return parser


def _add_demo(demo: argparse.ArgumentParser) -> None:
    demo.add_argument("--proposal-id", type=int, default=1, help="default: MX1001's in the demo")
    demo.add_argument("--session-id", type=int, default=1, help="default: its past session on BL2")
    demo.add_argument("--beamline", default="BL2")
    demo.add_argument("--images", type=_positive, default=DEMO_IMAGES)
    demo.set_defaults(run=_demo)


def _add_simulate(simulate: argparse.ArgumentParser) -> None:
    simulate.add_argument("--url", help="the gateway; default: url of ispyb.toml")
    simulate.add_argument("--login", default="mxcube", help="default: %(default)s")
    password = simulate.add_mutually_exclusive_group()
    password.add_argument("--password-file", type=Path, help="a file that holds the password")
    password.add_argument("--password-env", help="the variable that holds the password")
    simulate.add_argument(
        "--session", type=int, help="sessionId; default: the newest that has begun"
    )
    simulate.add_argument("--images", type=_positive, default=DEMO_IMAGES, help="(%(default)s)")
    simulate.add_argument("--rate", type=_positive, help="images a second; else as fast as it goes")
    simulate.add_argument(
        "--batch", type=_positive, default=1000, help="images a batch (%(default)s)"
    )
    simulate.add_argument("--seed", type=int, default=0, help="another seed, another experiment")
    simulate.set_defaults(run=_simulate)


def _positive(text: str) -> int:
    number = int(text)
    if number < 1:
        raise argparse.ArgumentTypeError("takes a whole number from 1")
    return number


def _database() -> tuple[Configuration, Database]:
    configuration = loaded_or_exit()
    url = configuration.section(SsxSettings).database_url.get_secret_value()
    return configuration, Database(url, name="the database of ssx")


def _serve(_arguments: argparse.Namespace) -> None:
    from pyispyb_chassis.serve import serve

    configuration = loaded_or_exit()
    serve("pyispyb_ssx.app:create_app", configuration, configuration.section(SsxSettings), "ssx")


def _upgrade(_arguments: argparse.Namespace) -> None:
    _, database = _database()
    reached = MIGRATIONS.upgrade(database)
    sys.stdout.write(f"upgraded to {reached}\n" if reached else "everything is there\n")


def _demo(arguments: argparse.Namespace) -> None:
    from pyispyb_ssx.demo import Place, make_demo

    configuration, database = _database()
    if configuration.suite.environment != "local":
        sys.exit('the demo run is for environment = "local" only')
    place = Place(arguments.proposal_id, arguments.session_id, arguments.beamline)
    run_id, made = make_demo(database, place, arguments.images)
    sys.stdout.write(f"run {run_id}: " + ("made\n" if made else "is there\n"))


def _simulate(arguments: argparse.Namespace) -> None:
    from pyispyb_ssx.simulation.beamline import Beamline, CannotRecord, read_password

    try:
        password = read_password(arguments.login, arguments.password_file, arguments.password_env)
        url = arguments.url or loaded_or_exit().suite.url
        beamline = Beamline(url, arguments.login, password)
        session_id = arguments.session or beamline.find_session()
        figures = beamline.record(
            session_id,
            arguments.images,
            batch=arguments.batch,
            rate=arguments.rate,
            seed=arguments.seed,
        )
    except CannotRecord as error:
        sys.exit(str(error))
    counts = "run {runId}: {images} images, {hits} hits, {indexed} indexed\n"
    sys.stdout.write(counts.format(**figures))

"""The command line of core: serve, schema, grant, demo."""

import argparse
import sys
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

from pyispyb_chassis.configuration import Configuration, loaded_or_exit
from pyispyb_chassis.database import Database
from pyispyb_chassis.errors import ServiceError
from pyispyb_chassis.serve import serve
from pyispyb_core.operations import grants, schema
from pyispyb_core.settings import CoreSettings, PermissionSettings


def main() -> None:
    """Run one command; a fault is one line and exit code 1."""
    arguments = _parser().parse_args()
    configuration = loaded_or_exit()
    try:
        arguments.run(configuration, arguments)
    except (schema.NotEmpty, grants.CannotGrant, ServiceError) as error:
        sys.exit(str(error))


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="pyispyb-core", description=__doc__)
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    server = commands.add_parser("serve", help="serve core on its two ports")
    server.set_defaults(run=_serve)
    tables = commands.add_parser("schema", help="make the tables that are missing")
    tables.add_argument("action", choices=["create"])
    tables.set_defaults(run=_create_schema)
    give = commands.add_parser("grant", help="make a person a member of a group with rights")
    give.add_argument("login")
    right = give.add_mutually_exclusive_group(required=True)
    right.add_argument("--admin", action="store_true", help="administrator")
    right.add_argument("--goods", action="store_true", help="goods handling")
    right.add_argument("--staff-of", metavar="BEAMLINE", help="staff of this beamline")
    give.set_defaults(run=_grant)
    demo = commands.add_parser("demo", help="put in the demo proposals and people (local only)")
    demo.set_defaults(run=_demo)
    return parser


def _database(configuration: Configuration) -> tuple[Database, CoreSettings]:
    settings = configuration.section(CoreSettings)
    url = settings.database_url.get_secret_value()
    return Database(url, name="the ISPyB database"), settings


def _serve(configuration: Configuration, _arguments: argparse.Namespace) -> None:
    serve("pyispyb_core.app:create_app", configuration, configuration.section(CoreSettings), "core")


def _create_schema(configuration: Configuration, _arguments: argparse.Namespace) -> None:
    database, settings = _database(configuration)
    made = schema.create(database, settings.own_schema)
    sys.stdout.write("".join(f"made {line}\n" for line in made) or "everything is there\n")


def _grant(configuration: Configuration, arguments: argparse.Namespace) -> None:
    database, settings = _database(configuration)
    group = grants.group_giving(
        configuration.section(PermissionSettings),
        admin=arguments.admin,
        goods=arguments.goods,
        staff_of=arguments.staff_of,
    )
    tables = schema.tables_of(database, settings.own_schema)
    with database.writing() as connection:
        new = grants.grant(connection, tables, arguments.login, group)
    said = "is now" if new else "was already"
    sys.stdout.write(f"{arguments.login} {said} a member of {group}\n")


def _demo(configuration: Configuration, _arguments: argparse.Namespace) -> None:
    from pyispyb_core.demo import make_demo

    if configuration.suite.environment != "local":
        sys.exit('the demo data is for environment = "local" only')
    database, settings = _database(configuration)
    tables = schema.tables_of(database, settings.own_schema)
    now = datetime.now(UTC).astimezone(ZoneInfo(settings.database_timezone)).replace(tzinfo=None)
    with database.writing() as connection:
        made = make_demo(connection, tables.metadata, now)
    sys.stdout.write("made the demo proposals\n" if made else "the demo proposals are there\n")

"""The command line of core: serve, schema, grant, demo."""

import argparse
import sys
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

from pyispyb_chassis.configuration import Configuration, loaded_or_exit
from pyispyb_chassis.database import Database
from pyispyb_chassis.errors import ServiceError
from pyispyb_chassis.serve import serve
from pyispyb_core.operations import grants, schema, schema_upgrade
from pyispyb_core.settings import CoreSettings, PermissionSettings


def main() -> None:
    """Run one command; a fault is one line and exit code 1."""
    arguments = _parser().parse_args()
    configuration = loaded_or_exit()
    try:
        arguments.run(configuration, arguments)
    except (
        schema.NotEmpty,
        schema_upgrade.CannotUpgrade,
        grants.CannotGrant,
        ServiceError,
    ) as error:
        sys.exit(str(error))


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="pyispyb-core", description=__doc__)
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    server = commands.add_parser("serve", help="serve core on its two ports")
    server.set_defaults(run=_serve)
    tables = commands.add_parser("schema", help="make, look at or add to the tables")
    actions = tables.add_subparsers(required=True, metavar="ACTION")
    make = actions.add_parser("create", help="make all tables of an empty database")
    make.set_defaults(run=_create_schema)
    tell = actions.add_parser("status", help="say what the database lacks; exit 1 if anything")
    tell.set_defaults(run=_schema_status)
    add = actions.add_parser("upgrade", help="add what the database lacks; removes nothing")
    add.add_argument("--sql", action="store_true", help="only print the statements")
    add.set_defaults(run=_upgrade_schema)
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


def _schema_status(configuration: Configuration, _arguments: argparse.Namespace) -> None:
    database, settings = _database(configuration)
    found = schema_upgrade.status(database, settings.own_schema)
    _say("lacks", [step.told for step in found.steps])
    _say("left as it is:", found.left)
    _say("more than core knows:", found.more)
    if found.steps:
        sys.exit(1)
    sys.stdout.write("there is nothing to add\n")


def _upgrade_schema(configuration: Configuration, arguments: argparse.Namespace) -> None:
    database, settings = _database(configuration)
    if arguments.sql:
        said = schema_upgrade.statements(database, settings.own_schema)
        sys.stdout.write("".join(f"{statement};\n" for statement in said))
        return
    failed = []
    for done in schema_upgrade.upgrade(database, settings.own_schema):
        if isinstance(done, schema_upgrade.Failed):
            failed.append(f"{done.step.told}: {done.why}")
        else:
            sys.stdout.write(f"added {done.told}\n")
            sys.stdout.flush()
    if failed:
        sys.exit("\n".join(f"could not add {line}" for line in failed))
    sys.stdout.write("everything is there\n")


def _say(what: str, lines: list[str]) -> None:
    sys.stdout.write("".join(f"{what} {line}\n" for line in lines))


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

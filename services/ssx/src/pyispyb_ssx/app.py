"""The only wiring of ssx."""

from zoneinfo import ZoneInfo

from flask import Flask

from pyispyb_chassis.app import Service, create_service
from pyispyb_chassis.configuration import Configuration
from pyispyb_chassis.database import Database
from pyispyb_chassis.links.links import Links
from pyispyb_chassis.links.routes import link_namespaces
from pyispyb_chassis.nouns.catalogue import Catalogue
from pyispyb_chassis.nouns.reading import Reader
from pyispyb_chassis.nouns.routes import Engine, noun_namespaces
from pyispyb_chassis.nouns.schema import contract_of_nouns
from pyispyb_chassis.nouns.writing import Writer
from pyispyb_chassis.permissions import Permission
from pyispyb_chassis.principal import Principal
from pyispyb_chassis.sibling import Sibling
from pyispyb_ssx.catalogue import NOUNS, runs
from pyispyb_ssx.migrations import MIGRATIONS
from pyispyb_ssx.operations.batches import Batches
from pyispyb_ssx.operations.core_links import CoreLinks
from pyispyb_ssx.operations.store import Store
from pyispyb_ssx.operations.viewers import LastAnswers, Viewers
from pyispyb_ssx.resources.batches import batches_namespace
from pyispyb_ssx.resources.images import images_namespace
from pyispyb_ssx.resources.runs import runs_namespace
from pyispyb_ssx.rules import Rules, Viewer
from pyispyb_ssx.settings import SsxSettings
from pyispyb_ssx.tables import TABLES


def create_app(configuration: Configuration) -> Flask:
    """The WSGI app of ssx."""
    settings = configuration.section(SsxSettings)
    database = Database(settings.database_url.get_secret_value(), name="the database of ssx")
    core = Sibling("core", settings.core_url, timeout=settings.core_timeout)
    last = LastAnswers(configuration.suite.state / "run" / "access" / "ssx")
    viewers = Viewers(core, settings, last)
    rules = Rules()
    catalogue = Catalogue(NOUNS, TABLES.metadata, ZoneInfo("UTC"))
    reader: Reader[Viewer] = Reader(catalogue, rules, sqlite=database.is_sqlite)
    writer: Writer[Viewer] = Writer(reader, database, TABLES.ledger)
    engine = Engine(catalogue, reader, writer, database, viewers, settings.prefix)
    store = Store(database, catalogue[runs.path], reader, rules, viewers, core)

    # That somebody is still there core says, when it is asked by its own link.
    address = f"{configuration.suite.url}{settings.prefix}"
    links = Links(database, TABLES.link, address, lambda _: True, CoreLinks(core))

    def rights_of(caller: Principal) -> frozenset[Permission]:
        viewer = viewers(caller)
        return frozenset(one for one in Permission if viewer.may(one))

    service = Service(
        name="ssx",
        title="PyISPyB ssx: serial crystallography",
        settings=settings,
        namespaces=[
            *noun_namespaces(engine),
            runs_namespace(store, settings.prefix),
            batches_namespace(Batches(store), settings),
            images_namespace(store),
            *link_namespaces(links, settings.prefix),
        ],
        rights_of=rights_of,
        # Core is not among what ssx stands on: batches go on without it.
        ready={"database": lambda: MIGRATIONS.fault(database)},
        databases=[database],
        tables=lambda: MIGRATIONS.fault(database),
    )
    app = create_service(configuration, service)
    app.extensions["pyispyb_openapi"] = [lambda: contract_of_nouns(catalogue, settings.prefix)]
    app.extensions["pyispyb"].verifier.on_revoked_logins(links.forget_revoked)
    return app

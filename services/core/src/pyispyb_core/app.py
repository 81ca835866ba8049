"""The only wiring of core."""

import logging
from collections.abc import Sequence
from zoneinfo import ZoneInfo

from flask import Flask

from pyispyb_chassis.access import refuse_unmarked_routes
from pyispyb_chassis.app import Service, create_service
from pyispyb_chassis.configuration import Configuration
from pyispyb_chassis.database import Database
from pyispyb_chassis.errors import ServiceError
from pyispyb_chassis.links.links import Links
from pyispyb_chassis.links.routes import link_namespaces
from pyispyb_chassis.nouns.catalogue import Catalogue
from pyispyb_chassis.nouns.distinct import Distinctions
from pyispyb_chassis.nouns.noun import Noun
from pyispyb_chassis.nouns.reading import Reader
from pyispyb_chassis.nouns.routes import Engine, noun_namespaces
from pyispyb_chassis.nouns.schema import contract_of_nouns
from pyispyb_chassis.nouns.writing import Writer
from pyispyb_chassis.permissions import Permission
from pyispyb_chassis.principal import Principal
from pyispyb_chassis.tokens import Verifier
from pyispyb_chassis.waiting import Waiting
from pyispyb_core.catalogue import nouns_of
from pyispyb_core.operations.activity import Activity
from pyispyb_core.operations.local_contacts import LocalContacts
from pyispyb_core.operations.registry import DewarRegistry
from pyispyb_core.operations.schema import has_own_tables
from pyispyb_core.operations.site import Site, site_of, unread
from pyispyb_core.operations.sync import Sync
from pyispyb_core.operations.viewers import Viewers
from pyispyb_core.resources.activity import activity_namespace
from pyispyb_core.resources.front import add_front_page
from pyispyb_core.resources.registry import registry_namespace
from pyispyb_core.resources.sessions import sessions_namespace
from pyispyb_core.resources.sync import sync_namespace
from pyispyb_core.resources.user import user_namespace
from pyispyb_core.rules import Rules, Viewer
from pyispyb_core.settings import CoreSettings, PermissionSettings
from pyispyb_core.tables import Tables

log = logging.getLogger(__name__)


def _fault_of_own_tables(database: Database, tables: Tables) -> str | None:
    """One line where core's own tables are missing or cannot be looked for, else None."""
    try:
        there = has_own_tables(database, tables)
    except ServiceError as error:
        return error.detail
    return None if there else "missing; run pyispyb-core schema create"


def create_app(
    configuration: Configuration,
    *,
    more: Sequence[Noun] = (),
    without: frozenset[str] = frozenset(),
) -> Flask:
    """The WSGI app of core; `more` nouns and rules that are taken out are for tests.

    What the site's database is made of is read first; while it is down, or no ISPyB is in it, the
    app answers 503 and looks again.
    """
    settings = configuration.section(CoreSettings)
    database = Database(
        settings.database_url.get_secret_value(),
        name="the ISPyB database",
        query_timeout=settings.query_timeout,
    )

    def wired(verifier: Verifier | None = None) -> Flask:
        site = site_of(database, settings)
        database.hold(None)
        return _wired(configuration, database, site, more, without, verifier)

    try:
        return wired()
    except ServiceError as error:
        log.warning("the database could not be read yet", extra={"reason": error.detail})
        database.hold(error.detail)
        site = unread(database, settings, error.detail)
    app = _wired(configuration, database, site, more, without, None)
    verifier = app.extensions["pyispyb"].verifier
    app.wsgi_app = Waiting(app.wsgi_app, lambda: wired(verifier).wsgi_app)  # type: ignore[method-assign]
    return app


def _wired(
    configuration: Configuration,
    database: Database,
    site: Site,
    more: Sequence[Noun],
    without: frozenset[str],
    verifier: Verifier | None,
) -> Flask:
    """The app, made for the database as it is."""
    settings = configuration.section(CoreSettings)
    tables = site.tables
    rules = Rules(tables, settings, without=without)
    nouns = (*nouns_of(settings.name_pattern), *more)
    catalogue = Catalogue(nouns, tables.metadata, ZoneInfo(settings.database_timezone))
    rules.attach(catalogue)
    viewers = Viewers(
        database,
        tables,
        rules,
        settings,
        configuration.section(PermissionSettings),
        configuration.suite.administrators,
    )
    reader: Reader[Viewer] = Reader(catalogue, rules, sqlite=database.is_sqlite)
    distinct = Distinctions(rules, database, rules.distinct(), tables.turns)
    writer: Writer[Viewer] = Writer(reader, database, tables.ledger, distinct)
    engine = Engine(catalogue, reader, writer, database, viewers, settings.prefix)

    links = Links(
        database,
        tables.link,
        f"{configuration.suite.url}{settings.prefix}",
        lambda caller: viewers(caller).person_id is not None,
    )

    def rights_of(caller: Principal) -> frozenset[Permission]:
        return rules.rights(viewers(caller))

    service = Service(
        name="core",
        title="PyISPyB core: the ISPyB database",
        settings=settings,
        namespaces=[
            *noun_namespaces(engine),
            user_namespace(database, tables, rules, settings, viewers),
            sessions_namespace(LocalContacts(catalogue, tables, rules, reader), database, viewers),
            activity_namespace(Activity(catalogue, reader, rules), database, viewers),
            sync_namespace(Sync(catalogue, database, tables, writer), viewers),
            registry_namespace(DewarRegistry(catalogue, reader, rules), database, viewers),
            *link_namespaces(links, settings.prefix),
        ],
        rights_of=rights_of,
        ready={
            "database": database.fault,
            "own tables": lambda: _fault_of_own_tables(database, tables),
        },
        databases=[database],
        noted={"the site's database": lambda: site.told},
    )
    app = create_service(configuration, service, verifier)
    app.extensions["pyispyb_openapi"] = [lambda: contract_of_nouns(catalogue, settings.prefix)]
    app.extensions["pyispyb"].verifier.on_revoked_logins(links.forget_revoked)
    add_front_page(app, settings.prefix)
    refuse_unmarked_routes(app)
    return app

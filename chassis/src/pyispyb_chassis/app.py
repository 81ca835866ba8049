"""The one way to make a service: errors, logs, access marks, API pages, inside port, all wired."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from flask import Flask, Response
from flask_restx import Api, Namespace

from pyispyb_chassis.access import refuse_unmarked_routes
from pyispyb_chassis.configuration import Configuration, ServiceSection
from pyispyb_chassis.database import Database
from pyispyb_chassis.errors import answer_error, install_errors
from pyispyb_chassis.figures import REVOCATIONS_READ, tell_most, watch_pools
from pyispyb_chassis.inside import InsidePort, add_public_pages
from pyispyb_chassis.logs import log_requests
from pyispyb_chassis.openapi import Contract
from pyispyb_chassis.permissions import Permission
from pyispyb_chassis.principal import Principal
from pyispyb_chassis.streams import limit_streams
from pyispyb_chassis.tokens import OwnIssuer, Verifier

Check = Callable[[], str | None]
Page = Callable[[], tuple[str, bytes]]


class Rights(Protocol):
    """Gives what a caller may do; a service's own answer to `@requires`."""

    def __call__(self, caller: Principal, /) -> frozenset[Permission]:
        """The permissions of this caller, narrowed by the token's scope."""


@dataclass(frozen=True, slots=True)
class Service:
    """What a service tells the chassis of itself.

    `ready` names what it stands on: each check gives None when it is well, else one line. `noted`
    are checks that ready tells and that do not count: it can serve without them.
    `inside` are pages of the inside port, each giving its content type and its bytes. `signs_as`
    names the issuers whose tokens this very service signs: it asks no URL for their keys.
    `databases` are those that each worker opens for itself, and whose pools are counted; `tables`
    tells by one line that what is in them is older than this service, which then does not start.
    """

    name: str
    title: str
    settings: ServiceSection
    namespaces: Iterable[Namespace]
    rights_of: Rights
    ready: Mapping[str, Check]
    noted: Mapping[str, Check] = field(default_factory=dict)
    inside: Mapping[str, Page] = field(default_factory=dict)
    signs_as: Mapping[str, OwnIssuer] = field(default_factory=dict)
    databases: Sequence[Database] = ()
    tables: Check | None = None


@dataclass(frozen=True, slots=True)
class Chassis:
    """What the chassis keeps for the requests of one app (`app.extensions["pyispyb"]`)."""

    service: Service
    verifier: Verifier
    rights_of: Rights


class _Api(Api):
    """flask-restx for routes and groups only: its errors, documents and marshalling stay out."""

    def handle_error(self, error: Exception) -> Response:
        return answer_error(error)

    def _register_specs(self, app_or_blueprint: Any) -> None:
        """No Swagger 2.0."""

    def _register_doc(self, app_or_blueprint: Any) -> None:
        """No page of its own."""

    def _register_apidoc(self, app: Flask) -> None:
        """No assets of its own."""


def _as_declared(response: Response) -> Response:
    """A browser takes an answer as the type that it says, never as a page that it looks like."""
    response.headers["X-Content-Type-Options"] = "nosniff"
    return response


def prepare_worker(app: Flask) -> None:
    """What each process does for itself before it serves, after a fork.

    Figures are begun here and not with the app: of one database two apps may be made.
    """
    wired: Chassis = app.extensions["pyispyb"]
    service, verifier = wired.service, wired.verifier
    for database in service.databases:
        database.renew()
        watch_pools(service.name, database)
        tell_most(service.name, database)
    verifier.on_lists(lambda issuer, at: REVOCATIONS_READ.labels(service.name, issuer).set(at))
    verifier.prepare()


def create_service(
    configuration: Configuration, service: Service, verifier: Verifier | None = None
) -> Flask:
    """A WSGI app with everything wired, mounted at the service's prefix.

    A `verifier` is given where another app of this process has one already.
    Raises UnmarkedRoute when a route does not say who may call it.
    """
    app = Flask(service.name, static_folder=None)
    app.config.update(
        MAX_CONTENT_LENGTH=configuration.suite.server.max_body,
        ERROR_INCLUDE_MESSAGE=False,
        RESTX_ERROR_404_HELP=False,
        RESTX_MASK_SWAGGER=False,
        PROPAGATE_EXCEPTIONS=False,
    )
    app.url_map.merge_slashes = False
    verifier = verifier or Verifier(
        configuration.suite.issuers,
        folder=configuration.suite.state / "trust" / service.name,
        own=service.signs_as,
    )
    app.extensions["pyispyb"] = Chassis(service, verifier, service.rights_of)
    app.extensions["pyispyb_databases"] = list(service.databases)
    limit_streams(app, configuration.suite.server.threads)
    log_requests(app)
    app.after_request(_as_declared)
    install_errors(app)
    api = _Api(app, prefix=service.settings.prefix, doc=False)
    for namespace in service.namespaces:
        api.add_namespace(namespace, path=namespace.path)
    add_public_pages(app, service.name, service.settings.prefix, Contract(app, service.title))
    refuse_unmarked_routes(app)
    app.wsgi_app = InsidePort(app.wsgi_app, service, verifier.told)  # type: ignore[method-assign]
    return app

"""What is asked of registered dewars besides their rows."""

from collections.abc import Callable

from flask import Response
from flask_restx import Namespace, Resource

from pyispyb_chassis.access import requires
from pyispyb_chassis.bodies import json_answer
from pyispyb_chassis.database import Database
from pyispyb_chassis.permissions import Permission
from pyispyb_chassis.principal import Principal, principal
from pyispyb_core.operations.registry import DewarRegistry
from pyispyb_core.rules import Viewer


def registry_namespace(
    registry: DewarRegistry, database: Database, viewer_of: Callable[[Principal], Viewer]
) -> Namespace:
    """The routes below /dewar-registry that are no row of it."""
    namespace = Namespace(
        "registered dewars", path="/dewar-registry", description="Registered dewars"
    )

    @namespace.route("/orphans")
    class Orphans(Resource):
        @requires(Permission.DEWAR_REGISTRY_READ)
        def get(self) -> Response:
            """The registered dewars that no proposal has, by their facility code."""
            viewer = viewer_of(principal())
            with database.reading() as connection:
                return json_answer(registry.orphans(connection, viewer))

    @namespace.route("/<string:key>/last-use")
    class LastUse(Resource):
        @requires(Permission.DEWAR_REGISTRY_READ)
        def get(self, key: str) -> Response:
            """When and by which shipment a registered dewar was last used."""
            viewer = viewer_of(principal())
            with database.reading() as connection:
                return json_answer(registry.last_use(connection, key, viewer))

    return namespace

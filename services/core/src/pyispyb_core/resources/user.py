"""The caller, as core knows them."""

from flask import Response
from flask_restx import Namespace, Resource

from pyispyb_chassis.access import requires
from pyispyb_chassis.bodies import json_answer
from pyispyb_chassis.database import Database
from pyispyb_chassis.principal import principal
from pyispyb_core.operations.access import access, current
from pyispyb_core.operations.viewers import Viewers
from pyispyb_core.rules import Rules
from pyispyb_core.settings import CoreSettings
from pyispyb_core.tables import Tables


def user_namespace(
    database: Database, tables: Tables, rules: Rules, settings: CoreSettings, viewers: Viewers
) -> Namespace:
    """The routes below /user."""
    namespace = Namespace("user", path="/user", description="The caller")

    @namespace.route("/current")
    class Current(Resource):
        @requires()
        def get(self) -> Response:
            """Who you are here: login, personId (null without a Person), permissions."""
            with database.reading() as connection:
                return json_answer(current(connection, tables, viewers(principal())))

    @namespace.route("/access")
    class Access(Resource):
        @requires()
        def get(self) -> Response:
            """What you reach: ids of proposals and sessions, beamlines, what they never reach."""
            viewer = viewers(principal())
            with database.reading() as connection:
                return json_answer(access(connection, tables, rules, settings, viewer))

    return namespace

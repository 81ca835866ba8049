"""What is told of a session besides its row."""

from collections.abc import Callable

from flask import Response
from flask_restx import Namespace, Resource

from pyispyb_chassis.access import requires
from pyispyb_chassis.bodies import json_answer, listed
from pyispyb_chassis.database import Database
from pyispyb_chassis.openapi import tells
from pyispyb_chassis.permissions import Permission
from pyispyb_chassis.principal import Principal, principal
from pyispyb_core.operations.local_contacts import TOLD, LocalContacts
from pyispyb_core.rules import Viewer


def sessions_namespace(
    contacts: LocalContacts, database: Database, viewer_of: Callable[[Principal], Viewer]
) -> Namespace:
    """The routes below a session that are no noun."""
    namespace = Namespace("local-contacts", path="/sessions", description="Who looks after it")

    @namespace.route("/<string:session>/local-contacts")
    class OfSession(Resource):
        @tells(_told())
        @requires(Permission.SESSIONS_READ)
        def get(self, session: str) -> Response:
            """Who looks after a session: its local contacts, by name."""
            viewer = viewer_of(principal())
            with database.reading() as connection:
                return json_answer(listed(contacts.of(connection, session, viewer)))

    return namespace


def _told() -> dict[str, object]:
    """The contract of the answer."""
    row = {
        "type": "object",
        "properties": {
            "personId": {"type": "integer"},
            **{name: {"type": ["string", "null"]} for name in (*TOLD[1:], "role")},
        },
    }
    page = {
        "type": "object",
        "properties": {"total": {"type": "integer"}, "results": {"type": "array", "items": row}},
    }
    answer = {"description": "in list form", "content": {"application/json": {"schema": page}}}
    return {
        "tags": ["proposals"],
        "responses": {"200": answer, "default": {"$ref": "#/components/responses/Problem"}},
    }

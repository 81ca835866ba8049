"""What a user office says of a proposal."""

from collections.abc import Callable
from typing import Any

from flask import Response, request
from flask_restx import Namespace, Resource

from pyispyb_chassis.access import requires
from pyispyb_chassis.bodies import json_answer, json_object
from pyispyb_chassis.errors import BadRequest
from pyispyb_chassis.openapi import tells
from pyispyb_chassis.permissions import Permission
from pyispyb_chassis.principal import Principal, principal
from pyispyb_core.operations.sync import Sync
from pyispyb_core.rules import Viewer

VALIDATE = {
    "name": "validate",
    "in": "query",
    "description": "`only`: answer what would be done, and do nothing",
    "schema": {"type": "string", "enum": ["only"]},
}


def sync_namespace(sync: Sync, viewer_of: Callable[[Principal], Viewer]) -> Namespace:
    """The routes below /sync; the gateway is shut for them unless the site opens it."""
    namespace = Namespace("sync", path="/sync", description="From the user office")

    @namespace.route("/proposal")
    class Proposal(Resource):
        @tells({"parameters": [VALIDATE], "requestBody": _described(sync.body_schema())})
        @requires(Permission.SYNC_WRITE)
        def post(self) -> Response:
            """Bring a proposal, its people, sessions and proteins to what the user office says."""
            only_look = _only_look()
            viewer = viewer_of(principal())
            return json_answer(sync.proposal(json_object(), by=viewer, only_look=only_look))

    return namespace


def _described(schema: dict[str, Any]) -> dict[str, Any]:
    return {"required": True, "content": {"application/json": {"schema": schema}}}


def _only_look() -> bool:
    """Whether only to validate. Raises BadRequest for anything else in the query string."""
    given = list(request.args.items(multi=True))
    if given in ([], [("validate", "only")]):
        return bool(given)
    errors = [(name, "allowed: validate=only, once") for name, _ in given]
    raise BadRequest("the query string has faults", errors=errors)

"""What happened, as one list."""

from collections.abc import Callable

from flask import Response, request
from flask_restx import Namespace, Resource

from pyispyb_chassis.access import requires
from pyispyb_chassis.bodies import json_answer
from pyispyb_chassis.database import Database
from pyispyb_chassis.errors import BadRequest
from pyispyb_chassis.openapi import tells
from pyispyb_chassis.permissions import Permission
from pyispyb_chassis.principal import Principal, principal
from pyispyb_core.operations.activity import KINDS, PARENTS, Activity, NoCursor, Place, Wanted
from pyispyb_core.rules import Viewer

USUAL, MOST = 50, 500
PATHS = tuple(kind.path for kind in KINDS)
ALLOWED = (*PARENTS, "kind", "limit", "after")


def activity_namespace(
    activity: Activity, database: Database, viewer_of: Callable[[Principal], Viewer]
) -> Namespace:
    """The route /activity."""
    namespace = Namespace("activity", path="/activity", description="What happened")

    @namespace.route("")
    class Feed(Resource):
        @tells({"parameters": _parameters()})
        @requires(Permission.SESSIONS_READ)
        def get(self) -> Response:
            """What happened in a session, a proposal or on a sample, the newest first."""
            wanted = _wanted()
            viewer = viewer_of(principal())
            with database.reading() as connection:
                page = activity.page(connection, wanted, viewer)
            return json_answer(page)

    return namespace


def _parameters() -> list[dict[str, object]]:
    texts = {
        "sessionId": "the session",
        "proposal": "or the proposal, by id or name",
        "blSampleId": "or the sample",
        "kind": f"some of {', '.join(PATHS)}",
        "limit": f"items of a page: {USUAL}, most {MOST}",
        "after": "`next` of the page before",
    }
    return [
        {"name": name, "in": "query", "description": text, "schema": {"type": "string"}}
        for name, text in texts.items()
    ]


def _wanted() -> Wanted:
    """What the query string asks for. Raises BadRequest with every fault."""
    given = request.args.to_dict(flat=False)
    faults = [(name, f"allowed: {', '.join(ALLOWED)}") for name in given if name not in ALLOWED]
    faults += [(name, "give it once") for name, values in given.items() if len(values) > 1]
    parents = [name for name in PARENTS if given.get(name)]
    if len(parents) != 1:
        faults.append((", ".join(PARENTS), "give exactly one of them"))
    kinds = tuple(request.args["kind"].split(",")) if "kind" in given else PATHS
    if set(kinds) - set(PATHS):
        faults.append(("kind", f"some of {', '.join(PATHS)}"))
    limit = request.args.get("limit", str(USUAL))
    if not (limit.isascii() and limit.isdigit() and len(limit) < 5 and 0 < int(limit) <= MOST):
        faults.append(("limit", f"a whole number from 1 to {MOST}"))
    after = None
    if "after" in given:
        try:
            after = Place.read(request.args["after"])
        except NoCursor:
            faults.append(("after", "`next` of a page of this list"))
    if faults:
        raise BadRequest("the query has faults", errors=faults)
    return Wanted(parents[0], request.args[parents[0]], kinds, after, int(limit))

"""Signing somebody out everywhere."""

from flask import Response
from flask_restx import Namespace, Resource

from pyispyb_auth.operations.revoking import Revocations
from pyispyb_chassis.access import requires
from pyispyb_chassis.bodies import json_answer
from pyispyb_chassis.permissions import Permission
from pyispyb_chassis.principal import principal


def revoking_namespace(revocations: Revocations) -> Namespace:
    """The routes of an administrator."""
    namespace = Namespace("revoking", path="/", description="Ending logins")

    @namespace.route("/logins/<login>/revoke")
    class RevokeLogin(Resource):
        @requires(Permission.ACCOUNTS_MANAGE)
        def post(self, login: str) -> Response:
            """Sign a login out everywhere: its refresh and access tokens end, whoever has them."""
            ended = revocations.revoke_login(login, by=principal().login)
            return json_answer({"login": login, "ended": ended})

    return namespace

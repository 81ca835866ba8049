"""Service accounts: for administrators alone."""

from flask import Response
from flask_restx import Namespace, Resource

from pyispyb_auth.operations.service_accounts import (
    AccountAnswer,
    AccountWithSecret,
    ChangedAccount,
    NewAccount,
    Rotation,
    ServiceAccounts,
)
from pyispyb_auth.resources.described import described, list_of, query_of
from pyispyb_auth.resources.login import NO_STORE
from pyispyb_chassis.access import requires
from pyispyb_chassis.bodies import json_answer, json_model, listed
from pyispyb_chassis.permissions import Permission
from pyispyb_chassis.principal import principal

MANAGE = Permission.ACCOUNTS_MANAGE


def service_accounts_namespace(accounts: ServiceAccounts, prefix: str) -> Namespace:
    """The routes below /service-accounts."""
    namespace = Namespace("service-accounts", path="/service-accounts", description="Machines")

    @namespace.route("")
    class Accounts(Resource):
        @described(gives=list_of(AccountAnswer))
        @requires(MANAGE)
        def get(self) -> Response:
            """List the service accounts, never their secrets."""
            query_of()
            return json_answer(listed(accounts.all()))

        @described(takes=NewAccount, gives=AccountWithSecret, status=201)
        @requires(MANAGE)
        def post(self) -> Response:
            """Make a service account; its secret is in this answer and nowhere else."""
            given = accounts.create(json_model(NewAccount), by=principal().name)
            where = {"Location": f"{prefix}/service-accounts/{given.shown['login']}"}
            return json_answer(given.wire, 201, {**NO_STORE, **where})

    @namespace.route("/<string:login>")
    class Account(Resource):
        @described(gives=AccountAnswer)
        @requires(MANAGE)
        def get(self, login: str) -> Response:
            """Show a service account, with when it was last used."""
            query_of()
            return json_answer(accounts.get(login))

        @described(takes=ChangedAccount, gives=AccountAnswer)
        @requires(MANAGE)
        def patch(self, login: str) -> Response:
            """Change scope, beamlines, description, end, or whether it is enabled."""
            changed = json_model(ChangedAccount)
            return json_answer(accounts.change(login, changed, by=principal().name))

        @described(status=204)
        @requires(MANAGE)
        def delete(self, login: str) -> Response:
            """Revoke a service account, with its secrets and the tokens that it holds."""
            accounts.revoke(login, by=principal().name)
            return Response(status=204)

    @namespace.route("/<string:login>/secrets")
    class Secrets(Resource):
        @described(takes=Rotation, gives=AccountWithSecret, status=201)
        @requires(MANAGE)
        def post(self, login: str) -> Response:
            """Rotate: a new secret, in this answer only; the one before it goes on for a while."""
            seconds = json_model(Rotation).overlapSeconds
            given = accounts.rotate(login, seconds, by=principal().name)
            return json_answer(given.wire, 201, NO_STORE)

    @namespace.route("/<string:login>/secrets/<string:secret_id>")
    class Secret(Resource):
        @described(status=204)
        @requires(MANAGE)
        def delete(self, login: str, secret_id: str) -> Response:
            """End one secret at once, with the tokens that the account holds."""
            accounts.end_secret(login, secret_id, by=principal().name)
            return Response(status=204)

    return namespace

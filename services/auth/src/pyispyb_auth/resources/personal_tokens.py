"""Personal access tokens: each person's own; administrators see and end those of others."""

from collections.abc import Callable

from flask import Response
from flask_restx import Namespace, Resource

from pyispyb_auth.operations.personal_tokens import (
    NewPersonalToken,
    NewPersonalTokenAnswer,
    PersonalTokenAnswer,
    PersonalTokens,
    refuse_narrowed,
)
from pyispyb_auth.resources.described import described, list_of, query_of
from pyispyb_auth.resources.login import NO_STORE
from pyispyb_chassis.access import requires
from pyispyb_chassis.bodies import json_answer, json_model, listed
from pyispyb_chassis.principal import Principal, principal


def personal_tokens_namespace(
    tokens: PersonalTokens, administers: Callable[[Principal], bool], prefix: str
) -> Namespace:
    """The routes below /personal-tokens."""
    namespace = Namespace("personal-tokens", path="/personal-tokens", description="Your scripts")

    @namespace.route("")
    class Tokens(Resource):
        @described(gives=list_of(PersonalTokenAnswer), query={"login": {"type": "string"}})
        @requires()
        def get(self) -> Response:
            """List your personal access tokens, never themselves; administrators also `?login=`."""
            caller = principal()
            login = query_of("login").get("login", caller.login)
            rows = tokens.all(login, caller, administers=administers(caller))
            return json_answer(listed(rows))

        @described(takes=NewPersonalToken, gives=NewPersonalTokenAnswer, status=201)
        @requires()
        def post(self) -> Response:
            """Make a personal access token; it is in this answer and nowhere else."""
            caller = principal()
            refuse_narrowed(caller)  # before anything of the body is told to be wrong
            made = tokens.create(json_model(NewPersonalToken), caller)
            where = {"Location": f"{prefix}/personal-tokens/{made['tokenId']}"}
            return json_answer(made, 201, {**NO_STORE, **where})

    @namespace.route("/<string:token_id>")
    class Token(Resource):
        @described(status=204)
        @requires()
        def delete(self, token_id: str) -> Response:
            """Revoke a personal access token, with the tokens that it gave."""
            caller = principal()
            tokens.revoke(token_id, caller, administers=administers(caller))
            return Response(status=204)

    return namespace

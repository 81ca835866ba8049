"""Log in, refresh, log out; the public keys; which providers there are."""

from typing import Annotated, Any

from flask import Response
from flask_restx import Namespace, Resource
from pydantic import BaseModel, ConfigDict, Field

from pyispyb_auth.operations.logins import Logins
from pyispyb_auth.providers import Provider
from pyispyb_chassis.access import public
from pyispyb_chassis.bodies import json_answer, json_model
from pyispyb_chassis.errors import Unprocessable

NO_STORE = {"Cache-Control": "no-store"}
Login = Annotated[str, Field(min_length=1, max_length=255)]
Secret = Annotated[str, Field(min_length=1, max_length=8192)]


class LoginBody(BaseModel):
    """A login and its proof: a password, or a token that the client already has."""

    model_config = ConfigDict(extra="forbid", hide_input_in_errors=True)

    login: Login
    password: Secret | None = None
    token: Secret | None = None
    plugin: str | None = Field(None, max_length=64, description="the provider's name")


class RefreshBody(BaseModel):
    """A refresh token."""

    model_config = ConfigDict(extra="forbid", hide_input_in_errors=True)

    refreshToken: Secret  # noqa: N815


def auth_namespace(logins: Logins, providers: dict[str, Provider]) -> Namespace:
    """Every route of auth."""
    namespace = Namespace("login", path="/", description="Who you are")

    @namespace.route("/login")
    class LogIn(Resource):
        @public
        def post(self) -> Response:
            """Log in: {login, password} gives a token and a refreshToken."""
            body = json_model(LoginBody, also=_one_proof)
            if body.password is None:
                told = [("token", "no configured provider takes a token")]
                raise Unprocessable("the body has faults", errors=told)
            tokens = logins.log_in(body.login, body.password, body.plugin)
            return json_answer(tokens.wire, headers=NO_STORE)

        post.openapi = _takes(LoginBody)  # type: ignore[attr-defined]

    @namespace.route("/refresh")
    class Refresh(Resource):
        @public
        def post(self) -> Response:
            """Go on: a refresh token gives a new access token and the next refresh token."""
            tokens = logins.refresh(json_model(RefreshBody).refreshToken)
            return json_answer(tokens.wire, headers=NO_STORE)

        post.openapi = _takes(RefreshBody)  # type: ignore[attr-defined]

    @namespace.route("/logout")
    class LogOut(Resource):
        @public
        def post(self) -> Response:
            """Log out: the refresh tokens end at once, the access token at its expiry."""
            logins.log_out(json_model(RefreshBody).refreshToken)
            return Response(status=204)

        post.openapi = _takes(RefreshBody)  # type: ignore[attr-defined]

    @namespace.route("/.well-known/jwks.json")
    class Jwks(Resource):
        @public
        def get(self) -> Response:
            """The public keys that verify our tokens (RFC 7517)."""
            return json_answer(logins.jwks(), headers={"Cache-Control": "public, max-age=300"})

    @namespace.route("/config")
    class Config(Resource):
        @public
        def get(self) -> Response:
            """Which providers there are, and what each takes."""
            known = [
                {"name": one.name, "kind": one.kind, "takes": "password"}
                for one in providers.values()
            ]
            return json_answer({"providers": known})

    return namespace


def _one_proof(body: dict[str, Any]) -> list[tuple[str, str]]:
    given = [name for name in ("password", "token") if body.get(name) is not None]
    return [] if len(given) == 1 else [("password", "give exactly one of password and token")]


def _takes(model: type[BaseModel]) -> dict[str, Any]:
    schema = model.model_json_schema()
    return {"requestBody": {"required": True, "content": {"application/json": {"schema": schema}}}}

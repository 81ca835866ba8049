"""Log in, refresh, log out; the public keys; which providers there are."""

from typing import Annotated, Any

from flask import Response, request
from flask_restx import Namespace, Resource
from pydantic import BaseModel, ConfigDict, Field

from pyispyb_auth.operations.access_tokens import AccessTokens
from pyispyb_auth.operations.choosing import Credentials
from pyispyb_auth.operations.logins import Logins
from pyispyb_auth.providers import Provider
from pyispyb_chassis.access import public
from pyispyb_chassis.bodies import json_answer, json_model
from pyispyb_chassis.openapi import tells

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


class TokensAnswer(BaseModel):
    """A bearer token for the services, and the refresh token that gives the next one."""

    token: str
    refreshToken: str | None = Field(  # noqa: N815
        description="null for a personal token, which is what its holder goes on by"
    )
    expiresIn: int = Field(description="seconds")  # noqa: N815
    tokenType: str  # noqa: N815
    login: str


def told(takes: type[BaseModel], gives: type[BaseModel] | None, *, needed: bool = True) -> Any:
    """Lay what a route takes and gives over its part of the contract."""

    def content(model: type[BaseModel]) -> dict[str, Any]:
        return {"application/json": {"schema": model.model_json_schema()}}

    given = {"description": "OK", "content": content(gives)} if gives else None
    done = {"200": given} if given else {"204": {"description": "No Content"}}
    return tells(
        {
            "requestBody": {"required": needed, "content": content(takes)},
            "responses": {**done, "default": {"$ref": "#/components/responses/Problem"}},
        }
    )


def auth_namespace(
    logins: Logins, access_tokens: AccessTokens, providers: dict[str, Provider], prefix: str
) -> Namespace:
    """Every route of auth."""
    namespace = Namespace("login", path="/", description="Who you are")

    @namespace.route("/login")
    class LogIn(Resource):
        @told(LoginBody, TokensAnswer)
        @public
        def post(self) -> Response:
            """Log in: {login, password} or {login, token} gives a token and a refreshToken."""
            body = json_model(LoginBody, also=logins.faults_of)
            credentials = Credentials(body.login, body.password, body.token)
            tokens = logins.log_in(credentials, body.plugin)
            return json_answer(tokens.wire, headers=NO_STORE)

    @namespace.route("/refresh")
    class Refresh(Resource):
        @told(RefreshBody, TokensAnswer)
        @public
        def post(self) -> Response:
            """Go on: a refresh token gives a new access token and the next refresh token."""
            tokens = logins.refresh(json_model(RefreshBody).refreshToken)
            return json_answer(tokens.wire, headers=NO_STORE)

    @namespace.route("/logout")
    class LogOut(Resource):
        @told(RefreshBody, None, needed=False)
        @public
        def post(self) -> Response:
            """Log out: the refresh tokens end at once, the access tokens within seconds.

            The login is that of the refreshToken in the body, of the bearer token, or of both.
            """
            logins.log_out(*_tokens_sent())
            return Response(status=204)

    @namespace.route("/.well-known/jwks.json")
    class Jwks(Resource):
        @public
        def get(self) -> Response:
            """The public keys that verify our tokens (RFC 7517)."""
            kept = f"public, max-age={access_tokens.ring.may_be_kept_seconds}"
            return json_answer(access_tokens.jwks(), headers={"Cache-Control": kept})

    @namespace.route("/config")
    class Config(Resource):
        @public
        def get(self) -> Response:
            """Which providers there are, in the order they are asked, and what each takes."""
            return json_answer(
                {
                    "issuer": access_tokens.issuer,
                    "expiresIn": access_tokens.seconds,
                    "providers": [_shown(one, prefix) for one in providers.values()],
                }
            )

    return namespace


def _shown(provider: Provider, prefix: str) -> dict[str, Any]:
    """What a client may know of a provider."""
    shown: dict[str, Any] = {
        **provider.public_settings(),
        "name": provider.name,
        "kind": provider.kind,
        "title": provider.title,
        "takes": sorted(provider.takes),
    }
    if provider.login_pattern is not None:
        shown["loginPattern"] = provider.login_pattern
    if "browser" in provider.takes:
        shown["browser"] = f"{prefix}/browser/{provider.name}"
    return shown


def _tokens_sent() -> tuple[str | None, str | None]:
    """The refresh token of the body and the bearer's access token; one of them must be there."""
    sent = request.authorization
    access = sent.token if sent is not None and sent.type == "bearer" else None
    if request.get_data() or access is None:
        return json_model(RefreshBody).refreshToken, access
    return None, access

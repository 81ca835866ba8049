"""Auth as OAuth 2.0 libraries know it: token, revocation and metadata endpoints, userinfo."""

import base64
import binascii
from collections.abc import Callable, Mapping
from functools import wraps
from http import HTTPStatus
from typing import Any, TypeVar, cast
from urllib.parse import unquote_plus

from flask import Flask, Response, request
from flask_restx import Namespace, Resource

from pyispyb_auth.operations.access_tokens import AccessTokens
from pyispyb_auth.operations.grants import Grant, GrantRefused, needed
from pyispyb_auth.operations.logins import Logins
from pyispyb_auth.resources.login import NO_STORE
from pyispyb_chassis.access import public, requires
from pyispyb_chassis.bodies import json_answer
from pyispyb_chassis.errors import ServiceError, TooManyRequests, Unavailable
from pyispyb_chassis.openapi import tells
from pyispyb_chassis.principal import principal

F = TypeVar("F", bound=Callable[..., Response])
FORM = "application/x-www-form-urlencoded"
TAKEN_BY_GRANTS = (
    *("refresh_token", "client_id", "client_secret", "scope"),
    *("subject_token", "subject_token_type", "requested_token_type"),
)
METADATA = "/.well-known/oauth-authorization-server"
# What a token says of its bearer, beyond what it needs to be one.
OF_THE_TOKEN = frozenset({"iss", "aud", "exp", "iat", "jti"})


def _takes(*names: str) -> dict[str, Any]:
    properties = {name: {"type": "string"} for name in names}
    schema = {"type": "object", "properties": properties, "required": [names[0]]}
    refused = {
        "type": "object",
        "properties": {"error": {"type": "string"}, "error_description": {"type": "string"}},
        "required": ["error"],
    }
    content = {"application/json": {"schema": refused}}
    return {
        "requestBody": {"required": True, "content": {FORM: {"schema": schema}}},
        "responses": {
            "200": {"description": "OK"},
            **{
                status: {"description": "refused, as RFC 6749 has it", "content": content}
                for status in ("400", "401", "429", "503")
            },
            "default": {"$ref": "#/components/responses/Problem"},
        },
    }


def refusing_as_oauth(call: F) -> F:
    """Answer every fault in RFC 6749's form, in which its clients look for it."""

    @wraps(call)
    def answering(*args: Any, **kwargs: Any) -> Response:
        try:
            return call(*args, **kwargs)
        except GrantRefused as refused:
            return _refusal(refused, refused.error)
        except (TooManyRequests, Unavailable) as busy:
            return _refusal(busy, "temporarily_unavailable")

    return cast("F", answering)


def _refusal(fault: ServiceError, error: str) -> Response:
    status, headers = fault.status, {**NO_STORE, **fault.headers}
    if error == "invalid_client":
        status = HTTPStatus.UNAUTHORIZED
        headers["WWW-Authenticate"] = 'Basic realm="pyispyb"'
    said = {"error": error, "error_description": fault.detail}
    return json_answer(said, status, headers)


def oauth_namespace(
    logins: Logins, access_tokens: AccessTokens, grants: Mapping[str, Grant], url: str
) -> Namespace:
    """The routes, for the grants that there are; `url` is auth's public one."""
    namespace = Namespace("oauth", path="/", description="As OAuth 2.0 libraries know it")

    @namespace.route("/token")
    class Token(Resource):
        @tells(_takes("grant_type", *TAKEN_BY_GRANTS))
        @public
        @refusing_as_oauth
        def post(self) -> Response:
            """Give tokens for a grant (RFC 6749), sent as a form."""
            form = _form()
            grant = grants.get(needed(form, "grant_type"))
            if grant is None:
                known = ", ".join(sorted(grants))
                raise GrantRefused("unsupported_grant_type", f"allowed: {known}")
            return json_answer(grant(form).wire, headers=NO_STORE)

    @namespace.route("/revoke")
    class Revoke(Resource):
        @tells(_takes("token", "token_type_hint"))
        @public
        @refusing_as_oauth
        def post(self) -> Response:
            """End a token (RFC 7009): a refresh token with its login, an access token alone."""
            logins.revoke_token(needed(_form(), "token"))
            return Response(status=200, headers=NO_STORE)

    @namespace.route("/userinfo")
    class UserInfo(Resource):
        @requires()
        def get(self) -> Response:
            """Say what the caller's token says of its bearer."""
            claims = access_tokens.claims_of(principal().token) or {"sub": principal().login}
            told = {name: value for name, value in claims.items() if name not in OF_THE_TOKEN}
            return json_answer(told, headers=NO_STORE)

    @namespace.route(METADATA)
    class Metadata(Resource):
        @public
        def get(self) -> Response:
            """Say where everything is (RFC 8414)."""
            return json_answer(metadata(access_tokens, grants, url))

    return namespace


def add_root_metadata(
    app: Flask, access_tokens: AccessTokens, grants: Mapping[str, Grant], url: str, prefix: str
) -> None:
    """The metadata where RFC 8414 has it for an issuer with a path: in front of the path."""

    @public
    def root_metadata() -> Response:
        """Say where everything is (RFC 8414), where its clients look first."""
        return json_answer(metadata(access_tokens, grants, url))

    app.add_url_rule(f"{METADATA}{prefix}", "root_metadata", root_metadata, methods=["GET"])


def metadata(access_tokens: AccessTokens, grants: Mapping[str, Grant], url: str) -> dict[str, Any]:
    """What RFC 8414 asks for."""
    by_secret = ["client_secret_post", "client_secret_basic", "none"]
    return {
        "issuer": access_tokens.issuer,
        "token_endpoint": f"{url}/token",
        "revocation_endpoint": f"{url}/revoke",
        "userinfo_endpoint": f"{url}/userinfo",
        "jwks_uri": f"{url}/.well-known/jwks.json",
        "grant_types_supported": sorted(grants),
        "response_types_supported": [],
        "token_endpoint_auth_methods_supported": by_secret,
        "revocation_endpoint_auth_methods_supported": ["none"],
        "service_documentation": f"{url}/docs",
    }


def _form() -> dict[str, str]:
    """The parameters, each said once, the client's own from the form or from Basic."""
    if request.mimetype != FORM:
        raise GrantRefused("invalid_request", f"send {FORM}")
    if request.args:
        raise GrantRefused("invalid_request", "nothing belongs into the URL")
    twice = [name for name, values in request.form.lists() if len(values) > 1]
    if twice:
        raise GrantRefused("invalid_request", f"said twice: {', '.join(sorted(twice))}")
    form = request.form.to_dict()
    given = request.headers.get("Authorization", "")
    if given[:6].lower() == "basic ":
        if "client_secret" in form:
            raise GrantRefused("invalid_request", "the client's secret is said twice")
        form |= _basic(given[6:])
    return form


def _basic(given: str) -> dict[str, str]:
    """RFC 6749, 2.3.1: both halves are form-encoded before they are joined."""
    try:
        client, colon, secret = base64.b64decode(given, validate=True).decode().partition(":")
    except (binascii.Error, ValueError) as error:
        raise GrantRefused("invalid_client", "Basic needs base64 of id:secret") from error
    if not colon:
        raise GrantRefused("invalid_client", "Basic needs base64 of id:secret")
    return {"client_id": unquote_plus(client), "client_secret": unquote_plus(secret)}

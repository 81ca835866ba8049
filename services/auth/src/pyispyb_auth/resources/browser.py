"""Logging in by a browser: away to the provider, back, and a code for tokens."""

import re
from typing import Any

from flask import Response, request
from flask_restx import Namespace, Resource
from pydantic import BaseModel, ConfigDict

from pyispyb_auth.operations.browsers import UNAVAILABLE, Back, Browsers, cookie_name
from pyispyb_auth.resources.login import NO_STORE, Secret, TokensAnswer, told
from pyispyb_chassis.access import public
from pyispyb_chassis.bodies import json_answer, json_model
from pyispyb_chassis.errors import BadRequest, Unavailable
from pyispyb_chassis.openapi import tells

COOKIE_SECONDS = 660
LONGEST_RETURN = 2000
# A path of this origin: `//host` and `/\host` are other origins to a browser.
_OUR_PATH = re.compile(r"/(?![/\\])[^\x00-\x20\\#\x7f]*")


class CodeBody(BaseModel):
    """The code with which a browser came back."""

    model_config = ConfigDict(extra="forbid", hide_input_in_errors=True)

    code: Secret


def _redirects(*parameters: str) -> dict[str, Any]:
    return {
        "parameters": [
            {"name": name, "in": "query", "schema": {"type": "string"}} for name in parameters
        ],
        "responses": {
            "303": {"description": "See Other"},
            "default": {"$ref": "#/components/responses/Problem"},
        },
    }


def browser_namespace(browsers: Browsers, prefix: str, *, secure: bool) -> Namespace:
    """The routes of a login by browser; their cookies are `secure` where the suite's URL is."""
    namespace = Namespace("browser", path="/browser", description="Logging in by a browser")
    kept: dict[str, Any] = {
        "path": f"{prefix}/browser",
        "httponly": True,
        "samesite": "Lax",
        "secure": secure,
    }

    @namespace.route("/<name>")
    class Leave(Resource):
        @tells(_redirects("return_to"))
        @public
        def get(self, name: str) -> Response:
            """Send a browser to a provider; it comes back to `return_to`, a path of this origin."""
            return_to = _return_to()
            try:
                left = browsers.leave(name, return_to)
            except Unavailable:
                return _onward(Back(return_to, error=UNAVAILABLE))
            answer = _redirected(left.url, 302)
            answer.set_cookie(cookie_name(left.state), left.cookie, max_age=COOKIE_SECONDS, **kept)
            return answer

    @namespace.route("/<name>/callback")
    class ComeBack(Resource):
        @tells(_redirects("state", "code", "ticket", "error"))
        @public
        def get(self, name: str) -> Response:
            """Take a browser back: it goes on with `#login_code=` or `#login_error=`."""
            query = request.args.to_dict()
            return _onward(browsers.come_back(name, query, request.cookies))

    @namespace.route("/tokens")
    class Redeem(Resource):
        @told(CodeBody, TokensAnswer)
        @public
        def post(self) -> Response:
            """Give the tokens of a login by browser for its code, once and within 60 s."""
            tokens, state = browsers.redeem(json_model(CodeBody).code, request.cookies)
            answer = json_answer(tokens.wire, headers=NO_STORE)
            answer.delete_cookie(cookie_name(state), **kept)
            return answer

    return namespace


def _return_to() -> str:
    given = request.args.getlist("return_to")
    if len(given) != 1 or len(given[0]) > LONGEST_RETURN or not _OUR_PATH.fullmatch(given[0]):
        raise BadRequest("return_to: give one path of this origin, as /core/docs")
    return given[0]


def _onward(back: Back) -> Response:
    said = f"login_code={back.code}" if back.code else f"login_error={back.error}"
    return _redirected(f"{back.return_to}#{said}", 303)


def _redirected(url: str, status: int) -> Response:
    headers = {**NO_STORE, "Location": url, "Referrer-Policy": "no-referrer"}
    return Response(status=status, headers=headers)

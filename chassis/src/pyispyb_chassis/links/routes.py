"""The routes of links: two to manage them as a caller, one to use them as anybody."""

import re
from contextvars import Context, copy_context
from datetime import UTC, datetime, timedelta
from http import HTTPMethod
from io import BytesIO
from typing import Any, Literal
from urllib.parse import unquote_to_bytes

from flask import Response, current_app, g, request
from flask_restx import Namespace, Resource
from pydantic import BaseModel, ConfigDict, Field
from werkzeug import Response as BaseResponse
from werkzeug.exceptions import HTTPException, MethodNotAllowed

from pyispyb_chassis.access import LINKED, Requires, mark_of, public, requires
from pyispyb_chassis.bodies import json_answer, json_model, listed
from pyispyb_chassis.errors import Forbidden, NotFound, Unprocessable
from pyispyb_chassis.ids import client_address, request_id
from pyispyb_chassis.links.links import Links, Wanted
from pyispyb_chassis.openapi import tells
from pyispyb_chassis.principal import Principal, principal

_PATH = re.compile(r"/[A-Za-z0-9._~/%:@!$&'()*+,;=-]*(\?[A-Za-z0-9._~/%:@!$&'()*+,;=?/\[\]-]*)?")
LATEST = datetime(9000, 1, 1, tzinfo=UTC)
TAGGED = {"tags": ["links"]}
# Nothing of the request that came by the link speaks for the maker, or goes on to where it leads.
_LEFT_OUT = frozenset(
    {"HTTP_AUTHORIZATION", "HTTP_COOKIE", "HTTP_REFERER", "RAW_URI", "REQUEST_URI"}
    | {"CONTENT_TYPE", "CONTENT_LENGTH", "HTTP_TRANSFER_ENCODING", "HTTP_X_REQUEST_ID"}
)


class Ask(BaseModel):
    """A link that somebody asks for."""

    model_config = ConfigDict(extra="forbid")

    path: str = Field(max_length=2000, description="what it leads to, with its query")
    kind: Literal["once", "feed"] = "once"
    accept: str | None = Field(
        None,
        pattern=r"^[a-z]{1,20}/[a-z0-9.+-]{1,100}$",
        description="the media type to answer with, as a browser cannot ask for one",
    )
    title: str | None = Field(None, max_length=255, description="your own word for it")
    expires: str | None = Field(None, description="when a feed key ends; without it, never")


def link_namespaces(links: Links, prefix: str) -> list[Namespace]:
    """`/user/links` for their owner, `/links/<token>` for whoever has one."""
    mine = Namespace("user_links", path="/user/links", description="Links that you made")
    open_ = Namespace("links", path="/links", description="Links, used")

    class Mine(Resource):
        @tells(TAGGED)
        @requires()
        def get(self) -> Response:
            """List your links; the address of none is told again."""
            return json_answer(listed(links.all(principal())))

        @tells(_made())
        @requires()
        def post(self) -> Response:
            """Make a link to a GET of this service; its url is told this once.

            `once`: 60 s to start, then 30 minutes for whoever started, from the same address.
            `feed`: may be used until it expires or you revoke it.
            """
            made = links.make(principal(), _wanted(json_model(Ask), prefix))
            place = {"Location": f"{prefix}/user/links/{made['linkId']}"}
            return json_answer(made, 201, {**place, "Cache-Control": "no-store"})

    class OneOfMine(Resource):
        @tells(TAGGED)
        @requires()
        def get(self, link_id: int) -> Response:
            """One of your links."""
            return json_answer(links.one(principal(), link_id))

        @tells(TAGGED)
        @requires()
        def delete(self, link_id: int) -> Response:
            """Revoke one of your links."""
            links.revoke(principal(), link_id)
            return Response(status=204)

    class Used(Resource):
        @tells(TAGGED)
        @public
        def get(self, token: str) -> BaseResponse:
            """Get what a link leads to, as the one who made it; their rights are checked again."""
            if request.method != HTTPMethod.GET:
                raise MethodNotAllowed([HTTPMethod.GET])
            if request.query_string:
                raise NotFound("no such link")
            trusts = current_app.extensions["pyispyb"].verifier.still_trusts
            wanted, caller = links.redeem(token, client_address(), trusts)
            g.principal = caller
            answer = _served(wanted, caller)
            answer.headers["Cache-Control"] = "no-store"
            answer.headers["Referrer-Policy"] = "no-referrer"
            return answer

    mine.add_resource(Mine, "", endpoint="links")
    mine.add_resource(OneOfMine, "/<int:link_id>", endpoint="link")
    open_.add_resource(Used, "/<string:token>", endpoint="link_used")
    return [mine, open_]


def _wanted(ask: Ask, prefix: str) -> Wanted:
    """What is asked for, if it may be. Raises Unprocessable with every fault, or Forbidden."""
    faults: list[tuple[str, str]] = []
    expires = None
    if ask.expires is not None:
        if ask.kind == "once":
            faults.append(("expires", "for kind feed only: a one-time link has 60 s to start"))
        expires, fault = _moment(ask.expires)
        faults += [("expires", fault)] if fault else []
    needed = _needed(ask.path, prefix)
    if needed is None:
        faults.append(("path", f"takes a path below {prefix} that a GET with a token answers"))
    if faults or needed is None:
        raise Unprocessable("the body has faults", errors=faults)
    held = current_app.extensions["pyispyb"].rights_of(principal())
    missing = [one for one in needed.permissions if one not in held]
    if missing:
        raise Forbidden(f"this path needs the permission {', '.join(missing)}")
    return Wanted(ask.path, ask.kind, ask.accept, ask.title, expires)


def _moment(text: str) -> tuple[datetime | None, str]:
    """A moment to come, in UTC as it is stored, or what is wrong with it."""
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        return None, "takes a time as 2030-01-31T12:00:00+01:00"
    if moment.tzinfo is None:
        return None, "says no offset from UTC"
    if not datetime.now(UTC) + timedelta(seconds=1) < moment < LATEST:
        return None, "takes a time to come"
    return moment.astimezone(UTC).replace(tzinfo=None, microsecond=0), ""


def _needed(path: str, prefix: str) -> Requires | None:
    """What the path's own route requires; None where a link must not lead there."""
    text = path.partition("?")[0]
    if not _PATH.fullmatch(path) or not text.startswith(f"{prefix}/"):
        return None
    try:
        found = unquote_to_bytes(text).decode()
        rule, _ = current_app.url_map.bind("").match(found, method="GET", return_rule=True)
    except (HTTPException, UnicodeDecodeError):
        return None
    if rule.rule.startswith((f"{prefix}/links", f"{prefix}/user/links")):
        return None
    mark = mark_of(current_app, rule, HTTPMethod.GET)
    return mark if isinstance(mark, Requires) else None


def _served(wanted: Wanted, caller: Principal) -> BaseResponse:
    """What this very service answers to the GET that is wanted, by `caller`."""
    text, _, query = wanted.path.partition("?")
    environ: dict[str, Any] = {
        name: value
        for name, value in request.environ.items()
        if name not in _LEFT_OUT and not name.startswith(("werkzeug.", "flask."))
    }
    environ.update(
        {
            "PATH_INFO": unquote_to_bytes(text).decode("latin-1"),
            "QUERY_STRING": query,
            "REQUEST_METHOD": "GET",
            "wsgi.input": BytesIO(),
            "HTTP_X_REQUEST_ID": request_id(),
            LINKED: caller,
        }
    )
    if wanted.accept is not None:
        environ["HTTP_ACCEPT"] = wanted.accept
    app = current_app._get_current_object()  # type: ignore[attr-defined]  # noqa: SLF001
    apart = copy_context()  # an answer that streams keeps its request open while it is sent

    def ask() -> BaseResponse:
        with app.app_context():  # else both requests share one `g`
            return BaseResponse.from_app(app, environ)

    answer = apart.run(ask)
    answer.response = _Sent(answer.response, apart)
    return answer


class _Sent:
    """The body of an answer, made in the context that it was begun in."""

    def __init__(self, body: Any, apart: Context) -> None:
        self._body = body
        self._parts = iter(body)
        self._apart = apart

    def __iter__(self) -> "_Sent":
        return self

    def __next__(self) -> bytes:
        part: bytes = self._apart.run(next, self._parts)
        return part

    def close(self) -> None:
        """End it, however far it was sent."""
        if hasattr(self._body, "close"):
            self._apart.run(self._body.close)


def _made() -> dict[str, Any]:
    body = {"application/json": {"schema": Ask.model_json_schema()}}
    return {
        **TAGGED,
        "requestBody": {"required": True, "content": body},
        "responses": {
            "201": {"description": "the link, with its url"},
            "default": {"$ref": "#/components/responses/Problem"},
        },
    }

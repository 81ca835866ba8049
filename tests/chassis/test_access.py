"""Who may call, and that silence stops the start."""

from pathlib import Path

import pytest
from flask import Flask
from flask.testing import FlaskClient
from flask_restx import Api, Resource
from tests.cast import ALICE, MXCUBE, NOBODY, OSCAR, Issuing, Somebody
from tests.chassis.conftest import trusted
from tests.chassis.hello.app import create_app
from tests.chassis.hello.settings import configured

from pyispyb_chassis.access import UnmarkedRoute, public, refuse_unmarked_routes, requires

READS_RUNS = Somebody("alice", {"scope": "runs:read"})
READS_NOTHING = Somebody("alice", {"scope": ""})


@pytest.mark.parametrize(
    ("who", "path", "status"),
    [
        (NOBODY, "/hello/things", 401),
        (OSCAR, "/hello/things", 200),
        (NOBODY, "/hello/things/1", 401),
        (ALICE, "/hello/things/1", 200),
        (READS_RUNS, "/hello/things/1", 200),
        (READS_NOTHING, "/hello/things/1", 403),
        (MXCUBE, "/hello/things/1", 200),
        (Somebody("mxcube", {"client_id": "mxcube"}), "/hello/things/1", 403),
        (NOBODY, "/hello/health/live", 200),
        (NOBODY, "/hello/version", 200),
        (NOBODY, "/hello/docs", 200),
        (NOBODY, "/hello/docs/swagger-ui.css", 200),
        (NOBODY, "/hello/openapi.json", 200),
    ],
)
def test_who_may_call(
    client: FlaskClient, issuing: Issuing, who: Somebody | None, path: str, status: int
) -> None:
    assert client.get(path, headers=issuing.bearer(who)).status_code == status


@pytest.mark.parametrize(
    ("method", "who", "status"),
    [("HEAD", NOBODY, 401), ("HEAD", ALICE, 200), ("OPTIONS", NOBODY, 200)],
)
def test_the_methods_that_nobody_writes(
    client: FlaskClient, issuing: Issuing, method: str, who: Somebody | None, status: int
) -> None:
    answer = client.open("/hello/things", method=method, headers=issuing.bearer(who))
    assert answer.status_code == status
    assert answer.data == b""


def test_without_the_issuers_keys_nobody_is_refused_and_nobody_let_in(
    issuing: Issuing, tmp_path: Path
) -> None:
    block = trusted(issuing).model_copy(update={"pem_file": tmp_path / "not-there-yet.pem"})
    client = create_app(configured(tmp_path, (8099, 9099), block)).test_client()
    answer = client.get("/hello/things", headers=issuing.bearer(ALICE))
    assert answer.status_code == 503
    assert answer.headers["Retry-After"]
    assert client.get("/hello/things").status_code == 401


def test_a_401_says_how_and_a_403_says_what_is_missing(
    client: FlaskClient, issuing: Issuing
) -> None:
    nobody = client.get("/hello/things/1")
    assert nobody.headers["WWW-Authenticate"] == "Bearer"
    narrowed = client.get("/hello/things/1", headers=issuing.bearer(READS_NOTHING))
    assert narrowed.json is not None
    assert "runs:read" in narrowed.json["detail"]


@public
def _open() -> str:
    return ""


@requires()
def _guarded() -> str:
    return ""


def _silent() -> str:
    return ""


class _Half(Resource):
    """One of its methods says who may call it."""

    @public
    def get(self) -> str:
        return ""

    def post(self) -> str:
        return ""


class _Head(_Half):
    """One that answers HEAD by itself."""

    post = None

    def head(self) -> str:
        return ""


class _Options(_Half):
    """One that answers OPTIONS by itself."""

    post = None

    def options(self) -> str:
        return ""


@pytest.mark.parametrize(
    ("view", "named"),
    [
        (_open, None),
        (_guarded, None),
        (_silent, "GET /x"),
        (_Half, "POST /x"),
        (_Head, "HEAD /x"),
        (_Options, "OPTIONS /x"),
    ],
)
def test_a_route_that_does_not_say_who_may_call_it_stops_the_start(
    view: object, named: str | None
) -> None:
    app = Flask("app", static_folder=None)
    if isinstance(view, type):
        Api(app, doc=False, add_specs=False).add_resource(view, "/x")
    else:
        app.add_url_rule("/x", view_func=view, methods=["GET"])
    if named is None:
        refuse_unmarked_routes(app)
        return
    with pytest.raises(UnmarkedRoute, match=named):
        refuse_unmarked_routes(app)

"""A service as small as one can be on the chassis."""

import logging
import time

from flask import Flask, Response
from flask_restx import Namespace, Resource
from pydantic import BaseModel, ConfigDict, Field
from tests.chassis.hello.settings import NAME

from pyispyb_chassis.access import public, requires
from pyispyb_chassis.app import Service, create_service
from pyispyb_chassis.bodies import json_answer, json_model
from pyispyb_chassis.configuration import Configuration, ServiceSection
from pyispyb_chassis.errors import Conflict, ServiceError, Unavailable
from pyispyb_chassis.ids import client_address
from pyispyb_chassis.permissions import Permission
from pyispyb_chassis.principal import Principal, principal

log = logging.getLogger(__name__)


class Thing(BaseModel):
    """What can be sent."""

    model_config = ConfigDict(extra="forbid")

    name: str = Field(max_length=5)
    size: int = Field(ge=0)


class Things(Resource):
    @requires()
    def get(self) -> Response:
        """Say who calls.

        Longer than a line.
        """
        caller = principal()
        said = {"login": caller.login, "service": caller.service, "address": client_address()}
        return json_answer(said)

    @public
    def post(self) -> Response:
        """Send a thing."""
        return json_answer(json_model(Thing).model_dump(), 201)


class OneThing(Resource):
    @requires(Permission.RUNS_READ)
    def get(self, thing_id: int) -> Response:
        """Get a thing."""
        log.info("a thing was read", extra={"thingId": thing_id, "password": "p"})
        return json_answer({"thingId": thing_id, "sessionId": 12, "runId": None})


class Broken(Resource):
    @public
    def get(self, how: str) -> Response:
        """Fail in this way."""
        if how == "conflict":
            raise Conflict("there is one", errors=[("name", "taken")])
        if how == "unavailable":
            raise Unavailable("the oven does not answer")
        if how == "service":
            raise ServiceError
        raise RuntimeError("SELECT secret FROM Person")


class Slow(Resource):
    @public
    def get(self, tenths: int) -> Response:
        """Take some time."""
        time.sleep(tenths / 10)
        return json_answer({"slept": tenths})


def rights_of(caller: Principal) -> frozenset[Permission]:
    """Every permission, narrowed by the token's scope."""
    everything = frozenset(Permission)
    if caller.scope is None:
        return everything
    return frozenset(one for one in everything if one in caller.scope)


def menu() -> tuple[str, bytes]:
    """A page for inside only."""
    return "text/plain", b"bread"


def burnt() -> tuple[str, bytes]:
    """One that fails."""
    raise RuntimeError("SELECT secret FROM Person")


def sold_out() -> tuple[str, bytes]:
    """One that cannot be had just now."""
    raise Unavailable("the oven does not answer")


def create_app(configuration: Configuration) -> Flask:
    """The app."""
    namespace = Namespace("things", path="/things")
    namespace.add_resource(Things, "")
    namespace.add_resource(OneThing, "/<int:thing_id>")
    namespace.add_resource(Broken, "/broken/<how>")
    namespace.add_resource(Slow, "/slow/<int:tenths>")
    ill = configuration.suite.state / "ill"

    def look_at_the_table() -> str | None:
        if (configuration.suite.state / "fire").exists():
            raise RuntimeError("nobody thought of this")
        return None

    return create_service(
        configuration,
        Service(
            name=NAME,
            title="Hello",
            settings=configuration.section(ServiceSection),
            namespaces=[namespace],
            rights_of=rights_of,
            inside={"/pages/menu": menu, "/pages/burnt": burnt, "/pages/sold-out": sold_out},
            ready={
                "oven": lambda: ill.read_text() if ill.exists() else None,
                "table": look_at_the_table,
            },
        ),
    )

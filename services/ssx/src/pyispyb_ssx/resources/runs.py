"""Runs over HTTP, besides the list and the item that every noun has."""

from typing import Annotated, Any, Literal

from flask import Response
from flask_restx import Namespace, Resource
from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from pyispyb_chassis.access import requires
from pyispyb_chassis.bodies import json_answer, json_model
from pyispyb_chassis.nouns.routes import attempt
from pyispyb_chassis.openapi import tells
from pyispyb_chassis.permissions import Permission
from pyispyb_chassis.principal import principal
from pyispyb_ssx.operations.runs import close_run, open_run, summarise
from pyispyb_ssx.operations.store import LARGEST_ID, Store

TAGGED = {"tags": ["serial crystallography"]}
Text = Annotated[str, StringConstraints(pattern=r"^[^\x00]*$")]
Positive = Annotated[float, Field(gt=0, le=1e9, allow_inf_nan=False)]


class OpenRun(BaseModel):
    """What a run is opened with; its proposal and beamline are the session's."""

    model_config = ConfigDict(extra="forbid")

    sessionId: int = Field(ge=1, le=LARGEST_ID)  # noqa: N815 - as on the wire
    name: Text | None = Field(None, max_length=255)
    comments: Text | None = Field(None, max_length=1024)
    experimentType: Literal["Serial Fixed", "Serial Jet"] | None = None  # noqa: N815
    numberOfImages: int | None = Field(  # noqa: N815
        None, ge=1, le=LARGEST_ID, description="how many are expected"
    )
    exposureTime: Positive | None = Field(None, description="seconds an image")  # noqa: N815
    wavelength: Positive | None = Field(None, description="in Å")
    detectorDistance: Positive | None = Field(None, description="in mm")  # noqa: N815
    transmission: float | None = Field(
        None, ge=0, le=100, allow_inf_nan=False, description="in percent"
    )
    imageDirectory: Text | None = Field(None, max_length=255)  # noqa: N815
    imagePrefix: Text | None = Field(None, max_length=100)  # noqa: N815


def runs_namespace(store: Store, prefix: str) -> Namespace:
    """Opening, closing and summing up."""
    namespace = Namespace("recording", path="/runs", description="Recording runs")

    class Runs(Resource):
        @tells(_opened())
        @requires(Permission.RUNS_WRITE)
        def post(self) -> Response:
            """Open a run in a session.

            Proposal and beamline are taken from the session. With an Idempotency-Key the same
            request sent again opens no second run.
            """
            described = json_model(OpenRun).model_dump(exclude_unset=True)
            run = open_run(store, described, principal(), attempt())
            return json_answer(run, 201, {"Location": f"{prefix}/runs/{run['runId']}"})

    class Close(Resource):
        @tells(TAGGED)
        @requires(Permission.RUNS_WRITE)
        def post(self, run_id: int) -> Response:
            """Close a run: it takes no batch any more. Closing it again changes nothing."""
            return json_answer(close_run(store, run_id, principal()))

    class Summary(Resource):
        @tells(TAGGED)
        @requires(Permission.RUNS_READ)
        def get(self, run_id: int) -> Response:
            """Sum up a run: images, hits, indexed, rates and cells.

            hitRate is hits/images, indexingRate indexed/hits: fractions from 0 to 1, null where
            there is nothing to divide by. Cells are the mean and the standard deviation in each
            space group.
            """
            return json_answer(summarise(store, run_id, principal()))

    namespace.add_resource(Runs, "", endpoint="runs_open")
    namespace.add_resource(Close, "/<int:run_id>/close", endpoint="runs_close")
    namespace.add_resource(Summary, "/<int:run_id>/summary", endpoint="runs_summary")
    return namespace


def _opened() -> dict[str, Any]:
    key = {
        "name": "Idempotency-Key",
        "in": "header",
        "description": "your own word for this request: sent again it is done once",
        "schema": {"type": "string", "maxLength": 255},
    }
    run = {"application/json": {"schema": {"$ref": "#/components/schemas/runs"}}}
    body = {"application/json": {"schema": OpenRun.model_json_schema()}}
    return {
        **TAGGED,
        "parameters": [key],
        "requestBody": {"required": True, "content": body},
        "responses": {
            "201": {"description": "the run", "content": run},
            "default": {"$ref": "#/components/responses/Problem"},
        },
    }

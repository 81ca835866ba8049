"""Batches over HTTP: JSON columns, or NDJSON with one image a line."""

from typing import Any

from flask import Response, request
from flask_restx import Namespace, Resource

from pyispyb_chassis.access import requires
from pyispyb_chassis.bodies import json_answer
from pyispyb_chassis.errors import UnsupportedMediaType
from pyispyb_chassis.openapi import tells
from pyispyb_chassis.permissions import Permission
from pyispyb_chassis.principal import principal
from pyispyb_ssx.figures import count
from pyispyb_ssx.operations.batches import Batches
from pyispyb_ssx.operations.columns import LARGEST, Images, read_json, read_ndjson
from pyispyb_ssx.settings import SsxSettings

JSON, NDJSON = "application/json", "application/x-ndjson"
READERS = {JSON: read_json, NDJSON: read_ndjson}


def batches_namespace(batches: Batches, settings: SsxSettings) -> Namespace:
    """The one route that images come in by."""
    namespace = Namespace("batches", path="/runs", description="Per-image results")

    def read() -> Images:
        reader = READERS.get(request.mimetype)
        if reader is None:
            raise UnsupportedMediaType(f"send {JSON} or {NDJSON}")
        request.max_content_length = settings.max_batch_body
        return reader(request.get_data(cache=False), most=settings.max_images_per_batch)

    class Batch(Resource):
        # No permission here: while core is down nobody can say what a caller holds, and a caller
        # who was lately verified for this run goes on. The operation asks for runs:write.
        @tells(_sent(settings.max_images_per_batch))
        @requires()
        def put(self, run_id: int, n: int) -> Response:
            """Store batch n of a run: 201; sent again with equal values: 200 and the same answer.

            imageNumber counts from 1 and once in a run; indexed implies hit, a lattice implies
            indexed. n counts from 0, gaps are allowed. 409 for a closed run, for other values
            under the same n, and for images that another batch of the run has.
            """
            row, new = batches.put(run_id, n, principal(), read)
            count(row, new=new)
            return json_answer(row, 201 if new else 200)

    namespace.add_resource(Batch, "/<int:run_id>/batches/<int:n>", endpoint="batches")
    return namespace


def _sent(most: int) -> dict[str, Any]:
    """The contract of the body and of the answer."""
    number = {"type": ["number", "null"]}
    flag = {"type": "boolean"}
    lattice = {
        "type": "object",
        "description": "a, b, c in Å; alpha, beta, gamma in degrees",
        "properties": {
            "cell": {"type": "array", "items": {"type": "number"}, "minItems": 6, "maxItems": 6},
            "spaceGroup": {"type": ["string", "null"]},
            "nIndexed": {"type": ["integer", "null"], "minimum": 0},
        },
        "required": ["cell"],
        "additionalProperties": False,
    }
    image: dict[str, Any] = {
        "imageNumber": {"type": "integer", "minimum": 1, "maximum": LARGEST},
        "hit": flag,
        "nSpots": {"type": ["integer", "null"], "minimum": 0},
        "indexed": flag,
        "time": {**number, "description": "in seconds"},
        "resolution": {**number, "exclusiveMinimum": 0, "description": "in Å"},
        "lattices": {"type": "array", "items": lattice},
    }
    closed = {"type": "object", "required": ["imageNumber", "hit"], "additionalProperties": False}
    columns = {
        name: {"type": "array", "items": one, "maxItems": most} for name, one in image.items()
    }
    counts = ("runId", "n", "images", "hits", "indexed", "lattices")
    figures = {"type": "object", "properties": {name: {"type": "integer"} for name in counts}}
    stored = {"content": {JSON: {"schema": figures}}}
    return {
        "tags": ["serial crystallography"],
        "x-permission": str(Permission.RUNS_WRITE),
        "requestBody": {
            "required": True,
            "content": {
                JSON: {"schema": {**closed, "properties": columns}},
                NDJSON: {"schema": {**closed, "properties": image}},
            },
        },
        "responses": {
            "201": {"description": "stored", **stored},
            "200": {"description": "it was stored before", **stored},
            "default": {"$ref": "#/components/responses/Problem"},
        },
    }

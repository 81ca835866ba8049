"""What is stored of a run's images, over HTTP: a page as JSON, or all as NDJSON or CSV."""

import csv
import io
from collections.abc import Iterator
from typing import Any

import orjson
from flask import Response, request
from flask_restx import Namespace, Resource
from werkzeug.exceptions import NotAcceptable

from pyispyb_chassis.access import requires
from pyispyb_chassis.errors import BadRequest
from pyispyb_chassis.nouns.query import DEFAULT_LIMIT, LARGEST_LIMIT, LARGEST_SKIP
from pyispyb_chassis.nouns.reading import Row
from pyispyb_chassis.openapi import tells
from pyispyb_chassis.permissions import Permission
from pyispyb_chassis.principal import principal
from pyispyb_ssx.operations.columns import COLUMNS
from pyispyb_ssx.operations.images import all_images, page_of_images
from pyispyb_ssx.operations.store import Store

JSON, NDJSON, CSV = "application/json", "application/x-ndjson", "text/csv"
LINES = orjson.OPT_SERIALIZE_NUMPY | orjson.OPT_APPEND_NEWLINE


def images_namespace(store: Store) -> Namespace:
    """Reading images back, so that a summary can be recounted."""
    namespace = Namespace("images", path="/runs", description="Stored images")

    class Images(Resource):
        @tells(_listed())
        @requires(Permission.RUNS_READ)
        def get(self, run_id: int) -> Response:
            """List the images of a run, a page at a time; NDJSON and CSV give all of them.

            They come batch by batch, in the order of each batch's first image.
            """
            accepted = request.accept_mimetypes
            wanted = accepted.best_match([JSON, NDJSON, CSV]) if accepted else JSON
            if wanted == JSON:
                return _page(store, run_id)
            if wanted not in {NDJSON, CSV}:
                raise NotAcceptable(f"this answers as {JSON}, {NDJSON} or {CSV}")
            _read_paging(known=())
            batches = all_images(store, run_id, principal())
            lines = _ndjson(batches) if wanted == NDJSON else _csv(batches)
            return Response(lines, mimetype=wanted)

    namespace.add_resource(Images, "/<int:run_id>/images", endpoint="images")
    return namespace


def _page(store: Store, run_id: int) -> Response:
    limit, skip = _read_paging(known=("limit", "skip"))
    page = page_of_images(store, run_id, principal(), limit=limit, skip=skip)
    if page["next"] is not None:
        page["next"] = f"{request.path}?limit={limit}&skip={page['next']}"
    return Response(orjson.dumps(page, option=LINES), mimetype=JSON)


def _read_paging(*, known: tuple[str, ...]) -> tuple[int, int]:
    """The limit and skip of the query string. Raises BadRequest with every fault."""
    allowed = ", ".join(known) or "nothing, all images are sent"
    ranges = {"limit": (DEFAULT_LIMIT, LARGEST_LIMIT), "skip": (0, LARGEST_SKIP)}
    values = {name: default for name, (default, _) in ranges.items()}
    faults: list[tuple[str, str]] = []
    for name, texts in request.args.lists():
        if name not in known:
            faults.append((name, f"no such parameter; allowed: {allowed}"))
            continue
        text, most = texts[0], ranges[name][1]
        if len(texts) > 1:
            faults.append((name, "stands twice"))
        elif (
            text.isascii() and text.isdigit() and len(text) < len(str(2**63)) and int(text) <= most
        ):
            values[name] = int(text)
        else:
            faults.append((name, f"takes a whole number from 0 to {most}"))
    if faults:
        raise BadRequest("the query string has faults", errors=faults)
    return values["limit"], values["skip"]


def _ndjson(batches: Iterator[list[Row]]) -> Iterator[bytes]:
    for rows in batches:
        yield b"".join(orjson.dumps(row, option=LINES) for row in rows)


def _csv(batches: Iterator[list[Row]]) -> Iterator[str]:
    """Words as in JSON; an empty field is null; the lattices of an image are one JSON text."""
    yield ",".join(COLUMNS) + "\r\n"
    for rows in batches:
        text = io.StringIO()
        lines = csv.writer(text)
        for row in rows:
            lines.writerow(_text(row[name]) for name in COLUMNS)
        yield text.getvalue()


def _text(value: Any) -> str:
    if value is None:
        return ""
    return orjson.dumps(value, option=orjson.OPT_SERIALIZE_NUMPY).decode()


def _listed() -> dict[str, Any]:
    def whole(name: str, default: int, most: int) -> dict[str, Any]:
        bounds = {"type": "integer", "minimum": 0, "maximum": most, "default": default}
        return {"name": name, "in": "query", "schema": bounds}

    page = {
        "type": "object",
        "properties": {
            "total": {"type": "integer"},
            "results": {"type": "array", "items": {"type": "object"}},
            "limit": {"type": "integer"},
            "skip": {"type": "integer"},
            "next": {"type": ["string", "null"]},
        },
    }
    text = {"schema": {"type": "string"}}
    content = {JSON: {"schema": page}, NDJSON: text, CSV: text}
    return {
        "tags": ["serial crystallography"],
        "parameters": [
            whole("limit", DEFAULT_LIMIT, LARGEST_LIMIT), whole("skip", 0, LARGEST_SKIP)
        ],
        "responses": {
            "200": {"description": "images", "content": content},
            "default": {"$ref": "#/components/responses/Problem"},
        },
    }  # fmt: skip

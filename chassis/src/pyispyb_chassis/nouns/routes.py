"""The routes of nouns: two paths each, whose methods are one call into the engine."""

from collections.abc import Callable
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any, Generic
from urllib.parse import urlencode

from flask import Response, request
from flask_restx import Namespace, Resource

from pyispyb_chassis.access import requires
from pyispyb_chassis.bodies import json_answer, json_object, json_objects, listed
from pyispyb_chassis.database import Database
from pyispyb_chassis.errors import Forbidden, NotFound, Unprocessable
from pyispyb_chassis.nouns.bulk import MOST_AT_ONCE
from pyispyb_chassis.nouns.catalogue import Absent, Bound, Catalogue, Inner, RowId
from pyispyb_chassis.nouns.exports import as_csv, as_ndjson, columns_of, refuse_lists
from pyispyb_chassis.nouns.ledger import Attempt, checked_key
from pyispyb_chassis.nouns.noun import Noun
from pyispyb_chassis.nouns.parsing import read_paging, read_query
from pyispyb_chassis.nouns.policy import V
from pyispyb_chassis.nouns.query import OF_AN_EXPORT, OF_AN_ITEM, Filter
from pyispyb_chassis.nouns.reading import Reader, Row, within
from pyispyb_chassis.nouns.schema import schema_of
from pyispyb_chassis.nouns.tags import Versions, read_versions, tag_of
from pyispyb_chassis.nouns.writing import Writer
from pyispyb_chassis.principal import Principal, principal
from pyispyb_chassis.streams import CSV, JSON, NDJSON, streamed, wanted_form

CSV_WITH_HEADER = f"{CSV}; charset=utf-8; header=present"


@dataclass(frozen=True, slots=True)
class Engine(Generic[V]):
    """What noun routes need of a service: its catalogue, its rules, its database."""

    catalogue: Catalogue
    reader: Reader[V]
    writer: Writer[V]
    database: Database
    viewer_of: Callable[[Principal], V]
    prefix: str

    def row_id(self, noun: Bound, key: str, parent: str | None) -> RowId:
        """The id that a path tells. Raises NotFound where what it stands within is unseen."""
        return key if parent is None else Inner(self._parent(noun, parent), key)

    def _parent(self, noun: Bound, parent: str) -> int:
        above = self.catalogue.parent(noun)
        if above is None:
            raise NotFound
        viewer = self.viewer_of(principal())
        with self.database.reading() as connection:
            found = self.reader.row_id(connection, above, parent, viewer)
        return int(above.values_of(found)[-1])

    def _among(self, noun: Bound, parent: str | None) -> tuple[Filter, ...]:
        return () if parent is None else within(noun, self.row_id(noun, "", parent))

    def list(self, noun: Bound, parent: str | None = None) -> Response:
        """The rows that the caller may see: a page of them, or all as CSV or NDJSON."""
        form, among = wanted_form(), self._among(noun, parent)
        return self._page(noun, among) if form == JSON else self._export(noun, form, among)

    def _export(self, noun: Bound, form: str, among: tuple[Filter, ...]) -> Response:
        query = read_query(_arguments(), noun, self.catalogue, OF_AN_EXPORT, among)
        caller = principal()

        def viewer_now() -> Any:
            viewer = self.viewer_of(caller)
            if not self.reader.policy.may(viewer, noun.noun.read):
                raise Forbidden(f"this needs the permission {noun.noun.read}")
            return viewer

        plan = self.reader.plan(noun, query, viewer_now())
        pages = self.reader.every(self.database.reading, noun, query, viewer_now)
        if form == NDJSON:
            pieces, kind, ending = as_ndjson(pages), NDJSON, "ndjson"
        else:
            refuse_lists(plan)
            pieces, kind, ending = as_csv(pages, columns_of(plan)), CSV_WITH_HEADER, "csv"
        name = f'attachment; filename="{noun.path}.{ending}"'
        return streamed(pieces, kind, {"Content-Disposition": name, "Vary": "Accept"})

    def _page(self, noun: Bound, among: tuple[Filter, ...]) -> Response:
        arguments = _arguments()
        query = read_query(arguments, noun, self.catalogue, among=among)
        viewer = self.viewer_of(principal())
        with self.database.reading() as connection:
            page = self.reader.page(connection, noun, query, viewer)
        headers = {"Vary": "Accept"}
        if page["next"] is not None:
            by = "after" if query.skip is None else "skip"
            others = [(name, value) for name, value in arguments if name != by]
            page["next"] = f"{request.path}?{urlencode([*others, (by, page['next'])])}"
            headers["Link"] = f'<{page["next"]}>; rel="next"'
        return json_answer(page, headers=headers)

    def get(self, noun: Bound, key: RowId) -> Response:
        """One row by its id or the name it is known as."""
        query = read_query(_arguments(), noun, self.catalogue, OF_AN_ITEM)
        viewer = self.viewer_of(principal())
        known = read_versions("If-None-Match", request.headers.get("If-None-Match"))
        with self.database.reading() as connection:
            row, tag = self.reader.version(connection, noun, key, viewer, query)
        if known is not None and known.holds(tag):
            return Response(status=HTTPStatus.NOT_MODIFIED, headers={"ETag": tag})
        return json_answer(row, headers={"ETag": tag})

    def history(self, noun: Bound, key: RowId) -> Response:
        """What became of one row, the latest change first."""
        limit, skip = read_paging(_arguments())
        viewer = self.viewer_of(principal())
        with self.database.reading() as connection:
            page = self.writer.history.page(connection, noun, key, viewer, limit, skip)
        if page["next"] is not None:
            page["next"] = f"{request.path}?{urlencode({'limit': limit, 'skip': page['next']})}"
        return json_answer(page)

    def create(self, noun: Bound, parent: str | None = None) -> Response:
        """A new row: 201, its place and itself; for an array of them the list of all."""
        body = json_objects(MOST_AT_ONCE)
        if parent is not None:
            body = _put_within(noun, body, self._parent(noun, parent))
        if isinstance(body, list):
            rows = self.writer.create_all(noun, body, self.viewer_of(principal()), attempt())
            return json_answer(listed(rows), 201)
        key, row = self.writer.create(noun, body, self.viewer_of(principal()), attempt())
        above = noun.values_of(key)[0] if parent is not None else None
        mount = self.catalogue.mount(noun).format(parent=above)
        place = f"{self.prefix}/{mount}/{noun.values_of(key)[-1]}"
        return json_answer(row, 201, {"Location": place, "ETag": tag_of(noun, row)})

    def patch(self, noun: Bound, key: RowId) -> Response:
        """A changed row."""
        body, viewer = json_object(), self.viewer_of(principal())
        row: Row = self.writer.patch(noun, key, body, viewer, _meant())
        return json_answer(row, headers={"ETag": tag_of(noun, row)})

    def delete(self, noun: Bound, key: RowId) -> Response:
        """A row taken out."""
        self.writer.delete(noun, key, self.viewer_of(principal()), _meant())
        return Response(status=204)


def _arguments() -> list[tuple[str, str]]:
    return list(request.args.items(multi=True))


def _meant() -> Versions | None:
    """The versions of a row that this request is meant for, if it says so."""
    return read_versions("If-Match", request.headers.get("If-Match"))


def _put_within(noun: Bound, body: Any, parent: int) -> Any:
    """The body of a row, or of many, that stands within what its path names."""
    if isinstance(body, list):
        return [_put_within(noun, one, parent) for one in body]
    if not isinstance(body, dict):
        return body
    column = str(noun.noun.within)
    if body.get(column, parent) != parent:
        told = f"stands in the path: {parent}"
        raise Unprocessable("the body has faults", errors=[(column, told)])
    return {**body, column: parent}


def attempt() -> Attempt | None:
    """The idempotent attempt that this request is, if it carries a key."""
    key = checked_key(request.headers.get("Idempotency-Key"))
    if key is None:
        return None
    caller = principal()
    return Attempt(
        caller.issuer, caller.login, request.method, request.path, key, request.get_data()
    )


def noun_namespaces(engine: Engine[Any]) -> list[Namespace]:
    """A namespace for each noun, and one that lists the nouns and their schemas."""
    there = [_routes_of(noun, engine) for noun in engine.catalogue]
    absent = [_routes_of_absent(one) for one in engine.catalogue.absent.values()]
    return [*there, *absent, _directory(engine)]


def _routes_of_absent(absent: Absent) -> Namespace:
    """Routes that say why this site's database cannot serve the noun."""
    noun = absent.noun
    namespace = Namespace(noun.path, path=f"/{noun.path}", description=noun.doc)

    @requires(noun.read)
    def read(_self: Resource, **_keys: str) -> Response:
        raise NotFound(absent.reason)

    @requires(noun.write)
    def write(_self: Resource, **_keys: str) -> Response:
        raise NotFound(absent.reason)

    item = {"get": ("get", read), "patch": ("patch", write), "delete": ("delete", write)}
    _mount(namespace, noun, "", {"list": ("get", read), "create": ("post", write)})
    _mount(namespace, noun, "/<string:key>", item)
    _mount(namespace, noun, "/<string:key>/history", {"get": ("get", read)})
    return namespace


def _routes_of(noun: Bound, engine: Engine[Any]) -> Namespace:
    mount = engine.catalogue.mount(noun).replace("{parent}", "<string:parent>")
    namespace = Namespace(noun.path, path=f"/{mount}", description=noun.noun.doc)

    @requires(noun.noun.read)
    def list_(_self: Resource, parent: str | None = None) -> Response:
        return engine.list(noun, parent)

    @requires(noun.noun.write)
    def create(_self: Resource, parent: str | None = None) -> Response:
        return engine.create(noun, parent)

    @requires(noun.noun.read)
    def get(_self: Resource, key: str, parent: str | None = None) -> Response:
        return engine.get(noun, engine.row_id(noun, key, parent))

    @requires(noun.noun.write)
    def patch(_self: Resource, key: str, parent: str | None = None) -> Response:
        return engine.patch(noun, engine.row_id(noun, key, parent))

    @requires(noun.noun.write)
    def delete(_self: Resource, key: str, parent: str | None = None) -> Response:
        return engine.delete(noun, engine.row_id(noun, key, parent))

    @requires(noun.noun.read)
    def history(_self: Resource, key: str, parent: str | None = None) -> Response:
        return engine.history(noun, engine.row_id(noun, key, parent))

    collection = {"list": ("get", list_), "create": ("post", create)}
    item = {"get": ("get", get), "patch": ("patch", patch), "delete": ("delete", delete)}
    _mount(namespace, noun.noun, "", collection)
    _mount(namespace, noun.noun, "/<string:key>", item)
    _mount(namespace, noun.noun, "/<string:key>/history", {"get": ("get", history)})
    return namespace


def _mount(
    namespace: Namespace,
    noun: Noun,
    path: str,
    methods: dict[str, tuple[str, Callable[..., Response]]],
) -> None:
    offered = {method: call for action, (method, call) in methods.items() if action in noun.actions}
    if offered:
        kind = path.rpartition("/")[2].replace("<string:key>", "item") or "list"
        resource = type(f"{noun.table}_{kind}", (Resource,), offered)
        namespace.add_resource(resource, path, endpoint=f"{noun.path}_{kind}")


def _directory(engine: Engine[Any]) -> Namespace:
    namespace = Namespace("nouns", path="/nouns", description="What nouns there are")

    class Nouns(Resource):
        @requires()
        def get(self) -> Response:
            """List the nouns: name, path, area, doc."""
            rows = [
                {
                    "name": noun.path,
                    "path": f"{engine.prefix}/{engine.catalogue.mount(noun)}",
                    "area": noun.noun.area,
                    "doc": noun.noun.doc,
                    "closed": dict(noun.closed),
                    "missing": dict(noun.missing),
                }
                for noun in engine.catalogue
            ]
            absent = {path: one.reason for path, one in engine.catalogue.absent.items()}
            return json_answer({**listed(rows), "absent": absent})

    class NounSchema(Resource):
        @requires()
        def get(self, path: str) -> Response:
            """The JSON Schema of a noun: fields, types, units, filters, includes, rights."""
            if path not in engine.catalogue and path not in engine.catalogue.absent:
                raise NotFound("no such noun")
            return json_answer(schema_of(engine.catalogue[path], engine.catalogue))

    namespace.add_resource(Nouns, "", endpoint="nouns")
    namespace.add_resource(NounSchema, "/<string:path>", endpoint="noun_schema")
    return namespace

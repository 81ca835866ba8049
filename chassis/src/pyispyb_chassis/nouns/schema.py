"""A noun as JSON Schema and as OpenAPI, made from its declaration and its table."""

from collections.abc import Iterable, Mapping
from typing import Any

from pyispyb_chassis.nouns.bulk import MOST_AT_ONCE
from pyispyb_chassis.nouns.catalogue import Bound, Catalogue
from pyispyb_chassis.nouns.query import DEFAULT_LIMIT, LARGEST_LIMIT, OPERATORS
from pyispyb_chassis.streams import CSV, NDJSON

Json = dict[str, Any]
DIALECT = "https://json-schema.org/draft/2020-12/schema"


def schema_of(noun: Bound, catalogue: Catalogue) -> Json:
    """The JSON Schema of an item, with what can be asked and written of the noun."""
    return {
        "$schema": DIALECT,
        "title": noun.path,
        "description": noun.noun.doc,
        "type": "object",
        "properties": _properties(noun, catalogue, None),
        "required": list(noun.required),
        "additionalProperties": False,
        "key": noun.key,
        "area": noun.noun.area,
        "actions": list(noun.actions),
        "closed": dict(noun.closed),
        "missing": dict(noun.missing),
        "writable": [name for name in noun.fields if name in noun.noun.writable],
        "rightsBearing": [name for name in noun.fields if name in noun.noun.rights],
        "filters": [*noun.fields, *noun.noun.names, *noun.noun.sought],
        "operators": list(OPERATORS),
        "includes": list(noun.noun.includes),
        "nested": {name: reference.column for name, reference in noun.nested.items()},
        "includesOfMany": [name for name in noun.noun.includes if noun.references[name].many],
        "exports": [NDJSON, CSV],
        "createsAtOnce": MOST_AT_ONCE if "create" in noun.actions else 0,
        "search": list(noun.noun.search),
        "sort": noun.noun.sort,
        "permissions": {"read": noun.noun.read, "write": noun.noun.write},
    }


def _properties(noun: Bound, catalogue: Catalogue, refer: str | None) -> Json:
    """Columns, names and includes; `refer` is where an include's own schema lies, if anywhere."""
    properties: Json = {}
    for name, field in noun.fields.items():
        readable = {} if name in noun.settable else {"readOnly": True}
        properties[name] = {**field.schema, **readable}
    for name, known in noun.noun.names.items():
        kind = {"type": ["string", "null"], "description": known.doc, "readOnly": True}
        properties[name] = kind
    for name in noun.noun.includes:
        properties[name] = _included(noun, name, catalogue, refer)
    return properties


def _included(noun: Bound, name: str, catalogue: Catalogue, refer: str | None) -> Json:
    reference = noun.references[name]
    target = catalogue.target(reference)
    shape: Json = {"$ref": refer + target.path} if refer else {"type": "object"}
    if reference.many:
        return {
            "type": "array",
            "items": shape,
            "description": f"the {target.path} that you may see, only with include={name}",
            "readOnly": True,
        }
    about = f"the {target.path} row, only with include={name}; null where you may not see it"
    return {"anyOf": [shape, {"type": "null"}], "description": about, "readOnly": True}


def contract_of_nouns(catalogue: Catalogue, prefix: str) -> Json:
    """The OpenAPI paths and component schemas of all nouns."""
    paths: Json = {}
    schemas: Json = {"change": _CHANGE}
    for noun in catalogue:
        schemas[noun.path] = {
            "type": "object",
            "description": noun.noun.doc,
            "properties": _properties(noun, catalogue, "#/components/schemas/"),
        }
        schemas[f"{noun.path}-create"] = _body(noun, required=True)
        schemas[f"{noun.path}-patch"] = _body(noun, required=False)
        mount, above = f"{prefix}/{catalogue.mount(noun)}", _above(noun, catalogue)
        paths[mount] = above | _collection(noun)
        for path, methods in (("/{key}", _item(noun)), ("/{key}/history", _history(noun))):
            parameters = [*above.get("parameters", ()), *methods["parameters"]]
            paths[f"{mount}{path}"] = {**methods, "parameters": parameters}
    return {"paths": paths, "schemas": schemas}


def _body(noun: Bound, *, required: bool) -> Json:
    body: Json = {
        "type": "object",
        "properties": {
            name: field.schema for name, field in noun.fields.items() if name in noun.settable
        },
        "additionalProperties": False,
    }
    if not required:
        return body
    for name, reference in noun.nested.items():
        body["properties"][name] = {
            "$ref": f"#/components/schemas/{reference.target}-create",
            "description": f"instead of {reference.column}: a row that is made too",
        }
    told = {reference.column: name for name, reference in noun.nested.items()}
    if needed := [name for name in noun.required if name not in told]:
        body["required"] = needed
    either = [
        [{"required": [column]}, {"required": [name]}]
        for column, name in told.items()
        if column in noun.required
    ]
    if either:
        body["allOf"] = [{"anyOf": one} for one in either]
    return body


def _page_of(row: Json) -> Json:
    return {
        "type": "object",
        "properties": {
            "total": {"type": ["integer", "null"]},
            "results": {"type": "array", "items": row},
            "limit": {"type": "integer"},
            "skip": {"type": ["integer", "null"], "description": "null behind a cursor"},
            "next": {"type": ["string", "null"], "description": "the path of the next page"},
        },
        "required": ["total", "results", "limit", "skip", "next"],
    }


def _collection(noun: Bound) -> Json:
    reference = {"$ref": f"#/components/schemas/{noun.path}"}
    page = _page_of(reference)
    operations: Json = {
        "get": _operation(noun, f"List {noun.path}", noun.noun.read, ok=(200, page))
        | {"parameters": list(_list_parameters(noun)), "description": noun.noun.doc}
    }
    line: Json = {"schema": {"type": "string"}}
    operations["get"]["responses"]["200"]["content"] |= {NDJSON: line, CSV: line}
    if "create" in noun.noun.actions:
        operations["post"] = _operation(
            noun, f"Create one of {noun.path}", noun.noun.write, ok=(201, reference), body="create"
        ) | {"parameters": [_IDEMPOTENCY_KEY]}
        one_or_many(operations["post"], page)
    return operations


def one_or_many(operation: Json, page: Json) -> None:
    """Let the body also be an array of objects, answered by the list of them."""
    sent = operation["requestBody"]["content"]["application/json"]
    many = {"type": "array", "items": sent["schema"], "minItems": 1, "maxItems": MOST_AT_ONCE}
    sent["schema"] = {"anyOf": [sent["schema"], many]}
    told = operation["responses"]["201"]["content"]["application/json"]
    told["schema"] = {"anyOf": [told["schema"], page]}


def _above(noun: Bound, catalogue: Catalogue) -> Json:
    """The parameter of the path that says within what the rows stand, if in anything."""
    parent = catalogue.parent(noun)
    return {} if parent is None else {"parameters": [_key_of(parent, "parent")]}


def _key_of(noun: Bound, name: str = "key") -> Json:
    known = f", or its {noun.noun.known_as}" if noun.noun.known_as else ""
    return {
        "name": name,
        "in": "path",
        "required": True,
        "description": f"{noun.key}{known}",
        "schema": {"type": "string"},
    }


def _history(noun: Bound) -> Json:
    page = _page_of({"$ref": "#/components/schemas/change"})
    summary = f"List the changes of one of {noun.path}, the latest first"
    return {
        "parameters": [_key_of(noun)],
        "get": _operation(noun, summary, noun.noun.read, ok=(200, page))
        | {"parameters": [_LIMIT, _SKIP]},
    }


def _item(noun: Bound) -> Json:
    reference = {"$ref": f"#/components/schemas/{noun.path}"}
    operations: Json = {
        "parameters": [_key_of(noun)],
        "get": _operation(noun, f"Get one of {noun.path}", noun.noun.read, ok=(200, reference))
        | {"parameters": [_FIELDS, _include(noun), _IF_NONE_MATCH]},
    }
    operations["get"]["responses"]["304"] = {"description": "it is the version that you have"}
    if "patch" in noun.noun.actions:
        operations["patch"] = _operation(
            noun, f"Change one of {noun.path}", noun.noun.write, ok=(200, reference), body="patch"
        ) | {"parameters": [_IF_MATCH]}
    if "delete" in noun.noun.actions:
        operations["delete"] = _operation(
            noun, f"Delete one of {noun.path}", noun.noun.write, ok=(204, None)
        ) | {"parameters": [_IF_MATCH]}
    for method in ("get", "patch"):
        if method in operations:
            operations[method]["responses"]["200"]["headers"] = {"ETag": _ETAG}
    return operations


def _operation(
    noun: Bound, summary: str, permission: str, *, ok: tuple[int, Json | None], body: str = ""
) -> Json:
    status, schema = ok
    answer: Json = {"description": "done"}
    if schema is not None:
        answer["content"] = {"application/json": {"schema": schema}}
    operation: Json = {
        "tags": [noun.noun.area],
        "summary": summary,
        "x-permission": str(permission),
        "responses": {str(status): answer, "default": {"$ref": "#/components/responses/Problem"}},
    }
    if body:
        schema = {"$ref": f"#/components/schemas/{noun.path}-{body}"}
        operation["requestBody"] = {
            "required": True,
            "content": {"application/json": {"schema": schema}},
        }
    return operation


def _parameter(name: str, doc: str, schema: Mapping[str, Any]) -> Json:
    return {"name": name, "in": "query", "description": doc, "schema": dict(schema)}


_LIMIT = _parameter(
    "limit",
    "rows of a page",
    {"type": "integer", "minimum": 0, "maximum": LARGEST_LIMIT, "default": DEFAULT_LIMIT},
)
_SKIP = _parameter("skip", "rows before the page", {"type": "integer", "minimum": 0, "default": 0})
_CHANGE: Json = {
    "type": "object",
    "description": "who changed which fields of a row, when, and under which request",
    "properties": {
        "changeId": {"type": "integer"},
        "action": {"type": "string"},
        "login": {"type": "string"},
        "time": {"type": "string", "format": "date-time"},
        "fields": {"type": "array", "items": {"type": "string"}},
        "requestId": {"type": "string"},
    },
}
_FIELDS = _parameter(
    "fields", "the fields wanted, with commas; Include.field for an include's", {"type": "string"}
)
_ETAG: Json = {
    "description": "the version of the row, the same whatever fields are asked for",
    "schema": {"type": "string"},
}
_IF_MATCH: Json = {
    "name": "If-Match",
    "in": "header",
    "description": "write only if the row is still of this ETag, else 412; * is any",
    "schema": {"type": "string"},
}
_IF_NONE_MATCH: Json = {
    "name": "If-None-Match",
    "in": "header",
    "description": "answer 304 if the row is still of this ETag",
    "schema": {"type": "string"},
}
_IDEMPOTENCY_KEY: Json = {
    "name": "Idempotency-Key",
    "in": "header",
    "description": "your own word for this request: sent again it is done once, answered the same",
    "schema": {"type": "string", "maxLength": 255},
}


def _include(noun: Bound) -> Json:
    known = ", ".join(noun.noun.includes) or "nothing"
    return _parameter(
        "include",
        f"rows referred to or referring, with commas, dotted to go on: {known}",
        {"type": "string"},
    )


def _list_parameters(noun: Bound) -> Iterable[Json]:
    yield _LIMIT
    yield _SKIP
    yield _parameter(
        "after",
        "begin behind this cursor, taken from the next of a page of this same list",
        {"type": "string"},
    )
    yield _parameter("total", "whether to count all", {"type": "boolean", "default": True})
    yield _parameter(
        "sort",
        f"fields with commas, - before one to turn it; default {noun.noun.sort or noun.key}",
        {"type": "string"},
    )
    yield _FIELDS
    yield _include(noun)
    if noun.noun.search or noun.noun.known_as:
        yield _parameter("search", "text that is contained", {"type": "string"})
    for name in [*noun.fields, *noun.noun.names]:
        yield _parameter(
            name, f"equal to; also {name}[{'|'.join(OPERATORS[1:])}]", {"type": "string"}
        )
    for name, sought in noun.noun.sought.items():
        yield _parameter(name, f"equal to: {sought.doc}", {"type": "string"})

"""What a kong.yml must be to be read at all: its version, its fields, its placeholders."""

import json
import re
from collections.abc import Iterator
from importlib.resources import files
from typing import Any

from pyispyb_gateway.document import Document, Table, leaves
from pyispyb_gateway.fill import ANYWHERE, NAMES, WHOLE
from pyispyb_gateway.lint.reading import all_plugins, below, config_of, lua, tables
from pyispyb_gateway.lint.rules import Fault, rule

FIELDS: dict[str, Any] = json.loads(
    files("pyispyb_gateway").joinpath("kong_3_9_fields.json").read_text(encoding="utf-8")
)


@rule("format-version", 'write _format_version: "3.0", in quotes: 3.0 is a number to YAML')
def _format_version(document: Document) -> Iterator[Fault]:
    version = document.tree.get("_format_version")
    if version != "3.0":
        yield document.tree.line_of("_format_version"), f"_format_version is {version!r}"


@rule("unknown-field", "use a field of kong_3_9_fields.json; Kong refuses the whole file for it")
def _unknown_fields(document: Document) -> Iterator[Fault]:
    for kind, table in _entities(document.tree):
        yield from _strange(table, FIELDS["entities"][kind]["fields"], kind)
    for plugin in all_plugins(document.tree):
        known = FIELDS["plugins"].get(plugin.get("name"))
        if known is not None:
            yield from _strange(config_of(plugin), known["fields"], plugin["name"])


@rule("plugin", "use a plugin of kong_3_9_fields.json: the others are not rendered for Envoy")
def _unknown_plugins(document: Document) -> Iterator[Fault]:
    for plugin in all_plugins(document.tree):
        if plugin.get("name") not in FIELDS["plugins"]:
            yield plugin.line_of("name"), f"plugin {plugin.get('name')} is outside of the subset"


@rule("placeholder", "give it a value, or take it out")
def _placeholders(document: Document) -> Iterator[Fault]:
    for value, line in leaves(document.tree):
        if not isinstance(value, str):
            continue
        for match in ANYWHERE.finditer(value):
            whole = WHOLE.fullmatch(value)
            if whole is None or whole[1] not in NAMES:
                yield line, f"{match[0]} is not filled"


@rule("vault", "put the value itself in: Kong takes a vault reference in a credential literally")
def _vault(document: Document) -> Iterator[Fault]:
    for value, line in leaves(document.tree):
        if isinstance(value, str) and value.startswith("{vault://"):
            yield line, f"{value} is a vault reference"


@rule("folded-lua", "write Lua with comments as a literal block (|)")
def _folded_lua(document: Document) -> Iterator[Fault]:
    chunks = set(lua(document.tree))
    for scalar in document.scalars:
        if scalar.value in chunks and scalar.style != "|" and re.search(r"--", scalar.value):
            yield scalar.line, "a Lua comment in a scalar that is one line swallows what follows"


def _strange(table: Table, known: list[str], where: str) -> Iterator[Fault]:
    for key in table:
        if key not in known:
            yield table.line_of(key), f"{where} has no field {key}"


def _entities(tree: Table) -> Iterator[tuple[str, Table]]:
    """Each table of the file that is not a plugin's config, with its name in the field list."""
    yield "document", tree
    for kind in ("services", "routes", "upstreams", "consumers"):
        for entity in tables(tree, kind):
            yield kind, entity
            for part in ("routes", "targets", "jwt_secrets"):
                for inner in tables(entity, part):
                    yield part, inner
            checks = below(entity, "healthchecks")
            if checks:
                yield "healthchecks", checks
            active = below(checks, "active")
            yield "healthchecks.active", active
            yield "healthchecks.active.healthy", below(active, "healthy")
            yield "healthchecks.active.unhealthy", below(active, "unhealthy")
    for plugin in all_plugins(tree):
        yield "plugins", plugin

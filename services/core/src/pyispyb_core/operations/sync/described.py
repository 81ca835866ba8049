"""The JSON Schema of a user office's JSON, from the shapes by which it is read."""

from collections.abc import Mapping
from typing import Any

from pyispyb_chassis.nouns.catalogue import Catalogue
from pyispyb_chassis.nouns.fields import Field
from pyispyb_core.operations.sync.sheet import MOST, Link, Shape

Schema = dict[str, Any]
KEY: Schema = {"type": "string", "minLength": 1}


def schema_of(
    shape: Shape | Link, catalogue: Catalogue, links: Mapping[str, Mapping[str, Field]]
) -> Schema:
    """What one object may say; which fields a new row needs, docs/user-office.md tells."""
    if isinstance(shape, Link):
        fields = {name: links[shape.table][name] for name in shape.columns}
    else:
        noun = catalogue[shape.noun]
        fields = {name: noun.fields[name] for name in sorted(noun.settable - shape.without)}
    said: Schema = {name: dict(field.schema) for name, field in fields.items()}
    said |= {
        name: {**KEY, "description": f"a key in {target}"} for name, target in shape.refers.items()
    }
    if isinstance(shape, Shape):
        if shape.known_as is not None:
            said["key"] = {**KEY, "description": f"its {shape.known_as} where none is given"}
        for name, below in shape.lists.items():
            items = schema_of(below, catalogue, links)
            said[name] = {"type": "array", "maxItems": MOST, "items": items}
    return {"type": "object", "additionalProperties": False, "properties": said}

"""The tables that core wants, with the foreign keys that this database can have."""

from collections.abc import Mapping
from typing import Any

import sqlalchemy as sa

Kinds = Mapping[tuple[str, str], sa.types.TypeEngine[Any]]


def wanted_of(source: sa.MetaData, there: Kinds) -> sa.MetaData:
    """A copy of the tables in which a foreign key has the type of what it leads to.

    `there` are the types of the columns that the database has, by table and column in small
    letters: a key of another width or sign than what it leads to cannot be made.
    """
    made = sa.MetaData()
    for table in source.tables.values():
        table.to_metadata(made)
    for table in _those_led_to_first(made):
        for constraint in table.foreign_key_constraints:
            # The name that the package gives may be taken by a key of the site.
            constraint.name = None
            for key in constraint.elements:
                leads, target = key.parent, key.column
                found = there.get((str(target.table.name).lower(), str(target.name).lower()))
                leads.type = found if found is not None else target.type
    return made


def _those_led_to_first(metadata: sa.MetaData) -> list[sa.Table]:
    """The tables in an order; where two lead to each other, any."""
    order: list[sa.Table] = []
    seen: set[str] = set()

    def visit(table: sa.Table) -> None:
        if table.key in seen:
            return
        seen.add(table.key)
        for key in table.foreign_keys:
            visit(key.column.table)
        order.append(table)

    for table in metadata.tables.values():
        visit(table)
    return order

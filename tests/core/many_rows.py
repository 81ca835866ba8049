"""As many rows as wanted of every noun, by one statement a table: for what costs must not grow."""

from collections.abc import Sequence
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects import mysql
from sqlalchemy.engine import Connection

from pyispyb_chassis.nouns.catalogue import Bound, Catalogue

FIRST = 100_000  # the ids of what others made lie below
_BEGIN = "TIMESTAMP '2026-01-01 08:00:00' + INTERVAL seq MINUTE"
_VALUES = {
    bool: "0",
    bytes: "'x'",
    float: "seq * 0.25",
    int: "seq % 100",
    str: "CONCAT('w', seq)",
}
# What rules read: a code that is open to staff, a shipment that is under way.
_FIXED = {"proposalCode": "'MX'", "shippingStatus": "'opened'", "beamLineName": "'BL9'"}


def add_many(connection: Connection, nouns: Sequence[Bound], low: int, high: int) -> None:
    """Add the rows from `low` to `high` to the table of each of these nouns, on MariaDB.

    Row n of each names row n of all that it may name, so that proposal n has one of each.
    """
    connection.exec_driver_sql("SET SESSION foreign_key_checks = 0, unique_checks = 0")
    for noun in nouns:
        if not is_small(noun):
            values = _values(noun)
            columns = ", ".join(f"`{name}`" for name in values)
            made = ", ".join(values.values())
            connection.exec_driver_sql(
                f"INSERT INTO `{noun.table.name}` ({columns}) "
                f"SELECT {made} FROM seq_{low}_to_{high}".replace("%", "%%")
            )
    connection.exec_driver_sql("SET SESSION foreign_key_checks = 1, unique_checks = 1")
    names = ", ".join(f"`{noun.table.name}`" for noun in nouns)
    # The server counts its rows by itself too, some time after they came.
    connection.exec_driver_sql(f"ANALYZE TABLE {names}").all()


def add_member(connection: Connection, catalogue: Catalogue, person: int, rows: range) -> None:
    """Make a person a member of these proposals."""
    members = catalogue["proposal-members"].table
    key = members.autoincrement_column
    assert key is not None
    many = [
        {key.name: FIRST - 1 - n, "proposalId": FIRST + n, "personId": person, "role": "Associate"}
        for n in rows
    ]
    connection.execute(sa.insert(members), many)


def is_small(noun: Bound) -> bool:
    """Whether a site has few rows of it, as of a lookup."""
    kind = noun.table.c[noun.key].type
    return noun.noun.level in {"lookup", "administration"} or isinstance(
        kind, (mysql.TINYINT, mysql.SMALLINT)
    )


def _values(noun: Bound) -> dict[str, str]:
    """What the columns that matter are in row `seq`."""
    own = {name for name, one in noun.by_column.items() if one.target == noun.path}
    keys = {column.name for column in noun.table.primary_key}
    matter = {*noun.noun.search, *(part.lstrip("-") for part in noun.noun.sort.split(","))}
    found: dict[str, str] = {}
    for column in noun.table.columns:
        name = str(column.name)
        needed = not column.nullable and column.server_default is None
        if column.computed is not None or name in own:
            continue
        if name in _FIXED:
            found[name] = _FIXED[name]
        elif name in keys or name in noun.by_column:
            found[name] = f"{FIRST} + seq"
        elif needed or name in matter:
            found[name] = _value(column)
    return found


def _value(column: sa.Column[Any]) -> str:
    kind = column.type
    if isinstance(kind, sa.Enum):
        return f"'{kind.enums[0]}'"
    if isinstance(kind, (sa.DateTime, sa.Date, sa.Time)):
        return _BEGIN
    value = _VALUES.get(kind.python_type, "seq * 0.25")
    length = getattr(kind, "length", None)
    return f"RIGHT({value}, {length})" if kind.python_type is str and length else value

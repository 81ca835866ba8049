"""What others refer to is not deleted: a case for each foreign key that the database has."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date, datetime, time
from functools import cache
from typing import Any

import pytest
import sqlalchemy as sa
from sqlalchemy.engine import Connection, Engine
from tests.core.matrix.every import deletable
from tests.core.matrix.stage import Stage

from pyispyb_core.catalogue import NOUNS

DELETABLE = {noun.path: noun for noun in NOUNS if "delete" in noun.actions}
VALUES: dict[type, Any] = {
    int: 101,  # of any width, and no row's of the world
    float: 1.5,
    str: "x",
    bytes: b"x",
    bool: True,
    date: date(2031, 3, 1),
    datetime: datetime(2031, 3, 1, 8),  # noqa: DTZ001
    time: time(8),
}


@pytest.mark.parametrize("noun", [path for path, noun in DELETABLE.items() if noun.within is None])
def test_a_row_that_another_refers_to_stays(stage: Stage, noun: str) -> None:
    who, row = deletable(noun)
    key = stage.world[row]
    before = stage.values(noun)[key]
    referring = _referring(stage)[DELETABLE[noun].table]
    for table, column in referring:
        if table.name in DELETABLE[noun].owns:
            continue
        columns = [table.c[name] for other, name in referring if other is table]
        count = _count(stage, table, columns, key) + 1
        with _one_more(stage, table, column, key):
            answer = stage.call(who, "DELETE", f"{noun}/{key}")
            case = f"{row}, to which {table.name}.{column} refers: {answer.text}"
            assert answer.status_code == 409, case
            told = {"field": table.name, "detail": f"{count} rows refer to it"}
            assert told in answer.get_json()["errors"], case
            assert f"{count} {table.name}" in answer.get_json()["detail"], case
            assert _count(stage, table, columns, key) == count, case
    assert stage.values(noun)[key] == before


def test_nothing_refers_to_what_goes_with_its_owner_or_stands_within_another(stage: Stage) -> None:
    gone = {name for noun in DELETABLE.values() for name in noun.owns}
    gone |= {noun.table for noun in DELETABLE.values() if noun.within is not None}
    assert [name for name in sorted(gone) if _referring(stage)[name]] == []


def _referring(stage: Stage) -> dict[str, list[tuple[sa.Table, str]]]:
    """By table, the columns that the database itself says lead to it."""
    return _referring_in(_engine(stage.database.url), stage.world.metadata)


@cache
def _referring_in(engine: Engine, metadata: sa.MetaData) -> dict[str, list[tuple[sa.Table, str]]]:
    found: dict[str, list[tuple[sa.Table, str]]] = {name: [] for name in metadata.tables}
    for (_, name), foreign_keys in sa.inspect(engine).get_multi_foreign_keys().items():
        for foreign in foreign_keys:
            for column in foreign["constrained_columns"]:
                found[foreign["referred_table"]].append((metadata.tables[name], column))
    return found


@contextmanager
def _one_more(stage: Stage, table: sa.Table, column: str, key: int) -> Iterator[None]:
    """One row more of this table that refers to this key."""
    values = {**_filled(table), column: key}
    with _unchecked(stage) as connection:
        made = connection.execute(sa.insert(table).values(values)).inserted_primary_key or ()
    try:
        yield
    finally:
        with _unchecked(stage) as connection:
            itself = zip(table.primary_key, made, strict=True)
            connection.execute(sa.delete(table).where(*[one == value for one, value in itself]))


def _count(stage: Stage, table: sa.Table, columns: list[sa.Column[Any]], key: int) -> int:
    """How often rows of this table refer to this key."""
    counts = [sa.select(sa.func.count()).select_from(table).where(c == key) for c in columns]
    with stage.database.reading() as connection:
        return sum(connection.execute(count).scalar_one() for count in counts)


def _filled(table: sa.Table) -> dict[str, Any]:
    """A value for each column that needs one."""
    return {
        str(column.name): _value(column)
        for column in table.columns
        if not column.nullable and column.server_default is None and column.computed is None
        if column is not table.autoincrement_column
    }


def _value(column: sa.Column[Any]) -> Any:
    if isinstance(column.type, sa.Enum):
        return column.type.enums[0]
    return VALUES[column.type.python_type]


@contextmanager
def _unchecked(stage: Stage) -> Iterator[Connection]:
    """A transaction in which a foreign key may lead nowhere, as the ones beside it do."""
    with _engine(stage.database.url).begin() as connection:
        if not stage.database.is_sqlite:  # SQLite looks only where it is told to
            connection.exec_driver_sql("SET SESSION foreign_key_checks = 0")
        yield connection


@cache
def _engine(url: sa.URL) -> Engine:
    return sa.create_engine(url, poolclass=sa.NullPool)

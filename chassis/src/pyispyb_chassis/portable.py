"""Tables that were made for MariaDB, fitted to the database that is there: MariaDB or SQLite."""

from typing import Any, cast

import sqlalchemy as sa
from sqlalchemy.dialects import mysql
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql import quoted_name


class JsonText(mysql.LONGTEXT):
    """A text that holds JSON; MariaDB has no type of its own for it, only a check."""


class Clock(sa.TypeDecorator[Any]):
    """A TIME, which goes from -838 to 838 hours on MariaDB: read as the driver has it.

    SQLAlchemy's own would turn it round the day: 25:00 into 01:00.
    """

    impl = sa.Time
    cache_ok = True

    def result_processor(self, dialect: Any, coltype: Any) -> Any:
        """None where a value stays as it is."""
        return super().result_processor(dialect, coltype) if dialect.name == "sqlite" else None


_INTEGERS = (mysql.TINYINT, mysql.SMALLINT, mysql.MEDIUMINT, mysql.INTEGER, mysql.BIGINT)


def _on_sqlite(*kinds: type[Any], sql: str) -> None:
    for kind in kinds:
        compiles(kind, "sqlite")(lambda _type, _compiler, **_: sql)


# A one-column key is a rowid alias (and so counts up by itself) only when it reads exactly INTEGER.
_on_sqlite(*_INTEGERS, sql="INTEGER")
_on_sqlite(mysql.LONGBLOB, mysql.MEDIUMBLOB, mysql.BINARY, mysql.VARBINARY, sa.BINARY, sql="BLOB")
_on_sqlite(mysql.TINYTEXT, mysql.MEDIUMTEXT, mysql.LONGTEXT, sa.Text, sql="TEXT COLLATE NOCASE")


@compiles(sa.String, "sqlite")
@compiles(mysql.VARCHAR, "sqlite")
@compiles(sa.Enum, "sqlite")
def _words_on_sqlite(kind: Any, _compiler: Any, **_: Any) -> str:
    length = getattr(kind, "length", None)
    return f"VARCHAR({length}) COLLATE NOCASE" if length else "TEXT COLLATE NOCASE"


def fitted(source: sa.MetaData, *, sqlite: bool) -> sa.MetaData:
    """A copy of `source` that the database can make and that reads alike on both.

    `source` stays as it is, so that one process can hold both kinds.
    """
    target = sa.MetaData()
    for table in source.tables.values():
        table.to_metadata(target)
    for table in target.tables.values():
        for column in table.columns:
            column.type = _read_alike(column)
            if sqlite:
                _take_off_what_sqlite_lacks(column)
        if sqlite:
            for index in table.indexes:  # index names are per database there, and some clash
                index.name = quoted_name(f"{table.name}__{index.name}", quote=None)
    return target


def _read_alike(column: sa.Column[Any]) -> sa.types.TypeEngine[Any]:
    kind: sa.types.TypeEngine[Any] = column.type
    if isinstance(kind, mysql.LONGTEXT) and (column.comment or "").startswith("JSON"):
        return JsonText()  # ISPyB says it in the comment alone
    if isinstance(kind, sa.Time):
        return Clock()
    if isinstance(kind, (sa.Float, sa.Double)):  # else read as decimal.Decimal
        plain: Any = kind.copy()
        plain.asdecimal = False
        return cast("sa.types.TypeEngine[Any]", plain)
    return kind


def _take_off_what_sqlite_lacks(column: sa.Column[Any]) -> None:
    default = column.server_default
    text = str(default.arg).lower() if isinstance(default, sa.DefaultClause) else ""
    if text.startswith("current_timestamp"):
        column.server_default = sa.DefaultClause(sa.text("CURRENT_TIMESTAMP"))
    elif text.startswith("current_user") or "0000-00-00" in text:
        column.server_default = None
        column.nullable = True

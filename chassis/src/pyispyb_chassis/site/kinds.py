"""The types of MariaDB's columns as SQLAlchemy's, and whether two of them take the same values."""

import re
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects import mysql

from pyispyb_chassis.portable import Clock, JsonText

Kind = sa.types.TypeEngine[Any]

_DECLARED = re.compile(r"(\w+)(?:\((.*)\))?(.*)", re.DOTALL)
_WORD = re.compile(r"'((?:[^']|'')*)'")
_INTEGERS: dict[str, type[Any]] = {
    "tinyint": mysql.TINYINT,
    "smallint": mysql.SMALLINT,
    "mediumint": mysql.MEDIUMINT,
    "int": mysql.INTEGER,
    "integer": mysql.INTEGER,
    "bigint": mysql.BIGINT,
}
_TEXTS: dict[str, type[Any]] = {
    "tinytext": mysql.TINYTEXT,
    "text": mysql.TEXT,
    "mediumtext": mysql.MEDIUMTEXT,
    "longtext": mysql.LONGTEXT,
}
_TIMES: dict[str, type[Any]] = {
    "datetime": sa.DateTime,
    "timestamp": sa.TIMESTAMP,
    "date": sa.Date,
    "time": Clock,
}
_BITS: tuple[tuple[type[Any], int], ...] = (
    (mysql.TINYINT, 8),
    (mysql.MEDIUMINT, 24),
    (sa.SmallInteger, 16),
    (sa.BigInteger, 64),
)
# A DOUBLE is a Float to SQLAlchemy too, a TIMESTAMP a DateTime: the narrower comes first.
_PLAIN: tuple[tuple[type[Any], str], ...] = (
    (sa.Double, "double"),
    (sa.Float, "float"),
    *((class_, name) for name, class_ in reversed(_TIMES.items())),
)
_BLOBS = frozenset({"tinyblob", "blob", "mediumblob", "longblob"})
# What every character fits in; columns in it need no word about it.
UNICODE = "utf8mb4"


def kind_of(declared: str, charset: str | None, *, json: bool = False) -> Kind | None:
    """The type that `information_schema` declares so; None for one that we do not read."""
    parts = _DECLARED.fullmatch(declared)
    if parts is None:
        return None
    word, inner, more = parts[1].lower(), parts[2] or "", parts[3]
    if json:
        return JsonText(charset=charset)
    if word in _INTEGERS:
        return _INTEGERS[word](unsigned="unsigned" in more)  # type: ignore[no-any-return]
    if word == "year":
        return mysql.SMALLINT()
    if word in {"varchar", "char"}:
        return mysql.VARCHAR(int(inner), charset=charset)
    if word in _TEXTS:
        return _TEXTS[word](charset=charset)  # type: ignore[no-any-return]
    if word in _TIMES:
        return _TIMES[word]()  # type: ignore[no-any-return]
    return _other(word, inner)


def _other(word: str, inner: str) -> Kind | None:
    match word:
        case "enum":
            return sa.Enum(*[found.replace("''", "'") for found in _WORD.findall(inner)])
        case "float":
            return sa.Float()
        case "double":
            return sa.Double()
        case "decimal":
            precision, _, scale = inner.partition(",")
            return sa.Numeric(int(precision), int(scale or 0))
        case "binary" | "varbinary":
            return mysql.BINARY(int(inner)) if word == "binary" else mysql.VARBINARY(int(inner))
        case _ if word in _BLOBS:
            return mysql.LONGBLOB()
        case _:
            return None


def charset_of(kind: Kind) -> str | None:
    """The character set of a text column where it is not one for every character."""
    charset = getattr(kind, "charset", None)
    return None if charset is None or charset == UNICODE else str(charset)


def bits_of(kind: Kind) -> int:
    """How wide a whole number is."""
    return next((bits for class_, bits in _BITS if isinstance(kind, class_)), 32)


def takes(kind: Kind) -> tuple[Any, ...]:
    """What a type takes: two that take the same are no difference, whatever they are called."""
    if isinstance(kind, sa.Enum):
        return "enum", *kind.enums
    if isinstance(kind, sa.Integer):
        return "integer", bits_of(kind), bool(getattr(kind, "unsigned", False))
    if isinstance(kind, sa.Numeric) and not isinstance(kind, (sa.Float, sa.Double)):
        return "decimal", kind.precision, kind.scale
    if isinstance(kind, sa.String):
        return _text(kind)
    for class_, name in _PLAIN:
        if isinstance(kind, class_):
            return (name,)
    return "bytes", getattr(kind, "length", None)


def _text(kind: sa.String) -> tuple[Any, ...]:
    if isinstance(kind, JsonText):
        return ("json",)
    for name, class_ in _TEXTS.items():
        if isinstance(kind, class_):
            return "text", name
    return "text", "text" if isinstance(kind, sa.Text) else kind.length

"""A column and its form on the wire: what is read, what is accepted, what is refused and why."""

import logging
import math
import re
import struct
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from decimal import ROUND_HALF_UP, Decimal
from typing import Any
from zoneinfo import ZoneInfo

import orjson
import sqlalchemy as sa
from sqlalchemy.dialects import mysql

from pyispyb_chassis.portable import Clock, JsonText
from pyispyb_chassis.site.charsets import bytes_of, stranger_to
from pyispyb_chassis.site.kinds import bits_of, charset_of

log = logging.getLogger(__name__)

_TEXT_BYTES: tuple[tuple[type[Any], int], ...] = (
    (mysql.TINYTEXT, 2**8 - 1),
    (mysql.MEDIUMTEXT, 2**24 - 1),
    (mysql.LONGTEXT, 2**32 - 1),
    (sa.Text, 2**16 - 1),
)
_FLOAT_LARGEST = 3.402823466e38
_UUID_BYTES = 16
_TIMESTAMP_RANGE = (datetime(1970, 1, 1, 0, 0, 1, tzinfo=UTC), datetime(2038, 1, 19, tzinfo=UTC))
_FIRST_YEAR, _LAST_YEAR = 1000, 9999
# The + of an offset comes as a blank where a client did not quote it in the query string.
_BLANK_FOR_PLUS = re.compile(r"(T[\d:.]+) (\d\d:\d\d)$")


class Refused(ValueError):
    """A value that the column does not take; the text says what it takes."""


@dataclass(frozen=True, slots=True)
class Field:
    """One column on the wire.

    `schema` is its JSON Schema; `accept` turns a JSON value into the database's, `parse` a query
    string's text, both raise Refused; `show` (None: as it is) turns it into JSON's.
    """

    name: str
    kind: str
    nullable: bool
    schema: Mapping[str, Any]
    accept: Callable[[Any], Any]
    parse: Callable[[str], Any]
    show: Callable[[Any], Any] | None
    single: bool = False
    longest: int = 0

    @property
    def is_text(self) -> bool:
        """Whether it compares as text: without case and trailing blanks."""
        return self.kind in {"string", "enum", "json"}


def field_of(
    column: sa.Column[Any], zone: ZoneInfo, *, unit: str | None, pattern: str | None
) -> Field:
    """The wire form of a column; `zone` is that of the database's naive times."""
    kind, schema, accept, parse, show = _form_of(column.type, zone)
    schema = dict(schema)
    if kind == "json":
        schema["type"] = ["object", "array", *(["null"] if column.nullable else [])]
    elif column.nullable:
        schema["type"] = [schema["type"], "null"]
        if "enum" in schema:
            schema["enum"] = [*schema["enum"], None]
    if unit:
        schema["description"] = f"in {unit}"
    if pattern:
        schema["pattern"] = pattern
    return Field(
        str(column.name),
        kind,
        bool(column.nullable),
        schema,
        accept,
        parse,
        show,
        single=_is_single(column.type),
        longest=_longest(column.type),
    )


def text_of_clock(value: timedelta) -> str:
    """A TIME of MariaDB's as MariaDB writes it; one may be negative, or longer than a day."""
    seconds = abs(round(value.total_seconds()))
    sign = "-" if value < timedelta() else ""
    return f"{sign}{seconds // 3600:02}:{seconds // 60 % 60:02}:{seconds % 60:02}"


def six_digits(value: float | None) -> float | None:
    """A FLOAT as MariaDB tells it; SQLite has no single precision of its own."""
    return None if value is None else float(f"{value:.6g}")


def _is_single(kind: sa.types.TypeEngine[Any]) -> bool:
    return isinstance(kind, sa.Float) and not isinstance(kind, sa.Double)


def _longest(kind: sa.types.TypeEngine[Any]) -> int:
    if not isinstance(kind, sa.String) or isinstance(kind, sa.Enum):
        return 0
    return next(
        (size for class_, size in _TEXT_BYTES if isinstance(kind, class_)), kind.length or 0
    )


Form = tuple[
    str, dict[str, Any], Callable[[Any], Any], Callable[[str], Any], Callable[[Any], Any] | None
]


def _form_of(kind: sa.types.TypeEngine[Any], zone: ZoneInfo) -> Form:
    if isinstance(kind, sa.Enum):
        words = list(kind.enums)
        return (*_enum(words), None)
    if isinstance(kind, sa.Integer):
        return (*_integer(kind), None)
    if isinstance(kind, (sa.Float, sa.Double)):
        return (*_number(single=_is_single(kind)), None)
    if isinstance(kind, sa.Numeric):
        return _decimal(kind)
    if isinstance(kind, JsonText):
        return _json(kind)
    if isinstance(kind, sa.String):
        return (*_string(kind), None)
    if isinstance(kind, sa.DateTime):
        return _moment(zone, stored_in_utc=isinstance(kind, sa.TIMESTAMP))
    if isinstance(kind, sa.Date):
        return _calendar("date", date.fromisoformat, "a date, YYYY-MM-DD")
    if isinstance(kind, Clock):
        return _calendar("time", time.fromisoformat, "a time, HH:MM:SS")
    return _bytes(kind)


def _enum(
    words: list[str],
) -> tuple[str, dict[str, Any], Callable[[Any], Any], Callable[[str], Any]]:
    by_folded = {word.casefold(): word for word in words}

    def accept(value: Any) -> str:
        word = by_folded.get(value.casefold()) if isinstance(value, str) else None
        if word is None:
            raise Refused(f"one of {', '.join(words)}")
        return word

    return "enum", {"type": "string", "enum": words}, accept, str


def _integer(
    kind: sa.types.TypeEngine[Any],
) -> tuple[str, dict[str, Any], Callable[[Any], Any], Callable[[str], Any]]:
    bits = bits_of(kind)
    low, high = -(2 ** (bits - 1)), 2 ** (bits - 1) - 1
    if getattr(kind, "unsigned", False):
        low, high = 0, 2**bits - 1
    flag = isinstance(kind, mysql.TINYINT)

    def accept(value: Any) -> int:
        if isinstance(value, bool) and flag:
            return int(value)
        if isinstance(value, bool) or not isinstance(value, int):
            raise Refused("a whole number")
        if not low <= value <= high:
            raise Refused(f"a whole number from {low} to {high}")
        return value

    def parse(text: str) -> int:
        try:
            value = int(text, 10)
        except ValueError as error:
            raise Refused("a whole number") from error
        if abs(value) >= 2**63:
            raise Refused("a whole number of at most 64 bits")
        return value

    return "integer", {"type": "integer", "minimum": low, "maximum": high}, accept, parse


def _number(
    *, single: bool
) -> tuple[str, dict[str, Any], Callable[[Any], Any], Callable[[str], Any]]:
    largest = _FLOAT_LARGEST if single else math.inf

    def accept(value: Any) -> float:
        if isinstance(value, bool) or not isinstance(value, (int, float)):
            raise Refused("a number")
        try:
            number = float(value)
        except OverflowError as error:
            raise Refused("a number in the range of a double") from error
        if not math.isfinite(number) or abs(number) > largest:
            raise Refused(f"a finite number up to {largest:.4g}")
        return number

    def stored(value: Any) -> float:
        # What a FLOAT of MariaDB would hold, so that both databases compare the same.
        number = accept(value)
        return float(struct.unpack("f", struct.pack("f", number))[0]) if single else number

    def parse(text: str) -> float:
        try:
            return accept(float(text))
        except ValueError as error:
            raise Refused("a number") from error

    return "number", {"type": "number"}, stored, parse


def _string(
    kind: sa.String,
) -> tuple[str, dict[str, Any], Callable[[Any], Any], Callable[[str], Any]]:
    most_bytes = next((size for class_, size in _TEXT_BYTES if isinstance(kind, class_)), None)
    most = kind.length if kind.length and most_bytes is None else None
    charset = charset_of(kind)

    def accept(value: Any) -> str:
        if not isinstance(value, str):
            raise Refused("a text")
        if "\0" in value:
            raise Refused("a text without NUL characters")
        _hold(value, charset)
        if most is not None and len(value) > most:
            raise Refused(f"a text of at most {most} characters, not {len(value)}")
        if most_bytes is not None and bytes_of(charset, value) > most_bytes:
            raise Refused(f"a text of at most {most_bytes} bytes")
        return value

    schema: dict[str, Any] = {"type": "string"}
    if most is not None:
        schema["maxLength"] = most
    return "string", schema, accept, str


def _hold(text: str, charset: str | None) -> None:
    """Refuse a text with a character that the column cannot keep."""
    stranger = stranger_to(charset, text)
    if stranger is not None:
        raise Refused(f"a text in this database's {charset}, which has no {stranger!r}")


def _decimal(kind: sa.Numeric[Any]) -> Form:
    """DECIMAL: a number with so many digits before and behind the point."""
    before = (kind.precision or 10) - (kind.scale or 0)
    wanted = f"a number of at most {before} digits before the point"
    last = Decimal(1).scaleb(-(kind.scale or 0))

    def parse(text: str) -> Decimal:
        try:
            value = Decimal(text)
        except ArithmeticError as error:
            raise Refused("a number") from error
        if not value.is_finite() or abs(round(value, kind.scale or 0)) >= 10**before:
            raise Refused(wanted)
        return value

    def accept(value: Any) -> Decimal:
        if isinstance(value, bool) or not isinstance(value, (int, float)):
            raise Refused("a number")
        # Rounded as MariaDB does, half away from zero.
        return parse(repr(value)).quantize(last, ROUND_HALF_UP)

    def show(value: Any) -> Any:
        return float(value) if isinstance(value, Decimal) else value

    return "decimal", {"type": "number"}, accept, parse, show


def _json(kind: JsonText) -> Form:
    """A text that holds JSON is an object or an array on the wire, not a text of it."""
    charset = charset_of(kind)

    def accept(value: Any) -> str:
        if not isinstance(value, (dict, list)):
            raise Refused("a JSON object or array, not a text of it")
        text = orjson.dumps(value).decode()
        _hold(text, charset)
        return text

    def show(value: Any) -> Any:
        try:
            return orjson.loads(value) if isinstance(value, (str, bytes)) else value
        except ValueError:  # another program's text, told as it is
            return value

    return "json", {"type": "object"}, accept, str, show


_MOMENT = "a time in ISO 8601, as 2026-11-23T08:00:00+01:00"


def _moment(zone: ZoneInfo, *, stored_in_utc: bool) -> Form:
    """DATETIME is naive in the database's zone; TIMESTAMP is read with the session at UTC."""
    stored = ZoneInfo("UTC") if stored_in_utc else zone

    def parse(text: str) -> datetime:
        value = _in_zone(text, zone)
        if stored_in_utc and not _TIMESTAMP_RANGE[0] <= value <= _TIMESTAMP_RANGE[1]:
            raise Refused("a time between 1970 and 2038-01-19")
        return value.astimezone(stored).replace(tzinfo=None, microsecond=0, fold=0)

    def accept(value: Any) -> datetime:
        if not isinstance(value, str):
            raise Refused(_MOMENT)
        moment = parse(value)
        if _comes_twice(moment.replace(tzinfo=stored)):
            log.warning("a time in an hour that comes twice, kept as in the first: %s", value)
        return moment

    def show(value: Any) -> str | None:
        if not isinstance(value, datetime):  # a zero date comes back as text
            return None
        return value.replace(tzinfo=stored).astimezone(zone).isoformat(timespec="seconds")

    return "datetime", {"type": "string", "format": "date-time"}, accept, parse, show


def _in_zone(text: str, zone: ZoneInfo) -> datetime:
    try:
        value = datetime.fromisoformat(_BLANK_FOR_PLUS.sub(r"\1+\2", text.strip()))
    except ValueError as error:
        raise Refused(_MOMENT) from error
    if not _FIRST_YEAR < value.year < _LAST_YEAR:
        raise Refused(f"a time between the years {_FIRST_YEAR} and {_LAST_YEAR}")
    if value.tzinfo is not None:
        return value
    value = value.replace(tzinfo=zone)
    if value.astimezone(UTC).astimezone(zone).replace(tzinfo=None) != value.replace(tzinfo=None):
        raise Refused(f"a time that there is: the clocks of {zone.key} are put forward over it")
    return value


def _comes_twice(value: datetime) -> bool:
    """Whether the clocks are put back over it, so that its naive form says two moments."""
    return value.utcoffset() != value.replace(fold=1).utcoffset()


def _calendar(form: str, read: Callable[[str], date | time], wanted: str) -> Form:
    def parse(text: str) -> date | time:
        try:
            value = read(text)
        except ValueError as error:
            raise Refused(wanted) from error
        return value.replace(microsecond=0, tzinfo=None) if isinstance(value, time) else value

    def accept(value: Any) -> date | time:
        if not isinstance(value, str):
            raise Refused(wanted)
        return parse(value)

    def show(value: Any) -> str | None:
        if isinstance(value, timedelta):
            return text_of_clock(value)
        return value.isoformat() if isinstance(value, (date, time)) else None

    return form, {"type": "string", "format": form}, accept, parse, show


def _bytes(kind: sa.types.TypeEngine[Any]) -> Form:
    """Binary columns; those of 16 bytes are UUIDs."""
    is_uuid = getattr(kind, "length", None) == _UUID_BYTES

    def parse(text: str) -> bytes:
        try:
            return uuid.UUID(text).bytes if is_uuid else bytes.fromhex(text)
        except ValueError as error:
            raise Refused("a UUID" if is_uuid else "bytes as hexadecimal digits") from error

    def accept(value: Any) -> bytes:
        if not isinstance(value, str):
            raise Refused("a UUID" if is_uuid else "bytes as hexadecimal digits")
        return parse(value)

    def show(value: Any) -> str | None:
        if not isinstance(value, bytes):
            return None
        return str(uuid.UUID(bytes=value)) if is_uuid and len(value) == _UUID_BYTES else value.hex()

    schema = {"type": "string", "format": "uuid"} if is_uuid else {"type": "string"}
    return "uuid" if is_uuid else "bytes", schema, accept, parse, show

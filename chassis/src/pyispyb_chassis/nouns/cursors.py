"""Cursors: the place of a row in a list, in a form that only the same list takes back."""

import hashlib
import re
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Callable, Mapping
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from typing import Any

import orjson

from pyispyb_chassis.nouns.catalogue import Bound
from pyispyb_chassis.nouns.fields import Refused, text_of_clock
from pyispyb_chassis.nouns.query import Place, Query, keys_of

# Texts sort by so many characters: a cursor has to fit into a request line.
SORTED_LENGTH = 255
HASH_BYTES = 9
_NO_DAY = re.compile(r"\d{4}-(00-\d\d|\d\d-00)( \d\d:\d\d:\d\d)?")
# A time that is no time of a day.
_LONG = re.compile(r"(-\d{2,3}|2[4-9]|[3-9]\d|\d{3}):\d\d:\d\d")
_FOREIGN = "the cursor that a list answered with, unchanged"
_OF_ANOTHER = "a cursor of this same list: noun, filters, search and sort as they were"


def cursor_of(noun: Bound, query: Query, place: Place) -> str:
    """The cursor of a row of a list, given its values of the sort keys."""
    data = orjson.dumps([_mark(noun, query), *[_told(value) for value in place]])
    return urlsafe_b64encode(data).decode().rstrip("=")


def place_of(cursor: str, noun: Bound, query: Query) -> Place:
    """The values of the sort keys that a cursor holds. Raises Refused for another list's."""
    try:
        mark, *values = orjson.loads(urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)))
    except (ValueError, TypeError) as error:  # also what is not JSON, or no list
        raise Refused(_FOREIGN) from error
    if mark != _mark(noun, query):
        raise Refused(_OF_ANOTHER)
    keys = keys_of(noun, query)
    if len(values) != len(keys) or values[-1] is None:
        raise Refused(_FOREIGN)
    return tuple(
        None if value is None else _heard(noun, name, value)
        for (name, _), value in zip(keys, values, strict=True)
    )


def _mark(noun: Bound, query: Query) -> str:
    """What a list is known by: not its page, nor what of its rows is shown."""
    asked = (noun.path, query.filters, query.search, keys_of(noun, query))
    digest = hashlib.sha256(repr(asked).encode("utf-8", "surrogatepass")).digest()
    return urlsafe_b64encode(digest[:HASH_BYTES]).decode()


def _told(value: Any) -> Any:
    """A database's value as JSON, with nothing lost."""
    if isinstance(value, str):
        return value[:SORTED_LENGTH]
    if isinstance(value, (datetime, date, time)):
        return value.isoformat()
    if isinstance(value, timedelta):
        return text_of_clock(value)
    if isinstance(value, bytes):
        return value.hex()
    return str(value) if isinstance(value, Decimal) else value


def _text(value: Any) -> str:
    if not isinstance(value, str) or "\0" in value:
        raise ValueError(value)
    return value


def _integer(value: Any) -> int:
    if not isinstance(value, int) or isinstance(value, bool):
        raise ValueError(value)
    return value


def _number(value: Any) -> float | Decimal:
    if isinstance(value, str):
        return Decimal(value)
    if not isinstance(value, (int, float)) or isinstance(value, bool):
        raise ValueError(value)
    return float(value)


def _moment(value: Any) -> datetime | str:
    return _text(value) if _is_no_day(value) else datetime.fromisoformat(_text(value))


def _date(value: Any) -> date | str:
    return _text(value) if _is_no_day(value) else date.fromisoformat(_text(value))


def _is_no_day(value: Any) -> bool:
    """Whether it is a date without a day or month: a text to the driver, so one it stays."""
    return _NO_DAY.fullmatch(_text(value)) is not None


def _time(value: Any) -> time | str:
    return _text(value) if _LONG.fullmatch(_text(value)) else time.fromisoformat(_text(value))


_HEARD: Mapping[str, Callable[[Any], Any]] = {
    "string": _text,
    "enum": _text,
    "json": _text,
    "integer": _integer,
    "number": _number,
    "decimal": _number,
    "datetime": _moment,
    "date": _date,
    "time": _time,
    "uuid": lambda value: bytes.fromhex(_text(value)),
    "bytes": lambda value: bytes.fromhex(_text(value)),
}


def _heard(noun: Bound, name: str, value: Any) -> Any:
    field = noun.fields.get(name)
    try:
        return _HEARD["string" if field is None else field.kind](value)
    except (ValueError, ArithmeticError) as error:
        raise Refused(_FOREIGN) from error

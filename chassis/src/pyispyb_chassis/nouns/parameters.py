"""The values that a query's statement is run with."""

import math
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from pyispyb_chassis.nouns.cursors import SORTED_LENGTH
from pyispyb_chassis.nouns.query import Query, places

# A number is equal to another when they agree to six significant digits.
DIGITS = 6
_CAPITALS = {ord(letter): ord(letter.upper()) for letter in "abcdefghijklmnopqrstuvwxyz"}


def escaped(text: str) -> str:
    """`text` for a LIKE with `\\` as escape."""
    return text.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")


def split_name(word: str) -> tuple[str, str]:
    """MX1001 as MX and 1001."""
    letters = len(word) - len(word.lstrip("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"))
    return word[:letters], word[letters:]


def values_of(query: Query, *, sqlite: bool) -> Mapping[str, Any]:
    """The values of the parameters that a query's statement uses."""
    values: dict[str, Any] = {}
    for n, one in enumerate(query.filters):
        value = one.value
        if isinstance(value, str):
            values[f"f{n}_letters"], values[f"f{n}_rest"] = split_name(value.rstrip(" "))
        if one.operator == "like":
            values[f"f{n}"] = escaped(str(value).rstrip(" ")).replace("*", "%")
            continue
        if isinstance(value, float):
            values[f"f{n}_low"], values[f"f{n}_high"] = _range(value)
        if one.operator == "in" and isinstance(value[0], float):
            filled = [*value, *[value[-1]] * (places(len(value)) - len(value))]
            for place, number in enumerate(filled):
                values[f"f{n}_{place}_low"], values[f"f{n}_{place}_high"] = _range(number)
            continue
        if one.operator == "in":
            value = [_compared(part, sqlite=sqlite) for part in value]
        values[f"f{n}"] = _compared(value, sqlite=sqlite)
    for n, value in enumerate(query.after or ()):
        sorted_by = value[:SORTED_LENGTH] if isinstance(value, str) else value
        values[f"after{n}"] = _compared(sorted_by, sqlite=sqlite)
    if query.search is not None:
        values["search"] = f"%{escaped(query.search)}%"
    return values


def _range(value: float) -> tuple[float, float]:
    """What is told by the same six significant digits: half a step of the last one around."""
    if value == 0 or not math.isfinite(value):
        return value, value
    width = 0.5 * 10.0 ** (math.floor(math.log10(abs(value))) - DIGITS + 1)
    return value - width, value + width


def _compared(value: Any, *, sqlite: bool) -> Any:
    """A text without trailing blanks; for SQLite in capitals, and times as it keeps them."""
    if sqlite and isinstance(value, datetime):
        return value.isoformat(" ", "seconds")
    if not isinstance(value, str):
        return value
    bare = value.rstrip(" ")
    return bare.translate(_CAPITALS) if sqlite else bare

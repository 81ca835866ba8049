"""Whole lists as lines: NDJSON, or CSV that a spreadsheet opens without running anything."""

import re
from collections.abc import Iterable, Iterator
from typing import Any

import orjson

from pyispyb_chassis.errors import BadRequest
from pyispyb_chassis.nouns.plans import Plan, Row
from pyispyb_chassis.nouns.query import Path

Pieces = Iterator[tuple[bytes, int]]
Columns = tuple[tuple[Path, str], ...]

# What makes a spreadsheet take a text for a formula.
_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n")
_QUOTED = re.compile(r'[",\r\n]')


def as_ndjson(pages: Iterable[list[Row]]) -> Pieces:
    """One JSON object a line."""
    for rows in pages:
        lines = [orjson.dumps(row, option=orjson.OPT_APPEND_NEWLINE) for row in rows]
        yield b"".join(lines), len(rows)


def refuse_lists(plan: Plan) -> None:
    """Raise BadRequest where a row would hold lists of others, which no cell does."""
    lists = [".".join(branch.path) for branch in plan.branches]
    if lists:
        told = [("include", f"{name}: CSV holds no lists; ask for NDJSON") for name in lists]
        raise BadRequest("the query string has faults", errors=told)


def columns_of(plan: Plan) -> Columns:
    """The columns of a list as CSV: those of includes are dotted."""
    return tuple((part.path, name) for part in plan.parts for name in part.names)


def as_csv(pages: Iterable[list[Row]], columns: Columns) -> Pieces:
    """A header and a line for each row (RFC 4180): null is an empty cell, an empty text is `""`."""
    head = _line(".".join((*path, name)) for path, name in columns)
    for rows in pages:
        lines = [_line(_cell(_at(row, path, name)) for path, name in columns) for row in rows]
        yield (head + "".join(lines)).encode("utf-8", "replace"), len(rows)
        head = ""


def _line(cells: Iterable[str]) -> str:
    # A single empty cell would make an empty line, which readers pass over.
    return (",".join(cells) or '""') + "\r\n"


def _at(row: Row, path: Path, name: str) -> Any:
    item: Row | None = row
    for step in path:
        item = item[step] if item is not None else None
    return None if item is None else item[name]


def _cell(value: Any) -> str:
    """A cell; a text that a spreadsheet would run gets an apostrophe before it, a number not."""
    if value is None:
        return ""
    text = orjson.dumps(value).decode() if isinstance(value, (dict, list)) else str(value)
    if isinstance(value, str) and text.startswith(_FORMULA):
        text = f"'{text}"
    if not text or _QUOTED.search(text):
        return '"' + text.replace('"', '""') + '"'
    return text

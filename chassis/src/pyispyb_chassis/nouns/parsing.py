"""The query string of a list or an item, read and typed; every fault in it is told at once."""

import re
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from pyispyb_chassis.errors import BadRequest
from pyispyb_chassis.nouns.catalogue import Bound, Catalogue
from pyispyb_chassis.nouns.cursors import place_of
from pyispyb_chassis.nouns.fields import Refused
from pyispyb_chassis.nouns.query import (
    DEEPEST_INCLUDE,
    DEFAULT_LIMIT,
    LARGEST_LIMIT,
    LARGEST_SKIP,
    MOST_FILTERS,
    MOST_IN,
    MOST_IN_NUMBERS,
    MOST_SORT_KEYS,
    OF_AN_ITEM,
    OPERATORS,
    RESERVED,
    Filter,
    Path,
    Query,
    noun_at,
)

LONGEST_NUMBER = 12
_PARAMETER = re.compile(r"([A-Za-z_][A-Za-z0-9_]*)(?:\[([a-z]*)\])?")


class _Reader:
    """Reads a query string and keeps every fault, so that all are told at once."""

    def __init__(self, noun: Bound, catalogue: Catalogue) -> None:
        self._noun = noun
        self._catalogue = catalogue
        self.faults: list[tuple[str, str]] = []

    def filter(self, key: str, name: str, operator: str, text: str) -> Filter | None:
        allowed = [*self._noun.fields, *self._noun.noun.names]
        if name in self._noun.noun.sought:
            return self._sought(key, name, operator, text)
        if name not in allowed and name in self._noun.missing:
            self._refuse(key, self._noun.missing[name])
            return None
        if name not in allowed:
            others = [*RESERVED, *allowed, *self._noun.noun.sought]
            self._refuse(key, f"no such filter; allowed: {', '.join(others)}")
            return None
        if operator not in OPERATORS:
            self._refuse(key, f"no such operator; allowed: {', '.join(OPERATORS)}")
            return None
        try:
            return Filter(name, operator, self._value(name, operator, text))
        except Refused as refused:
            self._refuse(key, f"takes {refused}")
        return None

    def _sought(self, key: str, name: str, operator: str, text: str) -> Filter | None:
        if operator != "eq":
            self._refuse(key, f"takes no operator; write {name}=…")
            return None
        noun, last = self._catalogue.end_of(self._noun, self._noun.noun.sought[name].ways[0])
        column = noun.fields.get(last)
        try:
            if "\0" in text:
                raise Refused("no NUL character")
            return Filter(name, "eq", text if column is None else column.parse(text))
        except Refused as refused:
            self._refuse(key, f"takes {refused}")
        return None

    def _value(self, name: str, operator: str, text: str) -> Any:
        if "\0" in text:
            raise Refused("no NUL character")
        column = self._noun.fields.get(name)
        if operator == "null":
            if text not in {"true", "false"}:
                raise Refused("true or false")
            return text == "true"
        if operator == "like":
            if column is not None and not column.is_text:
                raise Refused("no pattern: it is not a text")
            return text
        parse = column.parse if column is not None else str
        if operator == "in":
            parts = text.split(",")
            most = MOST_IN_NUMBERS if column is not None and column.kind == "number" else MOST_IN
            if len(parts) > most:
                raise Refused(f"at most {most} values")
            return tuple(parse(part) for part in parts)
        return parse(text)

    def sort(self, text: str) -> tuple[tuple[str, bool], ...]:
        allowed = [*self._noun.fields, *self._noun.noun.names]
        keys: list[tuple[str, bool]] = []
        for part in text.split(","):
            name = part.removeprefix("-")
            if name not in allowed and name in self._noun.missing:
                self._refuse("sort", self._noun.missing[name])
            elif name not in allowed:
                self._refuse("sort", f"cannot sort by {name!r}; allowed: {', '.join(allowed)}")
            elif name in {known for known, _ in keys}:
                self._refuse("sort", f"{name} stands twice")
            else:
                keys.append((name, part.startswith("-")))
        if len(keys) > MOST_SORT_KEYS:
            self._refuse("sort", f"at most {MOST_SORT_KEYS} keys")
        return tuple(keys)

    def include(self, text: str) -> tuple[Path, ...]:
        paths: dict[Path, None] = {}
        for part in text.split(","):
            names = tuple(part.split("."))
            if len(names) > DEEPEST_INCLUDE:
                self._refuse("include", f"{part}: at most {DEEPEST_INCLUDE} deep")
                continue
            noun = self._noun
            for depth, name in enumerate(names, 1):
                if name not in noun.noun.includes and name in noun.missing:
                    self._refuse("include", f"{part}: {noun.missing[name]}")
                    break
                if name not in noun.noun.includes:
                    allowed = ", ".join(noun.noun.includes) or "nothing"
                    self._refuse("include", f"{part}: {noun.path} includes {allowed}")
                    break
                noun = self._catalogue.target(noun.references[name])
                paths[names[:depth]] = None
        return tuple(sorted(paths))

    def fields(
        self, text: str, include: Sequence[Path]
    ) -> tuple[tuple[Path, tuple[str, ...]], ...]:
        chosen: dict[Path, list[str]] = {}
        for part in text.split(","):
            *steps, name = part.split(".")
            path = tuple(steps)
            if path and path not in include:
                self._refuse("fields", f"{part}: {'.'.join(path)} is not included")
                continue
            noun = noun_at(self._noun, path, self._catalogue)
            allowed = [*noun.fields, *noun.noun.names]
            if name not in allowed and name in noun.missing:
                self._refuse("fields", f"{part}: {noun.missing[name]}")
            elif name not in allowed:
                self._refuse("fields", f"no field {part}; allowed: {', '.join(allowed)}")
            elif name not in chosen.setdefault(path, []):
                chosen[path].append(name)
        return tuple((path, tuple(names)) for path, names in sorted(chosen.items()))

    def number(self, key: str, text: str, low: int, high: int) -> int:
        if not (text.isascii() and text.isdigit() and len(text) < 12 and low <= int(text) <= high):
            self._refuse(key, f"takes a whole number from {low} to {high}")
            return low
        return int(text)

    def flag(self, key: str, text: str) -> bool:
        if text not in {"true", "false"}:
            self._refuse(key, "takes true or false")
        return text == "true"

    def _refuse(self, key: str, reason: str) -> None:
        self.faults.append((key, reason))


def read_query(
    arguments: Sequence[tuple[str, str]],
    noun: Bound,
    catalogue: Catalogue,
    known: Sequence[str] = RESERVED,
    among: tuple[Filter, ...] = (),
) -> Query:
    """Understand a query string, in which the parameters `known` have a meaning.

    `among` are conditions that the path makes.

    Raises BadRequest that names every unknown or malformed part and what is allowed.
    """
    reader = _Reader(noun, catalogue)
    plain, filters = _sorted_out(reader, arguments, known)
    include = reader.include(plain["include"]) if "include" in plain else ()
    skip = reader.number("skip", plain["skip"], 0, LARGEST_SKIP) if "skip" in plain else None
    query = Query(
        filters=(*among, *filters),
        sort=reader.sort(plain["sort"]) if "sort" in plain else (),
        include=include,
        fields=reader.fields(plain["fields"], include) if "fields" in plain else None,
        search=_search(reader, noun, plain.get("search")),
        limit=reader.number("limit", plain.get("limit", str(DEFAULT_LIMIT)), 0, LARGEST_LIMIT),
        skip=skip,
        total=reader.flag("total", plain.get("total", "true")),
    )
    if "after" in plain:
        query = _placed(reader, noun, query, plain["after"])
    if reader.faults:
        raise BadRequest("the query string has faults", errors=reader.faults)
    return query


def read_paging(arguments: Sequence[tuple[str, str]]) -> tuple[int, int]:
    """The limit and skip of a list that takes nothing else. Raises BadRequest with every fault."""
    bounds = {"limit": (DEFAULT_LIMIT, LARGEST_LIMIT), "skip": (0, LARGEST_SKIP)}
    faults: list[tuple[str, str]] = []
    given: dict[str, str] = {}
    for name, text in arguments:
        if name not in bounds:
            faults.append((name, f"no such parameter here; allowed: {', '.join(bounds)}"))
        elif name in given:
            faults.append((name, "stands twice"))
        elif not _is_within(text, bounds[name][1]):
            faults.append((name, f"takes a whole number from 0 to {bounds[name][1]}"))
        given[name] = text
    if faults:
        raise BadRequest("the query string has faults", errors=faults)
    limit, skip = (int(given.get(name, default)) for name, (default, _) in bounds.items())
    return limit, skip


def _is_within(text: str, high: int) -> bool:
    return text.isascii() and text.isdigit() and len(text) < LONGEST_NUMBER and int(text) <= high


def _sorted_out(
    reader: _Reader, arguments: Sequence[tuple[str, str]], known: Sequence[str]
) -> tuple[dict[str, str], tuple[Filter, ...]]:
    """The parameters that are `known`, and the filters."""
    plain: dict[str, str] = {}
    filters: list[Filter | None] = []
    for key, text in arguments:
        parts = _PARAMETER.fullmatch(key)
        name, operator = (parts[1], parts[2]) if parts else (key, None)
        if name in known and operator is None:
            if name in plain:
                reader.faults.append((key, "stands twice"))
            plain[name] = text
        elif known == OF_AN_ITEM or (name in RESERVED and operator is None):
            reader.faults.append((key, f"no such parameter here; allowed: {', '.join(known)}"))
        else:
            filters.append(reader.filter(key, name, operator or "eq", text))
            if operator == "eq":
                reader.faults.append((key, f"write {name}=…"))
    if len(filters) > MOST_FILTERS:
        raise BadRequest(
            "the query string has faults", errors=[("…", f"at most {MOST_FILTERS} filters")]
        )
    return plain, tuple(one for one in filters if one is not None)


def _placed(reader: _Reader, noun: Bound, query: Query, cursor: str) -> Query:
    """The query from behind a cursor."""
    if query.skip is not None:
        reader.faults.append(("after", "not with skip: give one of the two"))
    if not reader.faults:  # a cursor is told from another list's by all the rest
        try:
            return replace(query, after=place_of(cursor, noun, query))
        except Refused as refused:
            reader.faults.append(("after", f"takes {refused}"))
    return query


def _search(reader: _Reader, noun: Bound, text: str | None) -> str | None:
    if text is not None and not noun.noun.search and noun.noun.known_as is None:
        reader.faults.append(("search", f"{noun.path} cannot be searched"))
    if text is not None and "\0" in text:
        reader.faults.append(("search", "takes no NUL character"))
    return text

"""The query language of every list: filters, operators, sort, fields, include, search, paging."""

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from pyispyb_chassis.errors import BadRequest
from pyispyb_chassis.nouns.catalogue import Bound, Catalogue
from pyispyb_chassis.nouns.fields import Refused

Operator = Literal["eq", "ne", "lt", "lte", "gt", "gte", "in", "like", "null"]
OPERATORS: tuple[Operator, ...] = ("eq", "ne", "lt", "lte", "gt", "gte", "in", "like", "null")
RESERVED = ("sort", "fields", "include", "search", "limit", "skip", "total")
DEFAULT_LIMIT = 25
LARGEST_LIMIT = 1000
LARGEST_SKIP = 2**31 - 1
MOST_IN = 1000
MOST_SORT_KEYS = 5
MOST_FILTERS = 50
DEEPEST_INCLUDE = 3
_PARAMETER = re.compile(r"([A-Za-z_][A-Za-z0-9_]*)(?:\[([a-z]*)\])?")

Path = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Filter:
    """One condition on one column; `value` is already the database's."""

    name: str
    operator: Operator
    value: Any

    @property
    def shape(self) -> tuple[str, str, bool]:
        """What of the filter changes the form of a statement."""
        return self.name, self.operator, self.value is True


@dataclass(frozen=True, slots=True)
class Query:
    """A list's query string, understood and typed.

    `include` holds paths of includes, each with its parents before it; `fields` is None for all
    columns, else the chosen names by include path.
    """

    filters: tuple[Filter, ...] = ()
    sort: tuple[tuple[str, bool], ...] = ()
    include: tuple[Path, ...] = ()
    fields: tuple[tuple[Path, tuple[str, ...]], ...] | None = None
    search: str | None = None
    limit: int = DEFAULT_LIMIT
    skip: int = 0
    total: bool = True
    text: str = field(default="", compare=False)

    @property
    def shape(self) -> tuple[Any, ...]:
        """What of the query changes the form of a statement."""
        filters = tuple(one.shape for one in self.filters)
        return filters, self.sort, self.include, self.fields, self.search is not None


class _Reader:
    """Reads a query string and keeps every fault, so that all are told at once."""

    def __init__(self, noun: Bound, catalogue: Catalogue) -> None:
        self._noun = noun
        self._catalogue = catalogue
        self.faults: list[tuple[str, str]] = []

    def filter(self, key: str, name: str, operator: str, text: str) -> Filter | None:
        allowed = [*self._noun.fields, *self._noun.noun.names]
        if name not in allowed:
            others = [*RESERVED, *allowed]
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
            if len(parts) > MOST_IN:
                raise Refused(f"at most {MOST_IN} values")
            return tuple(parse(part) for part in parts)
        return parse(text)

    def sort(self, text: str) -> tuple[tuple[str, bool], ...]:
        allowed = [*self._noun.fields, *self._noun.noun.names]
        keys: list[tuple[str, bool]] = []
        for part in text.split(","):
            name = part.removeprefix("-")
            if name not in allowed:
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
            if name not in allowed:
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


def noun_at(noun: Bound, path: Path, catalogue: Catalogue) -> Bound:
    """The noun at the end of an include path."""
    for name in path:
        noun = catalogue.target(noun.references[name])
    return noun


def read_query(
    arguments: Sequence[tuple[str, str]], noun: Bound, catalogue: Catalogue, *, one: bool = False
) -> Query:
    """Understand a query string (`one`: of an item, where only fields and include have a meaning).

    Raises BadRequest that names every unknown or malformed part and what is allowed.
    """
    reader = _Reader(noun, catalogue)
    known = ("fields", "include") if one else RESERVED
    plain: dict[str, str] = {}
    filters: list[Filter | None] = []
    for key, text in arguments:
        parts = _PARAMETER.fullmatch(key)
        name, operator = (parts[1], parts[2]) if parts else (key, None)
        if name in known and operator is None:
            if name in plain:
                reader.faults.append((key, "stands twice"))
            plain[name] = text
        elif one:
            reader.faults.append((key, f"no such parameter; allowed: {', '.join(known)}"))
        else:
            filters.append(reader.filter(key, name, operator or "eq", text))
            if operator == "eq":
                reader.faults.append((key, f"write {name}=…"))
    if len(filters) > MOST_FILTERS:
        raise BadRequest(
            "the query string has faults", errors=[("…", f"at most {MOST_FILTERS} filters")]
        )
    include = reader.include(plain["include"]) if "include" in plain else ()
    query = Query(
        filters=tuple(one_filter for one_filter in filters if one_filter is not None),
        sort=reader.sort(plain["sort"]) if "sort" in plain else (),
        include=include,
        fields=reader.fields(plain["fields"], include) if "fields" in plain else None,
        search=_search(reader, noun, plain.get("search")),
        limit=reader.number("limit", plain.get("limit", str(DEFAULT_LIMIT)), 0, LARGEST_LIMIT),
        skip=reader.number("skip", plain.get("skip", "0"), 0, LARGEST_SKIP),
        total=reader.flag("total", plain.get("total", "true")),
    )
    if reader.faults:
        raise BadRequest("the query string has faults", errors=reader.faults)
    return query


def _search(reader: _Reader, noun: Bound, text: str | None) -> str | None:
    if text is not None and not noun.noun.search and noun.noun.known_as is None:
        reader.faults.append(("search", f"{noun.path} cannot be searched"))
    if text is not None and "\0" in text:
        reader.faults.append(("search", "takes no NUL character"))
    return text

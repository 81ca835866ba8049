"""What can be asked of a list, understood: filters, sort, fields, includes, the place in it."""

from dataclasses import dataclass
from typing import Any, Literal

from pyispyb_chassis.nouns.catalogue import Bound, Catalogue

Operator = Literal["eq", "ne", "lt", "lte", "gt", "gte", "in", "like", "null"]
OPERATORS: tuple[Operator, ...] = ("eq", "ne", "lt", "lte", "gt", "gte", "in", "like", "null")
RESERVED = ("sort", "fields", "include", "search", "limit", "skip", "after", "total")
OF_AN_ITEM = ("fields", "include")
OF_AN_EXPORT = ("sort", "fields", "include", "search")
DEFAULT_LIMIT = 25
LARGEST_LIMIT = 1000
LARGEST_SKIP = 2**31 - 1
MOST_IN = 1000
MOST_IN_NUMBERS = 100  # each is a range of its own
MOST_SORT_KEYS = 5
MOST_FILTERS = 50
DEEPEST_INCLUDE = 3

Path = tuple[str, ...]
Place = tuple[Any, ...]


@dataclass(frozen=True, slots=True)
class Filter:
    """One condition on one column; `value` is already the database's."""

    name: str
    operator: Operator
    value: Any

    @property
    def shape(self) -> tuple[str, str, Any]:
        """What of the filter changes the form of a statement."""
        if self.operator == "in" and isinstance(self.value[0], float):
            return self.name, self.operator, places(len(self.value))
        return self.name, self.operator, self.value is True


def places(values: int) -> int:
    """For how many numbers an `in` is built: powers of two, so that few forms serve all."""
    return 1 << (values - 1).bit_length()


@dataclass(frozen=True, slots=True)
class Query:
    """A list's query string, understood and typed.

    `include` holds paths of includes, each with its parents before it; `fields` is None for all
    columns, else the chosen names by include path; `after` is the place of the row that the page
    begins behind, a value for each of `keys_of(noun, sort)`; `skip` is None where none was given.
    """

    filters: tuple[Filter, ...] = ()
    sort: tuple[tuple[str, bool], ...] = ()
    include: tuple[Path, ...] = ()
    fields: tuple[tuple[Path, tuple[str, ...]], ...] | None = None
    search: str | None = None
    limit: int = DEFAULT_LIMIT
    skip: int | None = None
    after: Place | None = None
    total: bool = True

    @property
    def shape(self) -> tuple[Any, ...]:
        """What of the query changes the form of a statement."""
        filters = tuple(one.shape for one in self.filters)
        after = None if self.after is None else tuple(value is None for value in self.after)
        return filters, self.sort, self.include, self.fields, self.search is not None, after


def noun_at(noun: Bound, path: Path, catalogue: Catalogue) -> Bound:
    """The noun at the end of an include path."""
    for name in path:
        noun = catalogue.target(noun.references[name])
    return noun


def keys_of(noun: Bound, query: Query) -> tuple[tuple[str, bool], ...]:
    """What a list is sorted by, True for descending: the primary key is always the last key."""
    keys = query.sort or tuple(
        (part.removeprefix("-"), part.startswith("-")) for part in noun.noun.sort.split(",") if part
    )
    for n, (name, _) in enumerate(keys):
        if name == noun.tie:
            return keys[: n + 1]
    return (*keys, (noun.tie, False))

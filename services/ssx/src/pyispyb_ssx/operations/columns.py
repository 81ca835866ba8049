"""The columns of a batch: read from JSON or NDJSON, every fault of a body found at once."""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import chain
from typing import Any

import numpy as np
import numpy.typing as npt
import orjson

from pyispyb_chassis.errors import BadRequest, Unprocessable

Integers = npt.NDArray[np.int32]
Numbers = npt.NDArray[np.float32]
Flags = npt.NDArray[np.bool_]
Mask = npt.NDArray[np.bool_]

COLUMNS = ("imageNumber", "hit", "nSpots", "indexed", "time", "resolution", "lattices")
REQUIRED = ("imageNumber", "hit")
LATTICE_KEYS = ("cell", "spaceGroup", "nIndexed")
CELL = 6
NULL = -1  # what an integer column holds where the image has no value
LARGEST = 2**31 - 1
MOST_LATTICES = 200_000
MOST_FAULTS = 100
_SPACE_GROUP = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9 /:_-]{0,43}[A-Za-z0-9])?")


@dataclass(frozen=True, slots=True, eq=False)
class Images:
    """A batch's images, sorted by number; NaN and -1 stand for null.

    The lattices of all images follow one another: `lattice_count` says how many each image has.
    """

    image_number: Integers
    hit: Flags
    n_spots: Integers
    indexed: Flags
    time: Numbers
    resolution: Numbers
    lattice_count: Integers
    cell: Numbers
    space_group: Integers
    n_indexed: Integers
    space_groups: tuple[str, ...]

    def __len__(self) -> int:
        return len(self.image_number)


@dataclass(slots=True)
class _Faults:
    """Counts every fault and lists the first ones."""

    count: int = 0
    listed: list[tuple[str, str]] = field(default_factory=list)

    def add(self, path: str, reason: str) -> None:
        self.count += 1
        if len(self.listed) < MOST_FAULTS:
            self.listed.append((path, reason))

    def refuse(self) -> Unprocessable:
        more = f"; the first {MOST_FAULTS} are listed" if self.count > MOST_FAULTS else ""
        return Unprocessable(f"the batch has {self.count} faults{more}", errors=self.listed)


def read_json(body: bytes, *, most: int) -> Images:
    """The images of a JSON object of columns. Raises BadRequest or Unprocessable."""
    try:
        columns = orjson.loads(body)
    except orjson.JSONDecodeError as error:
        raise BadRequest(f"the body is not JSON: {error}") from error
    if not isinstance(columns, dict):
        raise BadRequest("the body must be a JSON object of columns")
    return _Reader(most).images(columns)


def read_ndjson(body: bytes, *, most: int) -> Images:
    """The images of a body with one JSON object a line. Raises BadRequest or Unprocessable."""
    rows: list[dict[str, Any]] = []
    for number, line in enumerate(body.split(b"\n"), 1):
        if not line.strip():
            continue
        try:
            row = orjson.loads(line)
        except orjson.JSONDecodeError as error:
            raise BadRequest(f"line {number} is not JSON: {error}") from error
        if not isinstance(row, dict):
            raise BadRequest(f"line {number} must be a JSON object")
        rows.append(row)
    reader = _Reader(most)
    columns: dict[str, list[Any]] = {}
    for name in COLUMNS:
        default = _absent(name)
        columns[name] = [row.get(name, default) for row in rows]
    known = frozenset(COLUMNS)
    for n, row in enumerate(rows):
        if not known.issuperset(row):
            reader.refuse_strangers(f"[{n}]", row, COLUMNS)
    return reader.images(columns)


def _absent(name: str) -> Any:
    """What an image has in a column that its line leaves out."""
    return {"indexed": False, "lattices": []}.get(name)


class _Reader:
    """Reads columns and keeps every fault; a column with a fault is left out of later checks."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._faults = _Faults()

    def images(self, columns: Mapping[str, Any]) -> Images:
        self.refuse_strangers("", columns, COLUMNS)
        lists = self._lists(columns)
        number = self._integers("imageNumber", lists, low=1)
        hit = self._flags("hit", lists)
        n_spots = self._integers("nSpots", lists, low=0, nullable=True)
        indexed = self._flags("indexed", lists)
        time = self._numbers(
            lists["time"], _at("time"), "a finite number of 32 bits or null", lambda v: v == v
        )
        resolution = self._numbers(
            lists["resolution"], _at("resolution"), "a number above 0 or null", lambda v: v > 0
        )
        lattices = self._lattices(lists["lattices"])
        self._refuse_doubles(number)
        if hit is not None and indexed is not None and len(hit) == len(indexed):
            self._refuse("indexed", indexed & ~hit, "true, but the image is no hit")
        if lattices is not None and indexed is not None and len(lattices.count) == len(indexed):
            alone = (lattices.count > 0) & ~indexed
            self._refuse("lattices", alone, "has a lattice, but the image is not indexed")
        if (
            self._faults.count
            or number is None
            or hit is None
            or n_spots is None
            or indexed is None
            or time is None
            or resolution is None
            or lattices is None
        ):
            raise self._faults.refuse()
        images = Images(
            number, hit, n_spots, indexed, time, resolution, lattices.count, lattices.cell,
            lattices.space_group, lattices.n_indexed, lattices.space_groups,
        )  # fmt: skip
        return _sorted(images)

    def refuse_strangers(self, where: str, found: Mapping[str, Any], known: Sequence[str]) -> None:
        """A name that is not among the known is a fault at `where`."""
        for name in found:
            if name not in known:
                path = f"{where}.{name}" if where else name
                self._faults.add(path, f"no such field; allowed: {', '.join(known)}")

    def _lists(self, columns: Mapping[str, Any]) -> dict[str, list[Any]]:
        """Every column as a list; an optional one that is absent is filled."""
        lists: dict[str, list[Any]] = {}
        for name in COLUMNS:
            values = columns.get(name)
            if isinstance(values, list):
                lists[name] = values
            elif values is not None:
                self._faults.add(name, "takes a list with one value for each image")
            elif name in REQUIRED:
                self._faults.add(name, "is required")
        length = len(lists.get("imageNumber", ()))
        if "imageNumber" in lists and not 1 <= length <= self._most:
            self._faults.add("imageNumber", f"takes 1 to {self._most} images, not {length}")
            raise self._faults.refuse()
        for name, values in lists.items():
            if len(values) != length and "imageNumber" in lists:
                self._faults.add(name, f"has {len(values)} values, imageNumber has {length}")
        for name in COLUMNS:
            if name not in REQUIRED:
                lists.setdefault(name, [_absent(name)] * length)
        return lists

    def _integers(
        self, name: str, lists: Mapping[str, list[Any]], *, low: int, nullable: bool = False
    ) -> Integers | None:
        if name not in lists:
            return None
        return self._whole(lists[name], _at(name), low=low, nullable=nullable)

    def _whole(
        self, values: list[Any], at: Callable[[int], str], *, low: int, nullable: bool
    ) -> Integers | None:
        wanted = f"a whole number from {low} to {LARGEST}" + (" or null" if nullable else "")
        kinds = set(map(type, values))
        if nullable and type(None) in kinds:
            kinds.remove(type(None))
            null = [n for n, value in enumerate(values) if value is None]
            values = [low if value is None else value for value in values]
        else:
            null = []
        if not kinds <= {int} or (values and not low <= min(values) <= max(values) <= LARGEST):
            for n, value in enumerate(values):
                if type(value) is not int or not low <= value <= LARGEST:
                    self._faults.add(at(n), f"takes {wanted}")
            return None
        array = np.array(values, dtype="<i4")
        array[null] = NULL
        return array

    def _flags(self, name: str, lists: Mapping[str, list[Any]]) -> Flags | None:
        values = lists.get(name)
        if values is None:
            return None
        if not set(map(type, values)) <= {bool}:
            for n, value in enumerate(values):
                if type(value) is not bool:
                    self._faults.add(f"{name}[{n}]", "takes true or false")
            return None
        return np.array(values, dtype=np.bool_)

    def _numbers(
        self,
        values: list[Any],
        at: Callable[[int], str],
        wanted: str,
        valid: Callable[[Numbers], Mask],
        *,
        nullable: bool = True,
    ) -> Numbers | None:
        kinds = {int, float, type(None)} if nullable else {int, float}
        if not set(map(type, values)) <= kinds:
            for n, value in enumerate(values):
                if type(value) not in kinds:
                    self._faults.add(at(n), f"takes {wanted}")
            return None
        # What is checked is what will be stored; adding 0 turns -0 into 0, for the digest's sake.
        with np.errstate(over="ignore"):
            numbers = np.array(values, dtype=np.float64).astype("<f4") + np.float32(0)
        good = np.isnan(numbers) | (np.isfinite(numbers) & valid(numbers))  # JSON has no NaN
        if not good.all():
            for bad in np.flatnonzero(~good).tolist():
                self._faults.add(at(bad), f"takes {wanted}")
            return None
        return numbers

    def _refuse_doubles(self, number: Integers | None) -> None:
        if number is None:
            return
        order = np.argsort(number, kind="stable")
        again = order[1:][np.diff(number[order]) == 0]
        for n in np.sort(again):
            self._faults.add(f"imageNumber[{n}]", f"{number[n]} stands twice in this batch")

    def _refuse(self, name: str, where: Mask, reason: str) -> None:
        for n in np.flatnonzero(where):
            self._faults.add(f"{name}[{n}]", reason)

    def _lattices(self, values: list[Any]) -> "_Lattices | None":
        """The lattices of all images one after another."""
        before = self._faults.count
        values = [[] if row is None else row for row in values]
        found, places = _all_lattices(values), None
        if found is None:
            found, places = self._well_formed(values)
        if len(found) > MOST_LATTICES:
            self._faults.add("lattices", f"takes at most {MOST_LATTICES} lattices in a batch")

        def at(name: str) -> Callable[[int], str]:
            return lambda n: "lattices[{}][{}].{}".format(*_place(n, places, values), name)

        cells = self._numbers(
            list(chain.from_iterable([lattice["cell"] for lattice in found])),
            lambda n: f"{at('cell')(n // CELL)}[{n % CELL}]",
            "a length above 0 (the first three) or an angle between 0 and 180",
            _possible_cell,
            nullable=False,
        )
        numbers = [lattice.get("nIndexed") for lattice in found]
        n_indexed = self._whole(numbers, at("nIndexed"), low=0, nullable=True)
        groups = [lattice.get("spaceGroup") for lattice in found]
        words = self._words(groups, at("spaceGroup"))
        if self._faults.count > before or cells is None or n_indexed is None or words is None:
            return None
        index: dict[str | None, int] = {word: n for n, word in enumerate(words)}
        index[None] = NULL
        return _Lattices(
            np.array([len(row) for row in values], dtype="<i4"),
            cells.reshape(-1, CELL),
            np.array([index[group] for group in groups], dtype="<i4"),
            n_indexed,
            words,
        )

    def _well_formed(self, values: list[Any]) -> tuple[list[dict[str, Any]], list[tuple[int, int]]]:
        """Name what is no lattice with a cell of six; gives the others, and where each is."""
        found: list[dict[str, Any]] = []
        places: list[tuple[int, int]] = []
        for image, row in enumerate(values):
            if not isinstance(row, list):
                self._faults.add(f"lattices[{image}]", "takes a list of lattices")
                continue
            for place, lattice in enumerate(row):
                where = f"lattices[{image}][{place}]"
                if not isinstance(lattice, dict):
                    self._faults.add(where, "takes an object with a cell")
                    continue
                self.refuse_strangers(where, lattice, LATTICE_KEYS)
                if _is_six(lattice.get("cell")):
                    found.append(lattice)
                    places.append((image, place))
                else:
                    self._faults.add(f"{where}.cell", "takes [a, b, c, alpha, beta, gamma]")
        return found, places

    def _words(self, groups: list[Any], at: Callable[[int], str]) -> tuple[str, ...] | None:
        """The space groups that are named, each once."""
        if set(map(type, groups)) <= {str, type(None)}:
            words = set(groups) - {None}
            if all(map(_SPACE_GROUP.fullmatch, words)):
                return tuple(sorted(words))
        for n, group in enumerate(groups):
            if group is not None and not (isinstance(group, str) and _SPACE_GROUP.fullmatch(group)):
                self._faults.add(at(n), "takes a space group's name, as P43212, or null")
        return None


def _all_lattices(values: list[Any]) -> list[dict[str, Any]] | None:
    """All lattices in one list, or None where not every one has the form of a lattice.

    Says only that; what is wrong is looked for where something is.
    """
    if not set(map(type, values)) <= {list}:
        return None
    found: list[Any] = list(chain.from_iterable(values))
    if not set(map(type, found)) <= {dict} or not set().union(*found) <= set(LATTICE_KEYS):
        return None
    return found if all(_is_six(lattice.get("cell")) for lattice in found) else None


def _is_six(cell: Any) -> bool:
    return cell.__class__ is list and len(cell) == CELL


def _place(
    n: int, places: list[tuple[int, int]] | None, values: list[list[Any]]
) -> tuple[int, int]:
    """The image of the n-th lattice, and which of its lattices that is."""
    if places is not None:
        return places[n]
    for image, row in enumerate(values):
        if n < len(row):
            return image, n
        n -= len(row)
    raise IndexError(n)


@dataclass(frozen=True, slots=True, eq=False)
class _Lattices:
    """The lattice columns of `Images`."""

    count: Integers
    cell: Numbers
    space_group: Integers
    n_indexed: Integers
    space_groups: tuple[str, ...]


def _at(name: str) -> Callable[[int], str]:
    return lambda n: f"{name}[{n}]"


def _possible_cell(flat: Numbers) -> Mask:
    cells = flat.reshape(-1, CELL)
    good = cells > 0
    good[:, 3:] &= cells[:, 3:] < 180
    return good.ravel()


def _sorted(images: Images) -> Images:
    """The same images by number, so that the order in which they came makes no difference."""
    number = images.image_number
    if bool((np.diff(number) > 0).all()):
        return images
    order = np.argsort(number, kind="stable")
    ends = np.cumsum(images.lattice_count)
    starts = ends - images.lattice_count
    lattices = np.concatenate(
        [np.arange(starts[n], ends[n]) for n in order] or [np.arange(0)]
    ).astype(np.intp)
    return Images(
        number[order],
        images.hit[order],
        images.n_spots[order],
        images.indexed[order],
        images.time[order],
        images.resolution[order],
        images.lattice_count[order],
        images.cell[lattices],
        images.space_group[lattices],
        images.n_indexed[lattices],
        images.space_groups,
    )

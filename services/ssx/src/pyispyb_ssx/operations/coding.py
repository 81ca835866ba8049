"""How a batch is stored: columns delta-coded, byte-shuffled, in one zstd frame."""

import hashlib
from typing import Any

import numpy as np
import numpy.typing as npt
import orjson
import zstandard

from pyispyb_ssx.operations.columns import CELL, Images, Integers

VERSION = 1
LEVEL = 3
_LENGTH = 4  # bytes of the header's length
# Counted per image; numbers that grow from image to image are kept as steps.
_PER_IMAGE = (
    ("image_number", "<i4", True),
    ("hit", "|b1", False),
    ("n_spots", "<i4", False),
    ("indexed", "|b1", False),
    ("time", "<f4", True),
    ("resolution", "<f4", False),
    ("lattice_count", "<i4", False),
)
_PER_LATTICE = (("cell", "<f4", False), ("space_group", "<i4", False), ("n_indexed", "<i4", False))


def digest(images: Images) -> bytes:
    """Equal for two batches exactly when all their decoded values are equal."""
    known = hashlib.sha256(orjson.dumps([len(images), images.space_groups]))
    for name, _, _ in (*_PER_IMAGE, *_PER_LATTICE):
        known.update(np.ascontiguousarray(getattr(images, name)).tobytes())
    return known.digest()


def encode(images: Images) -> bytes:
    """The whole batch as bytes to store."""
    header = orjson.dumps(
        {
            "version": VERSION,
            "images": len(images),
            "lattices": len(images.cell),
            "spaceGroups": images.space_groups,
        }
    )
    parts = [len(header).to_bytes(_LENGTH, "little"), header]
    for name, kind, steps in (*_PER_IMAGE, *_PER_LATTICE):
        parts.append(_pack(getattr(images, name), kind, steps=steps))
    return zstandard.ZstdCompressor(level=LEVEL).compress(b"".join(parts))


def decode(stored: bytes) -> Images:
    """The batch that `encode` made these bytes from."""
    data = zstandard.ZstdDecompressor().decompress(stored)
    start = _LENGTH + int.from_bytes(data[:_LENGTH], "little")
    header = orjson.loads(data[_LENGTH:start])
    if header["version"] != VERSION:
        raise ValueError(f"a batch stored in version {header['version']}, not {VERSION}")
    columns: dict[str, Any] = {"space_groups": tuple(header["spaceGroups"])}
    for layout, count in ((_PER_IMAGE, header["images"]), (_PER_LATTICE, header["lattices"])):
        for name, kind, steps in layout:
            values = count * CELL if name == "cell" else count
            size = values * np.dtype(kind).itemsize
            columns[name] = _unpack(data[start : start + size], kind, steps=steps)
            start += size
    columns["cell"] = columns["cell"].reshape(-1, CELL)
    return Images(**columns)


def encode_numbers(numbers: Integers) -> bytes | None:
    """Image numbers for the check of overlaps; None where they have no gap between them."""
    if int(numbers[-1]) - int(numbers[0]) + 1 == len(numbers):
        return None
    return zstandard.ZstdCompressor(level=LEVEL).compress(_pack(numbers, "<i4", steps=True))


def decode_numbers(stored: bytes) -> Integers:
    """The image numbers that `encode_numbers` made these bytes from."""
    data = zstandard.ZstdDecompressor().decompress(stored)
    numbers: Integers = _unpack(data, "<i4", steps=True)
    return numbers


def _pack(array: npt.NDArray[Any], kind: str, *, steps: bool) -> bytes:
    flat = np.ascontiguousarray(array, dtype=kind).ravel()
    if steps:
        flat = np.diff(flat.view("<u4"), prepend=np.zeros(1, "<u4"))
    # All first bytes, then all second ones: neighbours are alike, so the frame is small.
    return flat.view(np.uint8).reshape(-1, flat.itemsize).T.tobytes()


def _unpack(data: bytes, kind: str, *, steps: bool) -> npt.NDArray[Any]:
    size = np.dtype(kind).itemsize
    flat = np.frombuffer(data, np.uint8).reshape(size, -1).T.copy().ravel()
    if steps:
        return np.cumsum(flat.view("<u4"), dtype="<u4").view(kind)
    return flat.view(kind)

"""Damaged files: what is changed in a good COCO file, by its place, and the chunks of a PNG."""

import struct
import zlib
from collections.abc import Callable, Sequence
from functools import reduce
from operator import getitem
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tests.oracle import PASSES, Coco

Change = Callable[[Coco], object]
Damages = dict[str, tuple[str, Change]]  # by a culprit that is named: the faults, and the damage

SEGMENTS = "annotations", 0, "segments_info"


def find(part: Any, *path: object) -> Any:
    return reduce(getitem, path, part)


def drop(*path: object) -> Change:
    return lambda coco: find(coco, *path[:-1]).pop(path[-1])


def repeat(*path: object) -> Change:
    """Repeat the first record of a list."""
    return lambda coco: find(coco, *path).append(find(coco, *path)[0])


def change(*path: object, **fields: object) -> Change:
    """Change a record, if nothing else is named the first annotation."""
    return lambda coco: find(coco, *(path or ("annotations", 0))).update(fields)


def each(part: str, change: Callable[[Coco], object]) -> Change:
    """Change all records of a part."""
    return lambda coco: [change(record) for record in coco[part]]


def swap(part: str, field: str) -> Change:
    """Swap a field of the two records of a part."""

    def swap(coco: Coco) -> None:
        first, second = coco[part]
        first[field], second[field] = second[field], first[field]

    return swap


def both(first: Change, second: Change) -> Change:
    return lambda coco: (first(coco), second(coco))


Chunk = tuple[bytes, bytes]


def encode_png(
    pixels: NDArray[Any], filters: Sequence[int] = (0,), interlaced: bool = False
) -> list[Chunk]:
    """Return the chunks of a PNG of `pixels`: of 16 bits, shape (height, width), or RGB, uint8,
    shape (height, width, 3)."""
    height, width = pixels.shape[:2]
    depth, color, step = (16, 0, 2) if pixels.ndim == 2 else (8, 2, 3)
    raw = b""
    for top, left, down, right in PASSES if interlaced else [(0, 0, 1, 1)]:
        part = pixels[top::down, left::right]
        if part.size:
            big_endian = np.ascontiguousarray(part, f">u{depth // 8}").view(np.uint8)
            rows = big_endian.reshape(len(part), -1).astype(int)
            raw += b"".join(_filter_rows(rows, filters, step))
    header = struct.pack(">IIBBBBB", width, height, depth, color, 0, 0, interlaced)
    return [(b"IHDR", header), (b"IDAT", zlib.compress(raw)), (b"IEND", b"")]


def _filter_rows(rows: NDArray[Any], filters: Sequence[int], step: int) -> list[bytes]:
    """Filter rows of bytes, of which a pixel has `step`."""
    filtered = []
    above = np.zeros(rows.shape[1], int)
    for number, row in enumerate(rows):
        kind = filters[number % len(filters)]
        left = np.concatenate(([0] * step, row[:-step]))
        corner = np.concatenate(([0] * step, above[:-step]))
        guess = left + above - corner
        distances = np.abs(np.stack((left, above, corner)) - guess)
        paeth = np.choose(distances.argmin(axis=0), (left, above, corner))
        predicted = (0, left, above, (left + above) // 2, paeth)[kind]
        filtered.append(bytes([kind]) + ((row - predicted) % 256).astype(np.uint8).tobytes())
        above = row
    return filtered


def join_chunks(chunks: Sequence[Chunk]) -> bytes:
    """Return the PNG file of some chunks; all checksums are right."""
    parts = [b"\x89PNG\r\n\x1a\n"]
    for name, data in chunks:
        parts += struct.pack(">I", len(data)), name, data
        parts.append(struct.pack(">I", zlib.crc32(name + data)))
    return b"".join(parts)

"""PNG files: maps (one channel of 16 bits) and RGB images are read strictly, and RGB is written.

A file is refused unless all of these are right: the checksum of every chunk, the order of the
chunks, and the compressed stream with its own checksum and length. Decoders differ in the damage
they accept, and some crash. So a decoder gets the header and the pixels only after these checks,
and no other chunk.

Source: the PNG Specification (Third Edition), https://www.w3.org/TR/png-3/.
"""

import struct
import zlib
from collections.abc import Iterator
from types import ModuleType
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

# Not every platform has these two packages. Without them we get the same pixels, but slower.
try:
    from zlib_ng import zlib_ng

    fast_zlib: ModuleType = zlib_ng
except ImportError:
    fast_zlib = zlib
try:
    from kornia_rs.io import decode_image_png_u8, decode_image_png_u16
except ImportError:
    decode_image_png_u8 = decode_image_png_u16 = None

_SIGNATURE = b"\x89PNG\r\n\x1a\n"
_IEND = b"\0\0\0\0IEND\xaeB`\x82"
# 32 times the pixels of one of Cityscapes' maps. The numbers in a header say how much memory is
# taken, so a header that claims more is not believed.
MOST_PIXELS = 1 << 26

# The level of compression: the next levels take half as long again and save 5 % of the bytes.
_LEVEL = 4

# The seven passes of an interlaced image: first columns, first rows, steps to the right and down.
_PASSES = (0, 4, 0, 2, 0, 1, 0), (0, 0, 4, 0, 2, 0, 1), (8, 8, 4, 4, 2, 2, 1), (8, 8, 8, 4, 4, 2, 2)


def decode_png(content: bytes) -> NDArray[np.uint16]:
    """Return the pixels of a PNG file, shape (height, width). Raises ValueError if the file is
    damaged or is not one channel of 16 bits."""
    return _read_strictly(content, rgb=False)


def decode_rgb_png(content: bytes, *, with_alpha: bool = False) -> NDArray[np.uint8]:
    """Return the pixels of a PNG file, shape (height, width, 3).

    Raises ValueError if the file is damaged or is not three channels of 8 bits. `with_alpha` takes
    files with an alpha channel too, and leaves the channel out.
    """
    return _read_strictly(content, rgb=True, with_alpha=with_alpha)


def encode_rgb_png(pixels: NDArray[np.uint8]) -> bytes:
    """Return the content of a PNG file with the given RGB pixels, shape (height, width, 3).

    Each row is written as its difference from the row above (the filter Up). In a street most
    pixels are equal to the one above them, so most differences are 0.
    """
    height, width, _ = pixels.shape
    rows = pixels.reshape(height, 3 * width)
    lines = np.empty((height, 1 + 3 * width), np.uint8)
    lines[:, 0] = 2  # Up
    lines[0, 1:] = rows[0]
    np.subtract(rows[1:], rows[:-1], out=lines[1:, 1:])
    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    stream = fast_zlib.compress(lines.data, _LEVEL)
    return b"".join((_SIGNATURE, _chunk(b"IHDR", header), _chunk(b"IDAT", stream), _IEND))


def read_chunks(content: bytes) -> tuple[bytes, bytes]:
    """Return the header of a PNG file and its compressed stream. Raises ValueError if a chunk is
    damaged, missing, or in the wrong place."""
    if not content.startswith(_SIGNATURE):
        raise ValueError("not a PNG file; get it again")
    header = b""
    stream: list[bytes] = []
    previous = b""
    position = len(_SIGNATURE)
    while previous != b"IEND":
        length = int.from_bytes(content[position : position + 4], "big")
        name = content[position + 4 : position + 8]
        data = content[position + 8 : position + 8 + length]
        checksum = content[position + 8 + length : position + 12 + length]
        if len(checksum) < 4:
            raise _damaged("cut off")
        # The name is printed, so it must be plain text.
        if not name.isalpha():
            raise _damaged("a chunk without a name")
        plain = name.decode()
        if int.from_bytes(checksum, "big") != zlib.crc32(data, zlib.crc32(name)):
            raise _damaged(f"wrong checksum of {plain}")
        if (name == b"IHDR") != (not previous):
            raise _damaged(f"{plain} in the wrong place")
        if name == b"IHDR":
            header = data
        elif name == b"IDAT":
            if stream and previous != b"IDAT":
                raise _damaged("IDAT in several places")
            stream.append(data)
        # A palette in a colour file is no damage: that file is refused later, for its pixels.
        elif name[:1].isupper() and name != b"IEND" and (name != b"PLTE" or header[9:10] == b"\0"):
            raise _damaged(f"a chunk {plain}, which no map has")
        previous = name
        position += 12 + length
    if len(header) != 13 or not stream or length:
        raise _damaged("a chunk of the wrong length, or no pixels")
    return header, b"".join(stream)


def _read_strictly(content: bytes, rgb: bool, *, with_alpha: bool = False) -> NDArray[Any]:
    header, stream = read_chunks(content)
    width, height, depth, color, *methods, interlaced = struct.unpack(">IIBBBBB", header)
    if not width or not height or methods != [0, 0] or interlaced > 1:
        raise _damaged("a header that PNG does not allow")
    if width * height > MOST_PIXELS:
        raise ValueError(f"claims {width} x {height} pixels; is it damaged?")
    has_alpha = with_alpha and (depth, color) == (8, 6)
    if not has_alpha and (depth, color) != ((8, 2) if rgb else (16, 0)):
        channels = {0: 1, 2: 3, 3: 1, 4: 2, 6: 4}.get(color, "no known number of")
        expected = "a panoptic map has three of 8" if rgb else "a map of instances has one of 16"
        if depth <= 8 and not rgb:
            expected += "; 8 bits cannot hold instance ids such as 26001"
        raise ValueError(
            f"has {channels} channel(s) of {depth} bits, where {expected}; is this another file"
            " under its name, or saved again by a tool?"
        )
    pixel_bytes = (4 if has_alpha else 3) if rgb else 2
    stream = _check_stream(stream, [*_list_passes(width, height, interlaced, pixel_bytes)])
    bare = b"".join((_SIGNATURE, _chunk(b"IHDR", header), _chunk(b"IDAT", stream), _IEND))
    return _decode(bare, height, width, rgb, has_alpha)


def _check_stream(stream: bytes, passes: list[tuple[int, int]]) -> bytes:
    """Check a compressed stream; return it without any bytes after its end. `passes` has the rows
    of each pass over the image, and the bytes of a row. Raises ValueError if it is damaged."""
    size = sum(rows * stride for rows, stride in passes)
    inflate = fast_zlib.decompressobj()
    try:
        # One byte more than expected, so that a longer stream is noticed.
        lines = inflate.decompress(stream, size + 1)
    except fast_zlib.error as error:
        raise _damaged(f"its pixels: {error}") from error
    if not inflate.eof or len(lines) != size:
        raise _damaged("more or fewer pixels than its header says")
    start = 0
    for rows, stride in passes:
        end = start + rows * stride
        if np.frombuffer(lines, np.uint8)[start:end:stride].max() > 4:
            raise _damaged("a filter that PNG does not allow")
        start = end
    return stream[: len(stream) - len(inflate.unused_data)]


def _list_passes(
    width: int, height: int, interlaced: int, pixel_bytes: int
) -> Iterator[tuple[int, int]]:
    """Yield the number of rows of each pass over the image, and the bytes of a row."""
    for left, top, right, down in zip(*_PASSES, strict=True) if interlaced else ((0, 0, 1, 1),):
        columns, rows = -((left - width) // right), -((top - height) // down)
        if columns > 0 and rows > 0:
            yield rows, 1 + pixel_bytes * columns


def _decode(content: bytes, height: int, width: int, rgb: bool, has_alpha: bool) -> NDArray[Any]:
    decode = decode_image_png_u8 if rgb else decode_image_png_u16
    if decode is not None and not has_alpha:
        try:
            pixels: NDArray[Any] = decode(content, (height, width), "rgb" if rgb else "mono")
            return pixels if rgb else pixels.reshape(height, width)
        except Exception:  # OpenCV may know what this decoder does not
            pass
    decoded = cv2.imdecode(np.frombuffer(content, np.uint8), cv2.IMREAD_UNCHANGED)
    if decoded is None:
        raise _damaged("its pixels cannot be decoded")
    if has_alpha:
        return cv2.cvtColor(decoded, cv2.COLOR_BGRA2RGB)
    return cv2.cvtColor(decoded, cv2.COLOR_BGR2RGB) if rgb else decoded


def _chunk(name: bytes, data: bytes) -> bytes:
    checksum = zlib.crc32(data, zlib.crc32(name))
    return b"".join((len(data).to_bytes(4, "big"), name, data, checksum.to_bytes(4, "big")))


def _damaged(what: str) -> ValueError:
    return ValueError(f"damaged PNG file ({what}); get it again")

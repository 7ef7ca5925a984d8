"""PNG files read strictly, judged by the rules of PNG in the oracle and by Pillow; and written."""

import io
import struct
import zlib
from collections.abc import Callable
from typing import Any

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays
from numpy.typing import NDArray
from PIL import Image

from cityscapes_coco.pixels import png
from tests.conftest import STREET
from tests.damage import Chunk, encode_png, join_chunks
from tests.oracle import pixels_of, read_strictly

Decode = Callable[[bytes], Any]

HEADER, DATA, END = encode_png(np.array(STREET))
RAW = zlib.decompress(DATA[1])
# An animation of two frames, as other programs may have put it beside the pixels.
ANIMATION = (b"acTL", struct.pack(">II", 2, 0))
FRAME = (b"fcTL", struct.pack(">IIIIIHHBB", 0, 4, 3, 0, 0, 1, 10, 0, 0))
UNKNOWN = (b"CgBI", b"\x50\0\x20\x02")
BESIDE = [ANIMATION, FRAME, (b"fdAT", b"\0\0\0\1" + DATA[1]), (b"tEXt", b"a\0b"), (b"gAMA", b"")]


@pytest.fixture(params=["fast packages", "without them"], autouse=True, scope="module")
def packages(request: pytest.FixtureRequest) -> Any:
    """Not every platform has the packages that are faster than zlib and OpenCV."""
    with pytest.MonkeyPatch.context() as patch:
        if request.param == "without them":
            patch.setattr(png, "fast_zlib", zlib)
            patch.setattr(png, "decode_image_png_u16", None)
            patch.setattr(png, "decode_image_png_u8", None)
        elif png.fast_zlib is zlib or not vars(png)["decode_image_png_u16"]:
            pytest.skip("they are not installed")
        yield


FILTERS = st.lists(st.integers(0, 4), min_size=1, max_size=5)


@given(
    arrays(np.uint16, array_shapes(min_dims=2, max_dims=2, max_side=20)),
    FILTERS,
    st.booleans(),
    st.lists(st.sampled_from(BESIDE), max_size=3),
    st.integers(0, 60),
)
def test_every_kind_of_map_is_decoded_exactly(
    pixels: NDArray[np.uint16], filters: list[int], interlaced: bool, beside: list[Chunk], cut: int
) -> None:
    """Whatever the filters, the passes, the chunks that pixels come in, and those beside them."""
    header, (name, data), end = encode_png(pixels, filters, interlaced)
    chunks = [header, *beside, (name, data[:cut]), (name, data[cut:]), *beside, end]
    content = join_chunks(chunks)
    decoded = png.decode_png(content)
    assert decoded.dtype == np.uint16
    for judged in pixels, pixels_of(content), read_strictly(content):
        assert judged is not None and np.array_equal(decoded, judged)


COLORS = arrays(np.uint8, st.tuples(st.integers(1, 20), st.integers(1, 20), st.just(3)))


@given(COLORS, FILTERS, st.booleans(), st.lists(st.sampled_from(BESIDE), max_size=3))
def test_so_is_every_kind_of_rgb(
    pixels: NDArray[np.uint8], filters: list[int], interlaced: bool, beside: list[Chunk]
) -> None:
    header, *rest = encode_png(pixels, filters, interlaced)
    content = join_chunks([header, *beside, *rest])
    decoded = png.decode_rgb_png(content)
    assert decoded.dtype == np.uint8 and np.array_equal(decoded, pixels)
    with Image.open(io.BytesIO(join_chunks([header, *rest]))) as image:
        assert image.mode == "RGB" and np.array_equal(np.asarray(image), pixels)


def header(place: int, value: int) -> Chunk:
    return b"IHDR", HEADER[1][:place] + bytes([value]) + HEADER[1][place + 1 :]


def stream(change: Callable[[bytes], bytes]) -> Chunk:
    return b"IDAT", zlib.compress(change(RAW))


OTHER_PIXEL = zlib.compress(RAW[:2] + b"\1" + RAW[3:])
DAMAGES: dict[str, list[Chunk]] = {
    "nothing": [],
    "no header": [DATA, END],
    "a header that is not first": [DATA, HEADER, END],
    "two headers": [HEADER, HEADER, DATA, END],
    "a short header": [(b"IHDR", HEADER[1][:12]), DATA, END],
    "no pixels": [HEADER, END],
    "no end": [HEADER, DATA],
    "an end that holds something": [HEADER, DATA, (b"IEND", b"x")],
    "pixels in several places": [HEADER, DATA, (b"tEXt", b"a\0b"), (b"IDAT", b""), END],
    "a chunk that is needed and not known": [HEADER, UNKNOWN, DATA, END],
    "what libpng crashes on": [HEADER, ANIMATION, DATA, FRAME, UNKNOWN, END],
    "another compression": [header(10, 1), DATA, END],
    "another kind of filters": [header(11, 1), DATA, END],
    "another kind of passes": [header(12, 2), DATA, END],
    "passes that it does not have": [header(12, 1), DATA, END],
    "no width": [header(3, 0), DATA, END],
    "a row too few": [HEADER, stream(lambda raw: raw[:-9]), END],
    "a byte too many": [HEADER, stream(lambda raw: raw + b"\0"), END],
    "a filter that does not exist": [HEADER, stream(lambda raw: b"\5" + raw[1:]), END],
    "a pixel of another checksum": [HEADER, (b"IDAT", OTHER_PIXEL[:-4] + DATA[1][-4:]), END],
    "pixels that break off": [HEADER, (b"IDAT", DATA[1][:-4]), END],
    "another stream": [HEADER, (b"IDAT", b"pixels"), END],
}


@pytest.mark.parametrize("damage", DAMAGES)
def test_each_kind_of_damage_is_refused_in_one_line(damage: str) -> None:
    content = join_chunks(DAMAGES[damage])
    with pytest.raises(ValueError, match=r"^damaged PNG file \(.*\); get it again$"):
        png.decode_png(content)
    assert read_strictly(content) is None


RGB_NEEDED = "where a panoptic map has three of 8; is this another"
RGB = np.array(STREET)[..., None] % (256, 255, 254)


@pytest.mark.parametrize(
    ("pixels", "decode"),
    [(np.array(STREET), png.decode_png), (RGB.astype(np.uint8), png.decode_rgb_png)],
)
def test_no_bit_can_be_changed(pixels: NDArray[Any], decode: Decode) -> None:
    content = join_chunks(encode_png(pixels))
    for place in range(8 * len(content)):
        changed = bytearray(content)
        changed[place // 8] ^= 1 << place % 8
        with pytest.raises(ValueError, match=r"damaged PNG|not a PNG"):
            decode(bytes(changed))


@pytest.mark.parametrize(
    ("mode", "decode", "says"),
    [
        *((mode, png.decode_rgb_png, RGB_NEEDED) for mode in ("L", "P", "RGBA", "I;16")),
        *((mode, png.decode_png, "8 bits cannot hold instance ids such as 26001") for mode in "LP"),
    ],
)
def test_other_pixels_are_refused(mode: str, decode: Decode, says: str) -> None:
    file = io.BytesIO()
    Image.new(mode, (3, 2)).save(file, "png")
    with pytest.raises(ValueError, match=says):
        decode(file.getvalue())


def test_what_follows_the_end_is_passed_over() -> None:
    content = join_chunks([HEADER, DATA, END]) + b"more"
    assert png.decode_png(content).tolist() == STREET


@given(COLORS)
def test_what_is_written_is_read_by_others(pixels: NDArray[np.uint8]) -> None:
    content = png.encode_rgb_png(pixels)
    with Image.open(io.BytesIO(content)) as image:
        assert image.mode == "RGB" and np.array_equal(np.asarray(image), pixels)
    decoded = cv2.imdecode(np.frombuffer(content, np.uint8), cv2.IMREAD_UNCHANGED)
    assert decoded is not None and np.array_equal(decoded[..., ::-1], pixels)

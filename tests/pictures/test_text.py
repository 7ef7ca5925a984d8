"""Writing on pixels."""

import warnings

import numpy as np
import pytest

from cityscapes_coco.pictures.text import measure, plain_text, write


def written(text: str, size: int = 20) -> "np.ndarray[tuple[int, ...], np.dtype[np.uint8]]":
    pixels = np.full((60, 300, 3), 255, np.uint8)
    write(pixels, 40, 30, text, size, (0, 0, 0))
    return pixels


def test_writing_is_as_wide_as_measured_and_centred_on_its_row() -> None:
    rows, columns, _ = np.nonzero(written("EHEH") < 128)
    assert columns.min() - 40 <= 3 and columns.max() - 40 <= measure("EHEH", 20)
    assert abs((rows.min() + rows.max()) / 2 - 30) <= 1
    assert 13 <= rows.max() - rows.min() <= 16, "capitals of a font of 20 pixels"
    below, _, _ = np.nonzero(written("gjy") < 128)
    assert below.max() > rows.max()


@pytest.mark.parametrize(("left", "middle"), [(-30, 30), (290, 30), (40, -3), (40, 58), (500, 90)])
def test_writing_may_reach_out_of_the_picture(left: int, middle: int) -> None:
    pixels = np.zeros((60, 300, 3), np.uint8)
    write(pixels, left, middle, "person", 20, (255, 255, 255))


SHOWN = {"$x^$": "$x^$", "a\nb\x1b": "a?b?", "Straße, автобус": "Straße, автобус", "汽车🚗": "???"}


def test_what_the_font_lacks_is_a_question_mark_without_a_warning() -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for text, shown in (*SHOWN.items(), ("b" * 10**6, "b" * 147 + "...")):
            assert plain_text(text) == shown
            assert (written(text) == written(shown)).all()

"""Polygons for readers that fill with OpenCV; these readers' own rounding is the judge."""

from collections.abc import Callable
from typing import Any

import cv2
import numpy as np
from hypothesis import example, given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays
from numpy.typing import NDArray

from cityscapes_coco.pixels.opencv_polygons import fill_polygons, to_opencv_polygons
from tests.pixels.test_polygons import RING_IN_RING, parse

Mask = NDArray[np.uint8]
Points = NDArray[Any]

HEIGHT, WIDTH = 1024, 2048


def as_written(points: Points) -> Points:
    return points


def as_shares(points: Points) -> Points:
    """Ultralytics' labels: shares of the image in 6 digits, read in single precision."""
    shares = (points / (WIDTH, HEIGHT)).ravel().tolist()
    read = np.array([f"{share:.6g}" for share in shares], np.float32)
    return read.reshape(-1, 2) * np.array((WIDTH, HEIGHT), np.float32)


def in_single_precision(points: Points) -> Points:
    return points.astype(np.float32)


def in_6_digits(points: Points) -> Points:
    return np.array([float(f"{number:g}") for number in points.ravel()]).reshape(-1, 2)


ROUNDINGS = as_written, as_shares, in_single_precision, in_6_digits


def fill(polygons: list[Points], rounding: Callable[[Points], Points]) -> Mask:
    """Cut, fill and join, as kwcoco and the others do it."""
    mask = np.zeros((HEIGHT, WIDTH), np.uint8)
    for polygon in polygons:
        cv2.fillPoly(mask, [rounding(polygon).astype(np.int32)], 1)
    return mask


@settings(max_examples=200)
@given(
    arrays(np.uint8, array_shapes(min_dims=2, max_dims=2, max_side=16), elements=st.integers(0, 1)),
    st.sampled_from([(0, 0), (1003, 517), (WIDTH - 16, HEIGHT - 16)]),
    st.sampled_from(ROUNDINGS),
)
@example(parse("#"), (WIDTH - 1, HEIGHT - 1), as_shares)
@example(parse("####"), (0, 0), as_shares)  # lines of one pixel
@example(parse("#..", ".#.", "..#"), (7, 7), as_shares)
@example(parse("##", "##"), (0, 0), as_written)
@example(parse("###", "###", "###"), (5, 9), in_6_digits)
@example(parse(".#.", "#.#", ".#."), (3, 3), as_written)  # a hole that only corners close
@example(parse("#.#", "...", "#.#"), (3, 3), as_written)
@example(RING_IN_RING, (9, 9), in_single_precision)
def test_filled_and_joined_polygons_are_the_mask(
    mask: Mask, place: tuple[int, int], rounding: Callable[[Points], Points]
) -> None:
    x, y = place
    [polygons] = to_opencv_polygons([(mask, x, y)])
    assert bool(polygons) == mask.any()
    assert all(len(polygon) >= 3 for polygon in polygons)
    frame = np.zeros((HEIGHT, WIDTH), np.uint8)
    frame[y : y + len(mask), x : x + len(mask[0])] = mask
    assert np.array_equal(fill(polygons, rounding), frame)
    if polygons:
        # The extremes of all polygons together give the box.
        points = np.concatenate(polygons)
        rows, columns = np.nonzero(frame)
        box = columns.min(), rows.min(), columns.max() + 1, rows.max() + 1
        assert np.abs(np.array([*points.min(axis=0), *points.max(axis=0)]) - box).max() < 0.0101


def test_the_masks_of_a_frame_are_outlined_each_for_itself() -> None:
    masks = [(parse("##", "##"), 3, 4), (parse(".."), 0, 0), (parse("#.#"), 0, 9)]
    alone = [polygons for mask in masks for polygons in to_opencv_polygons([mask])]
    for found, expected in zip(to_opencv_polygons(masks), alone, strict=True):
        assert [polygon.tolist() for polygon in found] == [polygon.tolist() for polygon in expected]


def test_pieces_follow_each_other_by_distance() -> None:
    # OpenCV finds the lowest piece first: left, right, middle.
    mask = parse("...#...", ".......", "#.....#")
    [polygons] = to_opencv_polygons([(mask, 0, 0)])
    assert [int(polygon[0, 0]) for polygon in polygons] in ([0, 3, 6], [6, 3, 0])
    # Coordinates have two digits.
    [[polygon]] = to_opencv_polygons([(parse("##", "##"), 1203, 7)])
    assert all(len(repr(number).partition(".")[2]) <= 2 for number in polygon.ravel().tolist())


def test_filled_polygons_are_a_mask_and_its_place_and_cut_off_at_the_frame() -> None:
    polygons = [[2.5, 1.5, 2.5, 3.5, 2.5, 3.5], [4.5, 2.5, 4.5, 2.5, 4.5, 2.5]]
    mask, x, y = fill_polygons(polygons, 5, 6)
    assert (mask.tolist(), x, y) == ([[1, 0, 0], [1, 0, 1], [1, 0, 0]], 2, 1)
    mask, x, y = fill_polygons([[-2.5, 0.5, 1.5, 0.5, -2.5, 0.5]], 3, 4)
    assert (mask.tolist(), x, y) == ([[1, 1]], 0, 0)

"""Masks to polygons, with pycocotools and shapely as judges."""

from collections.abc import Callable, Iterable
from typing import Any

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays
from numpy.typing import NDArray

from cityscapes_coco.pixels.polygons import contours_like_original, to_polygons
from tests.oracle import decode

shapely = pytest.importorskip("shapely")

Mask = NDArray[np.uint8]
BITS = st.integers(0, 1)
Polygon = list[int]
Outline = Callable[[Iterable[tuple[Mask, int, int]]], Iterable[list[NDArray[Any]]]]


def outline(mask: Mask, x: int = 0, y: int = 0, how: Outline = to_polygons) -> list[Polygon]:
    [polygons] = how([(mask, x, y)])
    return [polygon.ravel().tolist() for polygon in polygons]


def parse(*rows: str) -> Mask:
    """A mask drawn with # and . in rows of text."""
    return np.array([[char == "#" for char in row] for row in rows], np.uint8)


def check(mask: Mask) -> None:
    """Every law of `to_polygons`, for one mask with at least one pixel."""
    polygons = outline(mask)
    assert np.array_equal(decode(polygons, *mask.shape), mask)
    area = 0.0
    for polygon in polygons:
        points = np.array(polygon).reshape(-1, 2)
        shape = shapely.Polygon(points)
        assert shape.is_valid and shape.exterior.is_simple
        area += shape.area
        steps = np.roll(points, -1, axis=0) - points
        # Each step is along one axis and the next along the other: none is empty, none collinear.
        assert ((steps != 0).sum(axis=1) == 1).all()
        assert ((steps[:, 0] != 0) != (np.roll(steps, 1, axis=0)[:, 0] != 0)).all()
    # Together with the union being exact, this says that no two polygons overlap.
    assert area == mask.sum()


RING_IN_RING = parse(
    "#######",
    "#.....#",
    "#.###.#",
    "#.#.#.#",
    "#.###.#",
    "#.....#",
    "#######",
)


@settings(max_examples=400)
@given(arrays(np.uint8, array_shapes(min_dims=2, max_dims=2, max_side=16), elements=BITS))
@example(parse("#"))
@example(parse("#.", ".#"))
@example(parse(".#.", "#.#", ".#."))  # a hole that only corners close
@example(parse("###", "#.#", "##."))  # a hole that touches the outside at a corner
@example(parse(".#.#.", "#.#.#", ".#.#."))
@example(RING_IN_RING)
@example(parse("#####", "#.#.#", "#####", "#.#.#", "#####"))  # one cut cannot open all four holes
def test_polygons_are_exact_simple_and_minimal(mask: Mask) -> None:
    if mask.any():
        check(mask)
    else:
        assert outline(mask) == []


LARGE = [
    *((np.random.default_rng(0).random((120, 90)) < share) for share in (0.1, 0.4, 0.6, 0.9, 1.0)),
    # Every pixel meets its neighbours at corners only; splitting must not take square time.
    np.indices((100, 120)).sum(axis=0) % 2,
]


@pytest.mark.parametrize("mask", LARGE)
def test_large_masks_are_exact(mask: NDArray[Any]) -> None:
    check(mask.astype(np.uint8))


@given(st.lists(arrays(np.uint8, (3, 4), elements=BITS), max_size=5))
def test_masks_are_outlined_together_as_each_alone_and_moved(masks: list[Mask]) -> None:
    together = to_polygons((mask, n, 2 * n) for n, mask in enumerate(masks))
    for n, (polygons, mask) in enumerate(zip(together, masks, strict=True)):
        moved = [polygon - (n, 2 * n) for polygon in polygons]
        assert [polygon.ravel().tolist() for polygon in moved] == outline(mask)


def test_a_pixel_is_the_square_between_its_edges() -> None:
    assert outline(parse("#"), 7, 5) == [[7, 5, 7, 6, 8, 6, 8, 5]]


def test_the_original_draws_through_pixel_centres_and_fills_holes() -> None:
    [contour] = outline(parse("###", "#.#", "###"), 10, 20, contours_like_original)
    around = {(x, y) for x in (10, 11, 12) for y in (20, 21, 22)} - {(11, 21)}
    assert set(zip(contour[::2], contour[1::2], strict=True)) == around


@pytest.mark.parametrize(
    ("mask", "kept"),
    [
        (parse("#"), False),
        (parse("##"), False),
        (parse("###", "###", "...", "..#"), False),  # one small part drops the whole instance
        (parse("##", "#."), True),
        (parse("###"), True),  # a walk there and back: four points
    ],
)
def test_the_original_drops_an_instance_for_a_contour_of_two_points(mask: Mask, kept: bool) -> None:
    assert bool(outline(mask, how=contours_like_original)) == kept


def test_no_cut_outlives_both_make_valid_and_a_scale() -> None:
    """Parts that share an edge are one to shapely, and the hole is back. A slit that pycocotools
    rounds away keeps them apart, but widens as the mask is scaled: by 800 / 1024, pixels are lost.
    """
    ring = np.kron(parse("###", "#.#", "###"), np.ones((4, 4), np.uint8))
    [parts] = to_polygons([(ring, 0, 31)])
    cut = max(part[:, 1].min() for part in parts)
    below = [part[:, 1].min() == cut for part in parts]
    sides = zip(parts, below, strict=True)
    slit = [part + 0.05 * (part == [-1, cut]) * is_below for part, is_below in sides]

    def fill(polygons: list[NDArray[Any]], scale: float = 1) -> NDArray[np.bool_]:
        return decode([(scale * polygon).ravel().tolist() for polygon in polygons], 64, 16)

    joined = shapely.make_valid(shapely.MultiPolygon(map(shapely.Polygon, parts)))
    assert [len(part.interiors) for part in joined.geoms if part.area] == [1]
    assert shapely.MultiPolygon(map(shapely.Polygon, slit)).is_valid
    assert np.array_equal(fill(parts), fill(slit))
    assert fill(parts, 800 / 1024).sum() - fill(slit, 800 / 1024).sum() == 9


def test_holes_are_opened_by_as_few_cuts_as_can_be() -> None:
    """Of the mask, one cut opens the holes in rows 4 and 5; those in rows 1 and 3 need one each.
    The upper cut parts the mask in two, and the lower one in two again."""
    mask = "#######", "#.#####", "#######", "###.###", "#####.#", "#####.#", "#######"
    steps = "#####", "#.#.#", "#.###", "#.#.#", "#.###", "#####"
    ring = "####", "#..#", "#..#", "####"
    assert [len(outline(parse(*rows))) for rows in (mask, steps, ring)] == [3, 4, 2]

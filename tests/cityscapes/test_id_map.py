"""Maps to regions, on arrays that can be checked by eye."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays
from numpy.typing import NDArray

from cityscapes_coco.cityscapes.id_map import (
    Region,
    cut_into_runs,
    cut_mask,
    find_instances,
    measure_regions,
)
from cityscapes_coco.errors import UserError

STREET = np.array([[23, 23, 23, 26001], [26000, 7, 24, 24], [26000, 26000, 7, 26001]], np.uint16)


def test_instances_come_in_the_order_of_their_values_with_box_area_and_mask() -> None:
    group, left, right = find_instances(STREET, "map.png").instances
    assert (group.value, group.label_id, group.is_group) == (24, 24, True)
    assert (left.value, left.label_id, left.is_group) == (26000, 26, False)
    assert (left.bbox, left.area) == ((0, 1, 2, 2), 3)
    assert cut_mask(STREET, left).tolist() == [[1, 0], [1, 1]]
    assert (right.bbox, right.area) == ((3, 0, 1, 3), 2)
    assert cut_mask(STREET, right).tolist() == [[1], [0], [1]]


def test_any_value_has_a_region_and_stuff_is_no_group() -> None:
    runs = cut_into_runs(STREET)
    regions = measure_regions(runs, runs.values < 1000, 4)
    assert [(region, region.label_id, region.is_group) for region in regions] == [
        (Region(7, (1, 1, 2, 2), 2), 7, False),
        (Region(23, (0, 0, 3, 1), 3), 23, False),
        (Region(24, (2, 1, 2, 1), 2), 24, True),
    ]


VALUES = st.sampled_from([0, 7, 24, 26, 24000, 24001, 26000, 26999, 33000])


@given(arrays(np.uint16, array_shapes(min_dims=2, max_dims=2, max_side=8), elements=VALUES))
def test_no_pixel_of_an_instance_is_lost_or_added(id_map: NDArray[np.uint16]) -> None:
    rebuilt = np.where((id_map == 0) | (id_map == 7), id_map, 0)
    for instance in find_instances(id_map, "map.png").instances:
        x, y, width, height = instance.bbox
        mask = cut_mask(id_map, instance)
        assert mask.shape == (height, width) and instance.area == mask.sum()
        rebuilt[y : y + height, x : x + width] += mask * np.uint16(instance.value)
        ys, xs = np.nonzero(id_map == instance.value)
        assert (x, y, x + width - 1, y + height - 1) == (xs.min(), ys.min(), xs.max(), ys.max())
    assert np.array_equal(rebuilt, id_map)


@pytest.mark.parametrize("value", [34, 255, 999, 1000 * 34, 65535])
def test_a_value_without_a_label_is_unknown(value: int) -> None:
    contents = find_instances(np.array([[7, value], [26000, value]], np.uint16), "map.png")
    assert contents.unknown == [value] and contents.foreign == []
    assert [instance.value for instance in contents.instances] == [26000]


def test_a_class_whose_numbers_are_all_taken_is_refused() -> None:
    """The 1,001st person would be 25000, which is a rider."""
    id_map = np.arange(24000, 25001, dtype=np.uint16).reshape(7, 143)
    with pytest.raises(UserError, match=r"^map\.png: holds all 1,000 numbers of person, 24000 to"):
        find_instances(id_map, "map.png")
    id_map[id_map == 24500] = 7
    assert len(find_instances(id_map, "map.png").instances) == 1000


def test_values_that_cityscapes_never_writes_are_told_apart() -> None:
    """The lowest is 1000: the first instance of ego vehicle, which has none."""
    id_map = np.array([[11000, 26000, 7005], [11000, 26, 1000], [1001, 23, 33]], np.uint16)
    instances, foreign, unknown = find_instances(id_map, "map.png")
    assert unknown == []
    assert [instance.value for instance in instances] == [26, 33, 26000]
    assert foreign == [1000, 1001, 7005, 11000]

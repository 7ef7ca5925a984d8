"""The page of statistics."""

from pathlib import Path

import numpy as np
import pytest
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

from cityscapes_coco.coco.reading import read_coco
from cityscapes_coco.pictures.statistics import draw_statistics
from tests.conftest import Coco
from tests.files import write_json


def draw(data: Path, coco: Coco) -> Figure:
    figure = Figure((14, 9))
    draw_statistics(figure, read_coco(write_json(data / "file.json", coco)), "train")
    return figure


def test_the_statistics_count_instances_and_sizes_but_no_crowds(data: Path, coco: Coco) -> None:
    figure = draw(data, coco)
    assert figure.get_suptitle() == "train: 3 images, 2 instances, crowds not counted: 1"
    classes, per_image, sizes, shares = figure.axes
    assert [text.get_text() for text in classes.texts] == ["1", "0", "1", "0"]
    bars = [bar.get_height() for bar in per_image.patches if isinstance(bar, Rectangle)]
    assert bars == [2, 0, 1]
    points = [line for line in sizes.lines if line.get_marker() == "o"]
    medians = {np.ravel(p.get_ydata())[0]: np.ravel(p.get_xdata())[0] for p in points}
    assert medians == {0: 160, 2: 400 * 200 - 200 * 100}
    assert [text.get_text() for text in shares.texts] == ["100", "100"]
    assert all(axes.get_xlim()[0] >= 0 and axes.get_ylim()[1] >= -0.6 for axes in figure.axes)


def test_of_citypersons_heights_and_visibility_are_shown(data: Path, coco: Coco) -> None:
    bodies = (20, 0.2), (60, 0.1), (90, 1)
    for annotation, (height, ratio) in zip(coco["annotations"], bodies, strict=True):
        annotation |= {"height": height, "vis_ratio": ratio}
    coco["annotations"][0]["category_id"] = 3
    _, _, heights, visibility = draw(data, coco).axes
    assert heights.get_title(loc="left") == "Heights"
    assert visibility.get_title(loc="left") == "Visibility"
    [median] = [line for line in heights.lines if line.get_marker() == "o"]
    assert np.ravel(median.get_xdata())[0] == 40
    # Below 0.2, and from 0.2 to 0.65.
    assert [text.get_text() for text in visibility.texts] == ["50", "50"]


def test_parts_of_four_percent_have_a_number(data: Path, coco: Coco) -> None:
    person, bus, _ = coco["annotations"]
    coco["annotations"] = [person] * 24 + [bus | {"category_id": 1}]
    assert [text.get_text() for text in draw(data, coco).axes[3].texts] == ["96", "4"]


@pytest.mark.parametrize(
    ("part", "records", "title"),
    [
        ("annotations", [], "train: 3 images, 0 instances"),
        ("images", [], "train: 0 images, 2 instances, crowds not counted: 1"),
        ("categories", [], "train: 3 images, 2 instances, crowds not counted: 1"),
        (
            "categories",
            [{"id": number, "name": f"class {number}"} for number in range(3000)],
            "train: 3 images, 2 instances, crowds not counted: 1; 40 of 3,000 classes",
        ),
    ],
)
def test_any_number_fits(
    part: str, records: list[Coco], title: str, data: Path, coco: Coco
) -> None:
    coco[part] = records
    figure = draw(data, coco)
    figure.draw_without_rendering()
    assert figure.get_suptitle() == title

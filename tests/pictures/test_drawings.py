"""What is drawn of records, and what is not."""

from pathlib import Path

import numpy as np
import pytest

from cityscapes_coco.coco.reading import read_coco
from cityscapes_coco.pictures.colors import LABEL_COLORS
from cityscapes_coco.pictures.drawings import read_categories
from tests.conftest import Coco, annotate
from tests.files import write_json
from tests.pictures.conftest import HEIGHT, PHOTO, WIDTH, example, predict


@pytest.mark.parametrize("field", ["bbox", "area", "iscrowd", "category_id", "id"])
def test_what_misses_a_field_is_drawn_all_the_same(field: str, data: Path, coco: Coco) -> None:
    for annotation in coco["annotations"]:
        del annotation[field]
    regions = [drawing.region for drawing in example(data, coco).drawings]
    assert len(regions) == 3 and all(regions)


def test_groups_say_so_and_results_have_their_score(data: Path, coco: Coco) -> None:
    drawings = example(data, coco).drawings
    assert {d.label for d in drawings} == {"person", "bus", "car group"}
    assert [d.label for d in drawings if d.is_group] == ["car group"]
    shown = example(data, coco, [predict(coco["annotations"][1], 0.876)])
    assert [drawing.label for drawing in shown.drawings] == ["bus 0.88"]


@pytest.mark.parametrize(("count", "drawn"), [(10, ""), (200, "200 of 200"), (400, "300 of 400")])
def test_what_is_drawn_is_bounded(count: int, drawn: str, data: Path, coco: Coco) -> None:
    whole = annotate(np.ones((HEIGHT, WIDTH), np.bool_), id=1, image_id=1, category_id=1)
    coco["annotations"] = [whole] * count
    told = f" (drawn: {drawn}, 10 with masks)" if drawn else ""
    assert example(data, coco).title == PHOTO + told
    coco["annotations"] = []
    shown = example(data, coco, [predict(whole, n / 1000) for n in range(count)])
    assert shown.title == PHOTO + told
    best = {f"person {(count - 1 - n) / 1000:.2f}" for n in range(min(count, 300))}
    assert {drawing.label for drawing in shown.drawings} == best


def test_the_largest_are_drawn_of_too_many(data: Path, coco: Coco) -> None:
    person = coco["annotations"][0]
    coco["annotations"] = [person | {"bbox": [0, 0, n, 9], "segmentation": []} for n in range(400)]
    widths = [drawing.bbox[2] for drawing in example(data, coco).drawings]
    assert widths == list(range(399, 99, -1))


def test_stuff_has_the_colour_of_cityscapes_and_things_have_several(tmp_path: Path) -> None:
    names = {7: ("road", 0), 26: ("car", 1), 90: ("lava", 0)}
    coco = {
        "images": [],
        "annotations": [{"image_id": "a", "file_name": "a.png", "segments_info": []}],
        "categories": [{"id": k, "name": name, "isthing": n} for k, (name, n) in names.items()],
    }
    categories = read_categories(read_coco(write_json(tmp_path / "panoptic.json", coco)))
    assert categories.stuff == {7, 90}
    assert categories.families["road"] == (LABEL_COLORS["road"],)
    assert len(categories.families["car"]) > 5 and len(categories.families["lava"]) == 1
    assert categories.page_colors["road"] == LABEL_COLORS["road"]

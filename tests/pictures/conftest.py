"""What the tests of pictures share: an image with three instances, and results for it."""

from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from cityscapes_coco.coco.json_file import open_json
from cityscapes_coco.coco.reading import read_coco
from cityscapes_coco.pictures.drawings import read_categories
from cityscapes_coco.pictures.examples import Example, Source, load_example
from cityscapes_coco.scores.results import read_results
from tests.conftest import Coco, annotate
from tests.files import write_json

Picture = NDArray[np.uint8]  # RGB, of shape (height, width, 3)

WIDTH, HEIGHT = 800, 400
PHOTO = "leftImg8bit/train/aachen/aachen_000000_000019_leftImg8bit.png"


def photograph() -> Picture:
    y, x = np.indices((HEIGHT, WIDTH)) // 4
    return np.stack((x, y, 150 - y), axis=2).astype(np.uint8)


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """A data folder with one photograph; what is beside the folder is none of a file's business."""
    path = tmp_path / "cityscapes" / PHOTO
    path.parent.mkdir(parents=True)
    Image.fromarray(photograph()).save(path)
    return tmp_path / "cityscapes"


@pytest.fixture
def coco() -> Coco:
    """Three images, the first with a pedestrian of 160 pixels, a bus that has a hole, and a group
    of cars; a fourth class that nothing is of."""
    person, bus, cars = np.zeros((3, HEIGHT, WIDTH), np.bool_)
    person[300:320, 600:608] = True
    bus[50:250, 100:500] = True
    bus[100:200, 200:400] = False
    cars[300:380, 50:250] = True
    names = ("person", "car", "bus", "train")
    image = {"file_name": PHOTO, "width": WIDTH, "height": HEIGHT}
    return {
        "images": [{"id": number, **image} for number in (1, 2, 3)],
        "categories": [{"id": number, "name": name} for number, name in enumerate(names, 1)],
        "annotations": [
            annotate(person, id=1, image_id=1, category_id=1),
            annotate(bus, id=2, image_id=1, category_id=3),
            annotate(cars, id=3, image_id=1, category_id=2, iscrowd=1),
        ],
    }


def example(data: Path, coco: Coco, results: list[Coco] | None = None) -> Example:
    """The first image of a file, with its instances or with results."""
    path = write_json(data / "file.json", coco)
    file = read_coco(path)
    of_image = [annotation for annotation in file.annotations if annotation.image_id == 1]
    if results is None:
        return load_example(Source(path, data, read_categories(file)), file.images[0], of_image)
    results_path = write_json(data / "results.json", results)
    found = read_results(open_json(results_path), file)
    source = Source(path, data, read_categories(file), results_path)
    return load_example(source, file.images[0], of_image, found)


def predict(annotation: Coco, score: float, **changes: object) -> Coco:
    """A prediction of just what is annotated."""
    fields = ("image_id", "category_id", "bbox", "segmentation")
    return {name: annotation[name] for name in fields} | {"score": score} | changes

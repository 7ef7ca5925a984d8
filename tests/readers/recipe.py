"""What the readers' scripts share: the recipes of docs/training.md, run word for word, and a judge
that knows only the maps.

A script runs in its reader's own environment, in a folder that holds `data/cityscapes`. This module
needs numpy and Pillow, and nothing from cityscapes_coco.
"""

import json
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from statistics import mean
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from PIL import Image

PAGE = Path(__file__).parents[2] / "docs" / "training.md"
RESULTS_PAGE = PAGE.with_name("evaluation.md")
DATADIR = Path("data", "cityscapes")
SPLITS = "train", "val"
# What a trainer writes for val, of a model that was made to find what `plant` returns.
RESULTS = Path("results.json")
# Pixels that an edge of a planted instance may move: models see smaller frames, and masks of them.
NEAR = {"bbox": 8, "segmentation": 16}
# Conversions beside those of the recipes, by the folder in `others`, with their options.
OTHERS = {
    "boxes": ["--segmentation", "none"],
    "crowds": ["--crowd", "keep"],
    "rle": ["--segmentation", "rle"],
    "rle_and_crowds": ["--segmentation", "rle", "--crowd", "keep"],
    "label_ids": ["--category-ids", "label"],
    "panoptic": ["--panoptic"],
    "panoptic_train": ["--panoptic", "train"],
}
FENCED = re.compile(r"^```(\w*)\n(.*?)^```$", re.DOTALL | re.MULTILINE)
# The classes that Cityscapes evaluates, in the order of the file, by their ids.
CLASSES = {24: "person", 25: "rider", 26: "car", 27: "truck", 28: "bus"}
CLASSES |= {31: "train", 32: "motorcycle", 33: "bicycle"}
NAMES = list(CLASSES.values())
GROUPS = {value: f"{name}group" for value, name in CLASSES.items()}
STUFF = {7: "road", 8: "sidewalk", 11: "building", 12: "wall", 13: "fence", 17: "pole"}
STUFF |= {19: "traffic light", 20: "traffic sign", 21: "vegetation", 22: "terrain", 23: "sky"}
# What a reader has to give beside the instances: values of the maps, and their names.
ALSO: dict[str, dict[int, str]] = {
    "instances": {},
    "instances and groups": GROUPS,
    "instances and stuff": STUFF,
    "segments": GROUPS | STUFF,
}

Box = tuple[float, float, float, float]  # x, y, width, height in pixels
Mask = NDArray[np.bool_]  # of shape (height, width)
Map = NDArray[np.int64]  # the same
Pixels = NDArray[np.uint8]  # of shape (height, width, 3), in RGB


class Frame(NamedTuple):
    id_map: Map
    photograph: Pixels


class Found(NamedTuple):
    """An instance as a reader gives it: the file name of its photograph, with or without folders;
    its class, or the class and "group" for a crowd; and its box, mask and value in the map, and the
    pixels of the photograph, as far as the reader has them.
    """

    photograph: str
    name: str
    box: Iterable[float] | None = None
    mask: Mask | None = None
    map_value: int | None = None
    pixels: Pixels | None = None


class Truth(NamedTuple):
    """An instance in a map."""

    value: int
    name: str
    box: Box
    pixels: int


class Planted(NamedTuple):
    """An instance for a model to find, with the place of its class in NAMES."""

    label: int
    corners: tuple[int, int, int, int]  # left, top, right, bottom in pixels
    mask: Mask


class Floor(NamedTuple):
    """How good a reader that is not exact has to be: at least so many masks exact, a mean IoU of
    masks of at least so much, and no edge of a box off by more pixels.
    """

    exact_masks: int = 0
    mean_iou: float = 0
    off_by: float = 0


class Match(NamedTuple):
    """A truth, how far off the edges of the box found are, in pixels, the IoU of the mask, and if
    the photograph was there."""

    truth: Truth
    distance: float | None
    iou: float | None
    seen: bool


def section(heading: str, page: Path | None = None) -> str:
    """Return the text below a heading of a page, by default docs/training.md, up to the next."""
    page = page or PAGE
    _, found, rest = page.read_text(encoding="utf-8").partition(f"# {heading}\n")
    assert found, f"{page} has no heading {heading}"
    return re.split(r"^##+ ", rest, maxsplit=1, flags=re.MULTILINE)[0]


def blocks(text: str, language: str = "") -> list[str]:
    """Return the code blocks of a language in a text."""
    return [code for name, code in FENCED.findall(text) if name == language]


def run_recipe(heading: str, split: str = "train") -> dict[str, Any]:
    """Run the Python code under a heading, after the names that the page begins with, and return
    all names that it defines."""
    start = PAGE.read_text(encoding="utf-8").partition("\n## ")[0]
    made: dict[str, Any] = {"__name__": "recipe"}
    _run(start.replace('SPLIT = "train"', f'SPLIT = "{split}"') + section(heading), made)
    return made


def predict(*headings: str, **made: Any) -> None:
    """Run the Python code under headings of the page on evaluation, given names that a training
    made."""
    for heading in headings:
        _run(section(heading, RESULTS_PAGE), made)


def _run(text: str, made: dict[str, Any]) -> None:
    for code in blocks(text, "python"):
        exec(compile(code, "recipe", "exec"), made)


def from_corners(corners: Iterable[float]) -> Box:
    """Return the box of left, top, right and bottom."""
    left, top, right, bottom = corners
    return left, top, right - left, bottom - top


def from_centre(box: Iterable[float]) -> Box:
    """Return the box of the x and y of a centre, width and height."""
    x, y, width, height = box
    return x - width / 2, y - height / 2, width, height


def fill(polygons: Iterable[Any], height: int, width: int) -> Mask:
    """Return the union of polygons as pycocotools, which the environment must have, fills them."""
    from pycocotools import mask as coco_mask

    flat = [np.ravel(polygon).tolist() for polygon in polygons]
    mask: Any = coco_mask.decode(coco_mask.merge(coco_mask.frPyObjects(flat, height, width)))
    return np.asarray(mask == 1)


def other(name: str, split: str = "train") -> str:
    """Return the path of the file of a split that was converted with other options."""
    return str(DATADIR / "others" / name / f"instancesonly_filtered_gtFine_{split}.json")


def judge_coco(heading: str, evaluator: Any) -> None:
    """Judge the `COCO` of a recipe and an `evaluator`, which have the methods of pycocotools: the
    instances of the recipe's file, those and the crowds of files with other options, and scores."""
    made = run_recipe(heading)
    for name in "crowds", "rle_and_crowds":
        crowds = {split: _look(made["COCO"](other(name, split))) for split in SPLITS}
        judge(crowds, what="instances and groups")
    for name, kind in (
        *(("boxes", "bbox"), ("crowds", "bbox"), ("label_ids", "bbox")),
        *(("rle_and_crowds", "bbox"), ("rle_and_crowds", "segm")),
    ):
        truth = made["COCO"](other(name))
        scored = evaluator(truth, truth.loadRes(_perfect_results(other(name))), kind)
        scored.evaluate()
        scored.accumulate()
        scored.summarize()
        assert abs(scored.stats[0] - 1) < 1e-6, (name, kind, scored.stats)
    cocos = {split: run_recipe(heading, split)["coco"] for split in SPLITS}
    kept = any(coco.getAnnIds(iscrowd=True) for coco in cocos.values())
    what = "instances and groups" if kept else "instances"
    judge({split: _look(coco) for split, coco in cocos.items()}, what)


def _perfect_results(path: str) -> list[dict[str, Any]]:
    """Return the annotations of a file, without crowds, as results."""
    fields = "image_id", "category_id", "bbox", "segmentation"
    annotations = json.loads(Path(path).read_text())["annotations"]
    return [
        {name: a[name] for name in fields if name in a} | {"score": 1.0}
        for a in annotations
        if not a["iscrowd"]
    ]


def _look(coco: Any) -> Iterator[Found]:
    """Yield what a `COCO` has, all with crowds if its file was made to keep them."""
    for annotation in coco.loadAnns(coco.getAnnIds()):
        [category] = coco.loadCats(annotation["category_id"])
        yield Found(
            coco.loadImgs(annotation["image_id"])[0]["file_name"],
            category["name"] + "group" * annotation["iscrowd"],
            annotation["bbox"],
            coco.annToMask(annotation) == 1,
            annotation["map_value"],
        )


def plant(photograph: str) -> list[Planted]:
    """Return the instance of each class with the largest box in a frame of val, for a trainer to
    write as its results."""
    id_map = read_frames("val")[frame_of(photograph)].id_map
    largest = {}
    for truth in sorted(_truths_in(id_map), key=lambda truth: truth.box[2] * truth.box[3]):
        left, top, width, height = map(int, truth.box)
        corners = left, top, left + width, top + height
        largest[truth.name] = Planted(NAMES.index(truth.name), corners, id_map == truth.value)
    return list(largest.values())


def judge_planted(
    results: Sequence[Mapping[str, Any]], coco: Mapping[str, Any], frames: Mapping[str, Frame]
) -> None:
    """Assert that results are an instance of each class in each frame, by class, frame and place.

    `coco` is the file that gives ids their meaning; an image may also be named by its photograph.
    """
    photographs = {image["id"]: image["file_name"] for image in coco["images"]}
    names = {category["id"]: category["name"] for category in coco["categories"]}
    found = []
    for result in results:
        photograph = photographs.get(result["image_id"], result["image_id"])
        found.append((frame_of(str(photograph)), str(names.get(result["category_id"]))))
    boxes: dict[tuple[str, str], list[Box]] = {}
    for frame, (id_map, _) in frames.items():
        for truth in _truths_in(id_map):
            boxes.setdefault((frame, truth.name), []).append(truth.box)
    assert boxes and sorted(found) == sorted(boxes), set(found) ^ set(boxes)
    for place, result in zip(found, results, strict=True):
        for field, box in _boxes_of(result):
            off_by = min(_distance(box, truth) for truth in boxes[place])
            assert off_by <= NEAR[field], f"{place}: {field} {off_by} pixels off: {box}"


def read_frames(split: str, datadir: Path = DATADIR) -> dict[str, Frame]:
    """Return the frames of a split by their names."""
    frames = {}
    for path in sorted(datadir.glob(f"gtFine/{split}/*/*_instanceIds.png")):
        name = frame_of(path.name)
        photograph = datadir / "leftImg8bit" / split / path.parent.name / f"{name}_leftImg8bit.png"
        with Image.open(path) as id_map, Image.open(photograph) as image:
            frames[name] = Frame(np.array(id_map).astype(np.int64), np.array(image.convert("RGB")))
    return frames


def frame_of(name: str) -> str:
    """Return the frame that the name of a map or of a photograph begins with."""
    return re.sub("_(gtFine|leftImg8bit).*", "", Path(name).name)


def judge(
    splits: Mapping[str, Iterable[Found]],
    what: str = "instances",
    floor: Floor | None = None,
    frames: Mapping[str, Mapping[str, Frame]] | None = None,
) -> None:
    """Compare what a reader gives of splits with their frames; print what was found.

    Photographs, classes and what else the reader gives must be what the frames have. With a
    `floor`, boxes and masks may be as far off as it says, and the line says how far off they are.
    """
    matches: list[Match] = []
    for split, found in splits.items():
        by_frame: dict[str, list[Found]] = {}
        for instance in found:
            by_frame.setdefault(frame_of(instance.photograph), []).append(instance)
        for name, frame in (frames[split] if frames else read_frames(split)).items():
            matches += _match_frame(by_frame.pop(name, []), frame, what)
        assert matches and not by_frame, (split, list(by_frame))
    wrong = [match for match in matches if match.distance or match.iou not in (None, 1)]
    described = f"{len(matches)} {what} of {' and '.join(splits)}, {_describe(matches)}"
    assert floor or not wrong, f"{described}; the first that is not: {wrong[0]}"
    assert not floor or _reaches(matches, floor), f"{described}; needed: {floor}"
    print(described)


def _match_frame(found: Sequence[Found], frame: Frame, what: str) -> Iterator[Match]:
    truths = _truths_in(frame.id_map, what)
    names = [instance.name for instance in found]
    assert sorted(names) == sorted(truth.name for truth in truths), names
    for instance in found:
        match = _match(instance, truths, frame.id_map)
        truths.remove(match.truth)
        assert instance.map_value in (None, match.truth.value), (instance, match)
        if instance.pixels is not None:
            assert np.array_equal(instance.pixels, frame.photograph), instance.photograph
        yield match


def _reaches(matches: list[Match], floor: Floor) -> bool:
    ious = [match.iou for match in matches if match.iou is not None]
    return (
        max(match.distance or 0 for match in matches) <= floor.off_by
        and ious.count(1) >= floor.exact_masks
        and (mean(ious) if ious else 0) >= floor.mean_iou
    )


def _describe(matches: list[Match]) -> str:
    parts = ["photographs exact"] if all(match.seen for match in matches) else []
    distances = [match.distance for match in matches if match.distance is not None]
    ious = [match.iou for match in matches if match.iou is not None]
    if distances:
        parts.append(_count("boxes", distances.count(0), len(distances)))
        parts += [f"boxes off by up to {worst:.2f} pixels"] if (worst := max(distances)) else []
    if ious:
        parts.append(_count("masks", exact := ious.count(1), len(ious)))
        parts += [f"mean IoU of masks {mean(ious):.3f}"] if exact < len(ious) else []
    return ", ".join(parts)


def _count(what: str, exact: int, of: int) -> str:
    return f"{what} exact" if exact == of else f"{exact} of {of} {what} exact"


def _boxes_of(result: Mapping[str, Any]) -> Iterator[tuple[str, Iterable[float]]]:
    """Yield the box of a result and that of its run lengths, as far as the result has them."""
    if "bbox" in result:
        yield "bbox", result["bbox"]
    if "segmentation" in result:
        from pycocotools import mask as coco_mask

        yield "segmentation", coco_mask.toBbox(result["segmentation"]).tolist()


def _truths_in(id_map: Map, what: str = "instances") -> list[Truth]:
    truths = []
    for value in np.unique(id_map).tolist():
        name = CLASSES.get(value // 1000) if value >= 1000 else ALSO[what].get(value)
        if name:
            rows, columns = np.nonzero(id_map == value)
            left, top = int(columns.min()), int(rows.min())
            box = left, top, int(columns.max()) - left + 1, int(rows.max()) - top + 1
            truths.append(Truth(value, name, box, len(rows)))
    return truths


def _match(instance: Found, truths: Iterable[Truth], id_map: Map) -> Match:
    """Return the most similar truth of the class of an instance."""
    inside = None if instance.mask is None else id_map[instance.mask]
    matches = []
    for truth in truths:
        if truth.name == instance.name:
            distance = None if instance.box is None else _distance(instance.box, truth.box)
            iou = None if inside is None else _iou(inside, truth)
            matches.append(Match(truth, distance, iou, instance.pixels is not None))
    return min(matches, key=lambda match: (-(match.iou or 0), match.distance or 0))


def _iou(inside: NDArray[np.int64], truth: Truth) -> float:
    """Return the IoU of a mask and a truth, given what the map has inside the mask."""
    overlap = int(np.count_nonzero(inside == truth.value))
    return overlap / (truth.pixels + inside.size - overlap)


def _distance(box: Iterable[float], truth: Box) -> float:
    """Return the largest distance of an edge of one box from the same edge of the other."""
    (x, y, width, height), (left, top, wide, high) = map(float, box), truth
    right, bottom = abs(x + width - left - wide), abs(y + height - top - high)
    # Readers hold boxes in single precision.
    return round(max(abs(x - left), abs(y - top), right, bottom), 2)

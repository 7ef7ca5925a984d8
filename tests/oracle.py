"""The judge: what a map holds, what a mask decodes to, and what the official scores are.

Nothing here comes from the package. Pillow reads the maps, the standard library finds the damaged
ones, pycocotools decodes masks, shapely checks polygons; pycocotools and cityscapesscripts score.
Without shapely or cityscapesscripts, the tests that need them are skipped.
"""

import copy
import io
import itertools
import json
import re
import struct
import warnings
import zlib
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import redirect_stdout
from pathlib import Path
from typing import Any
from unittest import mock

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image
from pycocotools import mask as coco_mask
from pycocotools.coco import COCO
from pycocotools.cocoeval import COCOeval

Coco = dict[str, Any]
Mask = NDArray[np.bool_]

# The classes that Cityscapes has instances of, by their ids.
CLASSES = {
    **{24: "person", 25: "rider", 26: "car", 27: "truck", 28: "bus"},
    **{29: "caravan", 30: "trailer", 31: "train", 32: "motorcycle", 33: "bicycle"},
}
EVALUATED = {name for name in CLASSES.values() if name not in ("caravan", "trailer")}


def read_map(path: Path) -> NDArray[np.uint16]:
    pixels = pixels_of(path.read_bytes())
    assert pixels is not None, path
    return pixels


def read_maps(datadir: Path) -> dict[str, NDArray[np.uint16]]:
    """Return all maps in a data folder, by the names of their files."""
    return {path.name: read_map(path) for path in datadir.rglob("*_instanceIds.png")}


def pixels_of(data: bytes) -> NDArray[np.uint16] | None:
    """Return the values of a map as Pillow reads them, None if it cannot.

    Pillow fails at damage beside the pixels, such as an empty gAMA, that other readers ignore. So
    it gets only the header and the pixels.
    """
    parts, rest = [data[:8]], data[8:]
    while rest:
        size = 12 + int.from_bytes(rest[:4], "big")
        if rest[4:5].isupper():
            parts.append(rest[:size])
        rest = rest[size:]
    try:
        with Image.open(io.BytesIO(b"".join(parts))) as image:
            image.load()
            # Pillow 10 has another name for 16 bits.
            return np.array(image, np.uint16) if image.mode in ("I;16", "I") else None
    except Exception:  # whatever it is: not a map
        return None


# The passes over an interlaced PNG image: its upper left pixel, and the steps down and right.
PASSES = [(0, 0, 8, 8), (0, 4, 8, 8), (4, 0, 8, 4), (0, 2, 4, 4)]
PASSES += [(2, 0, 4, 2), (0, 1, 2, 2), (1, 0, 2, 1)]


def read_strictly(data: bytes) -> NDArray[np.uint16] | None:
    """Return the values of a map by the rules of PNG, None if the file breaks one.

    Data after the end of the compressed pixels, or after the last chunk, is ignored, as Pillow
    does.
    """
    chunks = list(_split_chunks(data))
    names = b" ".join(name for name, _ in chunks)
    if not re.fullmatch(rb"IHDR( [a-z][A-Za-z]{3})*( IDAT)+( [a-z][A-Za-z]{3})* IEND", names):
        return None
    stream = zlib.decompressobj()
    try:
        width, height, *form, interlaced = struct.unpack(">IIBBBBB", chunks[0][1])
        rest = stream.decompress(b"".join(data for name, data in chunks if name == b"IDAT"))
    except (struct.error, zlib.error):
        return None
    # A header may claim any number of pixels.
    if not 0 < 2 * width * height < len(rest) or not stream.eof or chunks[-1][1]:
        return None
    if form != [16, 0, 0, 0] or interlaced > 1:
        return None
    pixels = np.zeros((height, width), np.uint16)
    for top, left, down, right in PASSES if interlaced else [(0, 0, 1, 1)]:
        above = bytes(2 * len(range(left, width, right)))
        for row in pixels[top::down, left::right] if above else ():
            kind, line, rest = rest[:1], rest[1 : len(above) + 1], rest[len(above) + 1 :]
            if kind > b"\4" or len(line) < len(above):
                return None
            above = _unfilter(kind[0], line, above)
            row[:] = np.frombuffer(above, ">u2")
    return None if rest else pixels


def _split_chunks(data: bytes) -> Iterator[tuple[bytes, bytes]]:
    """Yield name and data of each chunk of a PNG file, up to the first that is damaged."""
    name, place = b"", 8
    while data.startswith(b"\x89PNG\r\n\x1a\n") and name != b"IEND":
        end = place + 8 + int.from_bytes(data[place : place + 4], "big")
        if data[end : end + 4] != zlib.crc32(data[place + 4 : end]).to_bytes(4, "big"):
            return
        name = data[place + 4 : place + 8]
        yield name, data[place + 8 : end]
        place = end + 4


def _unfilter(kind: int, line: bytes, above: bytes) -> bytes:
    """Return a row of 16-bit pixels, given the row above."""
    row = bytearray(2) + line
    above = bytes(2) + above
    for x in range(2, len(row)):
        left, up, corner = row[x - 2], above[x], above[x - 2]
        if kind == 4:
            guess = left + up - corner
            # If several are equally near, PNG takes the first.
            predicted = min(left, up, corner, key=lambda value: abs(guess - value))
        else:
            predicted = (0, left, up, (left + up) // 2)[kind]
        row[x] = (row[x] + predicted) % 256
    return bytes(row[2:])


def name_of(value: int) -> str:
    """Return the class of a value in a map, or "" if the class has no instances."""
    return CLASSES.get(value if value < 1000 else value // 1000, "")


def masks_in(
    id_map: NDArray[Any], names: Collection[str] = EVALUATED, groups: bool = False
) -> Iterator[tuple[int, Mask]]:
    """Yield value and mask, shape (height, width), of each instance of the named classes in a map;
    with `groups`, of each group too."""
    for value in np.unique(id_map).tolist():
        if name_of(value) in names and (value >= 1000 or groups):
            yield value, id_map == value


def decode(segmentation: Any, height: int, width: int) -> Mask:
    """Return the mask of polygons or of run lengths, compressed or not."""
    if isinstance(segmentation, list):
        rle: Any = coco_mask.merge(coco_mask.frPyObjects(segmentation, height, width))
    elif isinstance(segmentation["counts"], list):
        rle = coco_mask.frPyObjects(segmentation, height, width)
    else:
        rle = {"size": [height, width], "counts": segmentation["counts"].encode()}
    return np.asarray(coco_mask.decode(rle), np.bool_)


def encode(mask: NDArray[Any]) -> dict[str, Any]:
    """Return the compressed run lengths of a mask, as a COCO file has them."""
    rle: Any = coco_mask.encode(np.asfortranarray(mask, np.uint8))
    return {"size": list(mask.shape), "counts": rle["counts"].decode()}


def count_runs(mask: NDArray[Any]) -> list[int]:
    """Return the uncompressed run lengths of a mask, column by column."""
    flat = np.asarray(mask, np.bool_).T.ravel()
    edges = np.flatnonzero(np.diff(flat, prepend=False))
    runs: list[int] = np.diff(edges, prepend=0, append=flat.size).tolist()
    return runs


def box_of(mask: NDArray[Any]) -> tuple[int, ...]:
    """Return the bbox of a mask: x, y, width, height."""
    rows, columns = (np.flatnonzero(np.any(mask, axis)).tolist() for axis in (1, 0))
    return columns[0], rows[0], columns[-1] - columns[0] + 1, rows[-1] - rows[0] + 1


def is_exact(annotation: Coco, name: str, value: int, mask: Mask) -> bool:
    """Return whether an annotation of the class `name` equals what a map has under a value."""
    found = name, annotation["iscrowd"], annotation["area"], tuple(annotation["bbox"])
    there = name_of(value), value < 1000, mask.sum(), box_of(mask)
    return found == there and bool((decode(annotation["segmentation"], *mask.shape) == mask).all())


def check_exact(coco: Coco, maps: Mapping[str, NDArray[Any]]) -> list[int]:
    """Assert that a file of this program has exactly the instances that its options ask for, with
    the right masks; return the values of its annotations in the maps."""
    names = {category["id"]: category["name"] for category in coco["categories"]}
    options = coco["info"]["options"]
    claims = {(a["image_id"], a["map_value"]): a for a in coco["annotations"]}
    values = [value for _, value in claims]
    assert len(claims) == len(coco["annotations"])
    for image in coco["images"]:
        id_map = maps[image["seg_file_name"]]
        assert id_map.shape == (image["height"], image["width"])
        for value, mask in masks_in(id_map, names.values(), options["crowd"] == "keep"):
            if mask.sum() >= options["min_area"]:
                claim = claims.pop((image["id"], value))
                assert is_exact(claim, names[claim["category_id"]], value, mask)
    assert not claims
    check_simple(a["segmentation"] for a in coco["annotations"])
    return values


def check_simple(segmentations: Iterable[Any]) -> None:
    """Assert that no polygon crosses or touches itself; run lengths are passed over."""
    outlines = [s for s in segmentations if isinstance(s, list)]
    if outlines:
        shapely = pytest.importorskip("shapely")
        for polygon in itertools.chain(*outlines):
            assert shapely.Polygon(np.reshape(polygon, (-1, 2))).is_valid


def official_scores(upload: Path, maps: Iterable[Path]) -> dict[str, Any] | None:
    """Return the scores by cityscapesscripts of a folder for the benchmark's server; None where its
    script fails because no prediction counts at all.

    The script needs a function that numpy no longer has, and would write a file into the package.
    """
    name = "cityscapesscripts.evaluation.evalInstanceLevelSemanticLabeling"
    official = pytest.importorskip(name)
    predictions = {m: upload / m.name.replace("_gtFine_instanceIds.png", ".txt") for m in maps}
    args = copy.copy(official.args)
    args.gtInstancesFile = str(upload / "none.json")
    args.predictionPath = str(upload)
    args.JSONOutput, args.quiet = False, True
    with (
        mock.patch.object(np, "in1d", np.isin, create=True),
        mock.patch.object(official, "writeDict2JSON"),
        warnings.catch_warnings(),
    ):
        # The mean of classes of which there are none.
        warnings.simplefilter("ignore", RuntimeWarning)
        try:
            texts = [str(path) for path in predictions.values()]
            found = official.evaluateImgLists(texts, [str(path) for path in predictions], args)
        except IndexError:
            return None
    averages = found["averages"]
    numbers = {"average": (averages["allAp"], averages["allAp50%"])}
    numbers |= {name: (each["ap"], each["ap50%"]) for name, each in averages["classes"].items()}
    return {
        name: [None if np.isnan(number) else float(np.squeeze(number)) for number in pair]
        for name, pair in numbers.items()
    }


Numbers = dict[str, tuple[float, ...] | None]


def official_panoptic(truth_path: Path, path: Path) -> tuple[Numbers, Numbers]:
    """Return PQ, SQ and RQ by cityscapesscripts: the averages, and the numbers of each class; None
    for a class that nobody has, and where the script divides by zero."""
    official = pytest.importorskip("cityscapesscripts.evaluation.evalPanopticSemanticLabeling")
    truth, results = (json.loads(file.read_bytes()) for file in (truth_path, path))
    categories = {category["id"]: category for category in truth["categories"]}
    found = {annotation["image_id"]: annotation for annotation in results["annotations"]}
    pairs = [(annotation, found[annotation["image_id"]]) for annotation in truth["annotations"]]
    folders = [str(file.with_suffix("")) for file in (truth_path, path)]
    with redirect_stdout(io.StringIO()):
        counts = official.pq_compute_single_core(0, pairs, *folders, categories)
    averages: Numbers = {}
    classes: Numbers = {}
    for name, is_thing in ("all", None), ("things", True), ("stuff", False):
        try:
            average, by_id = counts.pq_average(categories, is_thing)
        except ZeroDivisionError:
            averages[name] = None
            continue
        averages[name] = average["pq"], average["sq"], average["rq"]
        for number, each in by_id.items():
            of_class = counts[number]
            is_there = of_class.tp + of_class.fp + of_class.fn
            numbers = each["pq"], each["sq"], each["rq"]
            classes[categories[number]["name"]] = numbers if is_there else None
    return averages, classes


def coco_precision(coco: Coco, results: Sequence[Coco], kind: Any = "bbox") -> NDArray[np.float64]:
    """Return the precision by pycocotools: overlaps, recalls, categories, areas; -1 for none."""
    with redirect_stdout(io.StringIO()):
        truth: Any = COCO()
        truth.dataset = copy.deepcopy(coco)
        truth.createIndex()
        evaluator = COCOeval(truth, truth.loadRes(copy.deepcopy(list(results))), kind)
        evaluator.evaluate()
        evaluator.accumulate()
    precision: NDArray[np.float64] = evaluator.eval["precision"][..., -1]
    return precision


def coco_scores(path: Path, results: Sequence[Coco], kind: Any) -> dict[str, list[float | None]]:
    """Return the scores by pycocotools for a COCO file: AP, AP50, AP75, and AP of small, medium
    and large instances, on average and for each category; None where there is none."""
    coco = json.loads(path.read_bytes())
    precision = coco_precision(coco, results, kind)
    ids = sorted(category["id"] for category in coco["categories"])
    places: dict[str, Any] = {c["name"]: ids.index(c["id"]) for c in coco["categories"]}

    def average(part: NDArray[np.float64]) -> float | None:
        there = part[part > -1]
        return float(np.mean(there)) if there.size else None

    return {
        name: [
            *(average(precision[overlaps, :, place, 0]) for overlaps in (slice(None), 0, 5)),
            *(average(precision[:, :, place, area]) for area in (1, 2, 3)),
        ]
        for name, place in {"average": slice(None), **places}.items()
    }

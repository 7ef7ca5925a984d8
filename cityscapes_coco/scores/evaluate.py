"""The results of a trainer, scored as COCO does and as Cityscapes does.

COCO's truth is what a COCO file says; Cityscapes' truth is what the maps show. Each score has a
file with a scorer, which first matches image by image and then rates all matches together.
"""

from collections.abc import Mapping, Sequence
from itertools import chain
from pathlib import Path
from typing import NamedTuple

from msgspec import UNSET, Struct

from cityscapes_coco.check.records import check_fields, check_references, check_unique
from cityscapes_coco.coco.json_file import JsonFile, open_json
from cityscapes_coco.coco.reading import (
    fills_with_opencv,
    group_by_image,
    read_coco,
    read_options,
)
from cityscapes_coco.coco.records import Annotation, CocoFile, Image, Result
from cityscapes_coco.coco.segmentations import (
    decode_rles,
    find_size,
    has_segmentation,
    name_annotation,
)
from cityscapes_coco.convert.categories import find_labels
from cityscapes_coco.convert.sources import trace_images
from cityscapes_coco.errors import UserError, command
from cityscapes_coco.labels import category_instancesonly
from cityscapes_coco.options import BOX_TYPES, StrPath
from cityscapes_coco.pixels.rle import Rle
from cityscapes_coco.run.progress import show_progress
from cityscapes_coco.run.workers import Map
from cityscapes_coco.scores.cityscapes_score import (
    CityscapesMatches,
    CityscapesScore,
    CityscapesScorer,
    CityscapesScores,
    Curves,
    OtherSize,
)
from cityscapes_coco.scores.coco_score import CocoEvaluation, CocoScore, CocoScores, Shape
from cityscapes_coco.scores.miss_rate import MissRates, find_miss_rates
from cityscapes_coco.scores.results import (
    Prediction,
    check_box,
    decode_masks,
    find_repeats,
    name_result,
    read_results,
)
from cityscapes_coco.scores.suspicions import find_suspicions

AnyScore = CocoScore | CityscapesScore

_LACK = "Cityscapes' score cannot be had: "


class Scores(Struct):
    """The scores of so many `results`; `without_results` counts the images that have none.

    `cityscapes` is None if that score is not possible, and `citypersons` also if the truth is not
    of CityPersons. `notes` has a line for each thing that a reader of the scores has to know.
    `curves` go by shape, or "cityscapes"; a class without truth has none. They are drawn, and not
    written.
    """

    images: int
    results: int
    without_results: int
    coco: CocoScores
    cityscapes: CityscapesScores | None
    citypersons: MissRates | None
    notes: list[str]
    curves: dict[str, Curves]


class NoTruth(UserError):
    """A COCO file has no annotations, like the files of the test split."""


class ScoredImage(NamedTuple):
    """An image, its annotations, its results, and its map if Cityscapes' score needs it."""

    image: Image
    annotations: Sequence[Annotation]
    results: Sequence[Result]
    map_path: str | None


class DecodedImage(NamedTuple):
    """The size of an image, (height, width); the masks of its annotations and of its results, None
    for each that has none; and what Cityscapes' scorer matches in its map, OtherSize if the map has
    another size."""

    size: tuple[int, int]
    truth: list[Rle]
    predicted: list[Rle]
    own: dict[str, CityscapesMatches] | OtherSize


class Decoder(NamedTuple):
    """What workers need to know about every image: the COCO file and the results, for errors;
    whether the masks of the truth are scored, and whether OpenCV fills its polygons; Cityscapes'
    scorer, None if that score is not possible."""

    path: Path
    results_path: Path
    with_masks: bool
    with_opencv: bool
    own: CityscapesScorer | None

    def decode_image(self, scored: ScoredImage) -> DecodedImage:
        """Raises UserError if a mask or the map cannot be read, or is not what it should be."""
        size = find_size(self.path, scored.image)
        rles = decode_masks(self.results_path, scored.results, size)
        truth = self._decode_truth(scored.annotations, size)
        own: dict[str, CityscapesMatches] | OtherSize = {}
        if self.own and scored.map_path is not None:
            predictions = [*map(Prediction, scored.results, rles)]
            try:
                own = dict(self.own.match_map(scored.map_path, size, predictions))
            except OtherSize as error:
                own = error
        return DecodedImage(size, truth, rles, own)

    def _decode_truth(self, annotations: Sequence[Annotation], size: tuple[int, int]) -> list[Rle]:
        if not self.with_masks:
            return [None] * len(annotations)
        opencv = self.with_opencv
        rles = decode_rles(self.path, annotations, size, name_annotation, with_opencv=opencv)
        if None in rles:
            number = annotations[rles.index(None)].id
            reason = f"annotation {number} has no segmentation, but others have"
            raise UserError(self.path, reason)
        return rles


def evaluate_results(
    path: StrPath, results_path: StrPath | JsonFile, datadir: StrPath, *, run: Map = map
) -> Scores:
    """Score the results at `results_path`, which may have been read already, for the images of the
    COCO file at `path`.

    `datadir` is the folder with the maps; without maps or masks there is only COCO's score, and a
    note says why. `run` does the work, image by image; it works like the builtin `map`.

    Raises UserError if a file or a map cannot be read, or is not what it should be, and NoTruth if
    the COCO file has no annotations.
    """
    path, datadir = Path(path), Path(datadir)
    if not isinstance(results_path, JsonFile):
        results_path = open_json(Path(results_path))
    coco = read_coco(path)
    _check_truth(path, coco)
    results = read_results(results_path, coco)
    # An empty list of results does not lack masks.
    with_masks = all(result.segmentation is not UNSET for result in results)
    shapes, notes = _plan_coco(coco, with_masks)
    own, map_paths, more_notes = _plan_cityscapes(path, coco, with_masks, datadir)
    notes += more_notes
    images = _list_images(coco, results, map_paths)
    decoder = Decoder(path, results_path.path, "mask" in shapes, fills_with_opencv(coco), own)
    names = sorted((int(category.id or 0), str(category.name)) for category in coco.categories)
    with_boxes = any(result.bbox is not UNSET for result in results)
    evaluation = CocoEvaluation(shapes, dict(names), with_boxes=with_boxes)
    own_matched = _match_images(images, decoder, evaluation, run)
    coco_scores, curves = evaluation.rate()
    own_scores = None
    if other := _find_other_size(own_matched):
        notes.append(f"{_LACK}no map has the size of its image, such as {other}")
    elif own:
        found = [of_map for of_map in own_matched if not isinstance(of_map, OtherSize)]
        own_scores, curves["cityscapes"] = own.rate(found)
    miss_rates, note = find_miss_rates(coco, results)
    notes += [note] if note else []
    notes += _describe_repeats(results)
    notes += find_suspicions(path, results_path.path, coco, results, coco_scores)
    return Scores(
        len(coco.images),
        len(results),
        sum(not image.results for image in images),
        coco_scores,
        own_scores,
        miss_rates,
        notes,
        curves,
    )


def _check_truth(path: Path, coco: CocoFile) -> None:
    """Raise UserError for the first fault that makes COCOeval fail, or leave out part of a file."""
    faults = chain(
        check_fields(coco, besides=("info", "licenses", "iscrowd", "file_name")),
        check_unique(coco, "images"),
        check_unique(coco, "categories"),
        check_references(coco),
    )
    for fault in faults:
        raise UserError(path, f"{fault.culprit}; {command('inspect')} --verify lists what is wrong")
    for fault in check_unique(coco, "categories", "name"):
        raise UserError(path, f"{fault.culprit}; scores go by name, so give each another name")
    for annotation in coco.annotations:
        try:
            check_box(annotation)
        except ValueError as error:
            raise UserError(path, f"annotation {annotation.id}{error}") from error
    if not coco.annotations:
        raise NoTruth(
            path,
            "has no annotations, so there is nothing to score results against; --save alone writes"
            " them for the server",
        )


def _plan_coco(coco: CocoFile, with_masks: bool) -> tuple[list[Shape], list[str]]:
    """Return the shapes that COCO scores, masks too if there are any, and notes."""
    if not with_masks:
        return ["box"], []
    if not any(map(has_segmentation, coco.annotations)):
        return ["box"], ["COCO's score of masks cannot be had: the COCO file has no masks"]
    filled = ["the polygons of the COCO file are filled as OpenCV fills them"]
    return ["box", "mask"], filled if fills_with_opencv(coco) else []


def _plan_cityscapes(
    path: Path, coco: CocoFile, with_masks: bool, datadir: Path
) -> tuple[CityscapesScorer | None, dict[int, str], list[str]]:
    """Return Cityscapes' scorer, the paths of the maps by image id, and notes; no scorer and no
    paths if this score is not possible."""
    if read_options(coco).annotations in BOX_TYPES:
        return None, {}, []
    labels = find_labels(coco)
    if not with_masks:
        return None, {}, [f"{_LACK}the results have no masks"]
    if not labels:
        return None, {}, [f"{_LACK}no category is a class that Cityscapes evaluates"]
    try:
        frames, others = trace_images(coco, datadir)
    except UserError as error:
        return None, {}, [f"{_LACK}{error}"]
    notes = []
    if others:
        notes.append(
            f"frames without an image in the COCO file, so in no score: {len(others)}, such as"
            f" {others[0].stem}"
        )
    if passed_over := [str(c.name) for c in coco.categories if c.id not in labels]:
        notes.append(f"no class that Cityscapes evaluates: {', '.join(passed_over)}")
    if len(labels) < len(category_instancesonly):
        notes.append(
            f"Cityscapes' average here is over {len(labels)} of its"
            f" {len(category_instancesonly)} classes"
        )
    images = zip(coco.images, frames, strict=True)
    map_paths = {int(image.id or 0): frame.annotation_path for image, frame in images}
    void_unknown = read_options(coco).unknown_labels == "void"
    return CityscapesScorer(path, labels, void_unknown), map_paths, notes


def _list_images(
    coco: CocoFile, results: Sequence[Result], map_paths: Mapping[int, str]
) -> list[ScoredImage]:
    """Return the images in the order of their ids, as COCOeval takes them."""
    annotations, grouped = group_by_image(coco.annotations), group_by_image(results)
    return [
        ScoredImage(image, annotations.get(key, ()), grouped.get(key, ()), map_paths.get(key))
        for key, image in sorted((int(image.id or 0), image) for image in coco.images)
    ]


def _match_images(
    images: Sequence[ScoredImage], decoder: Decoder, evaluation: CocoEvaluation, run: Map
) -> list[dict[str, CityscapesMatches] | OtherSize]:
    """Give COCO's evaluation each image as it is decoded; return what Cityscapes' scorer matches in
    each."""
    own_matched = []
    decoding = show_progress(run(decoder.decode_image, images), "evaluate", len(images))
    for image, decoded in zip(images, decoding, strict=True):
        truth = [*zip(image.annotations, decoded.truth, strict=True)]
        evaluation.add(decoded.size, truth, [*map(Prediction, image.results, decoded.predicted)])
        own_matched.append(decoded.own)
    return own_matched


def _find_other_size(
    matched: Sequence[dict[str, CityscapesMatches] | OtherSize],
) -> OtherSize | None:
    """Return the first of the maps of another size if all maps are; raise it if only some are."""
    others = [of_map for of_map in matched if isinstance(of_map, OtherSize)]
    if others and len(others) < len(matched):
        raise others[0]
    return others[0] if others else None


def _describe_repeats(results: Sequence[Result]) -> list[str]:
    repeats = find_repeats(results)
    if not repeats:
        return []
    return [
        f"{len(repeats)} of {len(results)} results repeat an earlier one exactly, such as"
        f" {name_result(repeats[0])}; a repeat counts as false: leave them out"
    ]

"""Panoptic results that are plausible and wrong: what is seen, and what would repair it.

Segments of things are looked at as results of instances are: where they lie, in which order of the
images, and under which ids. Stuff covers much of every street, so only its classes say something.
"""

from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import msgspec
import numpy as np
from pycocotools import mask as coco_mask

from cityscapes_coco.coco.panoptic import HIGHEST_ID, find_png, read_colors
from cityscapes_coco.coco.records import Image, PanopticFile
from cityscapes_coco.coco.segmentations import find_size
from cityscapes_coco.pixels.rle import find_rles
from cityscapes_coco.scores.class_ids import Pairs, explain_pairs, find_kind
from cityscapes_coco.scores.image_order import explain_order
from cityscapes_coco.scores.panoptic_quality import PanopticMatches, PanopticQuality
from cityscapes_coco.scores.panoptic_results import PanopticResult, list_segments
from cityscapes_coco.scores.sampling import MASKS, Sample, Truth, count_possible, list_truth, spread
from cityscapes_coco.scores.suspicions import compare_with_chance, find_readings, say_where

# Fewer segments than these do not show what is wrong with them.
_ENOUGH = 20
# Where segments lie is looked at if the recognition of a class is so bad, in so many images.
_LOW_RQ, _MOST_IMAGES = 0.05, 60
# Things have nothing to do with the truth if their quality is so low, and they lie on no more
# things of their images than of others.
_NO_PQ = 0.02
# Things are not told apart if no image of the results has two of one class, and if where the truth
# has several, the results have one: so many times, and in such a share of all times.
_TOLD_APART, _SHARE_TOLD_APART = 5, 0.7


class _Sampler(NamedTuple):
    """What is needed to know where things lie: the panoptic file, for errors; the folder of the
    results' PNG files; the ids of the categories that are things; and the things of each image."""

    path: Path
    pngs: Path
    things: set[int]
    truth: dict[int, Truth]

    def has_things(self, pair: tuple[Image, PanopticResult]) -> bool:
        return any(segment.category_id in self.things for segment in pair[1].segments_info)

    def sample(self, image: Image, result: PanopticResult) -> Sample:
        """Return the things of an image that has some in the results, the largest first, as if
        these had the highest scores."""
        size = find_size(self.path, image)
        ids = read_colors(find_png(self.pngs, result.file_name), *size) & HIGHEST_ID
        categories = {
            segment.id: int(segment.category_id or 0)
            for segment in result.segments_info
            if segment.category_id in self.things
        }
        rles = find_rles(ids, lambda ids: np.isin(ids, [*categories]), min(categories))
        boxes = np.array([coco_mask.toBbox(rle) for rle in rles.values()]).reshape(-1, 4)
        order = np.argsort(-boxes[:, 2:].prod(axis=1), kind="stable")
        # A PNG file has no runs that could be read in another way.
        ways = {name: np.full_like(boxes, np.nan) for name in MASKS} | {MASKS[0]: boxes[order]}
        of_things = np.array([categories[number] for number in rles], np.int64)[order]
        number = int(image.id or 0)
        return Sample(number, size, self.truth[number], of_things, np.ones(len(boxes)), ways)


def find_panoptic_suspicions(
    path: Path,
    pngs: Path,
    truth: PanopticFile,
    results: Sequence[PanopticResult],
    matches: PanopticMatches,
    quality: PanopticQuality,
) -> list[str]:
    """Return a line for each thing that seems to be wrong with the results of all images of the
    truth, which is the panoptic file at `path`. `pngs` is the folder of their PNG files, `matches`
    and `quality` are what was found.

    Raises UserError if a PNG file cannot be read any more.
    """
    things = {int(c.id or 0) for c in truth.records.categories if c.isthing}
    notes = _compare_parts(truth, results, things) + _compare_files(pngs, truth, results)
    qualities = [score.rq for score in quality.classes.values() if score.rq is not None]
    if not any(rq < _LOW_RQ for rq in qualities):
        return notes
    of_things = [segment for segment in truth.annotations if segment.category_id in things]
    only_things = msgspec.structs.replace(truth, annotations=of_things)
    sampler = _Sampler(path, pngs, things, list_truth(only_things))
    pairs = [*filter(sampler.has_things, zip(truth.images, results, strict=True))]
    samples = [sampler.sample(*pair) for pair in spread(pairs, _MOST_IMAGES)]
    # Other tools may write no boxes.
    can_be_placed = samples and all(segment.bbox for segment in of_things)
    places: list[str] = []
    if can_be_placed:
        places, look = find_readings(samples)
        places = places or explain_order(samples, look.boxes, only_things)
    notes += say_where(places, len(samples), len(pairs))
    if not places:
        notes += _explain_classes(matches, truth, results, things)
    is_hopeless = count_possible(samples) >= _ENOUGH and (quality.average.things.pq or 0) < _NO_PQ
    if is_hopeless and can_be_placed and not notes:
        notes += say_where(compare_with_chance(samples, look), len(samples), len(pairs))
    return notes


def _compare_parts(
    truth: PanopticFile, results: Sequence[PanopticResult], things: set[int]
) -> list[str]:
    """Return notes on what all results lack, and on what a segment may not be."""
    names = {category.id: category.name for category in truth.categories}
    in_truth = Counter((a.image_id, a.category_id) for a in truth.annotations if not a.iscrowd)
    given = Counter((segment.image_id, segment.category_id) for segment in list_segments(results))
    if not given:
        return ["the results have no segment at all"]
    notes = []
    for kind, is_kind in ("a thing", True), ("stuff", False):
        there = sum(n for (_, number), n in in_truth.items() if (number in things) is is_kind)
        if there >= _ENOUGH and not any((number in things) is is_kind for _, number in given):
            notes.append(f"no segment is {kind}; in the truth {there} segments are")
    parts = {key: n for key, n in given.items() if n > 1 >= in_truth[key] and key[1] not in things}
    if parts:
        (_, number), most = max(parts.items(), key=lambda item: item[1])
        images = len({image for image, _ in parts})
        notes.append(
            f"in {images} of {len(results)} images, stuff has several segments of a class, up to"
            f" {most} of {names[number]}; the truth never has: give all of them one id"
        )
    several = [key for key, n in in_truth.items() if n > 1 and key[1] in things]
    found = sum(given[key] > 0 for key in several)
    are_told_apart = any(n > 1 for (_, number), n in given.items() if number in things)
    if found >= max(_TOLD_APART, _SHARE_TOLD_APART * len(several)) and not are_told_apart:
        notes.append(
            f"no image has two segments of one class of things; where the truth has several,"
            f" {found} of {len(several)} times, the results have one: are things told apart?"
        )
    return notes


def _compare_files(pngs: Path, truth: PanopticFile, results: Sequence[PanopticResult]) -> list[str]:
    """Return a note if images share a PNG file that do not share one in the truth."""
    shared: dict[Path, set[str | None]] = {}
    for image, result in zip(truth.images, results, strict=True):
        png = find_png(pngs, result.file_name)
        shared.setdefault(png, set()).add(image.seg_file_name or None)
    most = max(shared, key=lambda png: len(shared[png]))
    if len(shared[most]) < 2:
        return []
    return [f"{most.name} is the PNG file of {len(shared[most])} images; each image needs its own"]


def _explain_classes(
    matches: PanopticMatches,
    truth: PanopticFile,
    results: Sequence[PanopticResult],
    things: set[int],
) -> list[str]:
    """Return notes on segments that lie on those of another class. Stuff and things are looked at
    on their own, as there are many more things; if both are wrong, one mistake may explain both."""
    ids = [int(category.id or 0) for category in truth.categories]
    pairs = {
        (ids[given], ids[wanted]): int(matches.overlaps[wanted, given])
        for wanted, given in np.argwhere(matches.overlaps).tolist()
    }
    called = {int(s.category_id or 0) for result in results for s in result.segments_info}
    notes = []
    for kind, is_kind in ("stuff", False), ("things", True):
        on_kind = Counter({pair: n for pair, n in pairs.items() if (pair[1] in things) is is_kind})
        own = {number for number in called if (number in things) is is_kind}
        what = f"segments that lie on {kind}"
        notes.append(
            explain_pairs(on_kind, own, truth, what, kind) or _ask_for_ids(on_kind, truth, what)
        )
    whole = "segments that lie on others"
    if all(notes) and (note := explain_pairs(Counter(pairs), called, truth, whole, "segments")):
        return note
    return notes[0] + notes[1]


def _ask_for_ids(pairs: Pairs, truth: PanopticFile, what: str) -> list[str]:
    """Return a note if most segments lie on another class that no network takes for theirs."""
    names = {category.id: str(category.name) for category in truth.categories}
    wrong = {
        (names[given], names[wanted]): times
        for (given, wanted), times in pairs.items()
        if find_kind(names[given]) != find_kind(names[wanted])
    }
    if pairs.total() < _ENOUGH or 2 * sum(wrong.values()) <= pairs.total():
        return []
    given, wanted = max(wrong, key=lambda pair: (wrong[pair], pair))
    return [
        f"{sum(wrong.values())} of {pairs.total()} {what} have another class, such as {given} on"
        f" {wanted}; are the category ids the truth's?"
    ]

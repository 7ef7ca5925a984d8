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
from cityscapes_coco.coco.records import Annotation, Image, PanopticFile
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
# Results have nothing to do with the truth if the quality of things and that of stuff are so low,
# and if things lie on no more things of their images than of others.
_NO_PQ, _SOME_PQ = 0.02, 0.3
# One mistake explains stuff and things if so large a share of the segments lies on the other kind.
_ACROSS = 0.2
# Things are not told apart if no image of the results has two of one class, and if where the truth
# has several, the results have one: so many times, and in such a share of all times.
_TOLD_APART, _SHARE_TOLD_APART = 5, 0.7


class _Case(NamedTuple):
    """What is looked at: the results for each image of the truth, all their segments, the folder of
    their PNG files, and the ids of the categories that are things. `path` is the file of the truth,
    for errors."""

    path: Path
    pngs: Path
    truth: PanopticFile
    results: Sequence[PanopticResult]
    segments: Sequence[Annotation]
    things: set[int]

    def has_things(self, pair: tuple[Image, PanopticResult]) -> bool:
        return any(segment.category_id in self.things for segment in pair[1].segments_info)

    def sample(self, image: Image, result: PanopticResult, truth: Truth) -> Sample:
        """Return the things of an image that has some in the results, the largest first, as if
        these had the highest scores. `truth` has those of the truth."""
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
        return Sample(int(image.id or 0), size, truth, of_things, np.ones(len(boxes)), ways)


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
    case = _Case(path, pngs, truth, results, list_segments(results), things)
    notes = _compare_files(case) + _find_lacks(case)
    qualities = [score.rq for score in quality.classes.values() if score.rq is not None]
    is_low = any(rq < _LOW_RQ for rq in qualities)
    mistakes = _find_mistakes(case, matches, quality) if is_low else []
    # Other numbers of segments may come from other places or classes.
    return notes + (mistakes or _compare_counts(case))


def _find_mistakes(case: _Case, matches: PanopticMatches, quality: PanopticQuality) -> list[str]:
    """Return notes on segments that are in another place, or of another class."""
    of_things = [a for a in case.truth.annotations if a.category_id in case.things]
    only_things = msgspec.structs.replace(case.truth, annotations=of_things)
    there = list_truth(only_things)
    pairs = [*filter(case.has_things, zip(case.truth.images, case.results, strict=True))]
    # Other tools may write no boxes.
    if not pairs or not all(segment.bbox for segment in of_things):
        return _explain_classes(case, matches)
    chosen = spread(pairs, _MOST_IMAGES)
    samples = [case.sample(image, result, there[int(image.id or 0)]) for image, result in chosen]
    notes, look = find_readings(samples)
    notes = notes or explain_order(samples, look.boxes, only_things)
    if not notes and (of_classes := _explain_classes(case, matches)):
        return of_classes
    pqs = quality.average.things.pq or 0, quality.average.stuff.pq or 0
    is_hopeless = pqs[0] < _NO_PQ and pqs[1] < _SOME_PQ and count_possible(samples) >= _ENOUGH
    if not notes and is_hopeless:
        notes = compare_with_chance(samples, look)
    return say_where(notes, len(samples), len(pairs))


def _find_lacks(case: _Case) -> list[str]:
    """Return a note if the results have no things, no stuff, or nothing."""
    given = {segment.category_id for segment in case.segments}
    if not given:
        return ["the results have no segment at all"]
    in_truth = [a.category_id for a in case.truth.annotations if not a.iscrowd]
    notes = []
    for kind, is_kind in ("a thing", True), ("stuff", False):
        there = sum((number in case.things) is is_kind for number in in_truth)
        if there >= _ENOUGH and not any((number in case.things) is is_kind for number in given):
            notes.append(f"no segment is {kind}; in the truth {there} segments are")
    return notes


def _compare_counts(case: _Case) -> list[str]:
    """Return notes if images have too many segments of a class of stuff, or too few of things."""
    names = {category.id: category.name for category in case.truth.categories}
    truth = (a for a in case.truth.annotations if not a.iscrowd)
    in_truth, given = (
        Counter((segment.image_id, segment.category_id) for segment in segments)
        for segments in (truth, case.segments)
    )
    notes = []
    parts = {k: n for k, n in given.items() if n > 1 >= in_truth[k] and k[1] not in case.things}
    if parts:
        (_, number), most = max(parts.items(), key=lambda item: item[1])
        images = len({image for image, _ in parts})
        notes.append(
            f"in {images} of {len(case.results)} images, stuff has several segments of a class, up"
            f" to {most} of {names[number]}; the truth never has: give all of them one id"
        )
    several = [key for key, n in in_truth.items() if n > 1 and key[1] in case.things]
    found = sum(given[key] > 0 for key in several)
    are_told_apart = any(n > 1 for (_, number), n in given.items() if number in case.things)
    if found >= max(_TOLD_APART, _SHARE_TOLD_APART * len(several)) and not are_told_apart:
        notes.append(
            f"no image has two segments of one class of things; where the truth has several,"
            f" {found} of {len(several)} times, the results have one: are things told apart?"
        )
    return notes


def _compare_files(case: _Case) -> list[str]:
    """Return a note if images share a PNG file that do not share one in the truth."""
    shared: dict[Path, set[str | None]] = {}
    for image, result in zip(case.truth.images, case.results, strict=True):
        png = find_png(case.pngs, result.file_name)
        shared.setdefault(png, set()).add(image.seg_file_name or None)
    most = max(shared, key=lambda png: len(shared[png]))
    if len(shared[most]) < 2:
        return []
    return [f"{most.name} is the PNG file of {len(shared[most])} images; each image needs its own"]


def _explain_classes(case: _Case, matches: PanopticMatches) -> list[str]:
    """Return notes on segments that lie on those of another class. Stuff and things are looked at
    on their own, as there are many more things; unless one mistake explains both."""
    truth, things = case.truth, case.things
    ids = [int(category.id or 0) for category in truth.categories]
    pairs = Counter(
        {
            (ids[given], ids[wanted]): int(matches.overlaps[wanted, given])
            for wanted, given in np.argwhere(matches.overlaps).tolist()
        }
    )
    called = {int(segment.category_id or 0) for segment in case.segments}
    notes = []
    for kind, is_kind in ("stuff", False), ("things", True):
        on_kind = Counter({pair: n for pair, n in pairs.items() if (pair[1] in things) is is_kind})
        own = {number for number in called if (number in things) is is_kind}
        what = f"segments that lie on {kind}"
        notes += explain_pairs(on_kind, own, truth, what, kind) or _ask(on_kind, truth, what)
    across = sum(n for (given, on), n in pairs.items() if (given in things) is not (on in things))
    if across >= _ACROSS * pairs.total() or len(notes) > 1:
        whole = explain_pairs(pairs, called, truth, "segments that lie on others", "segments")
        return whole or notes
    return notes


def _ask(pairs: Pairs, truth: PanopticFile, what: str) -> list[str]:
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

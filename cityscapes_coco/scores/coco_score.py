"""COCO's average precision, of boxes and of masks, by hotcoco; by pycocotools where hotcoco is not
installed. Both give the same digits."""

import io
from collections.abc import Iterable, Mapping, Sequence
from contextlib import redirect_stdout
from typing import Any, Literal, NamedTuple

import numpy as np
from msgspec import Struct
from numpy.typing import NDArray
from pycocotools import mask as coco_mask

from cityscapes_coco.coco.records import Annotation, Result
from cityscapes_coco.pixels.rle import Rle
from cityscapes_coco.scores.cityscapes_score import Curves
from cityscapes_coco.scores.results import Prediction

# How many images are matched in one call, by hotcoco in parallel. More gain little but need memory:
# with 100 results in each image, 32 need 7 MB more than 16.
BATCH = 16

Floats = NDArray[np.float64]
Shape = Literal["box", "mask"]


class CocoScore(Struct):
    """COCO's average precision: over all overlaps, at 0.50 and 0.75, and for three ranges of areas.

    A number is None if the truth has nothing to find.
    """

    ap: float | None
    ap50: float | None
    ap75: float | None
    ap_small: float | None
    ap_medium: float | None
    ap_large: float | None


class CocoScores(Struct):
    """COCO's scores of the boxes and, if there are masks, of the masks."""

    average: dict[Shape, CocoScore]
    classes: dict[str, dict[Shape, CocoScore]]


class PycocotoolsEval:
    """What hotcoco's StreamingEval does, by pycocotools, which needs all images at once."""

    def __init__(self, categories: list[dict[str, Any]], iou_type: Literal["bbox", "segm"]) -> None:
        self._iou_type = iou_type
        # Some releases of pycocotools cannot load results without info.
        self._truth: dict[str, Any] = {"info": {}, "categories": categories}
        self._truth |= {"images": [], "annotations": []}
        self._results: list[dict[str, Any]] = []

    def update(self, images: list[Any], truth: list[Any], results: list[Any]) -> None:
        self._truth["images"] += images
        self._truth["annotations"] += truth
        self._results += results

    def finalize(self) -> Any:
        # pycocotools' readers take 20 ms to load; with hotcoco nobody waits for them.
        from pycocotools.coco import COCO
        from pycocotools.cocoeval import COCOeval

        with redirect_stdout(io.StringIO()):
            truth: Any = COCO()
            truth.dataset = self._truth
            truth.createIndex()
            # loadRes adds fields, which must not reach the evaluation of another shape. It cannot
            # load an empty list.
            own = [dict(result) for result in self._results]
            results = truth.loadRes(own) if own else COCO()
            evaluator: Any = COCOeval(truth, results, self._iou_type)
            evaluator.evaluate()
        return evaluator


try:
    import hotcoco

    StreamingEval: Any = hotcoco.StreamingEval
    LIBRARY = "hotcoco"
except ImportError:  # it has no wheel for this machine
    StreamingEval, LIBRARY = PycocotoolsEval, "pycocotools"


class _Batch(NamedTuple):
    """Images that are matched together, with their annotations and results, as the library takes
    them."""

    images: list[dict[str, Any]]
    truth: list[dict[str, Any]]
    results: list[dict[str, Any]]


class CocoEvaluation:
    """COCO's scores of some shapes: `add` the images in the order of their ids, then `rate` them.

    `names` has the names of the categories, by id in the order of the ids. `with_boxes` says that
    results have boxes, if not all of them; the others get the boxes of their masks. All of it has
    to happen in one process: threads of hotcoco do not outlive a fork.
    """

    def __init__(
        self, shapes: Iterable[Shape], names: Mapping[int, str], *, with_boxes: bool
    ) -> None:
        self._with_boxes = with_boxes
        # The library gets places from 1 for all ids: COCOeval never finds an annotation with id 0.
        self._places = {number: place for place, number in enumerate(names, 1)}
        self._names = [*names.values()]
        self._images = self._annotations = 0
        categories = [{"id": place, "name": str(place)} for place in self._places.values()]
        self._evals = {
            shape: StreamingEval(categories, "bbox" if shape == "box" else "segm")
            for shape in shapes
        }
        self._batches = {shape: _Batch([], [], []) for shape in self._evals}

    def add(
        self,
        size: tuple[int, int],
        truth: Sequence[tuple[Annotation, Rle]],
        predictions: Sequence[Prediction],
    ) -> None:
        """Add one image, (height, width) in pixels, its annotations and its predictions."""
        self._images += 1
        image = {"id": self._images, "height": size[0], "width": size[1]}
        records = [
            {
                **self._find_ids(annotation),
                "id": number,
                "bbox": list(annotation.bbox or ()),  # never missing in a truth that is scored
                "segmentation": rle,
                "area": annotation.area,
                "iscrowd": int(annotation.iscrowd or 0),
            }
            for number, (annotation, rle) in enumerate(truth, self._annotations + 1)
        ]
        self._annotations += len(truth)
        # Only results with boxes differ by shape.
        described = self._describe_results(predictions, with_boxes=self._with_boxes)
        results = dict.fromkeys(self._batches, described)
        if self._with_boxes and "mask" in results:
            results["mask"] = self._describe_results(predictions, with_boxes=False)
        for shape, batch in self._batches.items():
            batch.images.append(image)
            batch.truth.extend(records)
            batch.results.extend(results[shape])
            if len(batch.images) == BATCH:
                self._match(shape)

    def rate(self) -> tuple[CocoScores, dict[str, Curves]]:
        """Return the scores of all images, and the curves by shape.

        COCO's precision at a recall is the best one at this recall or any higher one. A curve ends
        at the first point with a precision of 0.
        """
        scores = CocoScores({}, {name: {} for name in self._names})
        curves: dict[str, Curves] = {shape: {} for shape in self._evals}
        for shape in self._evals:
            precision = self.find_precision(shape)
            scores.average[shape] = _average(precision)
            for place, name in enumerate(self._names):
                of_class = precision[:, :, place : place + 1]
                scores.classes[name][shape] = _average(of_class)
                at_half = of_class[0, :, 0, 0]
                if at_half[0] > -1:
                    end = np.count_nonzero(at_half) + 1
                    curves[shape][name] = np.linspace(0, 1, at_half.size)[:end], at_half[:end]
        return scores, curves

    def find_precision(self, shape: Shape) -> Floats:
        """Return the precision by overlap, 0.50, 0.55 .. 0.95, by recall, 0, 0.01 .. 1, by
        category, and for all, small, medium and large areas; -1 where there is nothing to find."""
        self._match(shape)
        evaluator: Any = self._evals[shape].finalize()
        with redirect_stdout(io.StringIO()):
            evaluator.accumulate()
        precision: Floats = evaluator.eval["precision"][..., -1]
        return precision

    def _match(self, shape: Shape) -> None:
        """Let the library match the images that wait for it."""
        self._evals[shape].update(*self._batches[shape])
        self._batches[shape] = _Batch([], [], [])

    def _describe_results(
        self, predictions: Iterable[Prediction], *, with_boxes: bool
    ) -> list[dict[str, Any]]:
        """Return results as the library takes them. It takes their areas from the boxes, or from
        the masks if there are no boxes, which is what scores of masks need."""
        described = []
        for result, rle in predictions:
            place = {"segmentation": rle}
            if with_boxes:
                place = {"bbox": list(result.bbox or coco_mask.toBbox(rle).tolist())}
            described.append({**self._find_ids(result), **place, "score": result.score})
        return described

    def _find_ids(self, record: Annotation | Result) -> dict[str, int]:
        """Return the ids of the newest image and of a category, as the library takes them."""
        return {
            "image_id": self._images,
            "category_id": self._places[int(record.category_id or 0)],
        }


def _average(precision: Floats) -> CocoScore:
    """Return COCO's numbers by the rule of COCOeval's `summarize`, given what `find_precision`
    returns, for all categories or for one."""
    everything, small, medium, large = np.moveaxis(precision, -1, 0)
    parts = (everything, everything[0], everything[5], small, medium, large)
    known = (part[part > -1] for part in parts)
    return CocoScore(*(float(part.mean()) if part.size else None for part in known))

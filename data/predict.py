"""Make up what a network might predict for the sample's split val: `data/sample/predictions.json`.

A prediction is an annotation that is moved, cut off, found twice or taken for another category;
some annotations are missed, and some predictions are of nothing. The scores tell little about
that, as with a network after a short training.
"""

import argparse
import json
import random
import sys
import tempfile
import warnings
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pycocotools import mask as coco_mask

HERE = Path(__file__).resolve().parent
if str(HERE.parent) not in sys.path:  # so that `python data/predict.py` finds the package
    sys.path.insert(0, str(HERE.parent))

from cityscapes_coco import Options, convert_split, find_dataset  # noqa: E402  (the path above)

SEED = 4


def predict(coco: dict[str, Any], seed: int = SEED) -> Iterator[dict[str, Any]]:
    """Yield made-up results for a COCO file whose masks are RLEs."""
    # Python promises never to change this one stream.
    draw = random.Random(seed).random
    for annotation in coco["annotations"]:
        mask = coco_mask.decode(annotation["segmentation"])
        if draw() < 0.15:
            continue
        for _ in range(1 + (draw() < 0.2)):
            reach = 1 + min(annotation["bbox"][2:]) // 10
            moves = [int((2 * draw() - 1) * (reach + 1)) for _ in range(2)]
            moved = np.roll(mask, moves, (0, 1))
            if draw() < 0.2:
                moved[annotation["bbox"][1] + annotation["bbox"][3] // 2 :] = 0
            category = annotation["category_id"]
            if draw() < 0.1:
                category = category % len(coco["categories"]) + 1
            yield _result(annotation["image_id"], category, 0.3 + 0.7 * draw(), moved)
    for image in coco["images"]:
        for _ in range(3):
            box = np.zeros((image["height"], image["width"]), np.uint8)
            top, left = int(draw() * 800), int(draw() * 1900)
            box[top : top + 20 + int(draw() * 80), left : left + 20 + int(draw() * 80)] = 1
            yield _result(image["id"], 1 + int(draw() * 3), 0.7 * draw(), box)


def _result(image: int, category: int, score: float, mask: NDArray[np.uint8]) -> dict[str, Any]:
    rle: Any = coco_mask.encode(np.asfortranarray(mask))
    return {
        "image_id": image,
        "category_id": category,
        "bbox": coco_mask.toBbox(rle).tolist(),
        "score": round(score, 3),
        "segmentation": {"size": rle["size"], "counts": rle["counts"].decode()},
    }


def main(argv: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description="Make up predictions for the sample.")
    default = HERE / "sample" / "predictions.json"
    parser.add_argument("--out", type=Path, default=default, help="default: %(default)s")
    out = parser.parse_args(argv).out
    with tempfile.TemporaryDirectory() as folder, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        dataset = find_dataset(HERE / "sample")
        path = convert_split(dataset, "val", Path(folder), Options(segmentation="rle")).path
        coco = json.loads(path.read_bytes())
    # A result on each line.
    lines = (json.dumps(result, separators=(",", ":")) for result in predict(coco))
    out.write_text("[" + ",\n".join(lines) + "]\n", encoding="utf-8", newline="\n")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())

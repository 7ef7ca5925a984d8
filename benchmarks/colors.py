"""Measure how well the colours of pictures can be told apart, and print one Markdown table.

Colours are compared by their distance in CIE Lab: at 2 or 3 a difference can be seen, at 20 it is
plain. Of an instance the mean colour inside its mask is taken, of at least 100 pixels. How the
colour-blind see is simulated after Machado, Oliveira and Fernandes, 2009.
"""

import argparse
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from itertools import combinations
from pathlib import Path
from statistics import median
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

ROOT = Path(__file__).resolve().parent.parent
if str(ROOT) not in sys.path:  # so that `python benchmarks/colors.py` finds the package
    sys.path.insert(0, str(ROOT))

# They need the path set just above.
from cityscapes_coco.cityscapes.dataset import find_dataset, find_splits  # noqa: E402
from cityscapes_coco.coco.reading import group_by_image, read_coco  # noqa: E402
from cityscapes_coco.convert.split import convert_split  # noqa: E402
from cityscapes_coco.options import Options  # noqa: E402
from cityscapes_coco.pictures.colors import OUTCOME_COLORS, PAGE_COLORS, Color  # noqa: E402
from cityscapes_coco.pictures.composing import paint  # noqa: E402
from cityscapes_coco.pictures.drawings import Drawing, read_categories  # noqa: E402
from cityscapes_coco.pictures.examples import Example, Source, load_example  # noqa: E402
from data.generate import write_dataset  # noqa: E402

Floats = NDArray[np.float64]
Row = tuple[str, str, str]

_LEAST_AREA = 100
# What becomes of linear red, green and blue: to whom green cones, or red ones, are missing.
_SEEN_BY = {
    "anyone": [[1, 0, 0], [0, 1, 0], [0, 0, 1]],
    "deuteranopes": [
        [0.367322, 0.860646, -0.227968],
        [0.280085, 0.672501, 0.047413],
        [-0.01182, 0.04294, 0.968881],
    ],
    "protanopes": [
        [0.152286, 1.052583, -0.204868],
        [0.114503, 0.786281, 0.099216],
        [-0.003882, -0.048116, 1.051998],
    ],
}


def build_parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description="Measure the colours; print a Markdown table.")
    parser.add_argument("--datadir", type=Path, metavar="DIR", help="measure this folder too")
    parser.add_argument("--frames", type=int, default=12, help="made-up frames (%(default)s)")
    return parser


def main(argv: Sequence[str] | None = None) -> int:
    args = build_parser().parse_args(argv)
    rows: list[Row] = [("measured", "distance", "goal"), ("---", "---:", "---:")]
    with tempfile.TemporaryDirectory() as folder:
        made_up = Path(folder) / "cityscapes"
        write_dataset(made_up, seed=1, frames={"train": args.frames})
        folders = {
            "the sample": ROOT / "data" / "sample",
            "made-up frames on grey": made_up,
        }
        if args.datadir:
            folders[args.datadir.name] = args.datadir
        for name, datadir in folders.items():
            rows += measure_instances(name, [*load_examples(datadir, Path(folder))])
    rows += measure_colors("the eight classes on pages", PAGE_COLORS)
    outcomes = {name: OUTCOME_COLORS[name] for name in ("right", "false", "missed")}
    rows += measure_colors(", ".join(outcomes), outcomes)
    print("\n".join(f"| {' | '.join(row)} |" for row in rows))
    return 0


def load_examples(datadir: Path, outdir: Path) -> Iterator[Example]:
    """Convert a data folder and yield all its images with instances."""
    dataset = find_dataset(datadir, "gtFine")
    for split in find_splits(dataset):
        path = convert_split(dataset, split, outdir, Options(), warn=lambda line: None).path
        coco = read_coco(path)
        source = Source(path, dataset.folder, read_categories(coco))
        for image_id, annotations in group_by_image(coco.annotations).items():
            [image] = [image for image in coco.images if image.id == image_id]
            yield load_example(source, image, annotations)


def measure_instances(name: str, examples: Sequence[Example]) -> list[Row]:
    """Return rows about the instances of a class in the same image."""
    every: list[float] = []
    touching: list[float] = []
    darker = 0
    for example in examples:
        picture = paint(example.photo, example.drawings)
        drawings = [d for d in example.drawings if d.region and d.region[2].sum() >= _LEAST_AREA]
        before = [mean_color(example.photo, drawing) for drawing in drawings]
        after = [mean_color(picture, drawing) for drawing in drawings]
        darker += sum(b[0] < 70 and a[0] < b[0] for b, a in zip(before, after, strict=True))
        for one, other in combinations(range(len(drawings)), 2):
            if drawings[one].name == drawings[other].name:
                every.append(float(np.linalg.norm(after[one] - after[other])))
                if touch(example.photo.shape[:2], drawings[one], drawings[other]):
                    touching.append(every[-1])
    return [
        (f"{name}: {len(every):,} pairs of a class, median", f"{median(every):.1f}", "40"),
        (f"{name}: {len(touching):,} pairs that touch, least", f"{min(touching):.1f}", "12"),
        (f"{name}: masks below L* 70 that got darker", str(darker), "0"),
    ]


def measure_colors(name: str, colors: Mapping[str, Color]) -> list[Row]:
    """Return rows about the least distance between any two colours: who sees it, and in grey."""
    rows = []
    for who, matrix in _SEEN_BY.items():
        linear = (np.array(list(colors.values())) / 255) ** 2.2 @ np.array(matrix).T
        seen = to_lab(255 * linear.clip(0, 1) ** (1 / 2.2))
        rows.append((f"{name}: least, as seen by {who}", f"{least_distance(seen):.1f}", ""))
    grey = to_lab(np.array(list(colors.values()), np.float64))[:, :1]
    return [*rows, (f"{name}: least, printed in grey", f"{least_distance(grey):.1f}", "")]


def mean_color(picture: NDArray[np.uint8], drawing: Drawing) -> Floats:
    """Return the mean colour inside a mask, in CIE Lab."""
    assert drawing.region
    x, y, mask = drawing.region
    patch = picture[y : y + mask.shape[0], x : x + mask.shape[1]]
    mean: Floats = to_lab(patch[mask > 0].astype(np.float64)).mean(axis=0)
    return mean


def touch(size: tuple[int, ...], one: Drawing, other: Drawing) -> bool:
    """Return whether a pixel of one mask is beside a pixel of the other, in a frame of `size`."""
    both = np.zeros((2, *size), np.uint8)
    for plane, drawing in zip(both, (one, other), strict=True):
        assert drawing.region
        x, y, mask = drawing.region
        plane[y : y + mask.shape[0], x : x + mask.shape[1]] = mask
    return bool((cv2.dilate(both[0], np.ones((3, 3), np.uint8)) & both[1]).any())


def least_distance(points: Floats) -> float:
    return min(float(np.linalg.norm(a - b)) for a, b in combinations(points, 2))


def to_lab(colors: Floats) -> Floats:
    """Convert RGB, 0..255, of shape (n, 3), to CIE Lab."""
    row: Any = (colors / 255).astype(np.float32)[None]
    lab: Floats = cv2.cvtColor(row, cv2.COLOR_RGB2LAB)[0].astype(np.float64)
    return lab


if __name__ == "__main__":
    raise SystemExit(main())

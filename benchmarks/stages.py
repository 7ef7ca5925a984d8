"""Measure the stages of a conversion, and what else could decode a map; print a Markdown table.

    python benchmarks/stages.py

All of it runs in this process, in turn, A B A B: figures are medians without start-up, and a ratio
is the median of the ratios within a turn. As `main.py` does on Linux, this process keeps freed
memory. `benchmark.py` measures whole commands.
"""

import argparse
import io
import struct
import sys
import tempfile
import time
import zlib
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, redirect_stderr
from multiprocessing import Pool
from pathlib import Path
from statistics import median
from typing import Any
from unittest import mock

import cv2
import numpy as np
from PIL import Image

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))  # for the lines below

from benchmarks.benchmark import (
    CORES,
    TRAIN,
    BenchmarkError,
    compare,
    link_frames,
    prepare,
    print_table,
    verify,
)
from cityscapes_coco import convert_split, find_dataset
from cityscapes_coco.convert import annotate
from cityscapes_coco.pixels import png
from cityscapes_coco.run.workers import keep_freed_memory

Row = tuple[str, Sequence[float], str]  # what is measured, seconds by turn, what it compares with

# The functions of annotate.py that a stage consists of; what else a frame takes is for records.
STAGES = {
    "read_id_map": "- read: check the file, decode it",
    "find_instances": "- find the instances",
    "cut_mask": "- outline them",
    "to_polygons": "- outline them",
    "convert_frame": "frame",
}


def build_parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description="Measure the stages; print a Markdown table.")
    add = parser.add_argument
    add("--datadir", type=Path, metavar="DIR", help="take frames from this Cityscapes folder")
    add("--frames", type=int, default=30, metavar="N", help="how many (default: %(default)s)")
    add("--runs", type=int, default=9, metavar="N", help="of a median (default: %(default)s)")
    parser.set_defaults(original=None, mmdet=None)
    return parser


def main(argv: Sequence[str] | None = None) -> None:
    args = build_parser().parse_args(argv)
    keep_freed_memory()
    with tempfile.TemporaryDirectory() as folder:
        prepare(args, Path(folder))
        link_frames(args, "short", train=args.frames)
        maps = sorted(map(str, Path("short").glob("gtFine/train/*/*_instanceIds.png")))
        rows = [*time_stages(maps, args.runs), *time_decoders(maps, args.runs)]
    print_table(
        ("measured", "result", "compared"),
        [
            (name, f"{1000 * median(seconds) / args.frames:.2f} ms a frame", compared)
            for name, seconds, compared in rows
        ],
    )


def time_stages(maps: Sequence[str], runs: int) -> Iterator[Row]:
    """Time a conversion and its stages, beside decoding alone, in one process and in several."""
    stages: list[dict[str, float]] = []

    def convert() -> None:
        with stopwatches() as spent, redirect_stderr(io.StringIO()):
            convert_split(find_dataset(Path("short")), "train", Path("short/out"))
        stages.append(spent)

    with Pool(1) as one, Pool(CORES) as all_cores:
        decoding, whole, alone, apart = time_in_turn(
            runs,
            lambda: [*map(decode, maps)],
            convert,
            lambda: one.map(decode, maps),
            lambda: all_cores.map(decode, maps),
        )
    verify(f"short/out/{TRAIN}", "")
    yield "decode the maps: `cv2.imread`, freed memory kept", decoding, ""
    yield "one worker, without start-up", whole, compare(whole, decoding, "decoding")
    for spent, seconds in zip(stages, whole, strict=True):
        frame = spent.pop("frame")
        spent["- records, as JSON"] = frame - sum(spent.values())
        spent["- write: list, number, one file"] = seconds - frame
    for name in stages[0]:
        yield name, [spent[name] for spent in stages], ""
    limit = compare(apart, alone, "1 process: the machine's limit")
    yield f"decode the maps in {CORES} processes", apart, limit


def time_decoders(maps: Sequence[str], runs: int) -> Iterator[Row]:
    """Time what else could decode a map, or is a part of that, beside OpenCV."""
    from kornia_rs.io import decode_image_png_u16  # not every system has wheels of these two
    from zlib_ng import zlib_ng

    contents = [Path(path).read_bytes() for path in maps]
    header, _ = png.read_chunks(contents[0])
    width, height = struct.unpack(">II", header[:8])
    streams = [png.read_chunks(content)[1] for content in contents]
    size = height * (1 + 2 * width)
    actions: dict[str, Callable[[bytes], object]] = {
        "`cv2.imdecode`": lambda c: cv2.imdecode(np.frombuffer(c, np.uint8), cv2.IMREAD_UNCHANGED),
        "- Pillow": lambda c: np.asarray(Image.open(io.BytesIO(c))),
        "- kornia-rs": lambda c: decode_image_png_u16(c, (height, width), "mono"),
        "- our strict reader": png.decode_png,
        "- inflate with zlib": zlib.decompress,
        "- inflate with zlib-ng": lambda s: zlib_ng.decompressobj().decompress(s, size + 1),
    }

    def for_each(name: str, action: Callable[[bytes], object]) -> Callable[[], object]:
        inputs = streams if "inflate" in name else contents
        return lambda: [action(content) for content in inputs] and None

    base, *others = time_in_turn(runs, *(for_each(*item) for item in actions.items()))
    for name, seconds in zip([*actions][1:], others, strict=True):
        yield name, seconds, compare(seconds, base, "`cv2.imdecode`")


def decode(path: str) -> None:
    cv2.imread(path, cv2.IMREAD_UNCHANGED)


def time_in_turn(runs: int, *actions: Callable[[], object]) -> list[list[float]]:
    """Return the seconds that each of the actions took, run by run."""
    seconds: list[list[float]] = [[] for _ in actions]
    for _ in range(runs):
        for action, times in zip(actions, seconds, strict=True):
            start = time.perf_counter()
            action()
            times.append(time.perf_counter() - start)
    return seconds


@contextmanager
def stopwatches() -> Iterator[dict[str, float]]:
    """Give the seconds that a conversion in this process spends in each stage."""
    spent = dict.fromkeys(STAGES.values(), 0.0)
    called = set()

    def timed(name: str) -> Callable[..., Any]:
        function = getattr(annotate, name)

        def call(*args: Any, **options: Any) -> Any:
            start = time.perf_counter()
            result = function(*args, **options)
            spent[STAGES[name]] += time.perf_counter() - start
            called.add(name)
            return result

        return call

    timers: Any = {name: timed(name) for name in STAGES}
    with mock.patch.multiple(annotate, **timers):
        yield spent
    if missed := STAGES.keys() - called:
        raise BenchmarkError(f"error: not called by its name in annotate.py: {', '.join(missed)}")


if __name__ == "__main__":
    main()

"""Measure the converter and print one Markdown table.

The frames are made-up streets, or some of your own with --datadir. Whatever is compared is run in
turn, A B A B, in the same run of this command. The figures are medians, and a ratio is the median
of the ratios of neighbours. Before anything is printed, the annotations are verified against the
maps, pixel for pixel.

All files that are read are in the system's cache: this measures the processor, not the disk. As
`main.py` does on Linux, this process keeps freed memory, also while it only decodes: otherwise that
would take longer. Needs Linux or macOS.
"""

import argparse
import importlib.metadata
import io
import json
import multiprocessing
import os
import platform
import shutil
import struct
import subprocess
import sys
import tempfile
import time
import zlib
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager, redirect_stderr, redirect_stdout
from functools import partial
from itertools import cycle, islice
from pathlib import Path
from statistics import median
from typing import Any
from unittest import mock

import cv2
import numpy as np
from kornia_rs.io import decode_image_png_u16
from PIL import Image
from pycocotools import mask as coco_mask
from zlib_ng import zlib_ng

ROOT = Path(__file__).resolve().parent.parent
if str(ROOT) not in sys.path:  # so that `python benchmarks/benchmark.py` finds the package
    sys.path.insert(0, str(ROOT))

# They need the path set just above.
from cityscapes_coco.check.verify import verify_file  # noqa: E402
from cityscapes_coco.cityscapes.dataset import find_dataset, find_splits, list_frames  # noqa: E402
from cityscapes_coco.cityscapes.frame import USUAL_SET, annotation_suffix  # noqa: E402
from cityscapes_coco.cityscapes.id_map import read_id_map  # noqa: E402
from cityscapes_coco.cli.arguments import usable_cores  # noqa: E402
from cityscapes_coco.cli.tables import describe_check  # noqa: E402
from cityscapes_coco.convert import annotate  # noqa: E402
from cityscapes_coco.convert.split import SplitSummary, convert_split  # noqa: E402
from cityscapes_coco.errors import UserError  # noqa: E402
from cityscapes_coco.options import Options, Panoptic  # noqa: E402
from cityscapes_coco.pixels import png  # noqa: E402
from cityscapes_coco.run.workers import Map, keep_freed_memory, start_workers  # noqa: E402
from cityscapes_coco.scores.evaluate import evaluate_results  # noqa: E402
from cityscapes_coco.scores.submission import write_submission  # noqa: E402
from cityscapes_coco.version import __version__  # noqa: E402
from data.generate import write_dataset  # noqa: E402

Row = tuple[str, str, str]  # what was measured, the figure, what it compares with

MAP_SUFFIX = annotation_suffix("gtFine")
TRAIN_FILE = "instancesonly_filtered_gtFine_train.json"  # of this project and of the other two

# So many frames are scored: the official script takes about a second for each.
SCORED_FRAMES = 15

# Programs, as Python runs them with -c and their arguments.
_CONVERT = "import sys, main\nassert main.main(sys.argv[1:]) == 0\n"
_INSPECT = "import sys, inspect_coco\nassert inspect_coco.main(sys.argv[1:]) == 0\n"
_SCORE = "import sys, evaluate_coco\nassert evaluate_coco.main(sys.argv[1:]) == 0\n"
_LOAD = "import sys\nfrom pycocotools.coco import COCO\nCOCO(sys.argv[1])\n"
# Prints the peak memory of such a program, and of its largest worker.
_PRINT_PEAKS = """
import resource
for who in resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN:
    print(resource.getrusage(who).ru_maxrss)
"""
# On Linux the peak of a new process starts at what its parent holds. So start it from a small one.
_FROM_SMALL_PROCESS = "import subprocess, sys; raise SystemExit(subprocess.call(sys.argv[1:]))"
_PEAK_UNIT = 1 if sys.platform == "darwin" else 1024  # bytes in the unit of ru_maxrss


class BenchmarkError(Exception):
    """A program failed or its output is wrong, so there is no figure worth printing."""


def build_parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description="Measure the converter; print a Markdown table.")
    parser.add_argument(
        "--datadir",
        type=Path,
        metavar="DIR",
        help="take frames from this Cityscapes folder instead of making them",
    )
    parser.add_argument(
        "--original",
        type=Path,
        metavar="DIR",
        help="a checkout of the original script, to time it as well; needs OpenCV 4",
    )
    parser.add_argument(
        "--mmdet",
        type=Path,
        metavar="FILE",
        help="mmdetection's tools/dataset_converters/cityscapes.py, to time it as well; needs"
        " mmengine, mmcv-lite and cityscapesscripts",
    )
    parser.add_argument(
        "--official",
        action="store_true",
        help="time the official tools for panoptic files and for scores as well; needs"
        " cityscapesscripts",
    )
    parser.add_argument(
        "--frames",
        type=int,
        default=30,
        metavar="N",
        help="how many different frames; more are links to them (default: %(default)s)",
    )
    parser.add_argument(
        "--runs",
        type=int,
        default=3,
        metavar="N",
        help="how many runs a median is of (default: %(default)s)",
    )
    parser.add_argument(
        "--long",
        type=int,
        default=500,
        metavar="N",
        help="how many frames one and many workers convert (default: %(default)s)",
    )
    parser.add_argument(
        "--memory",
        type=int,
        nargs=2,
        default=[300, 2975],
        metavar="N",
        help="two numbers of frames for which memory is measured; the second file is the one that"
        " is inspected (default: 300 2975, as many as train has)",
    )
    return parser


def main(argv: Sequence[str] | None = None) -> int:
    parser = build_parser()
    args = parser.parse_args(argv)
    if args.original and not cv2.__version__.startswith("4."):
        parser.error(f"--original needs OpenCV 4 for the whole run; this is {cv2.__version__}")
    workers = max(2, usable_cores())
    try:
        with tempfile.TemporaryDirectory() as folder:
            caption, rows = measure(args, workers, Path(folder))
    except (UserError, BenchmarkError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    print(f"{caption}\n")
    for cells in ("measured", "result", "compared"), ("---", "---:", "---"), *rows:
        print(f"| {' | '.join(cells)} |")
    return 0


def measure(args: argparse.Namespace, workers: int, folder: Path) -> tuple[str, list[Row]]:
    """Return what goes above the table, and the rows of the table."""
    tell("getting frames ready")
    if args.datadir:
        maps = copy_frames(args.datadir, args.frames, folder / "copied")
    else:
        maps = make_frames(args.frames, workers, folder / "made")
    # mmdetection's converter insists on three splits, of which the others may be small.
    datadir = link_frames(maps, {"train": len(maps), "val": 1, "test": 1}, folder / "short")

    tell("verifying")
    verified = convert_train(datadir, folder / "verified").path
    verify(verified, datadir)
    annotations = read_annotations(verified)

    rows = measure_one_worker(datadir, verified, 3 * args.runs)
    rows += measure_decoders(maps, args.runs)
    rows += measure_panoptic(datadir, args.official, len(maps), args.runs)
    if args.original or args.mmdet:
        rows += measure_others(args.original, args.mmdet, datadir, args.runs)
    # So many that the start of a check counts for little.
    datadir = link_frames(maps, {"train": 4 * len(maps)}, folder / "verified 4 times")
    again = convert_train(datadir, folder / "verified 4 times").path
    rows += measure_verifying(datadir, again, workers, args.runs)
    datadir = link_frames(maps, {"train": args.long}, folder / "long")
    rows += measure_workers(datadir, annotations, args.long, workers, args.runs)
    rows += measure_memory(maps, annotations, args.memory, workers, folder)
    rows += measure_inspecting(folder / "memory 1", args.runs)
    rows += measure_scores(maps, args.official, args.long, workers, args.runs, folder)
    total = sum(len(of_frame) for of_frame in annotations)
    rows.append(("size of an annotation", f"{verified.stat().st_size / total:.0f} bytes", ""))
    rows.append(measure_start(args.runs))
    return describe_run(maps, total, not args.datadir, args.runs), rows


def tell(message: str) -> None:
    print(message, file=sys.stderr)


# ------------------------------------------------------------------------------ frames


def make_frames(count: int, workers: int, folder: Path) -> list[Path]:
    """Draw `count` streets and return their maps."""
    folders = [folder / f"{seed:04d}" for seed in range(count)]
    with multiprocessing.Pool(workers) as pool:
        pool.map(make_frame, folders)
    return sorted(folder.glob(f"*/gtFine/train/*/*{MAP_SUFFIX}"))


def make_frame(folder: Path) -> None:
    write_dataset(folder, seed=int(folder.name), frames={"train": 1})


def copy_frames(datadir: Path, count: int, folder: Path) -> list[Path]:
    """Copy `count` frames of train and val, in even steps, and return their maps.

    Copied, because they cannot be linked to from another disk.
    """
    # The maps of the test split are dummies.
    dataset = find_dataset(datadir)
    splits = [split for split in find_splits(dataset) if split != "test"]
    frames = [frame for split in splits for frame in list_frames(dataset, split).frames]
    folder.mkdir()
    maps = []
    for frame in frames[:: max(1, len(frames) // count)][:count]:
        source = Path(frame.annotation_path)
        for path in source, polygons_of(source):
            if path.exists():
                shutil.copy(path, folder)
        maps.append(folder / source.name)
    if not maps:
        raise UserError(datadir, "neither train nor val in it")
    return maps


def polygons_of(id_map: Path) -> Path:
    """Return the file that the original script looks for, and takes the size of a frame from."""
    return id_map.with_name(id_map.name.replace("_instanceIds.png", "_polygons.json"))


def link_frames(maps: Sequence[Path], splits: dict[str, int], root: Path) -> Path:
    """Make `root` a Cityscapes folder with as many frames as `splits` says: `maps`, over and over.

    The photographs are empty, for nothing looks into them.
    """
    for split, count in splits.items():
        annotations = root / "gtFine" / split / "city"
        photos = root / "leftImg8bit" / split / "city"
        annotations.mkdir(parents=True)
        photos.mkdir(parents=True)
        for number, source in enumerate(islice(cycle(maps), count)):
            stem = f"city_{number:06d}_000019"
            target = annotations / f"{stem}{MAP_SUFFIX}"
            target.hardlink_to(source)
            if polygons_of(source).exists():
                polygons_of(target).hardlink_to(polygons_of(source))
            (photos / f"{stem}_{USUAL_SET}.png").touch()
    return root


# ------------------------------------------------------------------------------ outputs


def verify(path: Path, datadir: Path, run: Map = map) -> None:
    with redirect_stderr(io.StringIO()):
        report = verify_file(path, datadir, run=run)
    if report.faults:
        raise BenchmarkError(f"the output is wrong\n{describe_check(report)}")


def read_annotations(path: Path) -> list[list[dict[str, Any]]]:
    """Return the annotations of each image, without what depends on its place in the file."""
    coco = json.loads(path.read_bytes())
    frames: dict[int, list[dict[str, Any]]] = {image["id"]: [] for image in coco["images"]}
    for annotation in coco["annotations"]:
        del annotation["id"]
        frames[annotation.pop("image_id")].append(annotation)
    return list(frames.values())


def check_repeats(path: Path, annotations: Sequence[list[dict[str, Any]]], count: int) -> None:
    """Make sure that a file holds those verified annotations, over and over, for `count` frames."""
    if read_annotations(path) != list(islice(cycle(annotations), count)):
        raise BenchmarkError(f"{count} frames were not converted as each of them was before")


# ------------------------------------------------------------------------------ measuring


def time_in_turn(runs: int, *actions: Callable[[], object]) -> list[list[float]]:
    """Return the seconds that each of the actions took, run by run."""
    seconds: list[list[float]] = [[] for _ in actions]
    for _ in range(runs):
        for action, times in zip(actions, seconds, strict=True):
            start = time.perf_counter()
            action()
            times.append(time.perf_counter() - start)
    return seconds


def median_ratio(numerators: Iterable[float], denominators: Iterable[float]) -> float:
    """Return the median of what was measured one after the other, divided."""
    return median(a / b for a, b in zip(numerators, denominators, strict=True))


def run_python(*command: object) -> str:
    """Run a Python program and return what it prints."""
    words = [str(word) for word in command]
    done = subprocess.run([sys.executable, *words], cwd=ROOT, capture_output=True, text=True)
    if done.returncode:
        raise BenchmarkError(f"this failed: python {' '.join(words)}\n{done.stdout}{done.stderr}")
    return done.stdout


def convert_train(datadir: Path, outdir: Path, panoptic: Panoptic = "none") -> SplitSummary:
    """Convert the split train in this process, without a progress bar."""
    options = Options(panoptic=panoptic)
    with redirect_stderr(io.StringIO()):
        return convert_split(find_dataset(datadir), "train", outdir, options, warn=tell)


def measure_one_worker(datadir: Path, verified: Path, runs: int) -> list[Row]:
    """Time decoding alone and the whole conversion, in this process, and each stage of it."""
    paths = [frame.annotation_path for frame in list_frames(find_dataset(datadir), "train").frames]
    outdir = datadir / "annotations"
    stages: list[dict[str, float]] = []

    def convert_all() -> None:
        with stopwatches() as spent:
            convert_train(datadir, outdir)
        stages.append(spent)

    tell(f"{len(paths)} frames in one process, {runs} times")
    keep_freed_memory()
    decoding, converting = time_in_turn(runs, partial(decode_all, paths), convert_all)
    if (outdir / verified.name).read_bytes() != verified.read_bytes():
        raise BenchmarkError("the file is another one than that of the first run")

    def per_frame(seconds: Iterable[float]) -> str:
        return f"{1000 * median(seconds) / len(paths):.2f} ms a frame"

    read, find, outline = ([s[name] for s in stages] for name in ("read", "find", "outline"))
    records = [s["frame"] - s["read"] - s["find"] - s["outline"] for s in stages]
    write = [t - s["frame"] for t, s in zip(converting, stages, strict=True)]
    ratio = f"{median_ratio(converting, decoding):.2f} times decoding"
    return [
        ("decode the maps: `cv2.imread`, freed memory kept", per_frame(decoding), ""),
        ("one worker, without start-up", per_frame(converting), ratio),
        ("- read: check the file, decode it", per_frame(read), ""),
        ("- find the instances", per_frame(find), ""),
        ("- outline them", per_frame(outline), ""),
        ("- records, as JSON", per_frame(records), ""),
        ("- write: list, number, one file", per_frame(write), ""),
    ]


def measure_decoders(maps: Sequence[Path], runs: int) -> list[Row]:
    """Time what else could read a map, or is part of reading one, against OpenCV."""
    contents = [path.read_bytes() for path in maps]
    header, _ = png.read_chunks(contents[0])
    width, height = struct.unpack(">II", header[:8])
    streams = [png.read_chunks(content)[1] for content in contents]
    size = height * (1 + 2 * width)

    def each(function: Callable[[bytes], object], inputs: Sequence[bytes]) -> Callable[[], None]:
        def run() -> None:
            for content in inputs:
                function(content)

        return run

    actions = {
        "`cv2.imdecode`": each(
            lambda content: cv2.imdecode(np.frombuffer(content, np.uint8), cv2.IMREAD_UNCHANGED),
            contents,
        ),
        "Pillow": each(lambda content: np.asarray(Image.open(io.BytesIO(content))), contents),
        "kornia-rs": each(
            lambda content: decode_image_png_u16(content, (height, width), "mono"), contents
        ),
        "our strict reader": each(png.decode_png, contents),
        "inflate with zlib": each(zlib.decompress, streams),
        "inflate with zlib-ng": each(
            lambda stream: zlib_ng.decompressobj().decompress(stream, size + 1), streams
        ),
    }
    tell("decoders")
    base, *others = time_in_turn(runs, *actions.values())
    return [
        (
            f"- {name}",
            f"{1000 * median(other) / len(maps):.2f} ms a frame",
            f"{median_ratio(other, base):.2f} times `cv2.imdecode`",
        )
        for name, other in zip([*actions][1:], others, strict=True)
    ]


def measure_panoptic(datadir: Path, official: bool, frames: int, runs: int) -> list[Row]:
    """Time the conversion with panoptic files in this process, beside the official tool, which
    makes nothing else, and measure the PNG files."""
    ours, theirs = datadir / "panoptic", datadir / "official"
    tell(f"panoptic files, {runs} times")
    for path in convert_train(datadir, ours, "label").paths:
        verify(path, datadir)
    actions: list[Callable[[], object]] = [
        partial(convert_train, datadir, ours),
        partial(convert_train, datadir, ours, "label"),
    ]
    if official:
        theirs.mkdir()
        actions.append(partial(convert_officially, datadir, theirs))
    plain, converting, *others = time_in_turn(runs, *actions)
    more = median(b - a for a, b in zip(plain, converting, strict=True)) / frames
    rows = [
        (
            "instances and panoptic files, one worker, without start-up",
            f"{1000 * median(converting) / frames:.1f} ms a frame",
            f"{1000 * more:.1f} ms more than instances alone, {describe_pngs(ours, frames)}",
        )
    ]
    for seconds in others:
        ratio = f"{median_ratio(seconds, converting):.1f} times, {describe_pngs(theirs, frames)}"
        figure = f"{1000 * median(seconds) / frames:.1f} ms a frame"
        rows.append(("the official tool, panoptic files alone", figure, ratio))
    return rows


def convert_officially(datadir: Path, outdir: Path) -> None:
    from cityscapesscripts.preparation.createPanopticImgs import convert2panoptic

    with redirect_stdout(io.StringIO()):
        convert2panoptic(str(datadir / "gtFine"), str(outdir), setNames=["train"])


def describe_pngs(outdir: Path, frames: int) -> str:
    """Say how large the PNG files of a panoptic file are, of which there must be so many."""
    sizes = [path.stat().st_size for path in outdir.glob("cityscapes_panoptic_train/*.png")]
    if len(sizes) != frames:
        raise BenchmarkError(f"{len(sizes)} PNG files of {frames} frames in {outdir.name}")
    return f"{sum(sizes) / frames / 1000:.1f} kB a PNG file"


# The stages of a conversion, by the functions of annotate.py that they consist of.
_STAGES = {
    "read_id_map": "read",
    "find_instances": "find",
    "cut_mask": "outline",
    "to_polygons": "outline",
    "convert_frame": "frame",
}


@contextmanager
def stopwatches() -> Iterator[dict[str, float]]:
    """Give the seconds that a conversion in this process spends in each stage."""
    spent: dict[str, float] = dict.fromkeys(_STAGES.values(), 0.0)

    def timed(name: str) -> Callable[..., Any]:
        function = getattr(annotate, name)

        def call(*args: Any) -> Any:
            start = time.perf_counter()
            result = function(*args)
            spent[_STAGES[name]] += time.perf_counter() - start
            return result

        return call

    timers: Any = {name: timed(name) for name in _STAGES}
    with mock.patch.multiple(annotate, **timers):
        yield spent


def measure_others(
    original: Path | None, mmdet: Path | None, datadir: Path, runs: int
) -> list[Row]:
    """Time this project, one worker, and the others, as whole processes."""
    ours, theirs, mmdets = datadir / "ours", datadir / "original", datadir / "mmdet"
    converters: list[tuple[str, Path, list[object]]] = [
        (
            "`main.py`, one process, start-up included",
            ours,
            ["main.py", "--datadir", datadir, "--outdir", ours, "--workers", 1],
        )
    ]
    if original:
        script = original.resolve() / "main.py"
        command = [script, "--dataset", "cityscapes", "--datadir", datadir, "--outdir", theirs]
        converters.append(("the original script, start-up included", theirs, command))
    if mmdet:
        command = [mmdet.resolve(), datadir, "--out-dir", mmdets]
        converters.append(("mmdetection's converter, start-up included", mmdets, command))

    tell(f"{len(converters)} converters, {runs} times")
    seconds = time_in_turn(runs, *(partial(run_python, *command) for _, _, command in converters))
    # The original leaves out the split test, so frames are counted in the files.
    per_frame = [
        [s / count_images(outdir) for s in times]
        for (_, outdir, _), times in zip(converters, seconds, strict=True)
    ]
    rows: list[Row] = []
    for (name, outdir, _), times in zip(converters, per_frame, strict=True):
        ratio = f"{median_ratio(times, per_frame[0]):.2f} times `main.py`, " if rows else ""
        quality = describe_quality(outdir / TRAIN_FILE, datadir)
        rows.append((name, f"{1000 * median(times):.1f} ms a frame", ratio + quality))
    return rows


def count_images(outdir: Path) -> int:
    count = sum(len(json.loads(path.read_bytes())["images"]) for path in outdir.glob("*.json"))
    if not count:
        raise BenchmarkError(f"the converter that writes to {outdir.name} found no frames")
    return count


def describe_quality(path: Path, datadir: Path) -> str:
    """Say how many masks of any converter's file are exact, and how large the file is."""
    tallies = verify_file(path, datadir).rows.values()
    exact = sum(tally.exact for tally in tallies)
    total = sum(tally.in_maps for tally in tallies)
    annotations = len(json.loads(path.read_bytes())["annotations"])
    size = path.stat().st_size / annotations
    return f"{exact} of {total} masks exact, {size:.0f} bytes an annotation"


def measure_workers(
    datadir: Path,
    annotations: Sequence[list[dict[str, Any]]],
    count: int,
    workers: int,
    runs: int,
) -> list[Row]:
    """Time one worker and many as whole processes."""

    def convert_with(workers: int) -> None:
        outdir = datadir / f"by {workers}"
        run_python("main.py", "--datadir", datadir, "--outdir", outdir, "--workers", workers)

    tell(f"{count} frames with 1 worker and with {workers}, {runs} times")
    paths = [frame.annotation_path for frame in list_frames(find_dataset(datadir), "train").frames]
    one, many, alone, apart = time_in_turn(
        runs,
        partial(convert_with, 1),
        partial(convert_with, workers),
        partial(decode_apart, paths, 1),
        partial(decode_apart, paths, workers),
    )
    by_one, by_many = (datadir / f"by {n}" / TRAIN_FILE for n in (1, workers))
    check_repeats(by_one, annotations, count)
    if by_many.read_bytes() != by_one.read_bytes():
        raise BenchmarkError(f"{workers} workers wrote another file than one")
    speed_up = f"{median_ratio(one, many):.2f} times as fast as 1 worker"
    limit = f"{median_ratio(alone, apart):.2f} times as fast as in 1: the machine's limit"
    return [
        (f"decode {count} frames in {workers} processes", f"{median(apart):.2f} s", limit),
        (f"{count} frames, 1 worker, start-up included", f"{median(one):.2f} s", ""),
        (
            f"{count} frames, {workers} workers, start-up included",
            f"{median(many):.2f} s",
            speed_up,
        ),
    ]


def decode_apart(paths: Sequence[str], processes: int) -> None:
    """Decode maps with OpenCV in so many new processes."""
    started = [
        multiprocessing.Process(target=decode_all, args=(paths[number::processes],))
        for number in range(processes)
    ]
    for process in started:
        process.start()
    for process in started:
        process.join()


def decode_all(paths: Iterable[str]) -> None:
    for path in paths:
        cv2.imread(path, cv2.IMREAD_UNCHANGED)


def measure_verifying(datadir: Path, verified: Path, workers: int, runs: int) -> list[Row]:
    """Time the check of a file in this process and in several, beside the conversion."""
    tell(f"verifying with 1 worker and with {workers}, {runs} times")
    with start_workers(workers) as run:
        converting, alone, together = time_in_turn(
            runs,
            partial(convert_train, datadir, datadir / "annotations"),
            partial(verify, verified, datadir),
            partial(verify, verified, datadir, run),
        )
    frames = count_images(verified.parent)
    ratio = f"{median_ratio(alone, converting):.2f} times converting"
    speed_up = f"{median_ratio(alone, together):.2f} times as fast as 1 worker"
    return [
        ("verify, 1 worker", f"{1000 * median(alone) / frames:.2f} ms a frame", ratio),
        (
            f"verify, {workers} workers",
            f"{1000 * median(together) / frames:.2f} ms a frame",
            speed_up,
        ),
    ]


def measure_peaks(program: str, *args: object) -> list[int]:
    """Run a program; return the peaks of its main process and of its largest worker, in bytes."""
    command = [sys.executable, "-c", program + _PRINT_PEAKS, *args]
    printed = run_python("-c", _FROM_SMALL_PROCESS, *command)
    return [int(line) * _PEAK_UNIT for line in printed.splitlines()[-2:]]


def measure_memory(
    maps: Sequence[Path],
    annotations: Sequence[list[dict[str, Any]]],
    counts: Sequence[int],
    workers: int,
    folder: Path,
) -> list[Row]:
    """Measure the peaks of the main process and of the largest worker, for each count of frames."""
    rows: list[Row] = []
    first: list[int] = []
    for count in counts:
        tell(f"{count} frames for their memory")
        datadir = link_frames(maps, {"train": count}, folder / f"memory {len(rows)}")
        peaks = measure_peaks(_CONVERT, "--datadir", datadir, "--workers", workers)
        check_repeats(datadir / "annotations" / TRAIN_FILE, annotations, count)
        ratio = f"{peaks[0] / first[0]:.2f} and {peaks[1] / first[1]:.2f} times" if first else ""
        first = first or peaks
        figure = f"{peaks[0] / 1e6:.0f} MB, {peaks[1] / 1e6:.0f} MB a worker"
        rows.append((f"peak memory, {count} frames, {workers} workers", figure, ratio))
    return rows


def measure_inspecting(datadir: Path, runs: int) -> list[Row]:
    """Time the inspector on a file and pycocotools' loading of it, as whole processes, and measure
    their peaks."""
    path = datadir / "annotations" / TRAIN_FILE
    coco = json.loads(path.read_bytes())
    size = f"{len(coco['images'])} images, {len(coco['annotations'])} annotations"
    inspect = (_INSPECT, "--coco_dir", datadir)
    programs = {
        f"pycocotools loads {size}": (_LOAD, path),
        "`inspect_coco.py` prints their summary": (*inspect, "--num_examples", 0),
        "`inspect_coco.py` draws 5 of them": (*inspect, "--seed", 1, "--save", datadir / "drawn"),
    }
    peaks: list[list[int]] = [[] for _ in programs]

    def run(of_program: list[int], command: Sequence[Any]) -> None:
        of_program.append(measure_peaks(*command)[0])

    tell(f"inspecting {path.stat().st_size / 1e6:.0f} MB, {runs} times")
    times = time_in_turn(runs, *map(partial, cycle([run]), peaks, programs.values()))
    rows: list[Row] = []
    for name, seconds, of_program in zip(programs, times, peaks, strict=True):
        ratios = (
            f"{median_ratio(seconds, times[0]):.2f} times the time,"
            f" {median_ratio(of_program, peaks[0]):.2f} times the memory"
        )
        figure = f"{median(seconds):.2f} s, {median(of_program) / 1e6:.0f} MB"
        rows.append((name, figure, ratios if rows else ""))
    tell("its check, once for its memory")
    peak = measure_peaks(*inspect, "--verify")[0]
    ratio = f"{peak / median(peaks[0]):.2f} times the memory"
    return [*rows, ("`inspect_coco.py --verify`", f"{peak / 1e6:.0f} MB", ratio)]


def measure_scores(
    maps: Sequence[Path], official: bool, count: int, workers: int, runs: int, folder: Path
) -> list[Row]:
    """Time scoring in this process, beside the official script on the same predictions, and measure
    the peaks of scoring in several for a tenth of `count` frames and for all."""
    several = maps[:SCORED_FRAMES]
    datadir = link_frames(several, {"train": len(several)}, folder / "scored")
    path = convert_train(datadir, datadir / "annotations").path
    results = predict_moved(path)
    actions: list[Callable[[], object]] = [partial(score, path, results, datadir)]
    if official:
        with redirect_stderr(io.StringIO()):
            write_submission(path, results, datadir, datadir / "upload")
        actions.append(partial(score_officially, datadir))
    tell(f"scoring {len(several)} frames, {runs} times")
    times = time_in_turn(runs, *actions)
    if official and abs(score(path, results, datadir) - score_officially(datadir)) > 1e-9:
        raise BenchmarkError("the official script has another score")
    names = "score, 1 worker, 100 results a frame", "the official script scores the same results"
    rows = [
        (
            name,
            f"{1000 * median(seconds) / len(several):.1f} ms a frame",
            f"{median_ratio(seconds, times[0]):.1f} times" if seconds is not times[0] else "",
        )
        for name, seconds in zip(names, times, strict=False)
    ]
    first: list[int] = []
    for number in max(1, count // 10), count:
        tell(f"scoring {number} frames for their memory")
        datadir = link_frames(maps, {"train": number}, folder / f"scored {len(rows)}")
        path = convert_train(datadir, datadir / "annotations").path
        options = "--results", predict_moved(path), "--coco", path, "--workers", workers
        peaks = measure_peaks(_SCORE, "--coco_dir", datadir, *options)
        ratio = f"{peaks[0] / first[0]:.2f} and {peaks[1] / first[1]:.2f} times" if first else ""
        first = first or peaks
        figure = f"{peaks[0] / 1e6:.0f} MB, {peaks[1] / 1e6:.0f} MB a worker"
        rows.append((f"peak memory, scoring {number} frames, {workers} workers", figure, ratio))
    return rows


def predict_moved(path: Path) -> Path:
    """Write a hundred results for each image of a COCO file: its annotations, over and over, each
    time moved by a few pixels."""
    coco = json.loads(path.read_bytes())
    grouped: dict[int, list[dict[str, Any]]] = {}
    for annotation in coco["annotations"]:
        grouped.setdefault(annotation["image_id"], []).append(annotation)
    size = coco["images"][0]["height"], coco["images"][0]["width"]
    results = []
    for number, annotations in grouped.items():
        for place, annotation in enumerate(islice(cycle(annotations), 100)):
            polygons = [[x + place % 7 for x in polygon] for polygon in annotation["segmentation"]]
            rle: Any = coco_mask.merge(coco_mask.frPyObjects(polygons, *size))
            result = {
                "image_id": number,
                "category_id": annotation["category_id"],
                "score": 1 - place / 100,
                "segmentation": {"size": size, "counts": rle["counts"].decode()},
            }
            results.append(result)
    target = path.with_name("results.json")
    target.write_text(json.dumps(results))
    return target


def score(path: Path, results: Path, datadir: Path) -> float:
    """Return Cityscapes' AP as this program has it, beside COCO's scores."""
    with redirect_stderr(io.StringIO()):
        scores = evaluate_results(path, results, datadir)
    if scores.cityscapes is None or scores.cityscapes.average.ap is None:
        raise BenchmarkError("\n".join(scores.notes))
    return scores.cityscapes.average.ap


def score_officially(datadir: Path) -> float:
    """Return Cityscapes' AP as the official script has it.

    The script needs a function that numpy no longer has, and would write a file into its package.
    """
    from cityscapesscripts.evaluation import evalInstanceLevelSemanticLabeling as script

    id_maps = sorted(map(str, datadir.glob(f"gtFine/train/*/*{MAP_SUFFIX}")))
    upload = datadir / "upload"
    texts = [str(upload / f"{Path(name).name.removesuffix(MAP_SUFFIX)}.txt") for name in id_maps]
    script.args.predictionPath = str(upload)
    script.args.gtInstancesFile = str(upload / "none.json")
    script.args.JSONOutput, script.args.quiet = False, True
    numpy_1 = mock.patch.object(np, "in1d", np.isin, create=True)
    with numpy_1, mock.patch.object(script, "writeDict2JSON"):
        found = script.evaluateImgLists(texts, id_maps, script.args)
    return float(found["averages"]["allAp"])


def measure_start(runs: int) -> Row:
    starting, nothing = time_in_turn(
        3 * runs, partial(run_python, "main.py", "--help"), partial(run_python, "-c", "pass")
    )
    return (
        "`main.py --help`",
        f"{1000 * median(starting):.0f} ms",
        f"`python -c pass`: {1000 * median(nothing):.0f} ms",
    )


# ------------------------------------------------------------------------------ versions


def describe_run(maps: Sequence[Path], annotations: int, are_made: bool, runs: int) -> str:
    """Return the machine, the versions and the frames in one line."""
    height, width = read_id_map(str(maps[0])).shape
    kind = "generated" if are_made else "given"
    versions = {
        "cityscapes-coco": __version__,
        "Python": platform.python_version(),
        "OpenCV": cv2.__version__,
    }
    for package in "numpy", "Pillow", "pycocotools", "msgspec":
        versions[package] = importlib.metadata.version(package)
    return (
        f"{cpu_model()}, {os.cpu_count()} cores, {platform.system()};"
        f" {', '.join(f'{name} {version}' for name, version in versions.items())};"
        f" {len(maps)} {kind} frames of {width} x {height} pixels with"
        f" {annotations / len(maps):.1f} instances each."
        f" Medians of at least {runs} runs, taken in turn; for the memory of a conversion one run."
    )


def cpu_model() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:  # not on Linux
        return platform.processor()
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.machine()


if __name__ == "__main__":
    raise SystemExit(main())

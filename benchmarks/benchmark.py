"""Measure the program and print one Markdown table.

    python benchmarks/benchmark.py

A row is a command line: the time from its start to its end, and the peak memory of its largest
process. Rows that are compared run in turn, A B A B. Figures are medians; a ratio is the median of
the ratios within a turn. The files that the program writes are verified before anything is printed:
a wrong file has no figure.

The frames are made-up streets, or your own with --datadir. All files are in the system's cache, so
this measures the processor, not the disk. Needs Linux or macOS.
"""

import argparse
import json
import multiprocessing
import os
import platform
import re
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import partial
from importlib.metadata import version
from importlib.util import find_spec
from itertools import cycle, islice
from pathlib import Path
from statistics import median
from typing import NamedTuple

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))  # so that `python benchmarks/benchmark.py` finds data/generate.py

# On Linux the peak of a new process starts at the size of the process that starts it. So this one
# stays small: what needs a large package imports it in a process of its own.

TRAIN = "instancesonly_filtered_gtFine_train.json"  # of this program and of the two others
BOXES = "gtBboxCityPersons", "gtBboxValidated"
RESULTS = 100  # for each frame that is scored
CORES = len(os.sched_getaffinity(0)) if sys.platform == "linux" else os.cpu_count() or 1
MANY = f"--workers {max(2, CORES)}"

LOAD = """
import contextlib, sys
from pycocotools.coco import COCO
with contextlib.redirect_stdout(None):
    coco = COCO(sys.argv[1])
print(f"{len(coco.imgs)} images, {len(coco.anns)} annotations")
"""
# The script needs a function that numpy no longer has, and would write into its own package.
SCORE = """
import glob, json, os
import numpy as np
from cityscapesscripts.evaluation import evalInstanceLevelSemanticLabeling as script
np.in1d = np.isin
script.writeDict2JSON = lambda *args: None
script.args.predictionPath, script.args.gtInstancesFile = os.path.abspath("short/saved"), "none"
script.args.JSONOutput, script.args.quiet = False, True
files = "short/saved/*.txt", "short/gtFine/train/*/*_instanceIds.png"
found = script.evaluateImgLists(*map(sorted, map(glob.glob, files)), script.args)
with open("short/scores.json") as file:
    ours = json.load(file)["cityscapes"]["average"]["ap"]
assert abs(ours - found["averages"]["allAp"]) < 1e-9, "the official script has another score"
"""
HOTCOCO = """
from hotcoco import COCO, COCOeval
truth = COCO("long/truth/FILE")
results = truth.loadRes("long/results.json")
for kind in "bbox", "segm":
    evaluator = COCOeval(truth, results, kind)
    evaluator.evaluate()
    evaluator.accumulate()
"""
# Reads what `evaluate_coco.py` reads, and checks each mask.
READ = """
import sys
from pathlib import Path
sys.path.insert(0, "ROOT")
from cityscapes_coco.coco.json_file import open_json
from cityscapes_coco.coco.reading import group_by_image, read_coco
from cityscapes_coco.coco.segmentations import decode_rles, find_size, name_annotation
from cityscapes_coco.scores.results import decode_masks, read_results
truth_path, results_path = Path("long/truth/FILE"), Path("long/results.json")
coco = read_coco(truth_path)
truth = group_by_image(coco.annotations)
results = group_by_image(read_results(open_json(results_path), coco))
for image in coco.images:
    size = find_size(truth_path, image)
    decode_rles(truth_path, truth[image.id], size, name_annotation)
    decode_masks(results_path, results[image.id], size)
"""
# Draws the maps, and does not save them: that takes it several times as long.
DRAW = """
import glob
from cityscapesscripts.preparation import json2instanceImg as script
for path in sorted(glob.glob("drawn/gtFine/train/*/*_polygons.json")):
    annotation = script.Annotation()
    annotation.fromJsonFile(path)
    script.createInstanceImage(annotation, "ids")
"""


class BenchmarkError(SystemExit):
    """A program failed or its output is wrong: the benchmark ends without a table."""


class Row(NamedTuple):
    """A line of the table: what follows `python`. The time is given for each of so many `frames`,
    or, where that is 0, for the whole. `check` gets what was printed, raises BenchmarkError if the
    output is wrong, and returns what else the table says."""

    name: str
    command: str
    frames: int = 0
    check: Callable[[str], str] = lambda printed: ""


class Group(NamedTuple):
    """Rows that run in turn, so many times; the others are compared with the first, called so.
    They may need what an earlier group has written."""

    runs: int
    rows: list[Row]
    first: str = ""


class Run(NamedTuple):
    seconds: float
    peak: int  # bytes, of the largest process
    printed: str


# fmt: off
def build_parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description="Measure the program; print a Markdown table.")
    add = parser.add_argument
    add("--datadir", type=Path, metavar="DIR",
        help="take frames from this Cityscapes folder instead of making them")
    add("--original", type=Path, metavar="DIR",
        help="a checkout of the original script, to measure it as well; needs OpenCV 4")
    add("--mmdet", type=Path, metavar="FILE",
        help="mmdetection's tools/dataset_converters/cityscapes.py, to measure it as well; needs"
        " mmengine, mmcv-lite and cityscapesscripts")
    add("--official", action="store_true", help="measure the official tools for panoptic files, for"
        " maps of polygons and for scores as well; needs cityscapesscripts")
    for name, default, what in (
        ("--frames", 30, "how many different frames; more are links to them"),
        ("--runs", 3, "how many runs a median is of"),
        ("--long", 500, "how many frames one and many workers convert"),
        ("--large", 2975, "how many frames the file has that is inspected; train has 2975"),
    ):
        add(name, type=int, default=default, metavar="N", help=f"{what} (default: {default})")
    return parser
# fmt: on


def main(argv: Sequence[str] | None = None) -> None:
    args = build_parser().parse_args(argv)
    with tempfile.TemporaryDirectory() as folder:
        prepare(args, Path(folder))
        subjects = [list_converters, list_workers, list_drawers, list_readers, list_scores]
        subjects += [list_panoptic_scores, list_starts]
        measured = [(group, run_in_turn(group)) for rows in subjects for group in rows(args)]
        lines = [line for group, turns in measured for line in describe(group, turns)]
        print_table(("whole command", "time", "peak memory", "compared"), lines)
        print(f"\n{describe_machine(args)}")


def list_converters(args: argparse.Namespace) -> Iterator[Group]:
    """Yield this program, in one process, and others that do the same."""
    # mmdetection's converter insists on three splits. The original script leaves out test.
    link_frames(args, "short", train=args.frames, val=1, test=1)
    count = args.frames + 2
    convert = "main.py --datadir short --workers 1"
    check, other = partial(verify, f"short/ours/{TRAIN}"), partial(verify, codes=(0, 1, 3))
    rows = [Row("`main.py --workers 1`", f"{convert} --outdir short/ours", count, check)]
    if args.original:
        command = "original/main.py --dataset cityscapes --datadir short --outdir short/original"
        check = partial(other, f"short/original/{TRAIN}")
        rows.append(Row("the original script", command, count - 1, check))
    if args.mmdet:
        check = partial(other, f"short/mmdet/{TRAIN}")
        rows.append(
            Row("mmdetection's converter", "mmdet short --out-dir short/mmdet", count, check)
        )
    yield Group(args.runs, rows, "`main.py`")
    check = partial(verify, "short/both/cityscapes_panoptic_train.json")
    command = f"{convert} --panoptic --outdir short/both"
    rows = [Row("`main.py --workers 1 --panoptic`", command, count, check)]
    if args.official:
        Path("short/official").mkdir()
        command = "-m cityscapesscripts.preparation.createPanopticImgs"
        command += " --dataset-folder short/gtFine --output-folder short/official"
        rows.append(Row("the official tool, panoptic files alone", command, count))
    yield Group(args.runs, rows, "`main.py --panoptic`")


def list_workers(args: argparse.Namespace) -> Iterator[Group]:
    """Yield one worker and many, with and without a check of the file."""
    link_frames(args, "long", train=args.long)
    rows: list[Row] = []
    for options in "--workers 1", MANY, "--workers 1 --verify", f"{MANY} --verify":
        out = f"long/{len(rows)}"
        command = f"main.py --datadir long --outdir {out} {options}"
        check = partial(verify, f"{out}/{TRAIN}", tell=False)
        rows.append(Row(f"{args.long} frames, `{options}`", command, check=check))
    yield Group(args.runs, rows, "`--workers 1`")


def list_drawers(args: argparse.Namespace) -> Iterator[Group]:
    """Yield frames that have polygons and no map, and the official drawer of maps."""
    link_frames(args, "drawn", train=args.long)
    for path in Path("drawn").rglob("*_instanceIds.png"):
        path.unlink()
    command = "main.py --datadir drawn --outdir drawn/out --workers 1"
    check = partial(verify, f"drawn/out/{TRAIN}", tell=False)
    rows = [Row(f"{args.long} frames of polygons, `--workers 1`", command, check=check)]
    if args.official:
        rows.append(Row("the official tool draws them, and saves nothing", "draw.py"))
    yield Group(args.runs, rows, "`--workers 1`")


def list_readers(args: argparse.Namespace) -> Iterator[Group]:
    """Yield a folder as large as train, what reads its file, and its boxes if it has any."""
    link_frames(args, "large", train=args.large)
    convert, inspect = f"main.py --datadir large {MANY}", "inspect_coco.py --coco_dir large"
    yield Group(1, [Row(f"{args.large} frames, `{MANY}`, once", convert)])
    yield Group(1, [Row("`inspect_coco.py --verify` of their file, once", f"{inspect} --verify")])
    rows = [
        Row("pycocotools loads their file", f"load.py large/annotations/{TRAIN}", check=str.strip),
        Row("`inspect_coco.py` prints its summary", f"{inspect} --num_examples 0"),
        Row("`inspect_coco.py` draws 5 of its images", f"{inspect} --seed 1 --save drawn"),
    ]
    yield Group(args.runs, rows, "pycocotools")
    kinds = [kind for kind in BOXES if any(Path("large").glob(f"{kind}/train/*/*.json"))]
    for kind in kinds:
        check = partial(verify, f"large/annotations/{TRAIN.replace('gtFine', kind)}", tell=False)
        name = f"{args.large} frames, `--annotations {kind} {MANY}`"
        yield Group(args.runs, [Row(name, f"{convert} --annotations {kind}", check=check)])


def list_scores(args: argparse.Namespace) -> Iterator[Group]:
    """Yield the scores of results, and of COCO's alone, by this program and by others."""
    score = make_results("short")
    run(f"{score} --scores short/scores.json --save short/saved")
    command = f"{make_results('long')} {MANY}"
    rows = [Row(f"`evaluate_coco.py {MANY}`, {args.long} frames", command, args.long)]
    if args.official:
        rows.append(Row("the official script of Cityscapes", "score.py", args.frames))
    yield Group(args.runs, rows, "`evaluate_coco.py`")
    Path("long/none.json").write_text("[]")
    nothing = command.replace("long/results.json", "long/none.json")
    yield Group(1, [Row(f"`evaluate_coco.py {MANY}`, no results, once", nothing, args.long)])
    Path("nomaps").mkdir()
    without_maps = command.replace("--coco_dir long", "--coco_dir nomaps")
    rows = [
        Row(f"COCO's scores alone, `{MANY}`", without_maps, args.long),
        Row("checked reading of the same results, no scores", "read.py", args.long),
    ]
    if find_spec("hotcoco"):
        rows.append(Row("hotcoco scores the same results", "hotcoco_score.py", args.long))
    yield Group(args.runs, rows, "`evaluate_coco.py`")


def list_panoptic_scores(args: argparse.Namespace) -> Iterator[Group]:
    """Yield the panoptic quality of few and of many frames, here and by the official script."""
    rows = []
    for data, count in ("long", args.long), ("short", args.frames):
        run(f"main.py --datadir {data} --outdir {data}/panoptic --splits train --panoptic {MANY}")
        truth, found = f"{data}/panoptic/cityscapes_panoptic_train", f"{data}/panoptic_results"
        with multiprocessing.Pool(1) as pool:
            pool.apply(predict_panoptic, (truth, found, args.frames))
        command = f"evaluate_coco.py --coco {truth}.json --results {found}.json {MANY}"
        name = f"`evaluate_coco.py {MANY}`, panoptic, {count} frames"
        rows.append(Row(name, f"{command} --scores {data}/quality.json", count))
    if args.official:
        command = "-m cityscapesscripts.evaluation.evalPanopticSemanticLabeling"
        command += f" --gt-json-file {truth}.json --prediction-json-file {found}.json"
        command += " --results_file short/official_quality.json"
        name = "the official script scores the few, in as many processes"
        rows.append(Row(name, command, args.frames, compare_quality))
    yield Group(args.runs, rows, "`evaluate_coco.py`, panoptic")


def compare_quality(printed: str) -> str:
    ours, theirs = (
        json.loads(Path("short", name).read_bytes())
        for name in ("quality.json", "official_quality.json")
    )
    if abs(ours["panoptic"]["average"]["all"]["pq"] - theirs["All"]["pq"]) > 1e-9:
        raise BenchmarkError("error: the official script has another panoptic quality")
    return ""


def list_starts(args: argparse.Namespace) -> Iterator[Group]:
    rows = [Row("`python -c pass`", "-c pass"), Row("`main.py --help`", "main.py --help")]
    yield Group(3 * args.runs, rows, "`python -c pass`")


def verify(path: str, printed: str, codes: Sequence[int] = (0,), tell: bool = True) -> str:
    """Compare a file with its maps; the exit code must be one of these. Tell what was found."""
    command = f"inspect_coco.py --coco_dir {Path(path).parts[0]} --coco {path} --verify"
    found = run(command, codes).printed
    # After the class: in maps, exact, inexact, mean IoU, lost, unexpected.
    rows = re.findall(r"^  .*\S +(\d+) +(\d+) +\d+ +\S+ +\d+ +\d+$", found, re.MULTILINE)
    total, exact = (sum(int(row[column]) for row in rows) for column in (0, 1))
    if not total:
        raise BenchmarkError(f"error: {path} cannot be verified\n{found}")
    told = f"{exact} of {total} masks exact, {Path(path).stat().st_size / 1e6:.2f} MB"
    return told if tell else ""


def prepare(args: argparse.Namespace, folder: Path) -> None:
    """Go to the folder in which all commands run, and put into it what they need."""
    if min(value for value in vars(args).values() if type(value) is int) < 1:
        raise BenchmarkError("error: the numbers of the options begin at 1")
    for name in "original", "mmdet", "datadir":
        if path := getattr(args, name):
            (folder / name).symlink_to(path.resolve())
    os.chdir(folder)
    Path("load.py").write_text(LOAD)
    Path("score.py").write_text(SCORE)
    Path("hotcoco_score.py").write_text(HOTCOCO.replace("FILE", TRAIN))
    Path("read.py").write_text(READ.replace("FILE", TRAIN).replace("ROOT", str(ROOT)))
    Path("draw.py").write_text(DRAW)
    if not args.datadir:
        with multiprocessing.Pool() as pool:
            pool.map(draw_frame, range(args.frames))


def draw_frame(seed: int) -> None:
    from data.generate import write_dataset

    write_dataset(Path("datadir", f"{seed:04d}"), seed=seed, frames={"train": 1})


def link_frames(args: argparse.Namespace, data: str, **splits: int) -> None:
    """Make a Cityscapes folder with so many frames in each split: links to --frames of them, over
    and over. The photographs are empty, as nothing looks into them."""
    found = sorted(Path("datadir").glob("**/gtFine/*/*/*_instanceIds.png"))
    found = [path for path in found if path.parts[-3] != "test"]  # whose maps are dummies
    if not found:
        raise BenchmarkError(f"error: {args.datadir}: no maps in gtFine/train or gtFine/val")
    maps = [found[number * len(found) // args.frames] for number in range(args.frames)]
    for split, count in splits.items():
        city = f"{split}stadt"  # mmdetection's names of images do not tell the split
        annotations, photographs = (Path(data, f, split, city) for f in ("gtFine", "leftImg8bit"))
        annotations.mkdir(parents=True)
        photographs.mkdir(parents=True)
        for number, id_map in enumerate(islice(cycle(maps), count)):
            stem = f"{city}_{number:06d}_000019"
            for part in id_map.parent.glob(id_map.name.replace("_instanceIds.png", "_*")):
                name = f"{stem}_gtFine_{part.name.rpartition('_')[2]}"
                (annotations / name).symlink_to(part.resolve())
            for kind in BOXES:
                name = id_map.name.replace("_gtFine_instanceIds.png", f"_{kind}.json")
                part = Path(*id_map.parts[:-4], kind, *id_map.parts[-3:-1], name)
                if part.exists():
                    folder = Path(data, kind, split, city)
                    folder.mkdir(parents=True, exist_ok=True)
                    (folder / f"{stem}_{kind}.json").symlink_to(part.resolve())
            (photographs / f"{stem}_leftImg8bit.png").touch()


def make_results(data: str) -> str:
    """Make up results for a folder, and return the command that scores them."""
    run(f"main.py --datadir {data} --outdir {data}/truth --splits train --segmentation rle")
    coco, results = f"{data}/truth/{TRAIN}", f"{data}/results.json"
    with multiprocessing.Pool(1) as pool:
        pool.apply(predict, (coco, results))
    return f"evaluate_coco.py --coco_dir {data} --coco {coco} --results {results}"


def predict(coco: str, results: str) -> None:
    """Write results for each image: its annotations and those of the next images, mixed."""
    annotations = json.loads(Path(coco).read_bytes())["annotations"]
    starts = {a["image_id"]: start for start, a in reversed([*enumerate(annotations)])}
    predicted = []
    for image, start in starts.items():
        for place, annotation in enumerate(islice(cycle(annotations), start, start + RESULTS)):
            mask = {name: annotation[name] for name in ("category_id", "segmentation")}
            score = place * 37 % RESULTS / RESULTS  # high and low ones in turn
            predicted.append({"image_id": image, "score": score} | mask)
    Path(results).write_text(json.dumps(predicted))


def predict_panoptic(truth: str, results: str, most: int) -> None:
    """Write panoptic results for each image: its segments, moved by four pixels. Pillow writes the
    PNG files of the first images, which others share: they are of the same maps."""
    import numpy as np
    from PIL import Image

    Path(results).mkdir()
    annotations = json.loads(Path(f"{truth}.json").read_bytes())["annotations"]
    for number, annotation in enumerate(annotations):
        if number < most:
            with Image.open(Path(truth, annotation["file_name"])) as png:
                moved = np.roll(np.asarray(png), 4, axis=1)
            Image.fromarray(moved).save(Path(results, f"{number}.png"))
        annotation["file_name"] = f"{number % most}.png"
    Path(f"{results}.json").write_text(json.dumps({"annotations": annotations}))


def run(command: str, codes: Sequence[int] = (0,)) -> Run:
    """Run Python with a command line. Raises BenchmarkError for an exit code not in `codes`."""
    script, *words = command.split()
    script = str(ROOT / script) if (ROOT / script).is_file() else script
    with tempfile.TemporaryFile() as output:
        begin = time.perf_counter()
        process = subprocess.Popen([sys.executable, script, *words], stdout=output, stderr=output)
        _, status, usage = os.wait4(process.pid, 0)
        seconds = time.perf_counter() - begin
        process.returncode = os.waitstatus_to_exitcode(status)
        output.seek(0)
        printed = output.read().decode(errors="replace")
    if process.returncode not in codes:
        raise BenchmarkError(f"error: this failed: python {command}\n{printed}")
    unit = 1 if sys.platform == "darwin" else 1024  # bytes, of ru_maxrss
    return Run(seconds, usage.ru_maxrss * unit, printed)


def run_in_turn(group: Group) -> list[list[Run]]:
    print(f"{'; '.join(row.name for row in group.rows)}: {group.runs} times", file=sys.stderr)
    return [[run(row.command) for row in group.rows] for _ in range(group.runs)]


def describe(group: Group, turns: Sequence[Sequence[Run]]) -> Iterator[list[str]]:
    """Check what the rows of a group have written, and yield their cells."""
    base: list[float] = []
    for row, *runs in zip(group.rows, *turns, strict=True):
        seconds = [run.seconds / (row.frames or 1) for run in runs]
        said = [compare(seconds, base, group.first)] if base else []
        said.append(row.check(runs[-1].printed))
        base = base or seconds
        figure = f"{median(seconds):.2f} s"
        if row.frames or median(seconds) < 1:
            figure = f"{1000 * median(seconds):.1f} ms{' a frame' * bool(row.frames)}"
        peak = median(run.peak for run in runs) / 1e6
        yield [row.name, figure, f"{peak:.0f} MB", ", ".join(filter(None, said))]


def compare(seconds: Sequence[float], base: Sequence[float], name: str) -> str:
    """Say how much time something takes beside `name`, whose runs are next to its own."""
    return f"{median(a / b for a, b in zip(seconds, base, strict=True)):.2f} times {name}"


def print_table(head: Sequence[str], lines: Iterable[Sequence[str]]) -> None:
    rule = ["---", *("---:" for _ in head[1:-1]), "---"]
    for cells in head, rule, *lines:
        print(f"| {' | '.join(cells)} |")


def describe_machine(args: argparse.Namespace) -> str:
    """Return the machine, the versions and the frames in one line."""
    cpuinfo = Path("/proc/cpuinfo").read_text() if sys.platform == "linux" else ""
    [processor, *_] = [*re.findall(r"model name\s*: (.+)", cpuinfo), platform.processor()]
    coco = json.loads(Path(f"short/ours/{TRAIN}").read_bytes())
    instances = len(coco["annotations"]) / args.frames
    packages = ["numpy", "opencv-python-headless", "Pillow", "pycocotools", "msgspec"]
    packages += filter(find_spec, ["hotcoco"])
    return (
        f"{processor}, {CORES} cores, {platform.system()}; {coco['info']['contributor']}"
        f" {coco['info']['version']}, Python {platform.python_version()},"
        f" {', '.join(f'{package} {version(package)}' for package in packages)}; {args.frames}"
        f" different frames with {instances:.1f} instances each. Medians of {args.runs} runs."
    )


if __name__ == "__main__":
    main()

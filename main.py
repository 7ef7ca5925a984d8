"""Convert Cityscapes to COCO: one JSON file of instance annotations for each split."""

import signal

if __name__ == "__main__" and signal.getsignal(signal.SIGINT) == signal.default_int_handler:
    # Until there is something to clean up, Ctrl-C may end it at once, and without a traceback.
    signal.signal(signal.SIGINT, signal.SIG_DFL)

import argparse
import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from cityscapes_coco import __version__
from cityscapes_coco.dataset import LAYOUTS, Layout, find_splits
from cityscapes_coco.errors import DatasetError, one_line
from cityscapes_coco.labels import LABELS, category_instancesonly
from cityscapes_coco.terminal import guard, prepare_streams, stoppable

if TYPE_CHECKING:
    from cityscapes_coco.convert import SplitSummary

_CLASSES = [label.name for label in LABELS if label.has_instances]


def build_parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        description=__doc__,
        epilog="example: python main.py --datadir data/cityscapes --splits val --categories car",
    )
    parser.add_argument(
        "--dataset",
        choices=list(LAYOUTS),
        default="cityscapes",
        help="which dataset (default: %(default)s)",
    )
    parser.add_argument(
        "--datadir",
        type=Path,
        default=Path("data/cityscapes"),
        metavar="DIR",
        help="the folder that holds gtFine (default: %(default)s)",
    )
    parser.add_argument(
        "--outdir",
        type=Path,
        metavar="DIR",
        help="where the files go; made if missing (default: <datadir>/annotations)",
    )
    parser.add_argument(
        "--splits",
        nargs="+",
        choices=LAYOUTS["cityscapes"].splits,
        metavar="SPLIT",
        help="which of train, val and test (default: all that exist)",
    )
    parser.add_argument(
        "--categories",
        nargs="+",
        choices=_CLASSES,
        default=category_instancesonly,
        metavar="NAME",
        help=f"which classes, out of {', '.join(_CLASSES)} (default: all but caravan and trailer)",
    )
    parser.add_argument(
        "--like-original",
        action="store_true",
        help="write contours as the original script does: through pixel centres, holes filled,"
        " without instances that have a contour of two points or fewer",
    )
    parser.add_argument(
        "--skip-bad",
        action="store_true",
        help="leave out frames whose map cannot be read, instead of failing",
    )
    where = parser.add_mutually_exclusive_group()
    where.add_argument(
        "--workers",
        type=_positive,
        default=_usable_cores(),
        metavar="N",
        help="how many processes convert (default: the cores that this one may use, %(default)s)",
    )
    where.add_argument(
        "--scheduler",
        metavar="ADDRESS",
        help="convert on the Dask cluster with this scheduler, such as tcp://host:8786",
    )
    parser.add_argument(
        "--verify",
        action="store_true",
        help="decode what was written and compare it with the maps, pixel for pixel",
    )
    parser.add_argument("--version", action="version", version=f"cityscapes-coco {__version__}")
    return parser


def _positive(text: str) -> int:
    number = int(text)
    if number < 1:
        raise ValueError
    return number


def _usable_cores() -> int:
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def main(argv: Sequence[str] | None = None) -> int:
    return guard(lambda: _convert(build_parser().parse_args(argv)))


def _convert(args: argparse.Namespace) -> int:
    # numpy and OpenCV take a while to load, which --help need not wait for.
    from concurrent.futures import BrokenExecutor

    from tqdm import tqdm

    from cityscapes_coco.convert import Options, convert_split
    from cityscapes_coco.workers import connect_cluster, start_workers

    def report(message: str) -> None:
        tqdm.write(one_line(message), file=sys.stderr)

    options = Options(
        layout=LAYOUTS[args.dataset],
        categories=tuple(args.categories),
        like_original=args.like_original,
        skip_bad=args.skip_bad,
    )
    splits = find_splits(args.datadir, options.layout, args.splits)
    outdir = args.outdir or args.datadir / "annotations"
    where = connect_cluster(args.scheduler) if args.scheduler else start_workers(args.workers)
    failed = False
    written = []
    try:
        with stoppable(), where as (executor, workers):
            for split in splits:
                try:
                    summary = convert_split(
                        args.datadir, split, outdir, options, report, executor, workers
                    )
                except DatasetError as error:
                    report(f"error: {error}")
                    failed = True
                else:
                    print(_table(split, summary, options.categories))
                    written.append(summary.path)
    except BrokenExecutor:
        raise DatasetError(
            args.datadir,
            "a worker process died, perhaps for want of memory; its split was not written; try"
            " fewer --workers",
        ) from None
    except MemoryError:
        raise DatasetError(
            args.datadir, "out of memory; its split was not written; try fewer --workers"
        ) from None
    if args.verify:
        for path in written:
            failed |= not _verify(path, args.datadir, options.layout)
    return int(failed)


def _verify(path: Path, datadir: Path, layout: Layout) -> bool:
    from cityscapes_coco.verify import describe, verify_file

    report = verify_file(path, datadir, layout)
    print(describe(report))
    return not report.faults


def _table(split: str, summary: "SplitSummary", categories: Sequence[str]) -> str:
    counts = {"images": summary.images, "instances": summary.instances.total()}
    counts |= {f"  {name}": summary.instances[name] for name in _CLASSES if name in categories}
    rows = [split, *(f"  {name:<16}{count:>8}" for name, count in counts.items())]
    for reason in dict.fromkeys(reason for reason, _ in summary.left_out):
        left_out = [f"{n} {name}" for (why, name), n in summary.left_out.items() if why == reason]
        rows.append(f"  left out, {reason}: {', '.join(left_out)}")
    if summary.skipped:
        rows.append(f"  left out, frames whose map cannot be read: {len(summary.skipped)}")
    size = summary.path.stat().st_size / 1e6
    rows.append(f"  written to {summary.path} ({size:.2f} MB)")
    return "\n".join(map(one_line, rows))


if __name__ == "__main__":
    prepare_streams()
    raise SystemExit(main())

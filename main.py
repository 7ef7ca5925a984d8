"""Convert Cityscapes to COCO: one JSON file of instance annotations for each split."""

try:
    import signal

    if __name__ == "__main__" and signal.getsignal(signal.SIGINT) == signal.default_int_handler:
        # Until there is something to clean up, Ctrl-C may end it at once, and without a traceback.
        signal.signal(signal.SIGINT, signal.SIG_DFL)
except KeyboardInterrupt:
    raise SystemExit(130) from None

import argparse
import os
import sys
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from cityscapes_coco import __version__
from cityscapes_coco.dataset import LAYOUTS, find_dataset, find_splits
from cityscapes_coco.errors import DatasetError, one_line
from cityscapes_coco.labels import LABELS, category_instancesonly
from cityscapes_coco.terminal import guard, prepare_streams, stoppable, whole_number

if TYPE_CHECKING:
    from cityscapes_coco.convert import SplitSummary

_CLASSES = [label.name for label in LABELS if label.has_instances]


def build_parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        description=__doc__,
        usage="%(prog)s [options]",
        epilog="example: python main.py --datadir data/cityscapes --splits val --categories car",
    )
    what = parser.add_argument_group("what is converted")
    what.add_argument(
        "--dataset",
        choices=["cityscapes"],
        default="cityscapes",
        metavar="NAME",
        help="there is one: %(default)s",
    )
    what.add_argument(
        "--datadir",
        type=Path,
        default=Path("data/cityscapes"),
        metavar="DIR",
        help="holds gtFine or gtCoarse (default: %(default)s)",
    )
    what.add_argument(
        "--annotations",
        choices=list(LAYOUTS),
        default="gtFine",
        help="fine or coarse (default: %(default)s)",
    )
    what.add_argument(
        "--images",
        nargs="+",
        default=["leftImg8bit"],
        metavar="SET",
        help="image sets, or patterns, such as leftImg8bit_foggy_beta_* (default: leftImg8bit)",
    )
    what.add_argument(
        "--splits", nargs="+", metavar="SPLIT", help="train, val, ... (default: all that exist)"
    )
    what.add_argument(
        "--categories",
        nargs="+",
        choices=_CLASSES,
        default=category_instancesonly,
        metavar="NAME",
        help=f"out of {', '.join(_CLASSES)} (default: all but caravan and trailer)",
    )
    what.add_argument(
        "--min-area",
        type=whole_number,
        default=0,
        metavar="N",
        help="leave out what has fewer pixels (default: %(default)s)",
    )
    what.add_argument(
        "--crowd",
        choices=["drop", "keep"],
        default="drop",
        help="groups that cannot be told apart (default: %(default)s)",
    )
    what.add_argument(
        "--skip-bad", action="store_true", help="leave out maps that cannot be read, do not fail"
    )
    how = parser.add_argument_group("how it is written")
    how.add_argument(
        "--outdir",
        type=Path,
        metavar="DIR",
        help="made if missing (default: <datadir>/annotations)",
    )
    masks = how.add_mutually_exclusive_group()
    masks.add_argument(
        "--segmentation",
        choices=["polygon", "rle", "none"],
        help="masks; none: boxes only (default: polygon)",
    )
    masks.add_argument(
        "--like-original",
        action="store_const",
        const="original",
        dest="segmentation",
        help="contours of the original script: through pixel centres, no holes, some missing",
    )
    how.add_argument(
        "--category-ids",
        choices=["one", "zero", "label"],
        default="one",
        help="from 1, from 0, or those of Cityscapes, 24 to 33 (default: %(default)s)",
    )
    how.add_argument(
        "--file-names",
        choices=["datadir", "split", "base"],
        default="datadir",
        help="as seen from the data folder, from the split's folder, or from their own"
        " (default: %(default)s)",
    )
    run = parser.add_argument_group("how it is run")
    where = run.add_mutually_exclusive_group()
    where.add_argument(
        "--workers",
        type=partial(whole_number, least=1),
        default=_usable_cores(),
        metavar="N",
        help="processes (default: the cores that may be used, %(default)s)",
    )
    where.add_argument(
        "--scheduler", metavar="ADDRESS", help="of a Dask cluster, such as tcp://host:8786"
    )
    run.add_argument(
        "--verify", action="store_true", help="compare what was written with the maps, by pixels"
    )
    run.add_argument("--version", action="version", version=f"cityscapes-coco {__version__}")
    return parser


def _parse(argv: Sequence[str] | None) -> argparse.Namespace:
    parser = build_parser()
    args = parser.parse_args(argv)
    splits = LAYOUTS[args.annotations].splits
    for split in args.splits or ():
        if split not in splits:
            parser.error(f"argument --splits: {args.annotations} has {', '.join(splits)}: {split}")
    return args


def _usable_cores() -> int:
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def main(argv: Sequence[str] | None = None) -> int:
    return guard(lambda: _convert(_parse(argv)))


def _convert(args: argparse.Namespace) -> int:
    # numpy and OpenCV take a while to load, which --help need not wait for.
    from concurrent.futures import BrokenExecutor

    from tqdm import tqdm

    from cityscapes_coco.convert import Options, convert_split
    from cityscapes_coco.workers import connect_cluster, start_workers

    def report(message: str) -> None:
        tqdm.write(one_line(message), file=sys.stderr)

    options = Options(
        images=tuple(dict.fromkeys(args.images)),
        categories=tuple(args.categories),
        segmentation=args.segmentation or "polygon",
        crowd=args.crowd,
        min_area=args.min_area,
        category_ids=args.category_ids,
        file_names=args.file_names,
        skip_bad=args.skip_bad,
    )
    dataset = find_dataset(args.datadir, LAYOUTS[args.annotations])
    if dataset.annotations != args.datadir / args.annotations:
        report(
            f"{args.datadir}: using the maps in {dataset.annotations}; the data folder is"
            f" {dataset.folder}"
        )
    splits = find_splits(dataset, args.splits, options.images)
    outdir = args.outdir or dataset.folder / "annotations"
    where = connect_cluster(args.scheduler) if args.scheduler else start_workers(args.workers)
    failed = False
    written = []
    try:
        with stoppable(), where as (executor, workers):
            for split in splits:
                try:
                    summary = convert_split(
                        dataset, split, outdir, options, report, executor, workers
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
            failed |= not _verify(path, args.datadir)
    return int(failed)


def _verify(path: Path, datadir: Path) -> bool:
    from cityscapes_coco.verify import describe, verify_file

    report = verify_file(path, datadir)
    print(describe(report))
    return not report.faults


def _table(split: str, summary: "SplitSummary", categories: Sequence[str]) -> str:
    counts = {"images": summary.images, "instances": summary.instances.total()}
    counts |= {f"  {name}": summary.instances[name] for name in _CLASSES if name in categories}
    rows = [split, *(f"  {name:<16}{count:>8}" for name, count in counts.items())]
    if summary.crowds:
        crowds = [f"{n} {name}" for name, n in summary.crowds.items()]
        rows.append(f"  groups, as crowds: {', '.join(crowds)}")
    for reason in dict.fromkeys(reason for reason, _ in summary.left_out):
        left_out = [f"{n} {name}" for (why, name), n in summary.left_out.items() if why == reason]
        rows.append(f"  left out, {reason}: {', '.join(left_out)}")
    if summary.imageless:
        rows.append(f"  left out, frames without such an image: {summary.imageless}")
    if summary.skipped:
        rows.append(f"  left out, frames whose map cannot be read: {len(summary.skipped)}")
    size = summary.path.stat().st_size / 1e6
    rows.append(f"  written to {summary.path} ({size:.2f} MB)")
    return "\n".join(map(one_line, rows))


if __name__ == "__main__":
    prepare_streams()
    raise SystemExit(main())

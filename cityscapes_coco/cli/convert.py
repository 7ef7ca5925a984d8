"""Convert Cityscapes to COCO: JSON files of instances, and panoptic files."""

import argparse
import sys
from collections.abc import Sequence
from functools import partial
from typing import get_args

from cityscapes_coco.cityscapes.dataset import find_dataset, find_splits
from cityscapes_coco.cli.program import run_program
from cityscapes_coco.errors import UserError, one_line
from cityscapes_coco.labels import category_instancesonly
from cityscapes_coco.options import (
    CLASSES,
    SPLITS,
    CategoryIds,
    Crowd,
    EmptyFrames,
    FileNames,
    MapType,
    Options,
    Panoptic,
    Segmentation,
    given_path,
    usable_cores,
    whole_number,
)
from cityscapes_coco.run.signals import stoppable
from cityscapes_coco.version import __version__

# How to find each dataset that --dataset can name.
_DATASETS = {"cityscapes": find_dataset}


# fmt: off
def build_parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        description=__doc__,
        usage="%(prog)s [options]",
        epilog="example: python main.py --splits val --categories car",
    )
    add = parser.add_argument_group("what is converted").add_argument
    add("--dataset", choices=list(_DATASETS), default="cityscapes", help="%(default)s only")
    add("--datadir", type=given_path, default="data/cityscapes", metavar="DIR",
        help="holds gtFine or gtCoarse (default: %(default)s)")
    add("--annotations", choices=get_args(MapType), default="gtFine",
        help="fine or coarse maps (default: %(default)s)")
    add("--images", nargs="+", default=["leftImg8bit"], metavar="SET",
        help="image sets, or patterns, such as leftImg8bit_foggy_beta_* (default: leftImg8bit)")
    add("--imagedir", type=given_path, metavar="DIR", help="the folder of the images, if not found")
    add("--splits", nargs="+", metavar="SPLIT", help="train, val, ... (default: all that exist)")
    add("--categories", nargs="+", default=category_instancesonly, metavar="NAME",
        help=f"{', '.join(CLASSES)}, or pedestrian=person+rider (default: all but caravan and"
        " trailer)")
    add("--min-area", type=whole_number, default=0, metavar="N",
        help="leave out instances of fewer pixels (default: %(default)s)")
    add("--crowd", choices=get_args(Crowd), default="drop",
        help="groups that cannot be told apart (default: %(default)s)")
    add("--empty-frames", choices=get_args(EmptyFrames), default="keep",
        help="frames without an instance of these (default: %(default)s)")
    add("--skip-bad", action="store_true", help="leave out maps that cannot be read, do not fail")
    how = parser.add_argument_group("how it is written")
    how.add_argument("--outdir", type=given_path, metavar="DIR",
        help="made if missing (default: <datadir>/annotations)")
    # Of two options that exclude each other, argparse passes over one that is given its default.
    add = how.add_mutually_exclusive_group().add_argument
    add("--segmentation", choices=[kind for kind in get_args(Segmentation) if kind != "original"],
        help=f"masks; none: boxes only (default: {Options.segmentation})")
    add("--like-original", action="store_const", const="original", dest="segmentation",
        help="contours of the original script: inexact, some missing")
    how.add_argument("--category-ids", choices=get_args(CategoryIds), default="one",
        help="from 1, from 0, or Cityscapes' 24 to 33 (default: %(default)s)")
    how.add_argument("--file-names", choices=get_args(FileNames), default="datadir",
        help="where the names of images start: at the data folder, at the split's folder, or"
        " without any folder (default: %(default)s)")
    how.add_argument("--panoptic", nargs="?", const="label", default="none",
        choices=get_args(Panoptic),
        help="panoptic files too (label), or with train ids")
    run = parser.add_argument_group("how it is run")
    add = run.add_mutually_exclusive_group().add_argument
    add("--workers", type=partial(whole_number, least=1), metavar="N",
        help=f"processes (default: the cores that may be used, {usable_cores()})")
    add("--scheduler", metavar="ADDRESS", help="of a Dask cluster, such as tcp://host:8786")
    run.add_argument("--verify", action="store_true",
        help="compare what was written with the maps, by pixels")
    run.add_argument("--version", action="version", version=f"cityscapes-coco {__version__}")
    return parser
# fmt: on


def main(argv: Sequence[str] | None = None) -> int:
    return run_program(lambda: _convert(_parse(argv)))


def _parse(argv: Sequence[str] | None) -> argparse.Namespace:
    parser = build_parser()
    args = parser.parse_args(argv)
    splits = SPLITS[args.annotations]
    for split in args.splits or ():
        if split not in splits:
            parser.error(
                f"argument --splits: {args.annotations} has {', '.join(splits)}, not {split}"
            )
    if args.scheduler == "":
        parser.error("argument --scheduler: an address is needed")
    try:
        args.options = _read_options(args)
    except ValueError as error:
        parser.error(f"argument --{error}")
    return args


def _read_options(args: argparse.Namespace) -> Options:
    return Options(
        images=tuple(dict.fromkeys(args.images)),
        categories=tuple(args.categories),
        segmentation=args.segmentation or Options.segmentation,
        crowd=args.crowd,
        min_area=args.min_area,
        empty_frames=args.empty_frames,
        category_ids=args.category_ids,
        file_names=args.file_names,
        panoptic=args.panoptic,
        skip_bad=args.skip_bad,
    )


def _convert(args: argparse.Namespace) -> int:
    # numpy and OpenCV take a while to load, which --help need not wait for.
    from tqdm import tqdm

    from cityscapes_coco.cli.tables import describe_check, describe_split
    from cityscapes_coco.convert.split import convert_split
    from cityscapes_coco.run.workers import WorkersLost, start_workers

    def warn(message: str) -> None:
        tqdm.write(one_line(message), file=sys.stderr)

    options: Options = args.options
    find = _DATASETS[args.dataset]
    dataset = find(args.datadir, args.annotations, options.images, args.imagedir)
    if dataset.maps != args.datadir / args.annotations:
        warn(
            f"{args.datadir}: using the maps in {dataset.maps}; the data folder is {dataset.folder}"
        )
    if dataset.root != dataset.folder:
        warn(f"{args.imagedir}: the names of images in the file start here")
    splits = find_splits(dataset, args.splits, options.images, warn=warn)
    outdir = args.outdir or dataset.folder / "annotations"
    codes = [0]
    written = []
    with stoppable() as check:
        if args.scheduler:
            from cityscapes_coco.run.cluster import connect_cluster

            folders = [dataset.maps / split for split in splits]
            workers = connect_cluster(args.scheduler, folders, check=check)
        else:
            workers = start_workers(args.workers or usable_cores(), check=check)
        with workers as run:
            for split in splits:
                try:
                    summary = convert_split(dataset, split, outdir, options, warn=warn, run=run)
                except WorkersLost:
                    raise
                except UserError as error:
                    warn(f"error: {error}")
                    codes.append(1)
                else:
                    print(describe_split(split, summary))
                    written += summary.paths
            for path in written if args.verify else ():
                from cityscapes_coco.check.verify import verify_file

                report = verify_file(path, args.datadir, imagedir=args.imagedir, run=run)
                print(describe_check(report))
                codes.append(report.exit_code)
    # Of both kinds of failure, 1 is the worse one.
    return 1 if 1 in codes else max(codes)

"""Convert Cityscapes to COCO: files of instances or boxes, and panoptic files."""

import argparse
import shlex
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import AbstractContextManager
from dataclasses import fields
from pathlib import Path
from typing import TYPE_CHECKING, get_args, get_type_hints

from cityscapes_coco.cli.arguments import (
    add_workers,
    given_path,
    make_parser,
    parse,
    split_commas,
    usable_cores,
    whole_number,
)
from cityscapes_coco.cli.program import run_program
from cityscapes_coco.errors import UserError, guess, one_line, typed_command
from cityscapes_coco.options import SPLITS, Options
from cityscapes_coco.version import __version__

if TYPE_CHECKING:
    from cityscapes_coco.cityscapes.dataset import Dataset
    from cityscapes_coco.run.workers import Map


# fmt: off
def build_parser() -> argparse.ArgumentParser:
    parser = make_parser(
        "convert",
        __doc__,
        needed="",
        writes="writes instancesonly_filtered_gtFine_<split>.json, and with --panoptic also\n"
        "cityscapes_panoptic_<split>.json with a folder of PNG files",
        examples=["--datadir data/cityscapes", "--splits val --categories car --verify"],
    )
    choices = {name: get_args(kind) for name, kind in get_type_hints(Options).items()}
    add = parser.add_argument_group("what is converted").add_argument
    add("--dataset", choices=["cityscapes"], default="cityscapes", help="%(default)s only")
    add("--datadir", type=given_path, default="data/cityscapes", metavar="DIR",
        help="the data folder, which holds gtFine (default: %(default)s)")
    add("--annotations", choices=choices["annotations"],
        help="what is read: fine or coarse maps, CityPersons' boxes, or the validated boxes"
        " (default: %(default)s)")
    add("--images", nargs="+", action="extend", metavar="SET", help="image sets, or patterns"
        " of their names, such as leftImg8bit_foggy_beta_* (default: leftImg8bit)")
    add("--imagedir", type=given_path, metavar="DIR",
        help="the folder of the photographs, if it is not in the data folder")
    add("--splits", nargs="+", action="extend", metavar="SPLIT",
        help="train, val, ... (default: all that exist)")
    add("--frames", type=given_path, metavar="FILE",
        help="convert only the frames that this file names, one a line")
    add("--categories", nargs="+", action="extend", metavar="NAME",
        help="such as car, road, pedestrian=person+rider; all: the 19 classes that Cityscapes"
        " evaluates (default: the eight with instances, or CityPersons' four)")
    add("--stuff", choices=choices["stuff"],
        help="road, pole, ...: one annotation a frame, or one for each connected part (default:"
        " %(default)s)")
    add("--min-area", type=whole_number, metavar="N",
        help="leave out instances of fewer pixels (default: %(default)s)")
    add("--crowd", choices=choices["crowd"],
        help="groups in maps, and ignore regions of boxes: leave them out, or write them as COCO's"
        " crowds (default: %(default)s)")
    add("--empty-frames", choices=choices["empty_frames"],
        help="write frames without any annotation, or leave them out (default: %(default)s)")
    add("--skip-bad", action="store_true",
        help="leave out frames whose map or box file cannot be read (default: do not write their"
        " split)")
    add("--unknown-labels", choices=choices["unknown_labels"],
        help="labels that Cityscapes does not have: an error, or void (default: %(default)s)")
    how = parser.add_argument_group("how it is written")
    how.add_argument("--outdir", type=given_path, metavar="DIR",
        help="where files are written (default: <datadir>/annotations)")
    add = how.add_mutually_exclusive_group().add_argument
    add("--segmentation", choices=[kind for kind in choices["segmentation"] if kind != "original"],
        help="masks; opencv: polygons for Ultralytics and others that fill with OpenCV; none: boxes"
        f" only (default: {Options.segmentation})")
    add("--like-original", action="store_const", const="original", dest="segmentation",
        help="masks of the original script: inexact, some missing")
    how.add_argument("--category-ids", choices=choices["category_ids"], type=_name_numbering,
        help="from 1, from 0, or Cityscapes' own (default: %(default)s)")
    how.add_argument("--file-names", choices=choices["file_names"],
        help="where the names of images start: at the data folder, at the split's folder, or"
        " without any folder (default: %(default)s)")
    how.add_argument("--panoptic", nargs="?", const="label", choices=choices["panoptic"],
        metavar="KIND", help="write panoptic files too; KIND is label, for Cityscapes' category ids"
        " (also without KIND), or train, for train ids (default: %(default)s)")
    run = parser.add_argument_group("how it is run")
    add = run.add_mutually_exclusive_group().add_argument
    add_workers(add)
    add("--scheduler", metavar="ADDRESS", help="of a Dask cluster to work on, such as tcp://host:8786")
    run.add_argument("--verify", action="store_true",
        help="compare the written files with the maps or boxes")
    run.add_argument("--version", action="version", version=f"cityscapes-coco {__version__}")
    defaults = {field.name: field.default for field in fields(Options)}
    # Of two options that exclude each other, argparse passes over one that is given its default.
    # To one that may be given several times, more is added: it starts with nothing.
    parser.set_defaults(**defaults | dict.fromkeys(("segmentation", "images", "categories")))
    return parser
# fmt: on


def _name_numbering(text: str) -> str:
    """Return the value of --category-ids; people also write 0 and 1."""
    return {"0": "zero", "1": "one"}.get(text, text)


def main(argv: Sequence[str] | None = None) -> int:
    return run_program(lambda: _convert(_parse(argv)))


def _parse(argv: Sequence[str] | None) -> argparse.Namespace:
    """Return the arguments, with `options` made of those that are fields of `Options`."""
    parser = build_parser()
    args, _ = parse(parser, "convert", argv)
    splits = SPLITS[args.annotations]
    for name in "images", "splits", "categories":
        setattr(args, name, split_commas(getattr(args, name)))
    for split in args.splits or ():
        if split not in splits:
            parser.error(
                f"argument --splits: {args.annotations} has {', '.join(splits)}, not"
                f" {split}{guess(split, splits)}"
            )
    if args.scheduler == "":
        parser.error("argument --scheduler: an address is needed, such as tcp://host:8786")
    args.segmentation = args.segmentation or Options.segmentation
    chosen = {field.name: getattr(args, field.name) for field in fields(Options)}
    chosen = {name: value for name, value in chosen.items() if value is not None}
    try:
        args.options = Options(**chosen)
    except ValueError as error:
        parser.error(f"argument --{error}")
    return args


def _convert(args: argparse.Namespace) -> int:
    # numpy and OpenCV take a while to load; --help does not wait for them.
    from cityscapes_coco.check.verify import verify_file
    from cityscapes_coco.cityscapes.dataset import find_splits
    from cityscapes_coco.cityscapes.frame_list import choose_frames
    from cityscapes_coco.cli.tables import describe_check, describe_split
    from cityscapes_coco.convert.split import convert_split
    from cityscapes_coco.run.signals import stoppable
    from cityscapes_coco.run.workers import WorkersLost

    options: Options = args.options
    dataset = _find_dataset(args)
    splits = find_splits(dataset, args.splits, options.images, warn=_warn)
    if args.frames:
        dataset = choose_frames(dataset, splits, args.frames)
        splits = [*_keep_listed(dataset, splits, args.frames)]
    outdir = args.outdir or dataset.folder / "annotations"
    folders = [dataset.maps / split for split in splits]
    codes = [0]
    written = []
    with stoppable() as check, _start_workers(args, folders, check) as run:
        for split in splits:
            try:
                summary = convert_split(dataset, split, outdir, options, warn=_warn, run=run)
            except WorkersLost:
                raise
            except UserError as error:
                _warn(f"error: {error}")
                codes.append(1)
            else:
                print(describe_split(split, summary))
                written += summary.paths
        if written:
            print(_name_next(args, dataset.folder, written[0]))
        for path in written if args.verify else ():
            report = verify_file(path, args.datadir, imagedir=args.imagedir, run=run)
            print(describe_check(report))
            codes.append(report.exit_code)
    # A split that failed, 1, is worse than a check that found fields missing, 3.
    return 1 if 1 in codes else max(codes)


def _keep_listed(dataset: "Dataset", splits: Iterable[str], path: Path) -> Iterator[str]:
    """Yield the splits with a frame of the list at `path`; warn of each other one."""
    for split in splits:
        if dataset.chosen and split in dataset.chosen.splits:
            yield split
        else:
            _warn(f"{path}: names no frame of {split}, so {split} is not written")


def _name_next(args: argparse.Namespace, data_folder: Path, written: Path) -> str:
    """Return a line with the command that draws what was written, the first file."""
    from cityscapes_coco.cli.coco_file import name_split

    words = ["--coco_dir", str(data_folder)]
    if written.parent != data_folder / "annotations":
        words = ["--coco_dir", str(written.parent), "--datadir", str(data_folder)]
    if args.annotations != Options.annotations:
        words += ["--split", name_split(written)]
    if args.imagedir:
        words += ["--imagedir", str(args.imagedir)]
    return one_line(f"look at it: {typed_command('inspect')} {shlex.join(words)}")


def _find_dataset(args: argparse.Namespace) -> "Dataset":
    """Find the data folder, and warn if it is another one than the user named."""
    from cityscapes_coco.cityscapes.dataset import find_dataset
    from cityscapes_coco.cityscapes.frame import name_file

    dataset = find_dataset(args.datadir, args.annotations, args.options.images, args.imagedir)
    if dataset.maps != args.datadir / args.annotations:
        _warn(
            f"{args.datadir}: using the {name_file(dataset.annotation_type)}s in {dataset.maps};"
            f" the data folder is {dataset.folder}"
        )
    if dataset.root != dataset.folder:
        _warn(f"{args.imagedir}: the names of images in the file start here")
    return dataset


def _start_workers(
    args: argparse.Namespace, folders: Iterable[Path], check: Callable[[], object]
) -> "AbstractContextManager[Map]":
    """Start processes, or connect to a cluster, whose workers have to read the `folders`."""
    from cityscapes_coco.run.workers import start_workers

    if not args.scheduler:
        return start_workers(args.workers or usable_cores(), check=check)
    from cityscapes_coco.run.cluster import connect_cluster

    return connect_cluster(args.scheduler, folders, check=check)


def _warn(message: str) -> None:
    """Print a line above the progress bar."""
    from tqdm import tqdm

    tqdm.write(one_line(message), file=sys.stderr)

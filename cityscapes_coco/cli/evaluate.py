"""Score the results of a network, as COCO does and as Cityscapes does, or save them for the
Cityscapes benchmark."""

import argparse
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from cityscapes_coco.cli.arguments import add_workers, given_path, name_page, positive, usable_cores
from cityscapes_coco.cli.program import run_program
from cityscapes_coco.errors import UserError, one_line

if TYPE_CHECKING:
    from cityscapes_coco.scores.evaluate import Scores


# fmt: off
def build_parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        description=__doc__,
        epilog="example: python evaluate_coco.py --split val --results predictions.json",
    )
    add = parser.add_argument
    add("--coco_dir", type=given_path, default="data/cityscapes", metavar="DIR",
        help="the data folder, with annotations/ and the maps in it (default: %(default)s)")
    add("--split", default="val", help="which file in annotations/ (default: %(default)s)")
    add("--coco", type=given_path, metavar="FILE",
        help="any COCO file, instead of one found in the folder")
    add("--results", type=given_path, required=True, metavar="FILE",
        help="the results: a list, or an object with annotations")
    add("--pngs", type=given_path, metavar="DIR",
        help="the PNG files of panoptic results (default: the folder with the name of the results)")
    add("--json", type=given_path, metavar="FILE", help="write all scores there")
    add("--plot", type=given_path, metavar="PATH",
        help="draw precision over recall into this folder, or this .png, .pdf or .svg file")
    add("--save", type=given_path, metavar="DIR",
        help="write what the server of Cityscapes takes into this new folder")
    add("--top", type=positive, metavar="N",
        help="save only the N results of each frame with the highest scores (default: all)")
    add_workers(add)
    return parser
# fmt: on


def main(argv: Sequence[str] | None = None) -> int:
    return run_program(lambda: _evaluate(_parse(argv)))


def _parse(argv: Sequence[str] | None) -> argparse.Namespace:
    parser = build_parser()
    args = parser.parse_args(argv)
    if args.top and not args.save:
        parser.error("argument --top: is for --save")
    return args


def _evaluate(args: argparse.Namespace) -> int:
    # numpy and OpenCV take a while to load; --help does not wait for them.
    from cityscapes_coco.cli.coco_file import find_data_folder, find_file
    from cityscapes_coco.cli.tables import describe_scores, describe_submission
    from cityscapes_coco.run.files import check_free
    from cityscapes_coco.run.signals import stoppable
    from cityscapes_coco.run.workers import start_workers
    from cityscapes_coco.scores.evaluate import NoTruth, evaluate_results, write_scores
    from cityscapes_coco.scores.panoptic_results import is_panoptic
    from cityscapes_coco.scores.submission import write_submission

    if is_panoptic(args.results):
        return _evaluate_panoptic(args)
    if args.pngs:
        raise UserError("--pngs", f"is for panoptic results, which {args.results} has not")
    path = args.coco or find_file(find_data_folder(args.coco_dir), args.split, "--coco")
    files = path, args.results, args.coco_dir
    _check_apart(args.json, path, args.results)
    if args.save:
        # Check it before the scores, which take a while.
        check_free(args.save)
    workers = args.workers or usable_cores()
    with stoppable() as check, start_workers(workers, check=check) as run:
        try:
            scores = evaluate_results(*files, run=run)
        except NoTruth as error:
            if args.json or args.plot or not args.save:
                raise
            print(one_line(error))
        else:
            print(describe_scores(args.results, scores))
            if args.json:
                write_scores(args.json, scores)
            if args.plot:
                _plot(args, path, scores)
        if args.save:
            print(describe_submission(write_submission(*files, args.save, top=args.top, run=run)))
    return 0


def _evaluate_panoptic(args: argparse.Namespace) -> int:
    from cityscapes_coco.cli.coco_file import find_data_folder, find_file
    from cityscapes_coco.cli.tables import describe_panoptic_scores
    from cityscapes_coco.run.signals import stoppable
    from cityscapes_coco.run.workers import start_workers
    from cityscapes_coco.scores.evaluate import write_scores
    from cityscapes_coco.scores.evaluate_panoptic import evaluate_panoptic

    for option in "plot", "save":
        if getattr(args, option):
            raise UserError(f"--{option}", "takes results of instances, and these are panoptic")
    path = args.coco
    if not path:
        path = find_file(find_data_folder(args.coco_dir), args.split, "--coco", panoptic=True)
    _check_apart(args.json, path, args.results)
    with stoppable() as check, start_workers(args.workers or usable_cores(), check=check) as run:
        scores = evaluate_panoptic(path, args.results, args.pngs, run=run)
    print(describe_panoptic_scores(args.results, scores))
    if args.json:
        write_scores(args.json, scores)
    return 0


def _check_apart(out: Path | None, *read: Path) -> None:
    """Raise UserError if the scores are to be written over a file that is read."""
    if out and out.resolve() in [path.resolve() for path in read]:
        raise UserError(out, "is read, so the scores cannot go there; see --json")


def _plot(args: argparse.Namespace, path: Path, scores: "Scores") -> None:
    from cityscapes_coco.coco.reading import read_coco
    from cityscapes_coco.pictures.curves import draw_curves, find_size
    from cityscapes_coco.pictures.drawings import read_categories
    from cityscapes_coco.pictures.figures import save_page

    colors = read_categories(read_coco(path)).page_colors
    target = name_page(args.plot, f"{args.results.stem}_curves.png")
    save_page(
        lambda figure: draw_curves(figure, scores, args.results.name, colors),
        find_size(scores),
        target,
        "--plot",
    )
    print(one_line(target))

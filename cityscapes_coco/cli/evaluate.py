"""Score the results of a network, as COCO does and as Cityscapes does, or save them for the
Cityscapes benchmark."""

import argparse
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from cityscapes_coco.cli.arguments import add_workers, given_path, positive, usable_cores
from cityscapes_coco.cli.program import run_program
from cityscapes_coco.errors import UserError, command, one_line, typed_command

if TYPE_CHECKING:
    from cityscapes_coco.scores.evaluate import Scores


# fmt: off
def build_parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog=command("evaluate"),
        description=__doc__,
        epilog=f"example: {typed_command('evaluate')} --split val --results predictions.json",
    )
    add = parser.add_argument
    add("--coco_dir", type=given_path, default="data/cityscapes", metavar="DIR",
        help="the data folder, with annotations/ and the maps in it (default: %(default)s)")
    add("--split", default="val", help="which file in annotations/ (default: %(default)s)")
    add("--coco", type=given_path, metavar="FILE",
        help="any COCO file, instead of one found in the folder")
    add("--results", type=given_path, required=True, metavar="FILE",
        help="the results: a list, or an object with annotations")
    add("--json", type=given_path, metavar="FILE", help="write all scores there")
    add("--plot", type=given_path, metavar="DIR",
        help="draw precision over recall, and write the page into this folder as a PNG file")
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
    from cityscapes_coco.scores.submission import write_submission

    path = args.coco or find_file(find_data_folder(args.coco_dir), args.split, "--coco")
    files = path, args.results, args.coco_dir
    if args.json and args.json.resolve() in (path.resolve(), args.results.resolve()):
        raise UserError(args.json, "is read, so the scores cannot go there; see --json")
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


def _plot(args: argparse.Namespace, path: Path, scores: "Scores") -> None:
    from cityscapes_coco.coco.reading import read_coco
    from cityscapes_coco.pictures.curves import draw_curves
    from cityscapes_coco.pictures.drawings import read_categories
    from cityscapes_coco.pictures.figures import save_figure

    colors = read_categories(read_coco(path)).colors
    target = args.plot / f"{args.results.stem}_curves.png"
    save_figure(draw_curves(scores, args.results.name, colors), target, "--plot")
    print(one_line(target))

"""Score the results of a network, or save them for the Cityscapes benchmark."""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from cityscapes_coco.cli.arguments import (
    DATA_FOLDER,
    add_workers,
    given_path,
    make_parser,
    name_page,
    open_results,
    parse,
    positive,
    refuse_idle,
    usable_cores,
)
from cityscapes_coco.cli.program import run_program
from cityscapes_coco.errors import one_line

if TYPE_CHECKING:
    from cityscapes_coco.cli.coco_file import Places
    from cityscapes_coco.scores.evaluate import Scores
    from cityscapes_coco.scores.evaluate_panoptic import PanopticScores


# fmt: off
def build_parser() -> argparse.ArgumentParser:
    parser = make_parser(
        "evaluate",
        __doc__,
        needed="--results FILE",
        writes="prints the scores; writes files only with --scores, --plot or --save",
        examples=["--coco_dir data --results predictions.json",
                  "--split test --results predictions.json --save upload"],
    )
    add = parser.add_argument
    add("--coco_dir", type=given_path, metavar="DIR",
        help="the folder with the COCO files, or the data folder with annotations/ in it (default:"
        f" --datadir, or {DATA_FOLDER})")
    add("--datadir", type=given_path, metavar="DIR",
        help="the data folder, which holds gtFine, if it is not above the COCO files")
    add("--split", help="of which split (default: val)")
    add("--coco", type=given_path, metavar="FILE",
        help="any COCO file, instead of one found in the folder")
    add("--results", type=given_path, required=True, metavar="FILE",
        help="the results: a list, or an object with annotations")
    add("--pngs", type=given_path, metavar="DIR",
        help="the PNG files of panoptic results (default: the folder with the name of the results)")
    add("--scores", type=given_path, metavar="FILE",
        help="write all scores into this .json, .csv, .md or .tex file, which is new or has earlier"
        " scores")
    add("--plot", type=given_path, metavar="PATH",
        help="draw precision over recall, or bars of panoptic quality, into this folder, or this"
        " .png, .pdf or .svg file")
    add("--save", type=given_path, metavar="DIR",
        help="write what the server of Cityscapes takes into this folder, which must not exist yet")
    add("--top", type=positive, metavar="N",
        help="save only the N results of each frame with the highest scores (default: all)")
    add_workers(add)
    return parser
# fmt: on


def main(argv: Sequence[str] | None = None) -> int:
    return run_program(lambda: _evaluate(_parse(argv)))


def _parse(argv: Sequence[str] | None) -> argparse.Namespace:
    parser = build_parser()
    args, given = parse(parser, "evaluate", argv)
    refuse_idle(parser, given, only_with={"--top": ["--save"]}, idle_with={"--split": ["--coco"]})
    if args.scores:
        from cityscapes_coco.scores.score_files import BEGINS

        endings = [".json", *BEGINS]
        if args.scores.suffix.lower() not in ("", *endings):
            named = f"{', '.join(endings[:-1])} or {endings[-1]}"
            parser.error(f"argument --scores: the name must end in {named}")
    open_results(parser, args, given, of_instances=("--save", "--top"))
    return args


def _evaluate(args: argparse.Namespace) -> int:
    # numpy and OpenCV take a while to load; --help does not wait for them.
    from cityscapes_coco.cli.coco_file import explain_no_maps, find_file, find_places
    from cityscapes_coco.cli.tables import describe_scores, describe_submission
    from cityscapes_coco.cli.targets import check_targets
    from cityscapes_coco.run.signals import stoppable
    from cityscapes_coco.run.workers import start_workers
    from cityscapes_coco.scores.evaluate import NoTruth, evaluate_results
    from cityscapes_coco.scores.submission import write_submission

    places = find_places(args.coco_dir, args.datadir)
    if args.is_panoptic:
        return _evaluate_panoptic(args, places)
    path = args.coco or find_file(places, args.split or "val")
    files = path, args.file, places.maps
    plot = name_page(args.plot, f"{args.results.stem}_curves.png") if args.plot else None
    if reason := explain_no_maps(places):
        print(one_line(f"{places.maps}: {reason}"), file=sys.stderr)
    # Before the scores, which take a while.
    check_targets(args.scores, plot, args.save, read=(path, args.results))
    workers = args.workers or usable_cores()
    with stoppable() as check, start_workers(workers, check=check) as run:
        try:
            scores = evaluate_results(*files, run=run)
        except NoTruth as error:
            if args.scores or args.plot or not args.save:
                raise
            print(one_line(error))
        else:
            print(describe_scores(args.results, scores))
            _write_files(args, path, scores, plot)
        if args.save:
            print(describe_submission(write_submission(*files, args.save, top=args.top, run=run)))
    return 0


def _evaluate_panoptic(args: argparse.Namespace, places: "Places") -> int:
    from cityscapes_coco.cli.coco_file import find_file
    from cityscapes_coco.cli.tables import describe_panoptic_scores
    from cityscapes_coco.cli.targets import check_targets
    from cityscapes_coco.coco.panoptic import png_folder
    from cityscapes_coco.run.signals import stoppable
    from cityscapes_coco.run.workers import start_workers
    from cityscapes_coco.scores.evaluate_panoptic import evaluate_panoptic

    path = args.coco or find_file(places, args.split or "val", panoptic=True)
    plot = name_page(args.plot, f"{args.results.stem}_quality.png") if args.plot else None
    pngs = png_folder(path), args.pngs or png_folder(args.results)
    check_targets(args.scores, plot, None, read=(path, args.results), pngs=pngs)
    with stoppable() as check, start_workers(args.workers or usable_cores(), check=check) as run:
        scores = evaluate_panoptic(path, args.file, args.pngs, run=run)
    print(describe_panoptic_scores(args.results, scores))
    _write_files(args, path, scores, plot)
    return 0


def _write_files(
    args: argparse.Namespace, path: Path, scores: "Scores | PanopticScores", plot: Path | None
) -> None:
    """Write the files of --scores and --plot; `path` is the truth."""
    if args.scores:
        from cityscapes_coco.scores.score_files import find_origin, write_scores

        write_scores(args.scores, scores, find_origin(path, scores))
    if plot:
        from cityscapes_coco.coco.reading import read_coco
        from cityscapes_coco.pictures.figures import save_page
        from cityscapes_coco.pictures.quality import plan_page

        save_page(*plan_page(scores, args.results.name, read_coco(path)), plot, "--plot")
        print(one_line(plot))

"""Look at a COCO file: draw examples or statistics, or check it."""

import argparse
import math
import random
import re
import sys
from collections import Counter
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import suppress
from functools import partial
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Any, NamedTuple

from cityscapes_coco.cli.arguments import (
    DATA_FOLDER,
    given_path,
    is_page,
    make_parser,
    name_page,
    open_results,
    parse,
    refuse_idle,
    split_commas,
    usable_cores,
    whole_number,
)
from cityscapes_coco.cli.program import run_program
from cityscapes_coco.errors import UserError, command, guess, one_line
from cityscapes_coco.options import BOX_TYPES

if TYPE_CHECKING:
    from cityscapes_coco.coco.records import Annotation, CocoFile, Id, Image, Result
    from cityscapes_coco.pictures.examples import Example, Source

    Records = tuple[Image, list[Annotation], list[Any]]

_MIN_SCORE = 0.5


class Predictions(NamedTuple):
    """Results to draw; and of panoptic ones the PNG file of each image, by the image's number."""

    records: Sequence[Any]
    pngs: Mapping[int, Path]


# Options that have an effect only beside another one, and options that have none beside another.
_ONLY_WITH = {name: ["--results"] for name in ("--min-score", "--sort", "--pngs")}
_IDLE_WITH = {
    "--split": ["--coco"],
    "--panoptic": ["--coco"],
    "--imagedir": ["--stats"],
    "--num_examples": ["--stats", "--verify"],
    "--image": ["--stats", "--verify"],
    "--category": ["--stats", "--verify"],
    "--seed": ["--stats", "--verify", "--sort"],
    "--save": ["--verify"],
}


def _score(text: str) -> float:
    """Return the number in `text`; anything else, and NaN, is a wrong command line."""
    with suppress(ValueError):
        if not math.isnan(number := float(text)):
            return number
    raise argparse.ArgumentTypeError(f"{text!r} is not a number")


# fmt: off
def build_parser() -> argparse.ArgumentParser:
    parser = make_parser(
        "inspect",
        __doc__,
        needed="",
        writes="In a window: left and right arrow for the next and previous image, m, b, l and\n"
        "t to switch masks, boxes, labels and the truth over results, q to close.\n\n"
        "writes PNG files with --save, or without a display; nothing with --verify",
        examples=["--category car --save pictures",
                  "--coco_dir data/cityscapes --verify"],
    )
    add = parser.add_argument
    add("--coco_dir", type=given_path, metavar="DIR",
        help="the folder with the COCO files, or the data folder with annotations/ in it (default:"
        f" --datadir, or {DATA_FOLDER})")
    add("--datadir", type=given_path, metavar="DIR",
        help="the data folder, which holds gtFine, if it is not above the COCO files")
    add("--imagedir", type=given_path, metavar="DIR",
        help=f"the folder of the photographs, if {command('convert')} was given one")
    add("--split",
        help="of which split (default: train, or the first with a file; with --results val)")
    add("--panoptic", action="store_true", help="read the panoptic file of the split")
    add("--coco", type=given_path, metavar="FILE",
        help="any COCO file, instead of one found in the folder")
    add("--num_examples", type=whole_number, default=5, metavar="N",
        help="how many images (default: %(default)s)")
    add("--image", default="", metavar="TEXT", help="images with this text in their name")
    add("--category", nargs="+", action="extend", metavar="NAME",
        help="images with one of these categories; only their instances are drawn")
    add("--seed", type=int, help="which random images (default: a new choice each time)")
    add("--sort", choices=("errors", "score"),
        help="with --results, the worst images first: those with the most errors, or with the false"
        " result of the highest score (default: random images)")
    add("--save", type=given_path, metavar="PATH", help="write PNG files into this folder, which is"
        " made if missing, or with --stats this .png, .pdf or .svg file (default: windows, or"
        " without a display a folder beside the COCO file)")
    alone = parser.add_mutually_exclusive_group().add_argument
    alone("--results", type=given_path, metavar="FILE",
        help="draw results of a network, and the truth over them")
    add("--pngs", type=given_path, metavar="DIR",
        help="the PNG files of panoptic results (default: the folder with the name of the results)")
    alone("--stats", action="store_true", help="one page of statistics instead of examples")
    alone("--verify", action="store_true",
        help="compare the file with the maps or boxes in the data folder; exit code 1: not exact,"
        " 3: exact, but fields are missing or wrong")
    add("--min-score", type=_score, metavar="SCORE",
        help=f"draw only results with this score or a higher one (default: {_MIN_SCORE})")
    return parser
# fmt: on


def main(argv: Sequence[str] | None = None) -> int:
    return run_program(lambda: _inspect(_parse(argv)))


def _parse(argv: Sequence[str] | None) -> argparse.Namespace:
    parser = build_parser()
    args, given = parse(parser, "inspect", argv)
    refuse_idle(parser, given, only_with=_ONLY_WITH, idle_with=_IDLE_WITH)
    args.is_panoptic = False
    if args.results:
        open_results(parser, args, given, of_instances=["--min-score"])
    if args.save and is_page(args.save) and not args.stats:
        parser.error("argument --save: examples need a folder; a file is for --stats")
    return args


def _inspect(args: argparse.Namespace) -> int:
    # msgspec, numpy and matplotlib take a while to load; each is loaded where it is needed.
    from cityscapes_coco.cli.coco_file import explain_no_maps, find_file, find_places

    places = find_places(args.coco_dir, args.datadir)
    args.maps = places.maps
    # Results are mostly of val. Their image ids do not tell: train has the same numbers.
    split = args.split or ("val" if args.results else None)
    panoptic = args.panoptic or args.is_panoptic
    path = args.coco or find_file(places, split, panoptic=panoptic)
    if args.verify:
        if reason := explain_no_maps(places):
            raise UserError(places.maps, reason)
        return _verify(path, places.maps, args.imagedir)

    from cityscapes_coco.cli.tables import describe_file
    from cityscapes_coco.coco.reading import read_coco

    coco = read_coco(path)
    print(describe_file(path, coco))
    if args.stats:
        _show_statistics(args, path, coco)
    else:
        _show_examples(args, path, coco, places.data)
    return 0


def _verify(path: Path, datadir: Path, imagedir: Path | None) -> int:
    from cityscapes_coco.check.verify import verify_file
    from cityscapes_coco.cli.tables import describe_check
    from cityscapes_coco.run.signals import stoppable
    from cityscapes_coco.run.workers import start_workers

    with stoppable() as check, start_workers(usable_cores(), check=check) as run:
        report = verify_file(path, datadir, imagedir=imagedir, run=run)
    print(describe_check(report))
    return report.exit_code


def _show_examples(args: argparse.Namespace, path: Path, coco: "CocoFile", data: Path) -> None:
    from cityscapes_coco.coco.reading import group_by_image, name_categories
    from cityscapes_coco.coco.records import PanopticFile

    names = name_categories(coco)
    categories_asked = _find_categories(args, path, names.values())

    def is_asked_for(record: "Annotation | Result") -> bool:
        return not categories_asked or names.get(record.category_id) in categories_asked

    predictions = _read_predictions(args, path, coco)
    records = [*coco.annotations, *predictions.records]
    images = _find_images(args, path, coco, {r.image_id for r in records if is_asked_for(r)})
    # All segments stay: the pixels of one that is left out would be pixels of no segment.
    has_pngs = isinstance(coco, PanopticFile)
    chosen = (lambda _: True) if has_pngs else is_asked_for
    annotations = group_by_image(filter(chosen, coco.annotations))
    results = group_by_image(filter(chosen, predictions.records))
    if not args.sort and not (images := _choose_images(args, images)):
        return

    from cityscapes_coco.cityscapes.dataset import find_root
    from cityscapes_coco.pictures.drawings import read_categories
    from cityscapes_coco.pictures.examples import Source, load_example

    shown = [name.strip() for name in categories_asked] if args.is_panoptic else ()
    root = find_root(data, args.imagedir)
    source = Source(path, root, read_categories(coco), args.results, shown)
    notes: dict[object, str] = {}

    def find_records(image: "Image") -> "Records":
        truth, found = annotations.get(image.id, []), results.get(image.id, [])
        if has_pngs:
            png = predictions.pngs.get(int(image.id or 0))
            notes[image.id] = _add_masks(path, (image, truth, found), png)
            if not args.results:
                truth = [*filter(is_asked_for, truth)]
        return image, truth, found

    def load(number: int) -> "Example":
        example = load_example(source, *find_records(images[number]))
        told = filter(None, (example.note, notes.get(images[number].id)))
        return example._replace(note="; ".join(told))

    if args.sort:
        images = _choose_worst(args, images, source, find_records)
    kind = _name_kind(coco, args.results)
    names_and_kinds = [(image.file_name or "", kind) for image in images]
    _draw_examples(args, path, coco, names_and_kinds, load)


def _name_kind(coco: "CocoFile", results: Path | None) -> str:
    """Return how the names of pictures end, so that those of one frame, of different files and
    results, have different names."""
    from cityscapes_coco.coco.reading import read_options
    from cityscapes_coco.coco.records import PanopticFile

    kind = "panoptic" if isinstance(coco, PanopticFile) else "instances"
    annotations = read_options(coco).annotations
    if annotations in BOX_TYPES:
        kind = annotations
    if results:
        return results.stem if results.stem != kind else f"{kind}_results"
    return kind


def _add_masks(path: Path, records: "Records", png: Path | None) -> str:
    """Give the segments of an image their masks, and the segments of results if these have a PNG
    file; return what is wrong with them."""
    from cityscapes_coco.coco.panoptic import add_masks, search_png

    image, truth, found = records
    notes = [add_masks(search_png(path, image.seg_file_name or ""), image, truth)]
    if png and (note := add_masks(png, image, found)):
        notes.append(f"results: {note}")
    return "; ".join(filter(None, notes))


def _find_categories(args: argparse.Namespace, path: Path, names: Collection[str]) -> set[str]:
    """Return the categories of --category; a name may hold commas, or commas stand between two."""
    found = set()
    for text in args.category or ():
        for name in [text] if text in names else split_commas([text]) or [text]:
            if name not in names:
                there = f"it has {', '.join(names)}{guess(name, names)}"
                raise UserError(path, f"no category {name}; {there}")
            found.add(name)
    return found


def _find_images(
    args: argparse.Namespace, path: Path, coco: "CocoFile", ids: "Collection[Id | str]"
) -> "list[Image]":
    """Return the images that --image and --category allow. `ids` are the ids of images with an
    annotation or a result of the chosen categories."""
    named = (image for image in coco.images if args.image in (image.file_name or ""))
    images = [image for image in named if not args.category or image.id in ids]
    if not images:
        options = {"--image": args.image, "--category": " ".join(args.category or ())}
        asked = [f"{option} {text}" for option, text in options.items() if text]
        fit = f" that {' and '.join(asked)} {'asks' if len(asked) == 1 else 'ask'} for"
        raise UserError(path, f"no image in it{fit if coco.images else ''}")
    return images


def _choose_images(args: argparse.Namespace, images: "list[Image]") -> "list[Image]":
    seed = random.randrange(10**6) if args.seed is None else args.seed
    chosen = random.Random(seed).sample(images, min(args.num_examples, len(images)))
    none = "" if chosen else "; --num_examples 0 draws none"
    print(f"{len(chosen)} of {len(images)} images, --seed {seed}{none}")
    return chosen


def _choose_worst(
    args: argparse.Namespace,
    images: "list[Image]",
    source: "Source",
    find_records: "Callable[[Image], Records]",
) -> "list[Image]":
    from cityscapes_coco.pictures.examples import draw_image
    from cityscapes_coco.pictures.outcomes import find_worst_score, weigh_errors

    weigh = weigh_errors if args.sort == "errors" else find_worst_score

    def measure(image: "Image") -> float:
        predictions, truth, _ = draw_image(source, *find_records(image))
        return weigh([*predictions, *(truth or ())])

    worst_first = sorted(images, key=measure, reverse=True)[: args.num_examples]
    first = "most errors" if args.sort == "errors" else "highest score of a false result"
    print(f"{len(worst_first)} of {len(images)} images, {first} first")
    return worst_first


def _read_predictions(args: argparse.Namespace, path: Path, coco: "CocoFile") -> Predictions:
    """Return the results to draw: all segments, or instances with a score of --min-score."""
    if not args.results:
        return Predictions([], {})
    if not args.is_panoptic:
        return Predictions(_read_results(args, coco), {})

    from cityscapes_coco.coco.panoptic import find_png
    from cityscapes_coco.scores.evaluate_panoptic import check_panoptic, find_pngs
    from cityscapes_coco.scores.panoptic_results import list_segments, read_panoptic_results

    results = read_panoptic_results(args.file, check_panoptic(path, coco))
    folder = find_pngs(args.file, args.pngs)
    pngs = {number: find_png(folder, r.file_name) for number, r in enumerate(results, 1)}
    return Predictions(list_segments(results), pngs)


def _read_results(args: argparse.Namespace, coco: "CocoFile") -> "list[Result]":
    """Return the results to draw: those whose score is at least --min-score."""
    from cityscapes_coco.scores.results import read_results

    results = read_results(args.file, coco)
    least = _MIN_SCORE if args.min_score is None else args.min_score
    drawn = [result for result in results if result.score >= least]
    counted = f"{len(results)} results, of which {len(results) - len(drawn)} are left out"
    print(one_line(f"{args.results}: {counted}: their score is below --min-score {least:g}"))
    if results and not drawn:
        best = max(result.score for result in results)
        line = f"{args.results}: no result is left; the highest score is {best:g}; see --min-score"
        print(one_line(line), file=sys.stderr)
    return drawn


def _draw_examples(
    args: argparse.Namespace,
    path: Path,
    coco: "CocoFile",
    names: "Sequence[tuple[str, str]]",
    load: "Callable[[int], Example]",
) -> None:
    """Show examples or save them; `names` has the name and the kind of each."""
    folder = args.save
    if not folder:
        from cityscapes_coco.pictures.windows import open_window, show_examples

        figure = open_window()
        if not isinstance(figure, str):
            show_examples(figure, len(names), load)
            return
        folder = _choose_folder(path, figure)

    from cityscapes_coco.pictures.composing import save_example
    from cityscapes_coco.pictures.gallery import check_page, make_card, write_page

    check_page(folder)
    cards = []
    for number, target in enumerate(_name_pictures(folder, names)):
        example = load(number)
        cards.append(make_card(target, example, save_example(example, target)))
        print(one_line(target))
        if example.note:
            print(one_line(f"{target}: {example.note}"), file=sys.stderr)
    title = f"{args.results.name} and {path.name}" if args.results else path.name
    curves = _draw_curves(args, path, coco) if args.results else b""
    print(one_line(write_page(folder, title, cards, coco, curves)))


def _draw_curves(args: argparse.Namespace, path: Path, coco: "CocoFile") -> bytes:
    """Return the page of the results' curves as PNG; nothing where there is no truth."""
    from cityscapes_coco.pictures.figures import render_page
    from cityscapes_coco.pictures.quality import plan_page
    from cityscapes_coco.run.workers import start_workers
    from cityscapes_coco.scores.evaluate import evaluate_results
    from cityscapes_coco.scores.evaluate_panoptic import evaluate_panoptic

    # The pictures are what was asked for, and are there already.
    with suppress(UserError), start_workers(usable_cores()) as run:
        scores = (
            evaluate_panoptic(path, args.file, args.pngs, run=run)
            if args.is_panoptic
            else evaluate_results(path, args.file, args.maps, run=run)
        )
        return render_page(*plan_page(scores, args.results.name, coco))
    return b""


def _name_pictures(folder: Path, names: "Sequence[tuple[str, str]]") -> "Iterator[Path]":
    taken: Counter[str] = Counter()
    for name, kind in names:
        # The name comes from the COCO file: keep it inside the folder, and short.
        stem = re.sub(r"[^-.0-9A-Za-z_]", "_", PurePosixPath(name).stem)[:200]
        # Two images may have the same name, and some file systems ignore case.
        taken[stem.lower()] += 1
        again = f"_{taken[stem.lower()]}" if taken[stem.lower()] > 1 else ""
        yield folder / f"{stem}_{kind}{again}.png"


def _show_statistics(args: argparse.Namespace, path: Path, coco: "CocoFile") -> None:
    from cityscapes_coco.cli.coco_file import name_split
    from cityscapes_coco.pictures.figures import save_page
    from cityscapes_coco.pictures.statistics import SIZE, draw_statistics

    draw = partial(draw_statistics, coco=coco, title=name_split(path, coco.images))
    folder = args.save
    if not folder:
        from cityscapes_coco.pictures.windows import open_window, show_page

        figure = open_window()
        if not isinstance(figure, str):
            show_page(figure, draw, f"{path.name}  |  q close")
            return
        folder = _choose_folder(path, figure)
    target = name_page(folder, f"{path.stem}_statistics.png")
    save_page(draw, SIZE, target, "--save")
    print(one_line(target))


def _choose_folder(path: Path, reason: str) -> Path:
    """Return the folder for pictures if the user did not name it, and print it."""
    folder = path.parent / "pictures"
    print(one_line(f"{reason}, so pictures go to {folder}"))
    return folder

"""Look at a COCO file of Cityscapes instances: draw examples or statistics, or check it."""

try:
    import signal

    if __name__ == "__main__" and signal.getsignal(signal.SIGINT) == signal.default_int_handler:
        # There is nothing to clean up, so Ctrl-C may end it at once, and without a traceback.
        signal.signal(signal.SIGINT, signal.SIG_DFL)
except KeyboardInterrupt:
    raise SystemExit(130) from None

import argparse
import random
import re
from collections import Counter
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path, PurePosixPath
from typing import Any

from cityscapes_coco.dataset import LAYOUTS, find_dataset
from cityscapes_coco.errors import DatasetError, one_line
from cityscapes_coco.reading import group_by_image, read_coco
from cityscapes_coco.terminal import guard, prepare_streams, whole_number

_PREFIX = "instancesonly_filtered_"
_FINE = f"{_PREFIX}gtFine_"


def build_parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        description=__doc__,
        epilog="In a window: left and right arrow for the next and previous image, m, b and l for"
        " masks, boxes and labels on and off, q to close.",
    )
    parser.add_argument(
        "--coco_dir",
        type=Path,
        default=Path("data/cityscapes"),
        metavar="DIR",
        help="the data folder, with annotations/ in it (default: %(default)s)",
    )
    parser.add_argument("--split", help="which file (default: train, or the first that exists)")
    parser.add_argument(
        "--json",
        type=Path,
        metavar="FILE",
        help="any COCO file, instead of one found in the folder",
    )
    parser.add_argument(
        "--num_examples",
        type=whole_number,
        default=5,
        metavar="N",
        help="how many images (default: %(default)s)",
    )
    parser.add_argument(
        "--image", default="", metavar="TEXT", help="frames whose name contains this"
    )
    parser.add_argument(
        "--category",
        action="append",
        metavar="NAME",
        help="frames with this class, and only its instances drawn; may be repeated",
    )
    parser.add_argument(
        "--seed", type=int, help="which random frames (default: a new choice each time)"
    )
    parser.add_argument(
        "--save",
        type=Path,
        metavar="DIR",
        help="write PNG files there (default: windows, or without a display a folder beside the"
        " COCO file)",
    )
    instead = parser.add_mutually_exclusive_group()
    instead.add_argument(
        "--stats", action="store_true", help="one page of statistics instead of examples"
    )
    instead.add_argument(
        "--verify",
        action="store_true",
        help="compare the file with the maps in the data folder, pixel for pixel; the exit code is"
        " 0 if all is exact, else 1",
    )
    return parser


def main(argv: Sequence[str] | None = None) -> int:
    return guard(lambda: _inspect(build_parser().parse_args(argv)))


def _inspect(args: argparse.Namespace) -> int:
    folder = _data_folder(args.coco_dir)
    path = args.json or _find_file(folder, args.split)
    if args.verify:
        # numpy, OpenCV and matplotlib take a while to load; each is, where it is needed.
        from cityscapes_coco.verify import describe, verify_file

        report = verify_file(path, args.coco_dir)
        print(describe(report))
        return int(bool(report.faults))
    coco = read_coco(path)
    print(_summary(path, coco))
    if args.stats:
        _show_statistics(args, path, coco)
    else:
        _show_examples(args, path, coco, folder)
    return 0


def _data_folder(coco_dir: Path) -> Path:
    """Return the folder that the names of images start at, and that has annotations/ in it."""
    if not (coco_dir / "annotations").is_dir():
        for layout in LAYOUTS.values():
            # A COCO file can be looked at without the maps.
            with suppress(DatasetError):
                return find_dataset(coco_dir, layout).folder
    return coco_dir


def _find_file(coco_dir: Path, split: str | None) -> Path:
    """Return the COCO file of a split, or of the first one that has any."""
    folder = coco_dir / "annotations"
    found = {_name_split(path): path for path in sorted(folder.glob(f"{_PREFIX}*.json"))}
    wanted = [split, f"gtCoarse_{split}"] if split else [*LAYOUTS["gtFine"].splits, *found]
    for name in wanted:
        if name in found:
            return found[name]
    raise DatasetError(
        folder,
        f"no {_FINE}{split or '<split>'}.json in it; found {', '.join(found) or 'none'}; make it"
        f" with main.py --datadir {coco_dir}, or name any COCO file with --json",
    )


def _summary(path: Path, coco: dict[str, Any]) -> str:
    """Return how many images and annotations there are, and in which images each class is."""
    names = _names(coco)
    annotations: Counter[str] = Counter()
    crowds: Counter[str] = Counter()
    images: dict[str, set[object]] = {name: set() for name in names.values()}
    for annotation in coco["annotations"]:
        name = names.get(annotation.get("category_id"), "unknown")
        annotations[name] += 1
        crowds[name] += bool(annotation.get("iscrowd"))
        images.setdefault(name, set()).add(annotation.get("image_id"))
    lines = [
        f"{path} ({path.stat().st_size / 1e6:.2f} MB), split {_split(path, coco)}",
        f"  {'class':<16}{'annotations':>12}{'images':>8}",
        *(f"  {name:<16}{annotations[name]:>12}{len(ids):>8}" for name, ids in images.items()),
        f"  {'all':<16}{annotations.total():>12}{len(coco['images']):>8}",
    ]
    if crowds.total():
        parts = ", ".join(f"{number} {name}" for name, number in crowds.items() if number)
        lines.append(f"  of these crowds: {parts}")
    return "\n".join(map(one_line, lines))


def _names(coco: dict[str, Any]) -> dict[int | None, str]:
    return {category.get("id"): category.get("name", "unnamed") for category in coco["categories"]}


def _name_split(path: Path) -> str:
    """Return what the name of a file of ours says of its split; fine annotations go unmentioned."""
    return path.stem.removeprefix(_FINE).removeprefix(_PREFIX)


def _split(path: Path, coco: dict[str, Any]) -> str:
    """Return the split, as the file's name has it, or else the folders of its images."""
    if path.stem.startswith(_PREFIX):
        return _name_split(path)
    folders = [PurePosixPath(image.get("file_name", "")).parts for image in coco["images"]]
    splits = {parts[1] for parts in folders if len(parts) == 4}
    return ", ".join(sorted(splits)) or "unknown"


def _show_examples(
    args: argparse.Namespace, path: Path, coco: dict[str, Any], data_folder: Path
) -> None:
    names = _names(coco)
    for name in args.category or ():
        if name not in names.values():
            raise DatasetError(path, f"no category {name}; it has {', '.join(names.values())}")
    annotations = group_by_image(
        annotation
        for annotation in coco["annotations"]
        if not args.category or names.get(annotation.get("category_id")) in args.category
    )
    images = [
        image
        for image in coco["images"]
        if args.image in image.get("file_name", "")
        and (not args.category or image.get("id") in annotations)
    ]
    if not images:
        raise DatasetError(path, "no image in it that --image and --category ask for")
    seed = random.randrange(10**6) if args.seed is None else args.seed
    chosen = random.Random(seed).sample(images, min(args.num_examples, len(images)))
    print(f"{len(chosen)} of {len(images)} images, --seed {seed}")
    if not chosen:
        return

    from cityscapes_coco.view import Example, load_example, save_example
    from cityscapes_coco.window import open_window, show_examples

    def load(number: int) -> Example:
        image = chosen[number]
        return load_example(path, data_folder, image, annotations.get(image.get("id"), []), names)

    figure = None if args.save else open_window()
    if figure:
        show_examples(figure, len(chosen), load)
        return
    folder = _picture_folder(args, path)
    for number, image in enumerate(chosen):
        # The name comes from the file, and must neither lead out of the folder nor be too long.
        stem = PurePosixPath(image.get("file_name", "")).stem
        target = folder / f"{re.sub(r'[^-.0-9A-Za-z_]', '_', stem)[:200]}_instances.png"
        save_example(load(number), target)
        print(one_line(target))


def _show_statistics(args: argparse.Namespace, path: Path, coco: dict[str, Any]) -> None:
    from cityscapes_coco.charts import draw_statistics
    from cityscapes_coco.view import new_figure, save_figure
    from cityscapes_coco.window import open_window, show_figure

    figure = None if args.save else open_window()
    page = figure or new_figure(1792, 1152)
    draw_statistics(page, coco, _split(path, coco))
    if figure:
        show_figure(figure, f"{path.name}  |  q close")
        return
    target = _picture_folder(args, path) / f"{path.stem}_statistics.png"
    save_figure(page, target)
    print(one_line(target))


def _picture_folder(args: argparse.Namespace, path: Path) -> Path:
    """Return where pictures go, and say so if nobody asked for it."""
    if args.save:
        return Path(args.save)
    folder = path.parent / "pictures"
    print(one_line(f"no display, so pictures go to {folder}"))
    return folder


if __name__ == "__main__":
    prepare_streams()
    raise SystemExit(main())

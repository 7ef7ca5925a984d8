"""Where the scores go: all of it is checked before the scoring, which takes a while."""

import os
from collections.abc import Collection
from itertools import permutations
from pathlib import Path

import msgspec

from cityscapes_coco.errors import UserError
from cityscapes_coco.run.files import check_free
from cityscapes_coco.scores.score_files import BEGINS

# The keys of `Scores` and of `PanopticScores`; images are a number there, and a list in COCO.
_KEYS = {"coco", "cityscapes", "notes"}, {"panoptic", "segments", "notes"}


def check_targets(
    scores: Path | None,
    plot: Path | None,
    save: Path | None,
    *,
    read: Collection[Path],
    pngs: Collection[Path] = (),
) -> None:
    """Raise UserError if one of the files to write, `scores` and `plot`, or the folder `save`,
    cannot be written, lies in another one, or would replace what is not an earlier one. Nor may one
    replace a file that is read, or a PNG file in one of the folders `pngs`."""
    named = {"--scores": scores, "--plot": plot, "--save": save}
    targets = {option: path for option, path in named.items() if path}
    for option, path in targets.items():
        if path.is_symlink() and not path.exists():
            raise UserError(path, f"is a link that leads nowhere; see {option}")
        if path.resolve() in [other.resolve() for other in read]:
            what = "scores" if option == "--scores" else "output"
            raise UserError(path, f"is read, so the {what} cannot go there; see {option}")
        of_pngs = any(folder.resolve() in path.resolve().parents for folder in pngs)
        if of_pngs and path.suffix.lower() == ".png" and path.exists():
            raise UserError(path, f"is in a folder of PNG files that are read; see {option}")
    for (inner, path), (outer, other) in permutations(targets.items(), 2):
        if other.resolve() in (path.resolve(), *path.resolve().parents):
            raise UserError(path, f"{inner} lies in {outer} {other}; name another place")
    if scores:
        _check_scores(scores)
    if plot:
        _check_file(plot, "--plot")
    if save:
        check_free(save)
    for option, path in targets.items():
        _check_parents(path, option)


def _check_scores(path: Path) -> None:
    """Raise UserError unless `path` is free, or a file that `write_scores` has written."""
    _check_file(path, "--scores")
    if not path.exists():
        return
    try:
        content = path.read_bytes()
        begin = BEGINS.get(path.suffix.lower())
        if begin and content.startswith(begin.encode()):
            return
        earlier = None if begin else msgspec.json.decode(content)
    except OSError as error:
        raise UserError(path, f"cannot be read: {error.strerror}; see --scores") from error
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        earlier = None
    if not isinstance(earlier, dict) or not any(keys <= earlier.keys() for keys in _KEYS):
        remedy = "remove it, or name another file"
        raise UserError(path, f"is there, and is no file of earlier scores; {remedy}")


def _check_file(path: Path, option: str) -> None:
    if path.exists() and not path.is_file():
        what = "is a folder" if path.is_dir() else "not a file"
        raise UserError(path, f"cannot be written: {what}; see {option}")


def _check_parents(path: Path, option: str) -> None:
    """Raise UserError if the folder of `path` is not there and cannot be made, or is read-only."""
    # Not resolved: a link on the way that leads nowhere is no folder.
    folder = path.absolute().parent
    while not os.path.lexists(folder):
        folder = folder.parent
    if not folder.is_dir():
        raise UserError(path, f"cannot be written: {folder} is not a folder; see {option}")
    if not os.access(folder, os.W_OK | os.X_OK):
        raise UserError(path, f"cannot be written: Permission denied in {folder}; see {option}")

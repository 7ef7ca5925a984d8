"""Which frame and which image set a photograph is of, and which of several photographs is taken.

A photograph belongs to a frame if its name begins with the stem of the frame. What follows, such as
`leftImg8bit_foggy_beta_0.02`, is its ending. An image set is known by the ending of its
photographs, or by a folder that they are in.
"""

import re
from collections.abc import Iterable, Mapping, Sequence, Set
from fnmatch import fnmatchcase
from itertools import chain
from typing import NamedTuple

from cityscapes_coco.cityscapes.frame import USUAL_SET, FrameKey
from cityscapes_coco.cityscapes.split_folders import Parts
from cityscapes_coco.options import SPLITS

# How photographs are stored, the preferred kind first.
_EXTENSIONS = ("png", "jpg", "jpeg", "webp", "bmp", "tif", "tiff")
# What the folders of archives have in their names beside the image set.
_ARCHIVE = re.compile(r"_(train_?(val|extra)?(test)?|val|test)(?=_|$)")
# Whether the name of a folder speaks of fog, rain, and the like.
names_weather = re.compile(r"fog|haz[ey]|snow|(?<!t)rain|night", re.IGNORECASE).search
# Folders of other image sets than the usual one. The usual one may have been stored in another way:
# leftImg8bit_jpg, leftImg8bit_512x256.
_OTHER_SET = re.compile(rf"{USUAL_SET}_(?!jpe?g|png|webp|small|half|resized|\d)", re.IGNORECASE)
# Whether the path of a photograph speaks of the right camera, or of disparity. The frames have the
# same names, but the maps do not fit: they were drawn on the images of the left camera.
is_of_other_camera = re.compile(r"(?<![a-z])right|disparity", re.IGNORECASE).search
# Folders where a photograph may have the name of the frame alone, and where a mask may.
_PHOTOGRAPHS = re.compile(r"ima?ge?|photo|rgb", re.IGNORECASE)
_MASKS = re.compile(r"label|mask|annot", re.IGNORECASE)


class Photograph(NamedTuple):
    """A photograph of a frame.

    `path` has forward slashes and starts where the search did. `folders` are the folders in it,
    without the split and the city, and without what only archives add to the names.
    """

    path: str
    folders: Parts
    ending: str

    @property
    def rank(self) -> tuple[bool, bool, int]:
        """The lower, the better. First come photographs as in Cityscapes, in a folder with the
        beginning of the ending as its name; then those with an ending; then the less deep ones."""
        usual = bool(self.folders) and self.ending.startswith(self.folders[-1])
        return not usual, not self.ending, len(self.folders)

    @property
    def extension(self) -> str:
        return self.path.rpartition(".")[2].lower()


class FoundPhotographs(NamedTuple):
    """The paths of the photographs of each frame, sorted by image set.

    If there are none, `image_sets` has the image sets of all photographs that were not asked for.
    For each photograph that another one is as good as, `unclear` has the folder of the one that is
    taken and the folder of the other.
    """

    paths: dict[FrameKey, Parts]
    image_sets: set[str]
    unclear: list[tuple[str, str]]


def strip_archive(folder: str) -> str:
    """Return the name of a folder without what archives add: leftImg8bit_trainvaltest_foggy."""
    return _ARCHIVE.sub("", folder)


def may_be_usual(folders: Sequence[str]) -> bool:
    """Return whether files in such folders may be of the usual image set."""
    innermost = strip_archive(folders[-1]) if folders else ""
    return not _OTHER_SET.match(innermost) and not any(map(names_weather, folders))


def may_hold_bare_names(folders: Iterable[str]) -> bool:
    """Return whether files with the name of a frame alone are photographs in such folders."""
    path = "/".join(folders)
    return bool(_PHOTOGRAPHS.search(path)) and not _MASKS.search(path)


def read_photograph_name(name: str, stems: Set[str]) -> tuple[str, str]:
    """Return the stem of the frame that a file shows, and the ending; ("", "") if it shows none."""
    base, _, extension = name.rpartition(".")
    # The inspector's pictures are no photographs, wherever they were saved.
    if extension.lower() not in _EXTENSIONS or base.endswith(("_instances", "_panoptic")):
        return "", ""
    # Some tools append the new extension: x_leftImg8bit.png.jpg.
    base = base.removesuffix(".png")
    at = base.lower().find(f"_{USUAL_SET.lower()}")
    if at >= 0:
        return base[:at], USUAL_SET + base[at + 1 + len(USUAL_SET) :]
    at = len(base)
    while at > 0 and base[:at] not in stems:
        at = base.rfind("_", 0, at)
    ending = base[at + 1 :]
    return ("", "") if at <= 0 or ending.startswith(tuple(SPLITS)) else (base[:at], ending)


def choose_photographs(
    photographs: Mapping[FrameKey, list[Photograph]], image_sets: Sequence[str], start: str
) -> FoundPhotographs:
    """Return the photographs of each frame that are of the image sets, the best one of each set.

    `image_sets` are names or patterns. `start` is the name of the folder where the search started
    if the user named that folder, else "".
    """
    found = FoundPhotographs({}, set(), [])
    for key, candidates in photographs.items():
        taken: dict[tuple[str, str], Photograph] = {}
        candidates.sort(key=lambda p: (p.rank, _EXTENSIONS.index(p.extension), p.path))
        for photograph in candidates:
            image_set = _match_image_set(photograph, image_sets, start)
            if image_set is None:
                continue
            best = taken.setdefault(image_set, photograph)
            folders = best.path.rpartition("/")[0], photograph.path.rpartition("/")[0]
            if best.rank == photograph.rank and folders[0] != folders[1]:
                found.unclear.append(folders)
        if taken:
            found.paths[key] = tuple(taken[image_set].path for image_set in sorted(taken))
    if not found.paths:
        for photograph in chain.from_iterable(photographs.values()):
            # No set is proposed that the maps do not fit.
            if not is_of_other_camera(photograph.path):
                found.image_sets.update(_list_image_sets(photograph))
    return found


def _match_image_set(
    photograph: Photograph, image_sets: Sequence[str], start: str
) -> tuple[str, str] | None:
    """Return the ending, and the folder or "", by which a photograph is of one of the image sets;
    None if it is of none of them."""
    ending = photograph.ending or USUAL_SET
    for folder in (*reversed(photograph.folders), start):
        if folder != USUAL_SET and any(fnmatchcase(folder, pattern) for pattern in image_sets):
            return ending, folder
    if ending == USUAL_SET and not may_be_usual(photograph.folders):
        return None
    return (ending, "") if any(fnmatchcase(ending, pattern) for pattern in image_sets) else None


def _list_image_sets(photograph: Photograph) -> list[str]:
    """Return the names by which the image set of a photograph can be asked for."""
    others = [folder for folder in photograph.folders if not may_be_usual((folder,))]
    folders = [folder for folder in others if not photograph.ending.startswith(folder)]
    return [photograph.ending or USUAL_SET, *folders]

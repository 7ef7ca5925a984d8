"""A frame, and the names that Cityscapes gives to its files.

A file is called <stem>_<kind><ending>, such as aachen_000000_000019_gtFine_instanceIds.png. All
files of a frame have the same stem; the kind is an image set or a kind of annotations.
"""

import os
from collections.abc import Iterable
from dataclasses import dataclass
from typing import NamedTuple

from cityscapes_coco.options import BOX_TYPES, AnnotationType

# The image set that the maps were drawn on. Other sets show the same frames in other weather.
USUAL_SET = "leftImg8bit"
# How the names of maps and of files of polygons end, after the stem and the type.
_MAP, _POLYGONS = "_instanceIds.png", "_polygons.json"


def annotation_suffix(annotation_type: AnnotationType) -> str:
    """Return how the names of all annotation files of a type end, after the stem."""
    if annotation_type in BOX_TYPES:
        return f"_{annotation_type}.json"
    return f"_{annotation_type}{_MAP}"


def polygons_suffix(annotation_type: AnnotationType) -> str:
    """Return how the names of files of polygons end, after the stem. They are for frames without a
    map."""
    return f"_{annotation_type}{_POLYGONS}"


def is_drawn(annotation_path: str) -> bool:
    """Return whether an annotation file has polygons, of which the map has to be drawn."""
    return annotation_path.endswith(_POLYGONS)


def name_map(annotation_name: str) -> str:
    """Return the name that the map of a frame has, or would have, by the name of a file of it."""
    return annotation_name.replace(_POLYGONS, _MAP)


def name_file(annotation_type: AnnotationType) -> str:
    """Return how messages call an annotation file of a type: "box file", or "map"."""
    return "box file" if annotation_type in BOX_TYPES else "map"


def only_usual_set(image_sets: Iterable[str]) -> bool:
    """Return whether the image sets are just the usual one.

    Then the name of a photograph follows from the name of the annotation file, so a frame can be
    converted without its photograph. The photographs of other sets have to be there.
    """
    return set(image_sets) <= {USUAL_SET}


class ChosenFrames(NamedTuple):
    """The frames that a list names: the SHA-256 of the list, the paths of the annotation files, and
    the splits that have any."""

    sha256: str
    annotation_paths: frozenset[str]
    splits: frozenset[str]


class FrameKey(NamedTuple):
    """What all files of one frame have in common; two cities may have frames of one stem."""

    stem: str
    city: str


@dataclass(frozen=True)
class Frame:
    """An annotated frame: its annotation file, and the names of its photographs.

    `file_names` start at the root of the dataset, have forward slashes, and are sorted by image
    set. There may be several: fog comes in several densities.
    """

    annotation_path: str
    split: str
    city: str
    stem: str
    file_names: tuple[str, ...] = ()

    @property
    def key(self) -> FrameKey:
        return FrameKey(self.stem, self.city)

    @property
    def annotation_name(self) -> str:
        return os.path.basename(self.annotation_path)

    @property
    def is_drawn(self) -> bool:
        return is_drawn(self.annotation_path)

    @property
    def map_name(self) -> str:
        return name_map(self.annotation_name)

    @property
    def usual_name(self) -> str:
        """Where Cityscapes has the photograph that the map was drawn on."""
        return f"{USUAL_SET}/{self.split}/{self.city}/{self.stem}_{USUAL_SET}.png"

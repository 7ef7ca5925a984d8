"""What is said where maps or photographs are not found: what lies there instead, and what to do."""

import re
from collections.abc import Iterable, Sequence, Set
from pathlib import Path

from cityscapes_coco.cityscapes.frame import annotation_suffix, name_file, polygons_suffix
from cityscapes_coco.cityscapes.photographs import DEEPEST
from cityscapes_coco.cityscapes.split_folders import list_split_folders
from cityscapes_coco.options import ALL_SPLITS, BOX_TYPES, SPLITS, AnnotationType
from cityscapes_coco.run.folders import list_folder, name_entries, name_some

# Files that may lie where the maps should be, and what to do; upper and lower case are the same.
_MISTAKEN = {
    r"(?-i:_(gtFine|gtCoarse)_instanceIds\.png$)": "these are the maps of --annotations {0}",
    r"(?-i:_(gtBbox(CityPersons|Validated))\.json$)": "these are boxes; take --annotations {0}",
    r"instanceIds\.png$": "the names must end with {suffix}, letter by letter; rename them",
    r"instanceIds\.tiff?$": "save them as PNG of 16 bits, named <frame>{suffix}",
    r"instanceIds\.jpe?g$": "JPEG changes the ids; unpack {archive}",
    r"instanceTrainIds\.": "these hold train ids; unpack {archive}, which has _instanceIds.png",
    r"(?-i:_(gtFine|gtCoarse)_polygons\.json$)": "these are the polygons of --annotations {0}",
    r"polygons\.json$": "to draw these polygons, rename them to <frame>{polygons}, where <frame> is"
    " what the name of the photograph begins with, as in aachen_000000_000019_leftImg8bit.png",
    r"(labelIds|labelTrainIds|color)\.": "these tell no instances apart; unpack {archive}",
    r"Img8bit": "these are photographs; unpack {archive} here",
    r"\.png$": "if these are maps, rename them to <frame>{suffix}; else unpack {archive}",
    r"(?<!polygons)\.json$": "if these are boxes, rename them to <frame>{suffix}; else unpack"
    " {archive}",
}
# What Cityscapes calls its archives.
_ARCHIVES: dict[AnnotationType, str] = {
    "gtFine": "gtFine_trainvaltest.zip",
    "gtCoarse": "gtCoarse.zip",
    "gtBboxCityPersons": "gtBbox_cityPersons_trainval.zip",
    "gtBboxValidated": "the archive of gtBboxValidated",
}
_MISNAMED = re.compile(
    r"(_gt(Fine|Coarse))?_(instanceIds\.(png|tiff?|jpe?g)|polygons\.json)$", re.IGNORECASE
)


def explain_no_folder(datadir: Path, annotation_type: AnnotationType) -> str:
    """Return the end of a line about a missing folder of maps: what to do, or "" if unknown."""
    files, folders = list_folder(datadir)
    archive = _ARCHIVES[annotation_type]
    for name in files:
        if name.lower().endswith(".zip") and name.startswith(annotation_type):
            return f"; unpack {name} here"
    kind = name_file(annotation_type)
    if annotation_type == "gtCoarse" and "gtFine" in folders:
        return f"; gtFine is there: take --annotations gtFine, or unpack {archive}"
    if boxes := [name for name in folders if name.startswith("gtBbox")]:
        what = "other boxes" if annotation_type in BOX_TYPES else "boxes only"
        told = f"; {boxes[0]} has {what}; the {kind}s are in {archive}"
        return f"{told}; or take --annotations {boxes[0]}" if boxes[0] in SPLITS else told
    if images := [name for name in folders if "Img8bit" in name]:
        return f"; {images[0]} has photographs only; the {kind}s are in {archive}"
    return ""


def explain_no_maps(folder: Path, annotation_type: AnnotationType, names: Sequence[str]) -> str:
    """Return why the folder of a split has no maps; `names` are the files in it."""
    mistaken, remedy = _find_mistaken(names, annotation_type)
    some = mistaken or names
    found = f"{len(some)} files such as {some[0]}" if some else name_entries(folder)
    expected = f"<city>/<frame>{annotation_suffix(annotation_type)}"
    kind = name_file(annotation_type)
    return f"no {kind}s in it; expected {expected}, found {found}; {remedy}"


def explain_misnamed(
    names: Iterable[str], stems: Set[str], annotation_type: AnnotationType
) -> list[str]:
    """Return a line about files that look like maps of other frames than `stems`, but are not named
    like maps; no line if there are none."""
    misnamed = [name for name in names if _is_misnamed(name, stems)]
    if not misnamed or annotation_type in BOX_TYPES:
        return []
    [first], remedy = _find_mistaken(misnamed[:1], annotation_type)
    some = f"{len(misnamed)}, such as {first}; {remedy}"
    return [f"files that look like maps under another name, left out: {some}"]


def explain_missing_splits(maps: Path, missing: Iterable[str]) -> list[str]:
    """Return a line for each folder that looks like a missing split under another name, or is the
    only folder."""
    lines = []
    folders = list_folder(maps).folders
    if len(folders) == 1 and folders[0] not in ALL_SPLITS and not _is_like(folders[0], missing):
        [name] = folders
        return [f"{name} is no split; if it is one, rename {name} to {' or '.join(missing)}"]
    for name in folders:
        alike = _is_like(name, missing)
        if alike and name not in ALL_SPLITS:
            split = max(alike, key=len)
            lines.append(f"{name} looks like the split {split}; if so, rename {name} to {split}")
    return lines


def explain_no_photographs(start: Path, split: str, image_sets: Set[str]) -> str:
    """Return where the photographs of a split were sought, and what is there: folders of the split,
    and photographs of other `image_sets`."""
    folders = ["/".join(parts) for parts in list_split_folders(start, split)]
    sets = f"; image sets there: {name_some(sorted(image_sets))}, choose with --images"
    return (
        f"looked for files of the frame's name in {start}, {DEEPEST} folders deep; found there:"
        f" {name_some(folders) or name_entries(start)}{sets if image_sets else ''}; name the folder"
        " of the images with --imagedir"
    )


def _is_like(name: str, splits: Iterable[str]) -> list[str]:
    """Return the splits that the name of a folder begins with, whatever its case."""
    plain = name.lower().replace("_", "")
    return [split for split in splits if plain.startswith(split.replace("_", ""))]


def _find_mistaken(names: Sequence[str], annotation_type: AnnotationType) -> tuple[list[str], str]:
    """Return the names of the files of one kind that lie in place of the maps, and the remedy."""
    archive = f"the {annotation_type} archive"
    rows = [*_MISTAKEN.items()]
    # Most remedies are for maps, and the last one is for boxes.
    for pattern, remedy in rows[:2] + rows[-1:] if annotation_type in BOX_TYPES else rows[:-1]:
        if found := [m for name in names if (m := re.search(pattern, name, re.IGNORECASE))]:
            suffix = annotation_suffix(annotation_type)
            polygons = polygons_suffix(annotation_type)
            names_of = {"suffix": suffix, "polygons": polygons, "archive": archive}
            remedy = remedy.format(*found[0].groups(), **names_of)
            return [match.string for match in found], remedy
    return [], f"unpack {archive} here"


def _is_misnamed(name: str, stems: Set[str]) -> bool:
    match = _MISNAMED.search(name)
    return match is not None and name[: match.start()] not in stems

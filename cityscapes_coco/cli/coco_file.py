"""Which COCO file is meant: how it is found in a data folder, and which split it is of."""

from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path, PurePosixPath
from typing import NamedTuple

from cityscapes_coco.cityscapes.dataset import find_dataset
from cityscapes_coco.cli.arguments import DATA_FOLDER
from cityscapes_coco.coco.records import Image
from cityscapes_coco.convert.names import PANOPTIC_PREFIX, PREFIX
from cityscapes_coco.errors import UserError, command
from cityscapes_coco.options import SPLITS
from cityscapes_coco.run.folders import list_folder_if_allowed


class Places(NamedTuple):
    """`coco` is the folder that holds the COCO files. `data` is the data folder, where the names of
    images start. `maps` is where the maps are looked for."""

    coco: Path
    data: Path
    maps: Path


def find_places(coco_dir: Path | None, datadir: Path | None = None) -> Places:
    """Find the COCO files and the data folder that the user named with --coco_dir and --datadir.

    `coco_dir` holds the files, or holds annotations/ with the files in it. Without `datadir`, it is
    the data folder too, or a part of it. Raises UserError if a folder is missing.
    """
    coco_dir = coco_dir or datadir or DATA_FOLDER
    for option, folder in ("--coco_dir", coco_dir), ("--datadir", datadir):
        if folder and folder.exists() and not folder.is_dir():
            raise UserError(folder, f"is a file; {option} takes a folder, and --coco a COCO file")
    if datadir and not datadir.is_dir():
        raise UserError(datadir, "no such folder; --datadir is the data folder, with the maps")
    if (coco_dir / "annotations").is_dir():
        return Places(coco_dir / "annotations", datadir or coco_dir, datadir or coco_dir)
    names = list_folder_if_allowed(coco_dir).files
    if any(n.startswith((PREFIX, PANOPTIC_PREFIX)) and n.endswith(".json") for n in names):
        data = coco_dir.parent if coco_dir.name == "annotations" else coco_dir
        return Places(coco_dir, datadir or data, datadir or data)
    # Without maps it is no error yet: a COCO file can be looked at without them.
    data = datadir or _find_data_folder(coco_dir) or coco_dir
    return Places(data / "annotations", data, datadir or coco_dir)


def explain_no_maps(places: Places) -> str:
    """Return what is missing if the folder of the COCO files was named, but not the data folder,
    and there are no maps; else an empty text."""
    if places.coco != places.maps or _find_data_folder(places.maps):
        return ""
    return "holds COCO files but no maps; name the data folder with --datadir"


def _find_data_folder(folder: Path) -> Path | None:
    for annotation_type in SPLITS:
        with suppress(UserError):
            return find_dataset(folder, annotation_type).folder
    return None


def find_file(places: Places, split: str | None, *, panoptic: bool = False) -> Path:
    """Return the COCO file of `split`, or of the first split that has one; if `panoptic`, the
    panoptic file. Raises UserError if there is none."""
    folder = places.coco
    if not folder.is_dir():
        remedy = "name the folder of the COCO files with --coco_dir, or a COCO file with --coco"
        raise UserError(folder, f"no such folder; convert first, or {remedy}")
    prefix = PANOPTIC_PREFIX if panoptic else PREFIX
    found = {name_split(path): path for path in sorted(folder.glob(f"{prefix}*.json"))}
    wanted = [*SPLITS["gtFine"], *found]
    if split:
        wanted = [split, *(f"{kind}_{split}" for kind in SPLITS), f"{split}_trainId"]
    for name in wanted:
        if name in found:
            return found[name]
    start, made = (prefix, " --panoptic") if panoptic else (f"{prefix}gtFine_", "")
    raise UserError(
        folder,
        f"no {start}{split or '<split>'}.json in it; found {', '.join(found) or 'none'};"
        f" make it with {command('convert')} --datadir {places.data}{made}, or name any COCO file"
        " with --coco",
    )


def name_split(path: Path, images: Sequence[Image] = ()) -> str:
    """Return the split that a file is of, by its name, or else by the folders of its `images`. A
    file of fine maps gives just "train", one of other annotations "gtCoarse_train" and so on."""
    name = path.name.removesuffix(".gz").removesuffix(".json")
    for prefix in PREFIX, PANOPTIC_PREFIX:
        if name.startswith(prefix):
            return name.removeprefix(prefix).removeprefix("gtFine_")
    folders = [PurePosixPath(image.file_name or "").parts for image in images]
    splits = {parts[1] for parts in folders if len(parts) == 4}
    return ", ".join(sorted(splits)) or "unknown"

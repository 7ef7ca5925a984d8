"""Which COCO file is meant: found in a data folder, and named after its split."""

from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path, PurePosixPath

from cityscapes_coco.cityscapes.dataset import find_dataset
from cityscapes_coco.coco.records import Image
from cityscapes_coco.convert.names import PANOPTIC_PREFIX, PREFIX
from cityscapes_coco.errors import UserError
from cityscapes_coco.options import SPLITS


def find_data_folder(coco_dir: Path) -> Path:
    """Return the folder that the names of images start at, and that has annotations/ in it."""
    if not (coco_dir / "annotations").is_dir():
        for map_type in SPLITS:
            # A COCO file can be looked at without the maps.
            with suppress(UserError):
                return find_dataset(coco_dir, map_type).folder
    return coco_dir


def find_file(data_folder: Path, split: str | None, option: str, *, panoptic: bool = False) -> Path:
    """Return the COCO file of a split, or its panoptic file, or that of the first split that has a
    file.

    Raises UserError if there is none; the error names the option for a file of any other name.
    """
    folder = data_folder / "annotations"
    if not folder.is_dir():
        raise UserError(folder, f"no such folder; convert first, or name a COCO file with {option}")
    prefix, start, made = PREFIX, f"{PREFIX}gtFine_", ""
    if panoptic:
        prefix, start, made = PANOPTIC_PREFIX, PANOPTIC_PREFIX, " --panoptic"
    found = {name_split(path): path for path in sorted(folder.glob(f"{prefix}*.json"))}
    wanted = [*SPLITS["gtFine"], *found]
    if split:
        wanted = [split, f"gtCoarse_{split}", f"{split}_trainId"]
    for name in wanted:
        if name in found:
            return found[name]
    raise UserError(
        folder,
        f"no {start}{split or '<split>'}.json in it; found {', '.join(found) or 'none'};"
        f" make it with main.py --datadir {data_folder}{made}, or name any COCO file with {option}",
    )


def name_split(path: Path, images: Sequence[Image] = ()) -> str:
    """Return the split of a file, as the file's name has it, or else the folders of its images.

    The fine annotations go unmentioned.
    """
    for prefix in PREFIX, PANOPTIC_PREFIX:
        if path.stem.startswith(prefix):
            return path.stem.removeprefix(prefix).removeprefix("gtFine_")
    folders = [PurePosixPath(image.file_name or "").parts for image in images]
    splits = {parts[1] for parts in folders if len(parts) == 4}
    return ", ".join(sorted(splits)) or "unknown"

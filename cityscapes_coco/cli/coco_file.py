"""Which COCO file is meant: how it is found in a data folder, and which split it is of."""

from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path, PurePosixPath

from cityscapes_coco.cityscapes.dataset import find_dataset
from cityscapes_coco.coco.records import Image
from cityscapes_coco.convert.names import PANOPTIC_PREFIX, PREFIX
from cityscapes_coco.errors import UserError, command
from cityscapes_coco.options import SPLITS


def find_data_folder(coco_dir: Path) -> Path:
    """Return the folder that holds annotations/ and that the names of images start at."""
    if not (coco_dir / "annotations").is_dir():
        for map_type in SPLITS:
            # Without maps it is no error yet: a COCO file can be looked at without them.
            with suppress(UserError):
                return find_dataset(coco_dir, map_type).folder
    return coco_dir


def find_file(data_folder: Path, split: str | None, option: str, *, panoptic: bool = False) -> Path:
    """Return the COCO file of `split`, or of the first split that has one; if `panoptic`, the
    panoptic file.

    Raises UserError if there is none. The error names `option`, which takes any COCO file.
    """
    folder = data_folder / "annotations"
    if not folder.is_dir():
        raise UserError(folder, f"no such folder; convert first, or name a COCO file with {option}")
    prefix = PANOPTIC_PREFIX if panoptic else PREFIX
    found = {name_split(path): path for path in sorted(folder.glob(f"{prefix}*.json"))}
    wanted = [*SPLITS["gtFine"], *found]
    if split:
        wanted = [split, f"gtCoarse_{split}", f"{split}_trainId"]
    for name in wanted:
        if name in found:
            return found[name]
    start, made = (prefix, " --panoptic") if panoptic else (f"{prefix}gtFine_", "")
    raise UserError(
        folder,
        f"no {start}{split or '<split>'}.json in it; found {', '.join(found) or 'none'};"
        f" make it with {command('convert')} --datadir {data_folder}{made}, or name any COCO"
        f" file with {option}",
    )


def name_split(path: Path, images: Sequence[Image] = ()) -> str:
    """Return the split that a file is of, by its name, or else by the folders of its `images`.

    A file of coarse maps gives "gtCoarse_train", one of fine maps just "train".
    """
    for prefix in PREFIX, PANOPTIC_PREFIX:
        if path.stem.startswith(prefix):
            return path.stem.removeprefix(prefix).removeprefix("gtFine_")
    folders = [PurePosixPath(image.file_name or "").parts for image in images]
    splits = {parts[1] for parts in folders if len(parts) == 4}
    return ", ".join(sorted(splits)) or "unknown"

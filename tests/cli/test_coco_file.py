"""Which COCO file of a data folder is meant."""

from pathlib import Path

import pytest

from cityscapes_coco.cli.coco_file import explain_no_maps, find_file, find_places, name_split
from cityscapes_coco.coco.records import Image
from cityscapes_coco.errors import UserError
from tests.files import touch

FINE, COARSE = "instancesonly_filtered_gtFine", "instancesonly_filtered_gtCoarse"
PANOPTIC = "cityscapes_panoptic"
FILES = f"{FINE}_val", f"{FINE}_train", f"{FINE}_val_foggy", f"{COARSE}_train", f"{COARSE}_more"


@pytest.fixture
def folder(datadir: Path) -> Path:
    for name in *FILES, f"{PANOPTIC}_val", f"{PANOPTIC}_train_trainId":
        touch(datadir / "annotations" / f"{name}.json")
    return datadir


@pytest.mark.parametrize(
    ("split", "panoptic", "name"),
    [
        *((None, False, f"{FINE}_train"), (None, True, f"{PANOPTIC}_val")),
        *(("val", False, f"{FINE}_val"), ("val_foggy", False, f"{FINE}_val_foggy")),
        *(("more", False, f"{COARSE}_more"), ("gtCoarse_train", False, f"{COARSE}_train")),
        ("train", True, f"{PANOPTIC}_train_trainId"),
    ],
)
def test_files_go_by_splits(split: str | None, panoptic: bool, name: str, folder: Path) -> None:
    found = find_file(find_places(folder), split, panoptic=panoptic)
    assert found == folder / "annotations" / f"{name}.json"


def test_without_the_usual_splits_any_file_is_the_first(datadir: Path) -> None:
    path = datadir / "annotations" / f"{FINE}_ulm.json"
    touch(path)
    assert find_file(find_places(datadir), None) == path


@pytest.mark.parametrize(
    ("panoptic", "says"),
    [
        (False, f"no {FINE}_test.json in it; found gtCoarse_more, gtCoarse_train, train, val, "),
        (True, f"no {PANOPTIC}_test.json in it; found train_trainId, val; make it with"),
    ],
)
def test_a_missing_file_is_named_beside_others(panoptic: bool, says: str, folder: Path) -> None:
    with pytest.raises(UserError) as error:
        find_file(find_places(folder), "test", panoptic=panoptic)
    line = str(error.value)
    assert line.startswith(f"{folder / 'annotations'}: {says}")
    assert line.endswith("or name any COCO file with --coco") and ("--panoptic" in line) == panoptic


@pytest.mark.parametrize("given", [".", "gtFine", "gtFine/val"])
def test_the_data_folder_is_found_from_its_parts(given: str, datadir: Path) -> None:
    touch(datadir / "gtFine/val/ulm/ulm_000000_000019_gtFine_instanceIds.png")
    assert find_places(datadir / given).data.resolve() == datadir.resolve()
    touch(datadir / given / "annotations" / "file.json")
    assert find_places(datadir / given).data == datadir / given


def test_the_folder_of_outdir_and_the_data_folder_are_named_apart(datadir: Path) -> None:
    outdir = datadir.parent / "elsewhere"
    touch(outdir / f"{FINE}_val.json")
    touch(datadir / "gtFine/val/ulm/ulm_000000_000019_gtFine_instanceIds.png")
    places = find_places(outdir, datadir)
    assert find_file(places, None) == outdir / f"{FINE}_val.json"
    assert places.data == places.maps == datadir and not explain_no_maps(places)
    assert "name the data folder with --datadir" in explain_no_maps(find_places(outdir))
    # The folder annotations/ itself.
    touch(datadir / "annotations" / f"{FINE}_val.json")
    assert find_places(datadir / "annotations").data == datadir


@pytest.mark.parametrize("option", ["--coco_dir", "--datadir"])
def test_a_file_in_the_place_of_a_folder_is_called_a_file(option: str, folder: Path) -> None:
    path = folder / "annotations" / f"{FINE}_val.json"
    with pytest.raises(UserError, match=f"is a file; {option} takes a folder"):
        find_places(*((path, None) if option == "--coco_dir" else (folder, path)))


@pytest.mark.parametrize(
    ("name", "images", "split"),
    [
        (f"{FINE}_val.json", [], "val"),
        (f"{FINE}_val.json.gz", [], "val"),
        (f"{COARSE}_val.json", [], "gtCoarse_val"),
        (f"{PANOPTIC}_train.json", ["leftImg8bit/val/a/a.png"], "train"),
        ("my.json", ["leftImg8bit/val/a/a.png", "leftImg8bit/train/a/a.png"], "train, val"),
        ("my.json", ["val/a/a.png", "a.png"], "unknown"),
    ],
)
def test_the_split_is_in_a_name(name: str, images: list[str], split: str) -> None:
    assert name_split(Path(name), [Image(file_name=image) for image in images]) == split

"""Each option of the converter from end to end, judged by the oracle and by our own check; and the
same options from Python."""

import shutil
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pytest

from cityscapes_coco import Options, UserError, convert_split, find_dataset, find_splits
from cityscapes_coco.coco.reading import read_coco, read_options
from tests import conftest
from tests.conftest import Capture, WriteMap, street, verify
from tests.conftest import convert_and_verify as convert
from tests.files import OUTPUT, load, touch
from tests.oracle import box_of, check_exact, encode

NAME = "aachen_000000_000019"
MAPS = {f"{NAME}_gtFine_instanceIds.png": street()}


@pytest.fixture
def frame(datadir: Path, write_map: WriteMap) -> Path:
    """A folder with one street and its photograph, which is empty."""
    write_map(street())
    touch(datadir / f"leftImg8bit/train/aachen/{NAME}_leftImg8bit.png")
    return datadir


IDS = {"one": [*range(1, 9)], "zero": [*range(8)], "label": [24, 25, 26, 27, 28, 31, 32, 33]}
ROOTS = {"datadir": ".", "split": "leftImg8bit/train", "base": "leftImg8bit/train/aachen"}


@pytest.mark.parametrize("segmentation", ["polygon", "rle", "none"])
@pytest.mark.parametrize("crowd", ["drop", "keep"])
@pytest.mark.parametrize(("ids", "names"), [*zip(IDS, ROOTS, strict=True)])
def test_every_choice(segmentation: str, crowd: str, ids: str, names: str, frame: Path) -> None:
    """Run lengths are text, as pycocotools itself would write them; groups have nothing else."""
    options = ["--segmentation", segmentation, "--crowd", crowd]
    coco = convert(frame, *options, "--category-ids", ids, "--file-names", names)
    values = [26] * (crowd == "keep") + [24000, 26000, 26001, 33000]
    found = [(a["map_value"], a["iscrowd"]) for a in coco["annotations"]]
    assert found == [(value, value < 1000) for value in values]
    for annotation in coco["annotations"]:
        mask = street() == annotation["map_value"]
        assert (annotation["area"], *annotation["bbox"]) == (mask.sum(), *box_of(mask))
        if segmentation == "none":
            assert "segmentation" not in annotation
        elif segmentation == "rle" or annotation["iscrowd"]:
            assert annotation["segmentation"] == encode(mask)
        else:
            assert type(annotation["segmentation"]) is list
    if segmentation != "none":
        assert check_exact(coco, MAPS) == values
    assert [category["id"] for category in coco["categories"]] == IDS[ids]
    [image] = coco["images"]
    assert (frame / ROOTS[names] / image["file_name"]).is_file()
    assert image["file_name"].count("/") == {"datadir": 3, "split": 1, "base": 0}[names]


def test_chosen_categories_keep_the_official_order(frame: Path) -> None:
    coco = convert(frame, "--crowd", "keep", "--categories", "trailer", "car")
    assert check_exact(coco, MAPS) == [26, 30, 26000, 26001, 30000]
    assert [(c["id"], c["name"]) for c in coco["categories"]] == [(1, "car"), (2, "trailer")]
    assert coco["info"]["options"]["categories"] == ["car", "trailer"]


def test_groups_are_exact_beside_the_contours_of_the_original(frame: Path) -> None:
    coco = conftest.convert(frame, "--like-original", "--crowd", "keep")
    crowds = [a["segmentation"] for a in coco["annotations"] if a["iscrowd"]]
    assert crowds == [encode(street() == 26)]


def test_small_instances_are_left_out_and_counted_by_class(frame: Path, capsys: Capture) -> None:
    coco = convert(frame, "--min-area", "36", "--crowd", "keep")
    assert check_exact(coco, MAPS) == [24000, 26000]
    out = capsys.readouterr().out
    assert "left out, smaller than 36 pixels: 2 car, 1 bicycle" in out


@pytest.mark.parametrize("options", [["--crowd", "keep"], ["--min-area", "36"]])
def test_the_check_keeps_to_the_options(options: list[str], frame: Path, capsys: Capture) -> None:
    coco = convert(frame, *options)
    assert "not claimed by the file" in capsys.readouterr().out
    # The group of cars, and the person.
    del coco["annotations"][0]
    assert verify(frame, coco) == 1
    assert "lost: 1\n" in capsys.readouterr().out


def test_the_package_converts_as_the_program_does(frame: Path, tmp_path: Path) -> None:
    options = Options(crowd="keep", categories=("car", "person"))
    dataset = find_dataset(frame)
    shutil.rmtree(frame / "leftImg8bit")
    [split] = find_splits(dataset)
    with pytest.warns(UserWarning, match="maps whose image is not here: 1"):
        summary = convert_split(dataset, split, tmp_path / "out", options)
    assert summary.instances == {"car": 2, "person": 1} and summary.groups == {"car": 1}
    conftest.convert(frame, "--crowd", "keep", "--categories", "car", "person")
    assert summary.path.read_bytes() == (frame / "annotations" / OUTPUT).read_bytes()


@pytest.mark.parametrize(
    "wrong",
    [
        *({"segmentation": "polygons"}, {"crowd": "kept"}, {"category_ids": "two"}),
        *({"file_names": ""}, {"categories": ("car", "dog")}, {"min_area": -1}, {"images": ()}),
    ],
)
def test_a_wrong_option_from_python_raises(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="|".join(wrong)):
        Options(**wrong)


def test_lists_from_python_are_as_good_as_tuples() -> None:
    lists: Any = {"images": ["fog", "rain", "fog"], "categories": ["car"]}
    assert Options(**lists) == Options(images=("fog", "rain"), categories=("car",))
    with pytest.raises(ValueError, match="images must name an image set"):
        Options(images=("leftImg8bit", ""))


def test_a_wrong_type_of_maps_or_split_from_python_raises(frame: Path) -> None:
    with pytest.raises(ValueError, match="annotation_type must be one of gtFine, gtCoarse"):
        find_dataset(frame, "gtRough")  # type: ignore[arg-type]
    with pytest.raises(UserError, match="no folder val in it; found train"):
        find_splits(find_dataset(frame), ["val"])


def test_info_tells_the_options_that_a_file_was_made_with(frame: Path) -> None:
    chosen: Any = {"categories": ("car",), "segmentation": "rle", "crowd": "keep", "min_area": 2}
    chosen |= {"empty_frames": "drop", "unknown_labels": "void"}
    made_with = Options(**chosen, category_ids="zero", file_names="base", skip_bad=True)
    convert_split(find_dataset(frame), "train", frame, made_with)
    told = load(frame / OUTPUT)["info"]["options"]
    fields = {name: list(v) if type(v) is tuple else v for name, v in asdict(made_with).items()}
    del fields["panoptic"], fields["stuff"]  # not about this file; not stated unless chosen
    assert told == {"annotations": "gtFine", "imagedir": None, **fields}
    assert read_options(read_coco(frame / OUTPUT)) == made_with

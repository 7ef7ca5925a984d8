"""The names that are meant for use from Python."""

from pathlib import Path

import pytest

import cityscapes_coco
from cityscapes_coco import (
    Options,
    UserError,
    convert_split,
    find_dataset,
    find_splits,
    read_frames,
)
from tests.conftest import WriteMap
from tests.files import GOLDEN_VAL, PREDICTIONS, SAMPLE, load


def test_each_name_is_there_and_no_other() -> None:
    for name in cityscapes_coco.__all__:
        assert getattr(cityscapes_coco, name)
    with pytest.raises(AttributeError, match="'cityscapes_coco' has no attribute 'convert_file'"):
        str(cityscapes_coco.convert_file)


def test_a_path_may_be_a_text_and_names_a_list_but_no_bare_text(tmp_path: Path) -> None:
    dataset = find_dataset(str(SAMPLE), "gtFine", ["leftImg8bit"])
    assert find_splits(dataset, ["val", "train"], ["leftImg8bit"]) == ["train", "val"]
    chosen = tmp_path / "list.txt"
    chosen.write_text("bad-beispiel_000000_000019\n")
    dataset = cityscapes_coco.choose_frames(dataset, ["val"], str(chosen))
    options = Options(images=["leftImg8bit"])  # type: ignore[arg-type]
    summary = convert_split(dataset, "val", str(tmp_path), options)
    photographs = str(SAMPLE / "leftImg8bit")
    report = cityscapes_coco.verify_file(str(summary.path), str(SAMPLE), imagedir=photographs)
    assert summary.images == 1 and report.exit_code == 0
    scores = cityscapes_coco.evaluate_results(str(GOLDEN_VAL), str(PREDICTIONS), str(SAMPLE))
    assert scores.images == 2
    for call in (
        lambda: Options(images="leftImg8bit"),  # type: ignore[arg-type]
        lambda: Options(categories="car"),  # type: ignore[arg-type]
        lambda: find_splits(dataset, "val"),
        lambda: find_dataset(SAMPLE, "gtFine", "leftImg8bit"),
        lambda: cityscapes_coco.choose_frames(dataset, "val", chosen),
    ):
        with pytest.raises(ValueError, match="must be a list of names: write \\["):
            call()


def test_frames_are_read_as_they_are_converted() -> None:
    """Each box, area, class and mask is that of the annotation in the file."""
    coco = load(GOLDEN_VAL)
    names = {category["id"]: category["name"] for category in coco["categories"]}
    options = Options(categories=tuple(names.values()))
    found = [
        (frame.file_names[0], i.map_value, i.category, list(i.box), i.area, int(i.mask.sum()))
        for frame in read_frames(find_dataset(SAMPLE), "val", options)
        for i in frame.instances
    ]
    images = {image["id"]: image["file_name"] for image in coco["images"]}
    assert found == [
        (images[a["image_id"]], a["map_value"], names[a["category_id"]], a["bbox"], area, area)
        for a in coco["annotations"]
        for area in [a["area"]]
    ]


def test_a_bad_map_is_an_error_or_skipped(datadir: Path, write_map: WriteMap) -> None:
    write_map(name="a_000000_000000").write_bytes(b"no PNG")
    write_map([[26000, 26]], name="a_000001_000000")
    write_map([[7, 11000]], name="a_000002_000000")
    dataset = find_dataset(datadir)
    with pytest.raises(UserError, match="not a PNG"):
        list(read_frames(dataset, "train"))
    warnings: list[str] = []
    options = Options(skip_bad=True, empty_frames="drop", crowd="keep")
    [frame] = read_frames(dataset, "train", options, warn=warnings.append)
    group, instance = [(i.is_group, i.mask.tolist()) for i in frame.instances]
    assert group == (True, [[False, True]]) and instance == (False, [[True, False]])
    assert "not a PNG" in warnings[0] and "never writes: 11000" in warnings[1]
    write_map([[34000]], name="a_000003_000000")
    dataset = find_dataset(datadir)
    with pytest.raises(UserError, match="holds 34000, of labels that Cityscapes does not have"):
        list(read_frames(dataset, "train", options, warn=warnings.append))

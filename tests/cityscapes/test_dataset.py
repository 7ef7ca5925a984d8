"""Splits and frames: of coarse maps, in fog and rain, and in several archives."""

import shutil
from pathlib import Path

import pytest

from cityscapes_coco.cityscapes.dataset import find_dataset, list_frames
from main import main
from tests.cityscapes.conftest import STEM, SUFFIX, build, convert, convert_splits, names
from tests.conftest import Capture, WriteMap, fail, verify
from tests.files import touch
from tests.oracle import check_exact, read_maps

STREET = [[26000, 26000, 7], [7, 24000, 26]]
BETAS = ("0.005", "0.01", "0.02")


def test_coarse_maps_have_splits_of_their_own(datadir: Path, write_map: WriteMap) -> None:
    for split in ("train", "train_extra", "val"):
        write_map(STREET, split, f"{split[-3:]}_000000_000019", kind="gtCoarse")
    write_map(STREET, "test")
    files = convert_splits(datadir, "--annotations", "gtCoarse")
    assert list(files) == ["gtCoarse_train", "gtCoarse_train_extra", "gtCoarse_val"]
    [image] = files["gtCoarse_train_extra"]["images"]
    assert image["file_name"] == "leftImg8bit/train_extra/tra/tra_000000_000019_leftImg8bit.png"
    assert image["seg_file_name"] == "tra_000000_000019_gtCoarse_instanceIds.png"
    assert list(convert_splits(datadir)) == ["gtFine_test"]


def add_image(datadir: Path, image_set: str, name: str) -> None:
    folder = "_".join(image_set.split("_")[:2])
    touch(datadir / folder / "train" / name.split("_")[0] / f"{name}_{image_set}.png")


@pytest.fixture
def foggy(datadir: Path, write_map: WriteMap) -> Path:
    """Two frames of a city, each in fog of three densities; the first also in clear weather."""
    for name in "b_000000_000019", "a_000000_000007":
        write_map(STREET, name=name)
        for beta in BETAS[::-1]:
            add_image(datadir, f"leftImg8bit_foggy_beta_{beta}", name)
    add_image(datadir, "leftImg8bit", "a_000000_000007")
    return datadir


def test_each_frame_is_there_once_for_each_density_of_fog(foggy: Path, capsys: Capture) -> None:
    coco = convert(foggy, "--images", "leftImg8bit_foggy_beta_*")
    assert names(coco) == [
        f"leftImg8bit_foggy/train/{name[0]}/{name}_leftImg8bit_foggy_beta_{beta}.png"
        for name in ("a_000000_000007", "b_000000_000019")
        for beta in BETAS
    ]
    assert all((foggy / name).is_file() for name in names(coco))
    assert [image["id"] for image in coco["images"]] == [1, 2, 3, 4, 5, 6]
    found = [(a["id"], a["image_id"]) for a in coco["annotations"]]
    assert found == [(n + 1, n // 2 + 1) for n in range(12)]
    assert check_exact(coco, read_maps(foggy)) == [24000, 26000] * 6
    assert coco["info"]["options"]["images"] == ["leftImg8bit_foggy_beta_*"]
    lines = [" ".join(line.split()) for line in capsys.readouterr().out.splitlines()]
    assert {"images 6", "instances 12", "left out, groups: 6 car"} <= set(lines)


@pytest.mark.parametrize(
    ("images", "name", "count"),
    [
        (["leftImg8bit_foggy_beta_0.02"], "foggy_beta_0.02", 2),
        (["leftImg8bit_foggy_beta_0.0[12]"], "foggy_beta_0.0", 4),
        (["leftImg8bit", "leftImg8bit_foggy_beta_0.02"], "leftImg8bit+foggy_beta_0.02", 3),
        (["*_0.01", "*_0.01", "leftImg8bit_foggy_beta_?.0?"], "0.01+foggy_beta_.0", 4),
        (["leftImg8bit*"], "leftImg8bit", 7),
        (["*"], "all", 7),
    ],
)
def test_files_are_named_after_sets(images: list[str], name: str, count: int, foggy: Path) -> None:
    [(stem, coco)] = convert_splits(foggy, "--images", *images).items()
    assert stem == f"gtFine_train_{name}"
    assert len(coco["images"]) == count


@pytest.fixture
def rainy(datadir: Path, write_map: WriteMap) -> Path:
    """Four frames, of which the second has one image in rain and the third two; and a dry split."""
    for number in range(4):
        write_map(STREET, name=f"a_{number:06d}_000019")
    write_map(STREET, split="test")
    rain = "leftImg8bit_rain_alpha_0.0{}_beta_0.01_dropsize_0.005_pattern_{}"
    add_image(datadir, rain.format(1, 3), "a_000001_000019")
    add_image(datadir, rain.format(1, 3), "a_000002_000019")
    add_image(datadir, rain.format(2, 1), "a_000002_000019")
    return datadir


def test_frames_without_rain_are_left_out_and_counted(rainy: Path, capsys: Capture) -> None:
    files = convert_splits(rainy, "--images", "leftImg8bit_rain*")
    out, err = capsys.readouterr()
    assert list(files) == ["gtFine_train_rain"]
    maps = [image["seg_file_name"] for image in files["gtFine_train_rain"]["images"]]
    assert [name[:8] for name in maps] == ["a_000001", "a_000002", "a_000002"]
    assert "left out, frames without such an image: 2" in out
    assert "maps whose image is not here: 2 (left out)" in err
    assert "without an image of the sets in the file: 2 frames" in out


def test_the_check_misses_the_images_of_a_frame(foggy: Path, capsys: Capture) -> None:
    coco = convert(foggy, "--images", "leftImg8bit_foggy*")
    for kept, told in (5, "instanceIds.png: 2 of 3\n"), (3, "map without an image: 1\n"):
        coco["images"] = coco["images"][:kept]
        coco["annotations"] = [a for a in coco["annotations"] if a["image_id"] <= kept]
        assert verify(foggy, coco) == 1
        assert told in capsys.readouterr().out
    # Where the photographs are not at hand, none can be missed.
    shutil.rmtree(foggy / "leftImg8bit_foggy")
    assert verify(foggy, coco) == 0


def test_frames_are_in_the_order_of_their_usual_names(datadir: Path) -> None:
    """A folder is listed before the folders in it, but a frame without a city has one, too."""
    stems = [STEM, STEM.replace("000000", "000001"), STEM.replace("aachen", "ulm")]
    folders = ["", "aachen/", ""]
    build(datadir, *(f"gtFine/train/{f}{s}{SUFFIX}" for f, s in zip(folders, stems, strict=True)))
    found = [name.rpartition("/")[2] for name in names(convert(datadir))]
    assert found == [f"{stem}_leftImg8bit.png" for stem in stems]
    build(datadir, f"gtFine/train/aachen/{STEM}{SUFFIX}")
    assert "the maps of this frame are in several folders" in fail(main, "--datadir", datadir)


@pytest.mark.parametrize(("count", "is_told"), [(449, 0), (450, 1), (499, 1), (500, 0)])
def test_most_of_a_split_may_be_half_a_download(count: int, is_told: int, datadir: Path) -> None:
    """Smaller parts are somebody's choice."""
    for number in range(count):
        touch(datadir / f"gtFine/val/ulm/ulm_{number:06d}_000019_gtFine_instanceIds.png")
    warnings = list_frames(find_dataset(datadir), "val").warnings
    told = f"{count} of the 500 published frames"
    assert [told in line for line in warnings if "published" in line] == [True] * is_told

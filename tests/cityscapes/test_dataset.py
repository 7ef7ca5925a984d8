"""Where maps and photographs may be: coarse maps, fog and rain, and folders as people have them."""

import shutil
from pathlib import Path

import pytest

import inspect_coco
from main import main
from tests.conftest import Capture, Coco, WriteMap, load, posix_only, touch, verify
from tests.oracle import check_exact, read_maps

STREET = [[26000, 26000, 7], [7, 24000, 26]]
BETAS = ("0.005", "0.01", "0.02")
PREFIX = "instancesonly_filtered_"


def convert(datadir: Path, *options: str) -> dict[str, Coco]:
    """Convert, have both programs check the result, and return the files by name."""
    outdir = datadir.parent / "out"
    shutil.rmtree(outdir, ignore_errors=True)
    argv = ["--datadir", str(datadir), "--outdir", str(outdir), "--workers", "1", *options]
    assert main([*argv, "--verify"]) == 0
    files = {path.stem.removeprefix(PREFIX): load(path) for path in sorted(outdir.iterdir())}
    assert all(verify(datadir, coco) == 0 for coco in files.values())
    return files


def names(coco: Coco) -> list[str]:
    return [image["file_name"] for image in coco["images"]]


# Coarse maps.


def test_coarse_maps_have_splits_of_their_own(datadir: Path, write_map: WriteMap) -> None:
    for split in ("train", "train_extra", "val"):
        write_map(STREET, split, f"{split[-3:]}_000000_000019", map_type="gtCoarse")
    write_map(STREET, "test")
    files = convert(datadir, "--annotations", "gtCoarse")
    assert list(files) == ["gtCoarse_train", "gtCoarse_train_extra", "gtCoarse_val"]
    [image] = files["gtCoarse_train_extra"]["images"]
    assert image["file_name"] == "leftImg8bit/train_extra/tra/tra_000000_000019_leftImg8bit.png"
    assert image["seg_file_name"] == "tra_000000_000019_gtCoarse_instanceIds.png"
    assert list(convert(datadir)) == ["gtFine_test"]


def test_the_inspector_finds_the_files_of_coarse_maps(
    datadir: Path, write_map: WriteMap, capsys: Capture
) -> None:
    write_map(STREET, "train_extra", map_type="gtCoarse")
    assert main(["--datadir", str(datadir), "--annotations", "gtCoarse"]) == 0
    for options in [], ["--split", "train_extra"], ["--split", "gtCoarse_train_extra"]:
        capsys.readouterr()
        argv = ["--coco_dir", str(datadir), "--num_examples", "0", *options]
        assert inspect_coco.main(argv) == 0
        assert "split gtCoarse_train_extra" in capsys.readouterr().out


# Fog and rain.


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
    [coco] = convert(foggy, "--images", "leftImg8bit_foggy_beta_*").values()
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
def test_the_name_of_the_file_says_which_images_it_has(
    images: list[str], name: str, count: int, foggy: Path
) -> None:
    [(stem, coco)] = convert(foggy, "--images", *images).items()
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
    files = convert(rainy, "--images", "leftImg8bit_rain*")
    out, err = capsys.readouterr()
    assert list(files) == ["gtFine_train_rain"]
    maps = [image["seg_file_name"] for image in files["gtFine_train_rain"]["images"]]
    assert [name[:8] for name in maps] == ["a_000001", "a_000002", "a_000002"]
    assert "left out, frames without such an image: 2" in out
    assert "maps whose image is not here: 2 (left out)" in err
    assert "without an image of the sets in the file: 2 frames" in out


def test_the_check_misses_the_images_of_a_frame(foggy: Path, capsys: Capture) -> None:
    [coco] = convert(foggy, "--images", "leftImg8bit_foggy*").values()
    for kept, told in (5, "instanceIds.png: 2 of 3\n"), (3, "map without an image: 1\n"):
        coco["images"] = coco["images"][:kept]
        coco["annotations"] = [a for a in coco["annotations"] if a["image_id"] <= kept]
        assert verify(foggy, coco) == 1
        assert told in capsys.readouterr().out
    # Where the photographs are not at hand, none can be missed.
    shutil.rmtree(foggy / "leftImg8bit_foggy")
    assert verify(foggy, coco) == 0


def test_where_no_image_is_found_those_that_there_are_are_listed(
    rainy: Path, capsys: Capture
) -> None:
    add_image(rainy, "leftImg8bit", "a_000000_000019")
    for splits in [], ["--splits", "train"]:
        assert main(["--datadir", str(rainy), "--images", "leftImg8bit_snow", *splits]) == 1
        [line] = capsys.readouterr().err.splitlines()
        assert "no images leftImg8bit_snow of " in line
        assert "there are: leftImg8bit, leftImg8bit_rain_alpha_0.01_beta_0.01_drop" in line
    assert not (rainy / "annotations").exists()


# Folders as people have them.


@pytest.fixture
def frame(datadir: Path, write_map: WriteMap) -> Path:
    write_map(STREET)
    add_image(datadir, "leftImg8bit", "aachen_000000_000019")
    return datadir


def move_into_archives(datadir: Path) -> None:
    for name in "gtFine", "leftImg8bit":
        (datadir / f"{name}_trainvaltest").mkdir()
        (datadir / name).rename(datadir / f"{name}_trainvaltest" / name)


def test_the_current_folder_may_be_the_one(frame: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for current in "gtFine", "gtFine/train", "leftImg8bit":
        monkeypatch.chdir(frame / current)
        for given in ".", "..":
            assert main(["--datadir", given, "--workers", "1"]) == 0
        assert (frame / "annotations" / f"{PREFIX}gtFine_train.json").is_file()
        shutil.rmtree(frame / "annotations")


def test_images_may_be_in_several_unpacked_archives(datadir: Path, write_map: WriteMap) -> None:
    for split in "train", "train_extra":
        write_map(STREET, split, map_type="gtCoarse")
        folder = f"leftImg8bit_{split}/leftImg8bit"
        touch(datadir / folder / split / "aachen/aachen_000000_000019_leftImg8bit.png")
    files = convert(datadir, "--annotations", "gtCoarse")
    found = {stem: names(coco)[0] for stem, coco in files.items()}
    assert list(found) == ["gtCoarse_train", "gtCoarse_train_extra"]
    assert all((datadir / name).is_file() for name in found.values())


@posix_only
def test_links_are_followed(frame: Path, tmp_path: Path) -> None:
    linked = tmp_path / "linked"
    linked.mkdir()
    (tmp_path / "data").symlink_to(frame)
    for name in "gtFine", "leftImg8bit":
        (linked / name).symlink_to(frame / name)
    (tmp_path / "anything").symlink_to(frame / "gtFine")
    (frame / "gtFine" / "train" / "notes").symlink_to(__file__)
    expected = convert(frame)
    for given in linked, tmp_path / "data", tmp_path / "anything":
        assert convert(given) == expected
    # Two ways to one folder are no choice.
    move_into_archives(frame)
    (frame / "gtFine_link").symlink_to(frame / "gtFine_trainvaltest")
    assert list(convert(frame)) == ["gtFine_train"]


@pytest.mark.parametrize("other", ["gtFine_other/gtFine", "berlin/gtFine"])
def test_where_there_is_a_choice_it_is_listed(other: str, frame: Path, capsys: Capture) -> None:
    move_into_archives(frame)
    shutil.copytree(frame / "gtFine_trainvaltest/gtFine", frame / other)
    assert main(["--datadir", str(frame)]) == 1
    [line] = capsys.readouterr().err.splitlines()
    assert line.startswith(f"error: {frame}: several folders gtFine could be meant: ")
    assert str(frame / other) in line and str(frame / "gtFine_trainvaltest/gtFine") in line
    for asked_for in (frame / other).parent, frame / other:
        assert main(["--datadir", str(asked_for), "--workers", "1"]) == 0


def test_the_folder_that_was_meant_wins_over_all_others(frame: Path) -> None:
    shutil.copytree(frame / "gtFine", frame / "berlin/gtFine")
    shutil.copytree(frame / "gtFine", frame.parent / "gtFine")
    assert main(["--datadir", str(frame), "--workers", "1"]) == 0
    assert (frame / "annotations").is_dir()

"""Files of scores: all digits for machines, percent for papers, and where the scores come from."""

import csv
import hashlib
from pathlib import Path

import pytest

from cityscapes_coco.scores.evaluate import Scores, evaluate_results
from cityscapes_coco.scores.score_files import Origin, find_origin, write_scores
from evaluate_coco import main as evaluate
from tests.conftest import Coco, fail, run
from tests.files import GOLDEN_VAL, PREDICTIONS, SAMPLE, load, write_json
from tests.scores.test_panoptic_quality import convert_val


@pytest.fixture(scope="module")
def scores() -> Scores:
    return evaluate_results(GOLDEN_VAL, PREDICTIONS, SAMPLE)


def write(path: Path, scores: Scores) -> str:
    write_scores(path, scores, find_origin(GOLDEN_VAL, scores))
    return path.read_text(encoding="utf-8")


def test_csv_has_each_number_of_the_json_with_all_digits(scores: Scores, tmp_path: Path) -> None:
    write(tmp_path / "s.json", scores)
    write(tmp_path / "s.csv", scores)
    numbers = load(tmp_path / "s.json")
    with (tmp_path / "s.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    found = {(row["protocol"], row["class"], row["score"]): row["value"] for row in rows}
    assert len(found) == len(rows) == 9 * (6 + 6 + 2)
    coco = {"average": numbers["coco"]["average"], **numbers["coco"]["classes"]}
    own = {"average": numbers["cityscapes"]["average"], **numbers["cityscapes"]["classes"]}
    for (protocol, name, column), value in found.items():
        shape = protocol.removeprefix("COCO ")
        of_class = own[name] if protocol == "Cityscapes" else coco[name][shape]
        key = column.lower() if column.startswith("AP") else f"ap_{column}"
        assert (float(value) if value else None) == of_class[key]
    digest = hashlib.sha256(GOLDEN_VAL.read_bytes()).hexdigest()
    assert {(row["truth"], row["sha256"]) for row in rows} == {(GOLDEN_VAL.name, digest)}
    assert numbers["origin"]["sha256"] == digest and "curves" not in numbers


def test_markdown_and_latex_have_percent(scores: Scores, tmp_path: Path) -> None:
    markdown = write(tmp_path / "s.md", scores).splitlines()
    assert "| Cityscapes | AP | AP50 |" in markdown and "| car | 17.4 | 41.0 |" in markdown
    assert "| truck | - | - |" in markdown and "| average | 16.7 | 36.0 |" in markdown
    latex = write(tmp_path / "s.TEX", scores)
    assert latex.count(r"\midrule") == 6 and r"car & 17.4 & 41.0 \\" in latex
    assert "\\midrule\naverage & 16.7 & 36.0 \\\\\n\\bottomrule\n\\end{tabular}\n" in latex
    assert "comparable with the benchmark: no: 2 images, and val has 500" in latex


def test_a_name_breaks_no_table(tmp_path: Path, scores: Scores) -> None:
    own = scores.cityscapes
    assert own
    odd = type(own)(own.average, {'a|b,"c"_{d}&^~': own.average, " [a]": own.average})
    changed = Scores(1, 1, 0, type(scores.coco)({}, {}), odd, None, [], {})
    origin = Origin("t.json", "0", "p", {"Cityscapes": "yes"})
    for ending, line in {
        ".md": '| a\\|b,"c"_{d}&^~ | 16.7 | 36.0 |\n',
        ".tex": 'a|b,"c"\\_\\{d\\}\\&\\^{}\\~{} & 16.7 & 36.0 \\\\\n{} [a] & 16.7',
        ".csv": 'Cityscapes,"a|b,""c""_{d}&^~",AP50,',
    }.items():
        write_scores(tmp_path / f"s{ending}", changed, origin)
        assert line in (tmp_path / f"s{ending}").read_text()


VAL = "leftImg8bit/val/lindau/lindau_{:06}_000019_leftImg8bit.png"


@pytest.mark.parametrize(
    ("options", "width", "images", "reason"),
    [
        ({}, 2048, 500, "yes"),
        ({}, 1024, 500, "no: 1024 x 1024"),
        ({}, 2048, 499, "no: 499 images, and val has 500"),
        ({"categories": ["traffic=car+bus"]}, 2048, 500, "no: merged classes"),
        ({"annotations": "gtCoarse"}, 2048, 500, "no: coarse maps"),
        ({"images": ["leftImg8bit_foggy"]}, 2048, 500, "no: images leftImg8bit_foggy"),
    ],
)
def test_it_is_said_whether_scores_can_be_compared(
    options: Coco, width: int, images: int, reason: str, scores: Scores, tmp_path: Path
) -> None:
    found = compare(tmp_path, scores, VAL, options, width, images)
    assert found["Cityscapes"] == reason
    assert found["COCO box"] == found["COCO mask"] == "no: COCO's protocol"


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("val\\munster\\munster_{:06}_000019_leftImg8bit.jpg", "yes"),
        ("lindau_{:06}_000019_gtFine_leftImg8bit.png", "yes"),
        ("ulm_{:06}_000019_leftImg8bit.png", "no: the image ulm_000000_000019_leftImg8bit is no"),
        ("lindau_{:06}_000019_leftImg8bit_rain.png", "_rain is no photograph of val"),
        ("lindau_000000_000019_leftImg8bit.png", "no: 1 different images, and val has 500"),
    ],
)
def test_500_other_frames_are_not_val(
    name: str, reason: str, scores: Scores, tmp_path: Path
) -> None:
    assert reason in compare(tmp_path, scores, name)["Cityscapes"]


def compare(
    folder: Path,
    scores: Scores,
    name: str,
    options: Coco | None = None,
    width: int = 2048,
    images: int = 500,
) -> dict[str, str]:
    """Return what is said of a truth of so many images, with names of this form."""
    coco = load(GOLDEN_VAL)
    coco["info"]["options"] |= options or {}
    fields = {"width": width, "height": 1024}
    coco["images"] = [{"id": n, "file_name": name.format(n), **fields} for n in range(images)]
    return find_origin(write_json(folder / "c.json", coco), scores).comparable


@pytest.mark.parametrize("ending", [".json", ".csv", ".md", ".tex"])
def test_panoptic_scores_replace_earlier_ones_and_nothing_else(ending: str, tmp_path: Path) -> None:
    truth, out = convert_val(SAMPLE, tmp_path), tmp_path / f"s{ending}"
    options = "--coco", truth, "--results", truth, "--scores", out
    for _ in range(2):
        assert run(evaluate, *options)[0] == 0
    content = out.read_bytes()
    assert content.count(b"road") == (3 if ending == ".csv" else 1)
    assert b"no: 2 images, and val has 500" in content
    out.write_text("protocol,mine\n")
    assert "is no file of earlier scores" in fail(evaluate, *options)
    assert out.read_text() == "protocol,mine\n"

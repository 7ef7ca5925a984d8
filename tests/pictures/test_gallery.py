"""The page about a folder of pictures, as it is written and as a browser shows it."""

import json
import re
import shutil
import subprocess
from base64 import b64decode
from pathlib import Path

import cv2
import numpy as np
import pytest

import inspect_coco
from tests.conftest import PATIENCE, WriteMap, convert, fail, run, street
from tests.files import GOLDEN_VAL, PREDICTIONS, SAMPLE, load, write_json

CHROMIUM = shutil.which("chromium") or shutil.which("google-chrome")
HOSTILE = "<img src=x onerror=document.title='run'>\" ' & </script>.png"


@pytest.fixture(scope="module")
def page(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The page of the sample's results, one image of which has a hostile name."""
    folder = tmp_path_factory.mktemp("page")
    coco = load(GOLDEN_VAL)
    coco["images"][0]["file_name"] = HOSTILE
    path = write_json(folder / "val.json", coco)
    argv = "--coco_dir", SAMPLE, "--coco", path, "--results", PREDICTIONS, "--seed", 1
    assert run(inspect_coco.main, *argv, "--save", folder / "pictures")[0] == 0
    return folder / "pictures" / "index.html"


def test_the_page_has_a_thumbnail_for_each_picture_and_loads_nothing_else(page: Path) -> None:
    text = page.read_text(encoding="utf-8")
    links = re.findall(r'<a href="([^"]*)"', text)
    assert {*links} == {path.name for path in page.parent.glob("*.png")} and len(links) == 2
    assert text.count("data:image/jpeg;base64,") == 2 and text.count("data:image/png;base64,") == 1
    assert not re.search(r"(src|href)=\"(?!data:|[\w.%-]+png\")", text) and "http" not in text
    for content in re.findall(r"data:image/jpeg;base64,([^\"]*)", text):
        pixels = cv2.imdecode(np.frombuffer(b64decode(content), np.uint8), cv2.IMREAD_COLOR)
        assert pixels is not None and pixels.shape[1] == 320 and np.std(pixels) > 20
    assert HOSTILE not in text and "onerror=document" in text
    person = re.search(r"<tr><th>person</th>(.*?)<td><div", text)
    assert person and re.findall(r"\d+", person[1]) == ["9", "2", "6", "1", "2"]


def test_instances_have_a_page_without_outcomes(datadir: Path, write_map: WriteMap) -> None:
    write_map(street())
    convert(datadir)
    argv = "--coco_dir", datadir, "--save", datadir / "pictures"
    pages = set()
    for _ in range(2):
        assert run(inspect_coco.main, *argv)[0] == 0
        pages.add(text := (datadir / "pictures" / "index.html").read_text())
    assert "<label hidden>With" in text and 'value="errors"' not in text and len(pages) == 1
    assert "1 person, 2 car, 1 bicycle" in text.replace("2 car, 1 person", "1 person, 2 car")
    # A page of somebody else is not replaced.
    (site := datadir / "site").mkdir()
    (site / "index.html").write_text("mine")
    err = fail(inspect_coco.main, "--coco_dir", datadir, "--save", site)
    assert "index.html: is there already, but this program did not write it" in err
    assert [path.read_text() for path in site.iterdir()] == ["mine"]


# Chooses in the page, and writes down which pictures are shown, in their order.
SCRIPT = """
<script>
const told = {};
function choose(id, value) {
  const select = document.getElementById(id);
  select.value = value;
  select.dispatchEvent(new Event("change"));
  const all = [...document.querySelectorAll("#cards a")];
  told[id + "=" + value] = all.filter(a => a.offsetParent).map(a => a.getAttribute("href"));
}
for (const [id, value] of STEPS) choose(id, value);
told.title = document.title;
told.images = document.querySelectorAll("#cards img").length;
document.body.textContent = "TOLD" + JSON.stringify(told) + "TOLD";
</script>
"""


@pytest.mark.skipif(CHROMIUM is None, reason="needs Chromium")
def test_in_a_browser_filters_filter_and_sorting_sorts(page: Path, tmp_path: Path) -> None:
    steps = [("class", "rider"), ("class", ""), ("outcome", "missed"), ("outcome", "")]
    steps += [("order", "errors"), ("order", "name"), ("class", "truck")]
    shutil.copytree(page.parent, tmp_path / "pictures")
    copy = tmp_path / "pictures" / "index.html"
    with copy.open("a", encoding="utf-8") as file:
        file.write(SCRIPT.replace("STEPS", json.dumps(steps)))
    command = [str(CHROMIUM), "--headless", "--no-sandbox", "--disable-gpu", "--no-first-run"]
    command += ["--disable-background-networking", "--disable-component-update", "--disable-sync"]
    command += [f"--user-data-dir={tmp_path / 'profile'}", "--virtual-time-budget=2000"]
    command += ["--dump-dom", copy.as_uri()]
    done = subprocess.run(command, capture_output=True, text=True, timeout=PATIENCE)
    told = json.loads(done.stdout.split("TOLD")[1])
    hostile, other = sorted(path.name for path in page.parent.glob("*.png"))
    if "onerror" not in hostile:
        hostile, other = other, hostile
    assert told["title"].startswith("predictions.json and val.json")  # no name was run
    assert told["images"] == 2
    assert {*told["class="]} == {*told["outcome="]} == {hostile, other}
    text = page.read_text(encoding="utf-8")
    errors = {
        name: float(re.findall(rf'href="{name}".*?data-errors="([^"]*)"', text, re.DOTALL)[0])
        for name in (hostile, other)
    }
    assert told["order=errors"] == sorted(errors, key=lambda name: -errors[name])
    assert told["order=name"] == [hostile, other]
    assert told["class=truck"] == [other] or told["class=truck"] == [hostile]

"""The README and the pages in docs/ held against the program."""

import inspect
import io
import json
import re
import shlex
import shutil
from contextlib import redirect_stdout
from pathlib import Path

import cv2
import numpy as np
import pytest

import evaluate_coco
import inspect_coco
import main
from benchmarks import benchmark
from cityscapes_coco import convert_split
from cityscapes_coco.cli.convert import build_parser as build_convert
from cityscapes_coco.cli.evaluate import build_parser as build_evaluate
from cityscapes_coco.cli.inspect import build_parser as build_inspect
from tests.conftest import OUTPUT, PANOPTIC, ROOT, SAMPLE, Capture, load, write_json
from tests.readers.run import HERE, READERS, requirements, versions

PAGES = {
    path.relative_to(ROOT).as_posix(): path.read_text(encoding="utf-8")
    for path in [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
}
README = PAGES["README.md"]
PARSERS = {
    "main.py": build_convert(),
    "inspect_coco.py": build_inspect(),
    "evaluate_coco.py": build_evaluate(),
    "benchmarks/benchmark.py": benchmark.build_parser(),
}
FENCED = re.compile(r"^ *```(\w*)\n(.*?)^ *```$", re.DOTALL | re.MULTILINE)
# A row that --verify prints: the class; in maps, exact, inexact; mean IoU; lost.
CHECKED = r"^  (\w+) +(\d+) +(\d+) +(\d+) +(\S+) +(\d+) +\d+$"
FOLDER_ROWS = "Which data folder the program takes"


def section(page: str, title: str) -> str:
    """The text under a heading, down to the next heading."""
    _, found, rest = PAGES[page].partition(f"# {title}\n")
    assert found, title
    return re.split(r"^#+ ", rest, maxsplit=1, flags=re.MULTILINE)[0]


def blocks(text: str, language: str = "") -> list[str]:
    """The code blocks in a language; there must be at least one."""
    found = [code for name, code in FENCED.findall(text) if name == language]
    assert found, language
    return found


def rows(text: str) -> list[list[str]]:
    """The cells of a section's table, without the two lines at its head."""
    lines = re.findall(r"^\|(.*)\|$", text, re.MULTILINE)[2:]
    assert lines, text
    return [[cell.strip() for cell in re.split(r"(?<!\\)\|", line)] for line in lines]


def commands(page: str) -> list[str]:
    """The lines of a page that call one of the scripts."""
    lines = "".join(code for _, code in FENCED.findall(PAGES[page])).splitlines()
    scripts = r"\bpython (?:main|inspect_coco|evaluate_coco|benchmarks/\w+)\.py.*"
    return [call for line in lines for call in re.findall(scripts, line)]


def run(command: str, folder: Path) -> tuple[int, str]:
    """Run a command of the docs in a folder; return the exit code and what was printed."""
    _, program, *argv = shlex.split(command)
    if program != "inspect_coco.py":
        argv += ["--workers", "1"]
    with pytest.MonkeyPatch.context() as patch, redirect_stdout(io.StringIO()) as printed:
        patch.chdir(folder)
        programs = {module.__name__: module.main for module in (main, inspect_coco, evaluate_coco)}
        code = programs[program.removesuffix(".py")](argv)
    return code, printed.getvalue().replace("\\", "/")


def write_map(path: Path) -> None:
    """Write a map with one car, or a photograph of the same size."""
    path.parent.mkdir(parents=True, exist_ok=True)
    kind = np.uint16 if path.name.endswith("Ids.png") else np.uint8
    assert cv2.imwrite(str(path), np.array([[26000, 26000], [7, 7]]).astype(kind))


@pytest.fixture(scope="module")
def sample(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with data/sample in it, as the folder of the project has it."""
    folder = tmp_path_factory.mktemp("project")
    for name in "gtFine", "leftImg8bit":
        shutil.copytree(SAMPLE / name, folder / "data" / "sample" / name)
    shutil.copy(SAMPLE / "predictions.json", folder / "data" / "sample")
    return folder


@pytest.fixture(scope="module")
def written(sample: Path) -> Path:
    """The file that the README's first command writes of train; it prints what is shown."""
    code, printed = run(commands("README.md")[0], sample)
    [shown] = [block for block in blocks(section("README.md", "Try it")) if "instances" in block]
    assert code == 0 and printed.startswith(shown)
    return sample / "data" / "sample" / "annotations" / OUTPUT


# Options.


@pytest.mark.parametrize(
    ("program", "page", "title"),
    [
        ("main.py", "README.md", "Options of main.py"),
        ("inspect_coco.py", "README.md", "Options of inspect_coco.py"),
        ("evaluate_coco.py", "docs/evaluation.md", "Options"),
    ],
)
def test_the_table_of_options_is_the_parsers(program: str, page: str, title: str) -> None:
    actions = [a for a in PARSERS[program]._actions if a.option_strings[0] != "-h"]
    options = {action.option_strings[-1]: action for action in actions}
    table = rows(section(page, title))
    assert [cells[0].strip("`").split()[0] for cells in table] == list(options)
    for name, meaning, default in table:
        action = options[name.strip("`").split()[0]]
        assert (" " in name) == (action.nargs != 0), name
        assert name.endswith(" ...`") == (action.nargs == "+"), name
        given = action.default
        usual = list(given) if isinstance(given, list | tuple) else [given]
        for choice in action.choices or ():
            assert choice in usual or f"`{choice}`" in meaning, (name, choice)
        if action.nargs == 0:
            assert default == ("" if name == "`--version`" else "off"), name
        elif given and len(usual) == 1 and name != "`--workers N`":
            shown = given if isinstance(given, int | float) else f"`{Path(usual[0]).as_posix()}`"
            assert default == str(shown), name


def test_each_command_shown_is_one_that_the_parsers_take() -> None:
    shown = [command for page in PAGES for command in commands(page)]
    recipes = re.findall(r"`(--[^`]+)`", PAGES["docs/training.md"])
    assert shown and recipes
    for command in [*shown, *(f"python main.py {options}" for options in recipes)]:
        _, program, *argv = shlex.split(command)
        PARSERS[program].parse_args(argv)


@pytest.mark.parametrize("page", ["docs/training.md", "docs/panoptic.md", "docs/evaluation.md"])
def test_each_recipe_is_python(page: str) -> None:
    for code in blocks(PAGES[page], "python"):
        compile(code, page, "exec")


@pytest.mark.parametrize("reader", READERS)
def test_each_recipe_was_run_with_the_versions_that_are_required(reader: str) -> None:
    """The line is written by tests/readers/run.py, which also found what the line says."""
    assert (HERE / f"read_{reader}.py").is_file()
    lines = re.findall("^Last run with .*$", section("docs/training.md", READERS[reader]), re.M)
    assert [line.partition(": ")[0] for line in lines] == [
        f"Last run with {versions(requirements(reader))}"
    ]


@pytest.mark.parametrize(
    "trainer", re.findall("^### (.+)$", PAGES["docs/evaluation.md"], flags=re.MULTILINE)
)
def test_the_results_of_each_trainer_were_scored(trainer: str) -> None:
    """Of Hugging Face, the code is for Mask2Former."""
    headings = [heading for heading in READERS.values() if heading.startswith(trainer)]
    runs = "".join(section("docs/training.md", heading) for heading in headings)
    assert re.search(r"^Last run with .* [1-9]\d* results scored", runs, re.M)


# What is printed and written.


def test_the_annotation_shown_is_in_the_file(written: Path) -> None:
    text = section("README.md", "What the file holds")
    [shown] = map(json.loads, blocks(text, "json"))
    coco = load(written)
    [found] = [a for a in coco["annotations"] if a["id"] == shown["id"]]
    assert list(found.items()) == list(shown.items())
    [name] = [c["name"] for c in coco["categories"] if c["id"] == found["category_id"]]
    assert f"This annotation is a {name} of {found['area']} pixels" in text


@pytest.mark.parametrize("title", ["What the file holds", "What the files hold"])
def test_each_field_of_a_file_is_described(title: str, written: Path, sample: Path) -> None:
    page = "docs/file.md"
    if title == "What the files hold":
        page = "docs/panoptic.md"
        command = f"{commands(page)[0]} --datadir data/sample --splits train"
        assert run(command, sample)[0] == 0
        written = written.with_name(PANOPTIC)
    described: dict[str, list[str]] = {}
    for where, _ in rows(section(page, title)):
        names = re.findall(r"`(\w+)`", where)
        if where.startswith("- "):  # a field of the records in the row above
            described[list(described)[-1]] += names
        else:
            described[names[0]] = []
    coco = load(written)
    assert set(described) == set(coco)
    for name in "images", "annotations":
        assert set(described[name]) == set(coco[name][0]), name


def test_the_scores_shown_are_printed(sample: Path, written: Path) -> None:
    commands, shown = blocks(section("docs/evaluation.md", "Score results"))
    assert run(commands.splitlines()[1], sample) == (0, shown)


@pytest.mark.parametrize(
    ("column", "option", "code"), [("original", "--like-original", 1), ("here", "", 0)]
)
def test_masks_are_as_exact_as_shown(column: str, option: str, code: int, sample: Path) -> None:
    text = section("README.md", "How exact")
    [command] = blocks(text)
    done, printed = run(command.replace("--like-original", option), sample)
    assert done == code
    counts = re.findall(CHECKED, printed, re.MULTILINE)
    total, exact, inexact, lost = np.array(counts)[:, [1, 2, 3, 5]].astype(int).sum(axis=0)
    assert f"the sample's {total} instances | original | here" in text
    shown = {name: (original, here)[column == "here"] for name, original, here in rows(text)}
    assert shown == {"lost": str(lost), "exact": str(exact), "inexact": str(inexact)}
    if column == "original":
        train, val = [iou for name, *_, iou, _ in counts if name == "car" and iou != "-"]
        assert f"a mean IoU of {float(train):.2f} in train and {float(val):.2f} in val" in text
        losses = re.findall(r"^    \S+: (\w+) \d+, (\d+) pixels$", printed, re.MULTILINE)
        name, pixels = max(losses, key=lambda loss: int(loss[1]))
        assert f"The largest lost instance is a {name} of {int(pixels):,} pixels." in text


def test_the_python_code_runs_and_prints_what_is_told(
    sample: Path, monkeypatch: pytest.MonkeyPatch, capsys: Capture
) -> None:
    text = section("README.md", "From Python")
    [code] = blocks(text, "python")
    monkeypatch.chdir(sample)
    exec(compile(code, "README.md", "exec"), {})
    [told] = re.findall(r"This code prints `([^`]+)`\.", text)
    out = capsys.readouterr().out.replace("\\", "/")
    assert out == f"{told}\n"
    assert load(sample / told.split()[0])["info"]["options"]["crowd"] == "keep"
    named = re.findall(r"`(\w+)`, a function", text)
    assert named and set(named) <= set(inspect.signature(convert_split).parameters)


# Folders.


def test_the_data_folder_shown_can_be_converted_as_shown(tmp_path: Path) -> None:
    [tree] = blocks(section("README.md", "Prepare the data"))
    names = re.findall(r"(train/\S+\.png)", tree)
    folders = re.findall(r"^[├└]── (\w+)$", tree, re.MULTILINE)
    top = tree.splitlines()[0]
    for folder, name in zip(folders, names, strict=True):
        write_map(tmp_path / top / folder / name)
    convert, draw, _ = blocks(section("README.md", "Convert"))[0].splitlines()
    assert run(convert, tmp_path)[0] == 0
    assert run(f"{draw} --save drawn", tmp_path)[0] == 0
    [path] = tmp_path.glob(f"{top}/annotations/*_train.json")
    [image] = load(path)["images"]
    assert (tmp_path / top / image["file_name"]).is_file()


@pytest.mark.parametrize("row", rows(section("docs/folders.md", FOLDER_ROWS)), ids=" | ".join)
def test_the_data_folder_is_found_as_the_table_tells(row: list[str], tmp_path: Path) -> None:
    maps, datadir, folder = (cell.strip("`") for cell in row)
    write_map(tmp_path / maps / "train/ulm/ulm_000000_000019_gtFine_instanceIds.png")
    (tmp_path / datadir).mkdir(parents=True, exist_ok=True)
    assert run(f"python main.py --datadir {datadir}", tmp_path)[0] == 0
    [written] = tmp_path.rglob("*.json")
    assert written.parent == tmp_path / folder / "annotations"


def test_the_first_command_for_fog_writes_the_file_that_is_named(tmp_path: Path) -> None:
    text = section("docs/folders.md", "Fog and rain")
    name, lines = (block.strip() for block in blocks(text))
    folder = tmp_path / "data" / "cityscapes"
    write_map(folder / name)
    frame = Path(name.replace("leftImg8bit_foggy/", "gtFine/", 1).split("_leftImg8bit")[0])
    write_map(folder / f"{frame}_gtFine_instanceIds.png")
    assert run(lines.splitlines()[0], tmp_path)[0] == 0
    [told] = re.findall(r"The first command writes `([^`]+)`", text)
    [image] = load(folder / "annotations" / told)["images"]
    assert image["file_name"] == name


def test_coarse_maps_have_the_splits_and_the_file_that_are_named(tmp_path: Path) -> None:
    text = section("docs/folders.md", "Coarse maps")
    [option] = re.findall(r"`(--annotations \w+)`", text)
    [splits] = re.findall(r"The coarse splits are (.+)\.", text)
    for split in re.findall(r"`(\w+)`", splits):
        write_map(tmp_path / f"gtCoarse/{split}/ulm/ulm_000000_000019_gtCoarse_instanceIds.png")
        assert run(f"python main.py --datadir . {option} --splits {split}", tmp_path)[0] == 0
    [told] = re.findall(r"`(\S+\.json)`", text)
    assert (tmp_path / "annotations" / told).is_file()


# Errors.


@pytest.mark.parametrize(
    ("meaning", "command"),
    [
        ("the program did everything", "main.py --datadir data/sample --outdir out"),
        ("an error", "main.py --datadir nowhere"),
        ("a wrong option", "main.py --splits everything"),
        (
            "with `--verify`: all",
            "inspect_coco.py --coco_dir data/sample --json bare.json --verify",
        ),
    ],
)
def test_the_exit_code_is_the_one_in_the_table(
    meaning: str, command: str, sample: Path, written: Path
) -> None:
    bare = {name: value for name, value in load(written).items() if name != "info"}
    write_json(sample / "bare.json", bare)
    table = rows(section("docs/errors.md", "Exit codes"))
    [documented] = [int(code) for code, text in table if text.startswith(meaning)]
    try:
        code, _ = run(f"python {command}", sample)
    except SystemExit as end:
        code = int(end.code or 0)
    assert code == documented


# Figures.


def test_the_figures_on_speed_are_the_benchmarks() -> None:
    text = section("README.md", "How fast")
    shown, measured = rows(text), rows(PAGES["docs/benchmark.md"])
    assert len(shown) == 3 and all(row in measured for row in shown)
    pattern = r"At ([\d.]+) s for 500 frames, the 2,975 frames .* about (\d+) s on two cores"
    [(seconds, told)] = re.findall(pattern, text)
    assert ["500 frames, 2 workers, start-up included", f"{seconds} s"] in [
        row[:2] for row in shown
    ]
    assert abs(float(seconds) * 2975 / 500 - int(told)) < 1


# The house.

# The folders of the package, from the ground up; a folder knows only those before it and itself.
FLOORS = "run", "pixels", "cityscapes", "coco", "convert", "check", "scores", "pictures", "cli"


def test_no_folder_knows_one_above_it_and_the_two_sides_do_not_know_each_other() -> None:
    package = ROOT / "cityscapes_coco"
    assert {path.parent.name for path in package.glob("*/__init__.py")} == set(FLOORS)
    apart = {"cityscapes": {"coco"}, "coco": {"cityscapes"}, "cli": set()}
    for number, floor in enumerate(FLOORS):
        above = {*FLOORS[number + 1 :]} | apart.get(floor, set())
        for path in (package / floor).glob("*.py"):
            text = path.read_text(encoding="utf-8")
            known = set(re.findall(r"cityscapes_coco\.(\w+)", text))
            assert not known & above, path
            assert "from cityscapes_coco import" not in text, path


# The pages themselves.


def anchors(page: str) -> set[str]:
    """The names by which a page's headings can be linked to, as GitHub makes them."""
    headings = re.findall(r"^#+ (.+)$", FENCED.sub("", PAGES[page]), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


def links(page: str) -> list[tuple[Path, str]]:
    """The links of a page that lead to files: the file, and the heading if there is one."""
    targets = re.findall(r"\]\((?!\w+://)([^)#\s]*)#?([^)\s]*)\)", FENCED.sub("", PAGES[page]))
    here = ROOT / page
    return [((here.parent / name).resolve() if name else here, title) for name, title in targets]


def test_each_link_leads_to_a_file_and_a_heading() -> None:
    for path, heading in (link for page in PAGES for link in links(page)):
        assert path.is_file(), path
        if heading:
            assert heading in anchors(path.relative_to(ROOT).as_posix()), (path, heading)


def test_the_readme_is_short_and_leads_to_each_page() -> None:
    assert (ROOT / "README.md").stat().st_size <= 9000
    linked = {path for path, _ in links("README.md")}
    assert {ROOT / page for page in PAGES if page != "README.md"} <= linked


def test_the_lowest_python_is_the_packages() -> None:
    package = (ROOT / "pyproject.toml").read_text(encoding="utf-8")
    [lowest] = re.findall(r'^requires-python = ">=(.+)"$', package, re.MULTILINE)
    assert re.findall(r"Python ([\d.]+) or newer", README) == [lowest]
    assert re.findall(r"Python :: (3\.\d+)", package)[0] == lowest

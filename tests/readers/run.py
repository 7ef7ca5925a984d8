"""Run the recipes of docs/training.md, each with its reader in an environment of its own.

    python tests/readers/run.py supervision kwcoco
    python tests/readers/run.py --together light

The dataset is the sample and generated frames. A recipe is taken from the page word for word: first
its command, with the main.py of this folder, then its code. What the reader gives is compared with
the dataset, and what was found is written into the page, with the versions. For some trainers, the
script also runs the code in docs/evaluation.md with a model that finds what was planted: the
results must have it, and evaluate_coco.py must score them. `light` stands for the readers without a
deep-learning framework; they fit into one environment.

A reader has a script, `read_<name>.py`, and its requirements, `read_<name>.txt`. A line in these
that begins with `# https://` names a repository to check out, and the commit. A package from a
repository is installed last, because its build needs the others. Both need git.

The exit code is 0 if each reader was run and is as it should be, 1 if a reader failed, and 3 if
none failed and some were left out.
"""

import argparse
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

from PIL import Image

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent.parent
sys.path.insert(0, str(ROOT))

from data.generate import CITIES, write_dataset  # noqa: E402  (needs the path set just above)
from tests.readers import recipe  # noqa: E402

SEED = 14
FRAMES = {"train": 5, "val": 2}
CITY = "neustadt"
HEADINGS = re.findall(r"^## (.+)$", recipe.PAGE.read_text(encoding="utf-8"), re.MULTILINE)
READERS = {re.sub(r"\W+", "_", heading.lower()): heading for heading in HEADINGS}
LIGHT = ["pycocotools", "faster_coco_eval", "hotcoco", "globox", "labelformat", "supervision"]
CHECKED_OUT = re.compile(r"^# (https://.+)@(\w+)$", re.MULTILINE)
HOUR = 3600  # seconds; what lasts longer hangs
JUDGED = re.compile(rf"^\d+ (?:{'|'.join(recipe.ALSO)}) of .*$", re.MULTILINE)
GIGABYTES = 10  # of disk that an environment with torch may take while it is made


WELL, FAILED, LEFT_OUT = 0, 1, 3  # exit codes; 2 is for a wrong command line
LAST_LINES = 40  # of what a program that failed printed; an error may stand in front of another


PRINT_VERSION = "import sys, importlib.metadata as m; print(m.version(sys.argv[1]))"
PRINT_COMMIT = """import sys, json, importlib.metadata as m
made = json.loads(m.distribution(sys.argv[1]).read_text("direct_url.json"))
print(made["vcs_info"]["commit_id"])"""


class LeftOut(Exception):
    """Why a recipe was not run."""


def main(argv: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description="Run the recipes of docs/training.md.")
    names = f"light, {', '.join(READERS)} (default: all but light)"
    parser.add_argument("readers", nargs="*", metavar="NAME", help=names)
    kept = "keep environments here, and take those that are here (default: none is kept)"
    parser.add_argument("--envs", type=Path, metavar="DIR", help=kept)
    shared = "install what all these readers need into one environment"
    parser.add_argument("--together", action="store_true", help=shared)
    args = parser.parse_args(argv)
    if sys.flags.optimize:
        parser.error("python -O and PYTHONOPTIMIZE skip what the judge asserts: run without them")
    readers = LIGHT if args.readers == ["light"] else args.readers or list(READERS)
    if unknown := [name for name in readers if name not in READERS]:
        parser.error(f"no recipe for {', '.join(unknown)}; there are {names}")
    codes = set()
    with tempfile.TemporaryDirectory() as scratch:
        dataset = Path(scratch, "dataset")
        make_dataset(dataset)
        for group in [readers] if args.together else [[reader] for reader in readers]:
            codes |= run_group(group, dataset, args.envs)
    return FAILED if FAILED in codes else max(codes)


def run_group(readers: Sequence[str], dataset: Path, envs: Path | None) -> set[int]:
    """Run the recipes of readers in one environment; return the exit codes that they ask for."""
    required = list(dict.fromkeys(line for reader in readers for line in requirements(reader)))
    codes = set()
    with ExitStack() as stack:
        try:
            python = stack.enter_context(make_environment("+".join(readers), required, envs))
        except LeftOut as reason:
            print(f"{', '.join(readers)}: left out: {reason}", flush=True)
            return {LEFT_OUT}
        for reader in readers:
            try:
                named = versions(requirements(reader))
                check_versions(requirements(reader), python)
                found = dict.fromkeys(run_commands(reader, dataset, python))
            except LeftOut as reason:
                codes.add(LEFT_OUT)
                print(f"{reader}: left out: {reason}", flush=True)
            except (subprocess.SubprocessError, AssertionError) as error:
                codes.add(FAILED)
                print(f"{reader}: FAILED: {_last_line(error)}", flush=True)
                print(*_lines(error)[-LAST_LINES:-1], sep="\n", flush=True)
            else:
                codes.add(WELL)
                line = f"Last run with {named}: {'; the next command: '.join(found)}."
                write_result(READERS[reader], line)
                print(f"{reader}: {line}", flush=True)
    return codes


def make_dataset(folder: Path) -> None:
    """Write the sample and generated frames of another city as one dataset with photographs."""
    for name in "gtFine", "leftImg8bit":
        shutil.copytree(ROOT / "data" / "sample" / name, folder / name)
    drawn = folder / "drawn"
    write_dataset(drawn, seed=SEED, frames=FRAMES)
    for path in sorted(drawn.rglob("*.*")):
        split = path.parts[-3]
        name = path.name.replace(CITIES[split], CITY)
        target = folder / "gtFine" / split / CITY / name
        target.parent.mkdir(parents=True, exist_ok=True)
        path.rename(target)
        if name.endswith("_color.png"):
            photograph = name.replace("gtFine_color", "leftImg8bit")
            city = folder / "leftImg8bit" / split / CITY
            city.mkdir(parents=True, exist_ok=True)
            with Image.open(target) as image:
                image.convert("RGB").save(city / photograph)
    shutil.rmtree(drawn)
    for name, options in recipe.OTHERS.items():
        outdir = folder / "others" / name
        _call(sys.executable, ROOT / "main.py", "--datadir", folder, "--outdir", outdir, *options)


def requirements(reader: str) -> list[str]:
    return (HERE / f"read_{reader}.txt").read_text(encoding="utf-8").splitlines()


def versions(required: Sequence[str]) -> str:
    """Return names and versions of what is required; a repository's version is its commit."""
    named = [re.sub(r"^.*/([\w.-]+)@(\w{7}).*$", r"\1 at \2", line) for line in required]
    return ", ".join(named).replace("==", " ")


def check_versions(required: Sequence[str], python: str | Path) -> None:
    """Assert that the environment of a Python has the versions and commits that are required."""
    for line in required:
        name, equal, wanted = line.partition("==")
        found = wanted
        if equal:
            found = _call(python, "-c", PRINT_VERSION, name.partition("[")[0]).strip()
        elif "@" in line and not line.startswith("#"):  # a checked-out one is no package
            wanted = line.rpartition("@")[2]
            found = _call(python, "-c", PRINT_COMMIT, name.partition(" @")[0]).strip()
        assert found == wanted, f"the environment has {found} in place of {line}"


def run_commands(reader: str, dataset: Path, python: str | Path) -> list[str]:
    """Run each command of a recipe, then its code with a Python; return what the judge printed."""
    found = []
    for command in "".join(recipe.blocks(recipe.section(READERS[reader]))).splitlines():
        with tempfile.TemporaryDirectory() as work:
            shutil.copytree(dataset, work / recipe.DATADIR)
            for address, commit in CHECKED_OUT.findall("\n".join(requirements(reader))):
                check_out(address, commit, Path(work))
            program, *options = command.split()
            assert program == "python", command
            _call(sys.executable, ROOT / options[0], *options[1:], cwd=work)
            # Readers keep settings and databases in the folder of their user.
            printed = _call(python, HERE / f"read_{reader}.py", cwd=work, home=work)
            judged = JUDGED.findall(printed)
            assert judged, f"read_{reader}.py has judged nothing"
            scored = score_results(Path(work)) + score_panoptic(Path(work))
            found.append(judged[-1] + scored)
    assert found, "the recipe has no command"
    return found


def score_results(work: Path) -> str:
    """Score the planted results that a trainer wrote, if any; return text that says so."""
    results = work / recipe.RESULTS
    if not results.exists():
        return ""
    files = work.rglob("instancesonly_filtered_gtFine_val.json")
    [coco] = [path for path in files if work / recipe.DATADIR / "others" not in path.parents]
    named = "--coco", coco, "--results", results, "--coco_dir", work / recipe.DATADIR
    scored = _call(sys.executable, ROOT / "evaluate_coco.py", *named)
    assert re.search(r": [1-9]\d* results;", scored), "the results file has no results"
    recipe.judge_planted(
        json.loads(results.read_text(encoding="utf-8")),
        json.loads(coco.read_text(encoding="utf-8")),
        recipe.read_frames("val", work / recipe.DATADIR),
    )
    return ", results scored, with the right classes and images"


def score_panoptic(work: Path) -> str:
    """Score the panoptic results that a reader's script wrote, if any, as of a model that finds all
    segments; return text that says so. A trainer loses small ones when it resizes them."""
    results = work / "panoptic.json"
    if not results.exists():
        return ""
    [coco] = (work / recipe.DATADIR / "annotations").glob("cityscapes_panoptic_val*.json")
    command = "--coco", coco, "--results", results, "--scores", work / "quality.json"
    _call(sys.executable, ROOT / "evaluate_coco.py", *command)
    average = json.loads((work / "quality.json").read_bytes())["panoptic"]["average"]
    assert min(average["things"]["pq"], average["stuff"]["pq"]) > 0.7, average
    return ", panoptic results scored"


@contextmanager
def make_environment(name: str, required: Sequence[str], envs: Path | None) -> Iterator[Path]:
    """Yield the Python of an environment with what is required.

    An environment that is there is taken if its install was finished, with the same requirements.
    """
    with tempfile.TemporaryDirectory() as scratch:
        folder = (envs or Path(scratch)).absolute() / name
        folder.parent.mkdir(parents=True, exist_ok=True)
        python = folder / "bin" / "python"
        finished, wanted = folder / "required.txt", "\n".join(required)
        if not finished.exists() or finished.read_text(encoding="utf-8") != wanted:
            _remove(folder)
            free = shutil.disk_usage(folder.parent).free / 1e9
            if any(line.startswith("torch") for line in required) and free < GIGABYTES:
                raise LeftOut(f"torch needs {GIGABYTES} GB of disk; {folder.parent} has {free:.0f}")
            _call(sys.executable, "-m", "venv", folder)
            built = [line for line in required if "@" in line and not line.startswith("#")]
            packages = [line for line in required if "==" in line]
            try:
                _call(python, "-m", "pip", "install", *packages, "numpy", "pillow")
                if built:
                    _call(python, "-m", "pip", "install", "--no-build-isolation", *built)
            except subprocess.CalledProcessError as error:
                shutil.rmtree(folder)
                raise LeftOut(f"pip cannot install {packages[0]}: {_last_line(error)}") from error
            finished.write_text(wanted, encoding="utf-8")
        yield python


def _remove(folder: Path) -> None:
    """Remove an environment, if there is one, and nothing else."""
    if folder.exists():
        if not (folder / "pyvenv.cfg").exists():
            raise LeftOut(f"{folder} is there, and is not an environment")
        shutil.rmtree(folder)


def check_out(address: str, commit: str, work: Path) -> None:
    """Put a repository at a commit into a folder."""
    folder = work / Path(address).name
    try:
        _call("git", "clone", "--quiet", address, folder)
        _call("git", "-C", folder, "checkout", "--quiet", commit)
    except subprocess.CalledProcessError as error:
        raise LeftOut(f"git cannot check out {address}: {_last_line(error)}") from error


def write_result(heading: str, line: str) -> None:
    """Write the line into its section of the page, in place of the earlier one, and the version of
    the reader into its row of the table."""
    text, old = recipe.PAGE.read_text(encoding="utf-8"), recipe.section(heading)
    new = re.sub(r"^Last run with .*\n", "", old, flags=re.MULTILINE).rstrip("\n")
    end = "\n\n" if text.partition(old)[2] else "\n"
    text = text.replace(old, f"{new}\n\n{line}{end}")
    row = re.compile(rf"^(\| \[{re.escape(heading)}\]\(.*?\) \| ).*?( \|)", re.MULTILINE)
    text = row.sub(rf"\g<1>{version_of_reader(line)}\2", text)
    recipe.PAGE.write_text(text, encoding="utf-8")


def version_of_reader(line: str) -> str:
    """Return the version in a line "Last run with", which begins with the reader's own package."""
    _, _, version = line.removeprefix("Last run with ").partition(" ")
    return re.split("[,:]", version)[0]


def _call(*command: object, cwd: str | None = None, home: str | None = None) -> str:
    """Run a command and return what it printed."""
    env = os.environ | ({"HOME": home} if home else {})
    how: dict[str, Any] = {"check": True, "capture_output": True, "text": True, "timeout": HOUR}
    return str(subprocess.run(list(map(str, command)), cwd=cwd, env=env, **how).stdout)


def _last_line(error: Exception) -> str:
    return (_lines(error) or ["no message"])[-1]


def _lines(error: Exception) -> list[str]:
    return str(getattr(error, "stderr", None) or error).strip().splitlines()


if __name__ == "__main__":
    raise SystemExit(main())

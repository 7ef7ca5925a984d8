"""The command line: what was mistyped, and what is answered; what people try first."""

import shlex
import sys
from functools import partial
from pathlib import Path

import pytest

from cityscapes_coco.__main__ import choose_verb
from cityscapes_coco.cli.convert import build_parser
from cityscapes_coco.cli.program import load_verb
from tests.conftest import Patch, run
from tests.files import write_json

# Exit code 2; the last line has the text.
MISTAKES = {
    # Options of another name, or spelled otherwise.
    "convert --datadri x": "unknown option --datadri; did you mean --datadir?",
    "convert --data x": "unknown option --data; did you mean --datadir?",
    "convert --coco_dir x": "unknown option --coco_dir; did you mean --datadir?",
    "convert --out x": "unknown option --out; did you mean --outdir?",
    "convert --output=x": "unknown option --output; did you mean --outdir?",
    "convert --category car": "unknown option --category; it is one of inspect_coco.py",
    "convert --class car": "unknown option --class; did you mean --categories?",
    "convert --split val": "--split; it is one of inspect_coco.py and evaluate_coco.py",
    "convert --results r.json": "it is one of inspect_coco.py and evaluate_coco.py",
    "convert --Workers 2": "unknown option --Workers; did you mean --workers?",
    "convert --jobs 2": "unknown option --jobs; did you mean --workers?",
    "convert --skipbadmaps": "unknown option --skipbadmaps; did you mean --skip-bad?",
    "convert --xyzzy": "unknown option --xyzzy; --help lists the options",
    "convert -x": "unknown option -x",
    "convert \u2013\u2013datadir x": "begins with another dash than -; write --datadir",
    "convert \u2014datadir x": "begins with another dash than -; write --datadir",
    "inspect --json c.json": "--json is now --coco",
    "inspect --skip-bad": "unknown option --skip-bad; it is one of main.py",
    "inspect --outdir x": "unknown option --outdir; did you mean --save?",
    "inspect --num 3": "unknown option --num",
    "inspect --categories car": "unknown option --categories; it is one of main.py",
    "evaluate --json s.json": "--json is now --scores; the COCO file that is read is --coco",
    "evaluate --predictions p.json": "unknown option --predictions; did you mean --results?",
    "evaluate --output s.json": "unknown option --output; did you mean --save?",
    # Values.
    "convert --dataset kitti": "argument --dataset: invalid choice",
    "convert --annotations gtCoarse --splits test": "argument --splits: gtCoarse has train",
    "convert --annotations gtBboxCityPersons --categories car": "must be one of pedestrian, rider,",
    "convert --annotations gtBboxValidated --splits test": "gtBboxValidated has train, val, not",
    "convert --annotations gtBboxValidated --panoptic": "--panoptic label: gtBboxValidated has",
    "convert --annotations gtBboxValidated --like-original": "original: gtBboxValidated has",
    "convert --segmentation polygon --like-original": "not allowed with argument --segmentation",
    "convert --crowd": "argument --crowd: expected one argument",
    "convert --images": "argument --images: expected at least one argument",
    "convert --no": "unknown option --no",
    **{
        f"{command}={value}": f"error: argument {command.split()[1]}: "
        for command, values in (
            ("convert --min-area", ["-1", "few", ""]),
            ("convert --workers", ["0"]),
            ("convert --outdir", [""]),
            ("convert --scheduler", [""]),
            ("inspect --num_examples", ["-1", "1.5"]),
            ("inspect --save", [""]),
            ("evaluate --workers", ["two"]),
            ("evaluate --top", ["0"]),
            ("evaluate --scores", [""]),
            ("evaluate --results", [""]),
        )
        for value in values
    },
    "convert data/city": "data/city: belongs to no option; write --datadir before a path",
    "inspect my.json": "my.json: belongs to no option; write --coco_dir before a path",
    "convert --splits vall": "gtFine has train, val, test, not vall; did you mean val?",
    "convert --categories cars": "not 'cars'; did you mean car?",
    "convert --stuff parts": "argument --stuff: parts needs a category such as road",
    "convert --annotations gtBboxValidated --stuff parts": "parts: gtBboxValidated has boxes",
    "convert --workers 2 --scheduler x": "not allowed with argument",
    "evaluate": "the following arguments are required: --results",
    "evaluate --results r --scores s.xlsx": "--scores: the name must end in .json, .csv, .md or",
    # Options without an effect.
    "inspect --stats --category car": "argument --category: has no effect with --stats",
    "inspect --stats --image zzz": "argument --image: has no effect with --stats",
    "inspect --stats --imagedir x": "argument --imagedir: has no effect with --stats",
    "inspect --verify --category nosuch": "argument --category: has no effect with --verify",
    "inspect --verify --save x": "argument --save: has no effect with --verify",
    "inspect --verify --num-examples 3": "argument --num_examples: has no effect with --verify",
    "inspect --verify --seed 1": "argument --seed: has no effect with --verify",
    "inspect --coco c.json --split val": "argument --split: has no effect with --coco",
    "inspect --coco c.json --panoptic": "argument --panoptic: has no effect with --coco",
    "inspect --min-score 0.3": "argument --min-score: needs --results",
    "inspect --min-score nan": "argument --min-score: 'nan' is not a number",
    "inspect --min-score high": "argument --min-score: 'high' is not a number",
    "inspect --sort score": "argument --sort: needs --results",
    "inspect --results r.json --stats": "not allowed with argument --results",
    "inspect --results r.json --verify": "not allowed with argument --results",
    "inspect --save a.pdf": "--save: examples need a folder; a file is for --stats",
    "evaluate --results r --top 3": "argument --top: needs --save",
    "evaluate --results r --coco c --split val": "argument --split: has no effect with --coco",
}


@pytest.mark.parametrize("typed", MISTAKES)
def test_a_mistake_is_answered_with_what_to_write(typed: str) -> None:
    verb, *argv = shlex.split(typed)
    # argparse compares with a default by identity.
    code, out, err = run(load_verb(verb), *map(sys.intern, argv))
    assert code == 2 and out == "" and MISTAKES[typed] in err.splitlines()[-1]


# What people try first, and which folder is asked for then: it is missing, with exit code 1.
UNDERSTOOD = {
    "convert --data-dir x": "x",
    "convert --data_dir=x --out-dir y --min_area 3": "x",
    "convert --datadir x --categories car,person --splits val,train": "x",
    "convert --datadir x --categories car, person --splits val --splits train": "x",
    "convert --datadir x --category-ids 0 --skip_bad --image-dir y": "x",
    "convert -datadir x": "x",
    "inspect --coco-dir x --num-examples 3 --min_score=-1 --results r": "x/annotations",
    "inspect --cocodir x --category car person --seed -5": "x/annotations",
    "inspect --datadir x": "x",
    "evaluate --coco-dir x --results r": "x/annotations",
    "evaluate --data-dir x --results r": "x",
}


@pytest.mark.parametrize("typed", UNDERSTOOD)
def test_either_line_spells_an_option(typed: str, tmp_path: Path, monkeypatch: Patch) -> None:
    monkeypatch.chdir(tmp_path)
    write_json(tmp_path / "r", [])
    verb, *argv = shlex.split(typed)
    code, _, err = run(load_verb(verb), *argv)
    folder = f"error: {UNDERSTOOD[typed]}: no such folder"
    assert code == 1 and err.replace("\\", "/").startswith(folder)


def test_numbers_of_categories_may_be_figures() -> None:
    assert build_parser().parse_args(["--category-ids", "0"]).category_ids == "zero"


def test_the_option_of_another_verb_is_told_by_the_command() -> None:
    code, _, err = run(partial(choose_verb, "cityscapes-coco"), "convert", "--stats")
    assert code == 2 and "cityscapes-coco convert: error: unknown option --stats" in err
    assert err.endswith("it is one of cityscapes-coco inspect\n")

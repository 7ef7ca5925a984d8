"""Ends main.py and evaluate_coco.py --save at random moments and in every way, and checks what they
leave.

    python tests/kill.py --count 200

Afterwards either the earlier files or the new ones must be there, whole, and nothing else; no
process may remain and no traceback may be printed. Only a kill -9 or a second signal may leave a
hidden folder, or a folder of panoptic maps without its JSON file. The exit code is 0 if that held
each time.
"""

import argparse
import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

import numpy as np
import psutil

sys.path.insert(0, str(Path(__file__).parent.parent))

from tests.conftest import PATIENCE, save_map
from tests.files import GOLDEN_VAL, OUTPUT, PANOPTIC, PREDICTIONS, ROOT, SAMPLE, read_folder, touch

OLD = b"an earlier file"
FOLDER = PANOPTIC.removesuffix(".json")


class Victim:
    """Runs the program on a folder of maps, again and again."""

    def __init__(self, folder: Path) -> None:
        self.datadir = folder / "data"
        self.outdir = folder / "out"
        maps = self.datadir / "gtFine" / "train" / "a"
        self.outdir.mkdir()
        noise = np.random.default_rng(0)
        for number in range(60):
            values = noise.integers(26000, 26009, (30, 30))
            save_map(maps / f"a_{number:06d}_0_gtFine_instanceIds.png", values)
        start = time.monotonic()
        with self.start(1) as process:
            _, errors = process.communicate(timeout=PATIENCE)
        assert process.returncode == 0, errors
        self.seconds = time.monotonic() - start
        self.new = read_folder(self.outdir)
        self.old = {name: OLD for name in (OUTPUT, PANOPTIC, f"{FOLDER}/a_panoptic.png")}

    def start(self, workers: int) -> "subprocess.Popen[bytes]":
        where = "--datadir", self.datadir, "--outdir", self.outdir, "--panoptic"
        return _start("main.py", *where, "--workers", workers)

    def end(self, whom: str, number: int, workers: int, delay: float) -> str:
        """Run the program, end `whom` after `delay` seconds, and check the files that are left.

        Returns which these are: "old", "new", or some of each, "between".
        """
        shutil.rmtree(self.outdir)
        for name, content in self.old.items():
            touch(self.outdir / name).write_bytes(content)
        process = self.start(workers)
        errors = _end(process, whom, number, delay)
        story = f"{whom}, signal {number}, after {delay:.3f} s: {process.returncode}, {errors!r}"
        left = read_folder(self.outdir)
        if left not in (self.old, self.new):
            assert whom == "burst" or (number == signal.SIGKILL and whom != "worker"), story
            self.check_parts(left, story)
        # A signal may arrive while Python starts, before the program can handle it.
        if b"import load_verb" not in errors:
            assert b"main.py" not in errors and b"Exception ignored" not in errors, story
        by_itself = 1 if whom == "worker" else 128 + number
        assert process.returncode in (0, by_itself, -number), story
        assert process.returncode != 0 or left == self.new, story
        return "new" if left == self.new else "old" if left == self.old else "between"

    def check_parts(self, left: dict[str, bytes], story: str) -> None:
        """Check what a kill leaves while the program moves its files into place."""
        seen = {name: content for name, content in left.items() if not name.startswith(".")}
        assert seen.pop(OUTPUT) in (OLD, self.new[OUTPUT]), story
        pairs = [files.items() - {(OUTPUT, files[OUTPUT])} for files in (self.old, self.new)]
        assert PANOPTIC not in seen or seen.items() in pairs, story


def kill_save(folder: Path, whom: str, number: int, delay: float) -> str:
    """End evaluate_coco.py --save; check that its folder is whole or not there, and that the next
    run leaves nothing else. Returns "new" or "old"."""
    target = folder / "save" / "results"
    shutil.rmtree(target.parent, ignore_errors=True)
    files = "--coco_dir", SAMPLE, "--coco", GOLDEN_VAL, "--results", PREDICTIONS, "--save", target
    command = "evaluate_coco.py", *files, "--workers", 2
    process = _start(*command)
    errors = _end(process, whom, number, delay)
    story = f"--save, {whom}, signal {number}, after {delay:.3f} s: {errors!r}"
    left = len(list(target.iterdir())) if target.exists() else 0
    shutil.rmtree(target, ignore_errors=True)
    with _start(*command) as again:
        _, errors = again.communicate(timeout=PATIENCE)
    assert again.returncode == 0, (story, errors)
    assert left in (0, len(list(target.iterdir()))), story
    assert [path.name for path in target.parent.iterdir()] == ["results"], story
    return "new" if left else "old"


def _start(program: str, *options: object) -> "subprocess.Popen[bytes]":
    command = [sys.executable, str(ROOT / program), *map(str, options)]
    return subprocess.Popen(
        command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, start_new_session=True
    )


def _end(process: "subprocess.Popen[bytes]", whom: str, number: int, delay: float) -> bytes:
    """Send a signal after `delay` seconds; return what the program said when all of it is gone."""
    time.sleep(delay)
    if whom == "group":
        os.killpg(process.pid, number)
    elif whom == "worker":
        for child in psutil.Process(process.pid).children()[:1]:
            child.send_signal(number)
    else:
        for _ in range(5 if whom == "burst" else 1):
            process.send_signal(number)
            time.sleep(0.002)
    _, errors = process.communicate(timeout=PATIENCE)
    deadline = time.monotonic() + PATIENCE
    while _group_exists(process.pid):
        assert time.monotonic() < deadline, "a worker lives on"
        time.sleep(0.005)
    return errors


def _group_exists(group: int) -> bool:
    try:
        os.killpg(group, 0)
    except ProcessLookupError:
        return False
    return True


WAYS = ["program KILL", "group KILL", "worker KILL", "worker TERM", "program INT", "group INT"]
WAYS += ["program TERM", "burst INT", "burst TERM", "group TERM", "program HUP"]


def kill(folder: Path, count: int, seed: int) -> Counter[str]:
    """End the program `count` times; return how often it left old, new or mixed files."""
    victim = Victim(folder)
    dice = random.Random(seed)
    left: Counter[str] = Counter()
    for number in range(count):
        whom, name = WAYS[(seed + number) % len(WAYS)].split()
        sent = signal.Signals[f"SIG{name}"]
        workers = 1 if whom == "program" and dice.random() < 0.5 else 2
        if number % 4 == 3:
            left[kill_save(folder, whom, sent, dice.uniform(0, 2))] += 1
            continue
        left[victim.end(whom, sent, workers, dice.uniform(0, 1.2 * victim.seconds))] += 1
    return left


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--count", type=int, default=200)
    parser.add_argument("--seed", type=int, default=int(time.time()))
    arguments = parser.parse_args()
    print(f"--seed {arguments.seed}")
    with tempfile.TemporaryDirectory() as folder:
        left = kill(Path(folder), arguments.count, arguments.seed)
    old, new, between = left["old"], left["new"], left["between"]
    print(f"{arguments.count} kills: {old} times the old files, {new} the new, {between} between")

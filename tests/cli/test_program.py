"""How a program ends: by itself, by a signal, or because of its streams."""

import multiprocessing
import os
import signal
import struct
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from cityscapes_coco.cli.program import load_verb, run_program
from cityscapes_coco.errors import UserError
from cityscapes_coco.run.workers import Map
from main import main
from tests.conftest import PATIENCE, Capture, WriteMap, convert, posix_only, run_code, run_script
from tests.files import OUTPUT, PREDICTIONS, ROOT, load, touch

INSPECT, EVALUATE = "inspect_coco.py", "evaluate_coco.py"
OUT_OF_MEMORY = "error: out of memory; try fewer --workers"
INTERRUPTED = "interrupted; no file was left half-written"


@pytest.mark.parametrize(
    ("error", "code", "says"),
    [
        (UserError("a\nb", "is wrong; mend it"), 1, "error: a\\nb: is wrong; mend it"),
        (FileNotFoundError(2, "No such file", b"x"), 1, "error: x: No such file"),
        (OSError("odd"), 1, "error: odd"),
        (MemoryError(), 1, OUT_OF_MEMORY),
        (OSError(12, "Cannot allocate memory"), 1, OUT_OF_MEMORY),
        (RuntimeError("can't start new thread"), 1, OUT_OF_MEMORY),
        (ImportError("x.so: failed to map segment from shared object"), 1, OUT_OF_MEMORY),
        (
            ValueError("numpy.dtype size changed, may indicate binary incompatibility"),
            1,
            "error: two packages do not fit together: numpy.dtype size changed, may indicate binary"
            " incompatibility; install cityscapes-coco again",
        ),
        (KeyboardInterrupt(), 130, INTERRUPTED),
        (KeyboardInterrupt(15), 143, INTERRUPTED),
    ],
)
def test_errors_are_one_line(error: BaseException, code: int, says: str, capsys: Capture) -> None:
    def program() -> int:
        raise error

    assert run_program(program) == code
    assert capsys.readouterr() == ("", f"{says}\n")


def find_nothing(*_: object, **options: object) -> float:
    return 1 / 0


@pytest.mark.parametrize("workers", ["1", "2"])
def test_a_fault_of_the_program_is_traced_to_its_line_wherever_the_work_is_done(
    workers: str, frame: Path, monkeypatch: pytest.MonkeyPatch, capfd: Capture
) -> None:
    if workers == "2" and multiprocessing.get_start_method() != "fork":
        pytest.skip("only a forked worker inherits what the test replaces")
    monkeypatch.setattr("cityscapes_coco.convert.annotate.find_instances", find_nothing)
    assert main(["--datadir", str(frame), "--workers", workers]) == 70
    err = capfd.readouterr().err
    assert "in find_nothing\n    return 1 / 0\n" in err
    assert "ZeroDivisionError: division by zero\nthis is a fault of the program; please" in err
    assert not list((frame / "annotations").iterdir())


# What is put beside the packages, and what is said. Python runs sitecustomize before the program.
MISSING = [f"main.py {package}" for package in ("tqdm", "numpy", "cv2", "msgspec")]
MISSING += [f"{INSPECT} numpy", f"{INSPECT} pycocotools"]
PROBLEMS = {
    "main.py from": (
        {"cv2/__init__.py": "raise ImportError('a\\nb') from ImportError('no C', name='cv2')"},
        "the package cv2 cannot be loaded: no C; remove it, and then pip install",
    ),
    "main.py libGL": (
        {"cv2/__init__.py": "raise ImportError('libGL.so.1: cannot open shared object file')"},
        "a package cannot be loaded: libGL.so.1: cannot open shared object file; pip",
    ),
    "main.py empty": ({"cv2/__init__.py": ""}, "the package cv2 is incomplete: it has no "),
}


@pytest.mark.parametrize("case", [*MISSING, *PROBLEMS])
def test_a_missing_or_broken_package_is_one_line(case: str, frame: Path, tmp_path: Path) -> None:
    program, package = case.split()
    files = {"sitecustomize.py": f"import sys; sys.modules[{package!r}] = None"}
    says = f"the package {package} is missing: pip install -r requirements.txt"
    files, says = PROBLEMS.get(case, (files, says))
    options: list[object] = ["--datadir", frame]
    if case.startswith(INSPECT):
        convert(frame)
        options = ["--coco_dir", frame, "--verify"]
    for name, content in files.items():
        touch(tmp_path / name).write_text(content)
    environment = {**os.environ, "PYTHONPATH": str(tmp_path)}
    process = run_script(program, *options, env=environment)
    *others, line = process.stderr.splitlines()
    assert process.returncode == 1 and line.startswith(f"error: {says}")
    assert not others or ("cv2" in says and "Traceback" not in process.stderr)


@posix_only
def test_too_little_address_space_is_out_of_memory(frame: Path) -> None:
    """Whether a library, a thread or an array finds no room depends on the limit."""
    resource = pytest.importorskip("resource", reason="needs POSIX")
    for megabytes in 150, 300, 450:
        limit = megabytes << 20
        process = run_script(
            "main.py", "--datadir", frame, "--workers", 2,
            preexec_fn=lambda limit=limit: resource.setrlimit(resource.RLIMIT_AS, (limit, limit)),
            env={**os.environ, "OPENBLAS_NUM_THREADS": "1"},
        )  # fmt: skip
        last = (process.stderr.splitlines() or [""])[-1]
        if process.returncode:
            assert process.returncode == 1 and "Traceback" not in process.stderr, process.stderr
            assert "out of memory" in last or "a worker process died" in last


LOADED = """
import contextlib, sys, evaluate_coco, inspect_coco, main
for program in evaluate_coco, inspect_coco, main:
    with contextlib.suppress(SystemExit):
        program.main(["--help"])
assert not {"cv2", "matplotlib", "msgspec", "numpy", "tqdm"} & sys.modules.keys()
assert inspect_coco.main(["--coco_dir", sys.argv[1], "--num_examples", "0"]) == 0
assert not {"cv2", "matplotlib", "numpy"} & sys.modules.keys()
"""


def test_neither_the_help_nor_the_summary_loads_a_large_package(frame: Path) -> None:
    convert(frame)
    process = run_code(LOADED, frame)
    assert process.returncode == 0, process.stderr


@pytest.mark.parametrize(
    ("verb", "work", "options"),
    [
        ("convert", "convert.split.convert_split", ["--workers=1", "--datadir"]),
        (
            "evaluate",
            "scores.evaluate.evaluate_results",
            ["--workers=1", f"--results={PREDICTIONS}", "--coco"],
        ),
        ("inspect", "check.verify.verify_file", ["--verify", "--coco"]),
    ],
)
def test_a_verb_ends_at_a_signal_between_two_results(
    verb: str, work: str, options: list[str], frame: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    noted = False

    def stop(*_: object, run: Map, **__: object) -> None:
        nonlocal noted
        signal.raise_signal(signal.SIGINT)
        noted = True
        list(run(abs, [1]))
        pytest.fail("the signal was passed over")

    monkeypatch.setattr(f"cityscapes_coco.{work}", stop)
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        assert load_verb(verb)([*options, str(frame)]) == 130
    finally:
        signal.signal(signal.SIGINT, before)
    assert noted


@posix_only
@pytest.mark.parametrize("sent", ["INT", "TERM", "HUP", "TERM TERM", "INT TERM INT"])
def test_signals_leave_nothing_behind(sent: str, datadir: Path, write_map: WriteMap) -> None:
    for n in range(40):
        write_map(np.full((300, 400), 26000) + np.eye(300, 400), name=f"a_{n:06d}_000000")
    process = subprocess.Popen(
        [sys.executable, ROOT / "main.py", "--datadir", datadir],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    deadline = time.monotonic() + PATIENCE
    while not (datadir / "annotations").exists() and process.poll() is None:
        assert time.monotonic() < deadline
        time.sleep(0.01)
    numbers = [getattr(signal, f"SIG{name}") for name in sent.split()]
    for number in numbers:
        process.send_signal(number)
    out, err = process.communicate(timeout=PATIENCE)
    assert out == "" and "Traceback" not in err and "Exception" not in err
    assert not list((datadir / "annotations").iterdir())
    if len(numbers) == 1:
        assert err.splitlines()[-1] == INTERRUPTED
        assert process.returncode == 128 + numbers[0]
    # The second one may end the program at once, which a shell tells by the same code.
    assert process.returncode in {128 + number for number in numbers} | {-n for n in numbers}


@posix_only
@pytest.mark.parametrize("program", ["main.py", "inspect_coco.py"])
def test_ctrl_c_while_it_starts_is_silent(program: str) -> None:
    process = subprocess.Popen(
        [sys.executable, "-X", "importtime", ROOT / program], stderr=subprocess.PIPE, text=True
    )
    assert process.stderr
    # The first of the imports that come after the program's first line.
    assert any("argparse" in line for line in iter(process.stderr.readline, ""))
    process.send_signal(signal.SIGINT)
    _, errors = process.communicate(timeout=PATIENCE)
    assert process.returncode in (-signal.SIGINT, 1) and "Traceback" not in errors


CONVERT, SUMMARY = "main.py --workers 1 --datadir", "inspect_coco.py --num_examples 0 --coco_dir"
FULL = "error: standard output: No space left on device\n"


# Here {0} is a pipe whose reader has gone.
@posix_only
@pytest.mark.parametrize(
    ("command", "redirection", "code", "says"),
    [
        (CONVERT, ">&{0}", 141, ""),
        (CONVERT, ">&{0} 2>&{0}", 141, ""),
        (CONVERT, ">&-", 0, ""),
        (CONVERT, "2>&-", 0, ""),
        (CONVERT, ">/dev/full", 1, FULL),
        (SUMMARY, ">&{0} 2>&{0}", 141, ""),
        (SUMMARY, ">/dev/full", 1, FULL),
        *((f"{name} --help", ">/dev/full", 1, FULL) for name in ("main.py", INSPECT, EVALUATE)),
    ],
)
def test_an_output_that_is_closed_or_full_is_no_traceback(
    command: str, redirection: str, code: int, says: str, frame: Path
) -> None:
    if "/dev/full" in redirection and not Path("/dev/full").exists():
        pytest.skip("this system has no /dev/full")
    if command == SUMMARY:
        convert(frame)
    program, *options = command.split()
    reader, writer = os.pipe()
    os.close(reader)
    process = subprocess.run(
        ["bash", "-c", f'"$@" {redirection.format(writer)}', "", sys.executable, program,
         *options, *[frame] * ("--help" not in options)],
        cwd=ROOT, pass_fds=[writer], capture_output=True, text=True, timeout=PATIENCE,
    )  # fmt: skip
    os.close(writer)
    assert process.returncode == code and process.stderr.endswith(says)
    assert "Traceback" not in process.stderr and "Exception" not in process.stderr
    assert code or load(frame / "annotations" / OUTPUT)["annotations"]
    assert "--help" not in options or process.stderr == says


@pytest.mark.parametrize(
    ("encoding", "on_terminal"),
    [("ascii", False), ("ascii", True), ("cp437", False), ("latin-1", True), ("utf-8", True)],
)
def test_a_character_that_a_stream_lacks_is_escaped(
    encoding: str, on_terminal: bool, datadir: Path, write_map: WriteMap
) -> None:
    write_map(name="Łódź 東京_000000_000000")
    write_map(name="Łódź 東京_000001_000000").write_bytes(b"")
    folder = datadir.rename(datadir.parent / "Łódź 東京")
    options = ["--datadir", folder, "--workers", "1", "--skip-bad"]
    environment = {**os.environ, "PYTHONIOENCODING": encoding, "PYTHONUTF8": "0", "TERM": "dumb"}
    if on_terminal:
        pty = pytest.importorskip("pty", reason="needs POSIX")
        here, there = pty.openpty()
        # Where a terminal has no columns, no bar is drawn.
        size = struct.pack("4H", 24, 200, 0, 0)
        pytest.importorskip("fcntl").ioctl(there, pytest.importorskip("termios").TIOCSWINSZ, size)
        streams = {"capture_output": False, "stdout": there, "stderr": there}
        process = run_script("main.py", *options, env=environment, **streams)
        os.close(there)
        shown = os.read(here, 100_000).decode(encoding)
        os.close(here)
        assert "100%" in shown
    else:
        process = run_script("main.py", *options, env=environment, encoding=encoding)
        shown = process.stdout + process.stderr
    assert process.returncode == 0 and "an empty file" in shown and "Traceback" not in shown
    assert f"written to {folder}".encode(encoding, "backslashreplace").decode(encoding) in shown

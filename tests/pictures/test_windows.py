"""The windows that show pictures, on a virtual screen."""

import os
import re
import select
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.conftest import PATIENCE, Coco, Patch, run_script
from tests.files import OUTPUT, ROOT, write_json
from tests.pictures.conftest import predict


def missing_for_windows() -> str:
    try:
        import tkinter  # noqa: F401  (matplotlib's toolkit)
    except ImportError:
        return "this Python has no tkinter"
    return ", ".join(f"no {name}" for name in ("Xvfb", "xdotool") if not shutil.which(name))


ABORT = "import os; os.abort()"
needs_windows = pytest.mark.skipif(bool(missing_for_windows()), reason=missing_for_windows())


@pytest.mark.parametrize(
    ("modules", "reason"),
    [
        ({}, "no window (MPLBACKEND is agg), so"),
        ({"tkinter": "raise ImportError"}, "no toolkit for windows (install python3-tk), so"),
        (
            {"tkinter": "raise ImportError", "PyQt6": ABORT},
            "Qt opens no window here (install libxcb-cursor0, or python3-tk), so",
        ),
    ],
)
def test_without_a_window(modules: dict[str, str], reason: str, data: Path, coco: Coco) -> None:
    """With a display, but with toolkits that are missing or end the process that starts them."""
    for name, content in modules.items():
        (data / f"{name}.py").write_text(content)
    path = write_json(data / OUTPUT, coco)
    settings = {"DISPLAY": ":4711", "MPLBACKEND": "" if modules else "agg", "PYTHONPATH": str(data)}
    options = ["--stats"] if len(modules) == 1 else ["--num_examples", 1]
    argv = "--coco_dir", data, "--coco", path, *options
    done = run_script("inspect_coco.py", *argv, env={**os.environ, **settings})
    assert (done.returncode, done.stderr) == (0, "")
    assert f"{reason} pictures go to {data / 'pictures'}" in done.stdout
    assert len([*(data / "pictures").glob("*.png")]) == 1


@pytest.fixture
def screen(monkeypatch: Patch) -> Iterator[None]:
    """A virtual screen for the programs that are started."""
    read, write = os.pipe()
    # Without -noreset, a server starts anew whenever its last client leaves, such as xdotool.
    command = ["Xvfb", "-displayfd", str(write), "-noreset", "-screen", "0", "1600x900x24"]
    with subprocess.Popen(command, pass_fds=[write], stderr=subprocess.DEVNULL) as server:
        os.close(write)
        assert select.select([read], [], [], PATIENCE)[0]
        with os.fdopen(read) as display:
            monkeypatch.setenv("DISPLAY", f":{display.readline().strip()}")
        monkeypatch.setenv("MPLBACKEND", "TkAgg")
        yield
        server.terminate()


@contextmanager
def inspecting(data: Path, coco: Coco, *options: str) -> Iterator["subprocess.Popen[str]"]:
    """The inspector of a file, which is ended with the context if need be."""
    path = write_json(data / OUTPUT, coco)
    command = [sys.executable, "inspect_coco.py", "--coco_dir", str(data), "--coco", str(path)]
    pipe = subprocess.PIPE
    with subprocess.Popen(
        [*command, *options], cwd=ROOT, stdout=pipe, stderr=pipe, text=True
    ) as process:
        try:
            yield process
        finally:
            process.kill()


def xdotool(*args: str) -> str:
    done = subprocess.run(["xdotool", *args], capture_output=True, text=True, timeout=PATIENCE)
    return done.stdout.strip()


def wait_for_title(pattern: str, seconds: float = PATIENCE) -> str:
    """Return the title of the window as soon as it fits the pattern, nothing if it never does."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        title = xdotool("search", "--onlyvisible", "--name", "q close", "getwindowname")
        if re.search(pattern, title):
            return title
        time.sleep(0.1)
    return ""


def press(key: str, pattern: str) -> bool:
    """Press a key, again if need be as a new window may miss some, until the title fits."""
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline:
        xdotool("search", "--onlyvisible", "--name", "q close", "windowfocus", "key", key)
        if wait_for_title(pattern, seconds=10):
            return True
    return False


@needs_windows
def test_keys_browse_and_switch_layers_in_a_window(screen: None, data: Path, coco: Coco) -> None:
    results = write_json(data / "results.json", [predict(coco["annotations"][1], 0.9)])
    options = "--results", str(results), "--num_examples", "3", "--seed", "1"
    with inspecting(data, coco, *options) as process:
        first = wait_for_title(r"\(1 of 3\)")
        assert "m masks on  |  b boxes on  |  l labels on  |  t truth on  |  q close" in first
        for key, pattern in [
            ("Right", r"\(2 of 3\)"),
            ("Right", r"\(3 of 3\)"),
            ("Right", r"\(1 of 3\)"),
            ("Left", r"\(3 of 3\)"),
            ("m", "m masks off"),
            ("b", "b boxes off"),
            ("l", "l labels off"),
            ("t", "t truth off"),
            ("m", "m masks on"),
            ("Left", r"\(2 of 3\).*m masks on.*b boxes off.*l labels off.*t truth off"),
        ]:
            assert press(key, pattern), pattern
        xdotool("key", "q")
        _, err = process.communicate(timeout=PATIENCE)
    assert process.returncode == 0 and err == ""


@needs_windows
def test_statistics_open_in_a_window_that_ctrl_c_ends(screen: None, data: Path, coco: Coco) -> None:
    with inspecting(data, coco, "--stats") as process:
        assert wait_for_title(OUTPUT)
        process.send_signal(signal.SIGINT)
        _, err = process.communicate(timeout=PATIENCE)
    assert process.returncode == 130 and err.startswith("interrupted")


@needs_windows
def test_tk_opens_where_qt_ends(screen: None, data: Path, coco: Coco, monkeypatch: Patch) -> None:
    (data / "PyQt6.py").write_text(ABORT)
    monkeypatch.setenv("PYTHONPATH", str(data))
    monkeypatch.delenv("MPLBACKEND")
    with inspecting(data, coco, "--num_examples", "1") as process:
        assert wait_for_title(r"\(1 of 1\)")
        assert process.poll() is None


@needs_windows
def test_what_cannot_be_decoded_closes_the_window(screen: None, data: Path, coco: Coco) -> None:
    for image, annotation in zip(coco["images"], coco["annotations"], strict=True):
        annotation.update(image_id=image["id"], segmentation=[[1, 2, 3, 4]])
    with inspecting(data, coco) as process:
        _, err = process.communicate(timeout=PATIENCE)
    assert process.returncode == 1
    assert err.startswith("error: ") and len(err.splitlines()) == 1

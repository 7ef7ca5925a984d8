"""Signals that end a program where it looks for them, and Ctrl-C that is delayed."""

import signal
from concurrent.futures import ThreadPoolExecutor

import pytest

from cityscapes_coco.run.signals import ctrl_c_held, stoppable
from tests.conftest import PATIENCE, posix_only, run_code


def test_a_signal_is_noted_and_raised_where_it_is_looked_for_unless_it_is_ignored() -> None:
    """As `nohup` has it."""
    before = signal.signal(signal.SIGTERM, signal.SIG_IGN)
    try:
        with stoppable() as check:
            signal.raise_signal(signal.SIGTERM)
            check()
        signal.signal(signal.SIGTERM, signal.SIG_DFL)
        with stoppable() as check:
            signal.raise_signal(signal.SIGTERM)
            for _ in range(2):
                with pytest.raises(KeyboardInterrupt) as stopped:
                    check()
                assert stopped.value.args == (signal.SIGTERM,)
        assert signal.getsignal(signal.SIGTERM) == signal.SIG_DFL
    finally:
        signal.signal(signal.SIGTERM, before)


@posix_only
def test_a_second_signal_ends_the_process_at_once() -> None:
    code = """
import signal
from cityscapes_coco.run.signals import stoppable
with stoppable():
    signal.raise_signal(signal.SIGTERM)
    print("goes on", flush=True)
    signal.raise_signal(signal.SIGTERM)
    print("goes on")
"""
    process = run_code(code)
    assert (process.returncode, process.stdout) == (-signal.SIGTERM, "goes on\n")


def test_beside_the_main_thread_signals_are_left_alone() -> None:
    def work() -> object:
        with stoppable() as check:
            check()
            return signal.getsignal(signal.SIGINT)

    with ThreadPoolExecutor(1) as threads:
        assert threads.submit(work).result(PATIENCE) == signal.getsignal(signal.SIGINT)


@posix_only
def test_ctrl_c_comes_when_what_holds_it_is_left() -> None:
    reached = False
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        with pytest.raises(KeyboardInterrupt), ctrl_c_held():
            signal.raise_signal(signal.SIGINT)
            reached = True
    finally:
        signal.signal(signal.SIGINT, before)
    assert reached

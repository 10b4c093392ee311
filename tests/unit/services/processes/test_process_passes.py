from __future__ import annotations

import os
import signal
import subprocess
from collections.abc import Iterator

import pytest

from switchover.services.processes.process_passes import ProcessPasses
from switchover.services.processes.process_table import ProcessRow

LONG = 100.0


@pytest.fixture
def sleeper() -> Iterator[subprocess.Popen[bytes]]:
    process = subprocess.Popen(["sleep", "1000"])
    os.waitid(os.P_PID, process.pid, os.WSTOPPED | os.WNOHANG)
    yield process
    process.kill()
    process.wait()


class Passes(ProcessPasses):
    """Passes over one process, each some time after the one before."""

    def __init__(self, process: subprocess.Popen[bytes], *, told: bool = True) -> None:
        super().__init__(lambda _: told)
        self.process = process
        self.mono = 1000.0

    def after(self, seconds: float) -> ProcessRow | None:
        self.mono += seconds
        return next((row for row in self.read(self.mono) if row.pid == self.process.pid), None)

    def until_it_rests(self) -> ProcessRow:
        for _ in range(100):
            before = self.after(5.0)
            if before is not None and self.after(0.001) is before:
                return before
        raise AssertionError("it never rests")


def halt(process: subprocess.Popen[bytes]) -> None:
    process.send_signal(signal.SIGSTOP)
    os.waitid(os.P_PID, process.pid, os.WSTOPPED)


def test_a_process_that_does_nothing_is_read_now_and_then_only(sleeper: subprocess.Popen[bytes]) -> None:
    passes = Passes(sleeper)
    resting = passes.until_it_rests()
    halt(sleeper)
    assert passes.after(0.001) is resting
    later = passes.after(20.0)
    assert later is not None
    assert later.state == "T"


def test_one_that_was_looked_at_by_itself_is_read_again(sleeper: subprocess.Popen[bytes]) -> None:
    passes = Passes(sleeper)
    resting = passes.until_it_rests()
    halt(sleeper)
    passes.saw(resting)
    again = passes.after(0.001)
    assert again is not None
    assert again.state == "T"


def test_one_whose_end_would_not_be_told_never_rests(sleeper: subprocess.Popen[bytes]) -> None:
    passes = Passes(sleeper, told=False)
    rows = [passes.after(LONG) for _ in range(3)]
    assert len({id(row) for row in rows}) == 3


def test_one_that_has_gone_is_in_no_pass(sleeper: subprocess.Popen[bytes]) -> None:
    passes = Passes(sleeper)
    passes.until_it_rests()
    sleeper.kill()
    sleeper.wait()
    assert passes.after(0.001) is None

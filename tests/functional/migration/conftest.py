import json
import os
import shutil
import signal
import tempfile
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from tests.unit.migration.harness import OPENED

from switchover.migration.steps.traces import open_process, session_members


@pytest.fixture(autouse=True)
def engines_are_closed() -> Iterator[None]:
    """Let go of what a failed test has left open."""
    yield
    while OPENED:
        OPENED.pop().engine.run_store.close()


@pytest.fixture
def fast_folder(tmp_path: Path) -> Iterator[Path]:
    """A folder in memory where there is one: SIGKILL does not know the difference, and a flush costs nothing there."""
    memory = Path("/dev/shm")
    try:
        folder = Path(tempfile.mkdtemp(prefix="switchover-crash-", dir=memory))
    except OSError:
        yield tmp_path
        return
    yield folder
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(autouse=True)
def steps_are_ended(request: pytest.FixtureRequest) -> Iterator[None]:
    """End what a failed test has left running: its shims first, then the sessions of their steps."""
    folder: Path | None = request.getfixturevalue("tmp_path") if "tmp_path" in request.fixturenames else None
    yield
    if folder is None:
        return
    for claim in folder.glob("**/runs/*/*/claim"):
        _end_shim(_facts(claim))
        started = _facts(claim.with_name("started.json"))
        if started:
            for pid in session_members(int(started["pid"]), int(started["pid_start"])):
                with suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)


def _facts(path: Path) -> dict[str, Any]:
    try:
        return json.loads(path.read_bytes()) or {}
    except (OSError, ValueError):
        return {}


def _end_shim(owner: dict[str, Any]) -> None:
    handle = open_process(int(owner["shim"]), int(owner["shim_start"])) if "shim" in owner else None
    if handle is not None:
        with suppress(ProcessLookupError):
            signal.pidfd_send_signal(handle, signal.SIGKILL)
        os.close(handle)

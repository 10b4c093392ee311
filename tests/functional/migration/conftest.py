import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.unit.migration.harness import OPENED


@pytest.fixture(autouse=True)
def engines_are_closed() -> Iterator[None]:
    """Let go of what a failed test has left open."""
    yield
    while OPENED:
        OPENED.pop().engine.keeper.close()


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

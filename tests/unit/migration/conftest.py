from collections.abc import Iterator

import pytest
from tests.unit.migration.harness import OPENED


@pytest.fixture(autouse=True)
def engines_are_closed() -> Iterator[None]:
    """Let go of what a failed test has left open."""
    yield
    while OPENED:
        OPENED.pop().engine.run_store.close()

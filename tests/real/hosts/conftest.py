"""What the tests of other machines share."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator

import pytest
from tests.support.far_host import FarHost, run_far_host
from tests.unit.migration.harness import OPENED


@pytest.fixture(scope="module")
def far(tmp_path_factory: pytest.TempPathFactory) -> Iterator[FarHost]:
    with run_far_host(tmp_path_factory.mktemp("far")) as host:
        yield host


@pytest.fixture(autouse=True)
async def engines_are_closed() -> AsyncIterator[None]:
    yield
    while OPENED:
        await OPENED.pop().engine.aclose()

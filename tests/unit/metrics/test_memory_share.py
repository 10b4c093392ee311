from __future__ import annotations

import psutil
import pytest
from tests.unit.health.health_fakes import StillClock

from switchover.metrics.json_documents import JsonDocuments, NoValueError
from switchover.metrics.source_api import SourceTools
from switchover.metrics.sources.service_numbers import ServiceNumberConfig, ServiceNumberSource


async def test_the_memory_of_a_service_may_be_a_share_of_that_of_this_machine() -> None:
    quarter = psutil.virtual_memory().total / 4
    seen = {("api", "memory"): quarter}
    tools = SourceTools(StillClock().monotonic, JsonDocuments(), lambda service, what: seen.get((service, what)))
    source = ServiceNumberSource(tools)
    share, gone = await source.read(
        [ServiceNumberConfig("api", "memory_share"), ServiceNumberConfig("gone", "memory_share")]
    )
    assert share == pytest.approx(25.0)
    assert isinstance(gone, NoValueError)
    assert source.unit({"metric": "memory_share"}) == "%"

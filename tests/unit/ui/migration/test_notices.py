"""What has to be read before a run is touched stands in full on Overview and Migration."""

from dataclasses import replace
from typing import Any

import pytest
from tests.support import ui_samples as samples
from tests.support.ui_samples import FakeSource, StillClock
from tests.support.ui_screen import screen_text
from tests.unit.ui.app.test_app import play

from switchover.ui.app.application import SwitchoverApp

TEXT = "the plan shop is held by run 1 of shop, which ana@bastion drove last; its state lies in /home/ana/state/there"


@pytest.mark.parametrize("tab", ["overview", "migration"])
@pytest.mark.parametrize("field", ["held_elsewhere", "not_believed", "journal_refused"])
async def test_it_stands_in_full_on_a_narrow_screen(tab: str, field: str) -> None:
    sample = samples.acting("none", "", "nothing")
    changes: dict[str, Any] = {field: TEXT}
    sample = replace(sample, migration=replace(sample.migration, **changes))

    async def story(_pilot: Any, app: SwitchoverApp, _source: FakeSource, _clock: StillClock) -> None:
        words = " ".join(screen_text(app).replace("│", " ").split())
        assert f"! {TEXT}" in words

    await play(story, sample, tab=tab)

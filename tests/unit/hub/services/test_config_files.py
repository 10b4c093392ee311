from __future__ import annotations

import asyncio
import os
import threading
from pathlib import Path

import pytest
from tests.unit.hub.fake_source import FakeSource
from tests.unit.hub.hub_fakes import PATIENCE_S, stage

from switchover.hub.services import config_files
from switchover.hub.services.config_files import ConfigFiles

PLAN = 'services: {{api: {{kind: docker, container: api, every: 1h, config: ["{path}"]}}}}\n'


async def test_a_configuration_file_that_never_answers_keeps_no_service_from_being_watched(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    released = threading.Event()
    monkeypatch.setattr(config_files, "_digest_of", lambda _: str(released.wait(30)))
    source = FakeSource("api")
    try:
        async with stage(PLAN.format(path=tmp_path / "hangs"), tmp_path, providers=(source,)):
            async with asyncio.timeout(PATIENCE_S):
                await source.watching.wait()
    finally:
        released.set()


async def test_a_named_pipe_in_the_place_of_a_file_holds_up_no_other_file(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "app.conf").write_text("one")
    told: asyncio.Queue[tuple[str, str]] = asyncio.Queue()
    files = ConfigFiles({"api": ("pipe", "app.conf")}, tmp_path)
    try:
        async with asyncio.timeout(PATIENCE_S):
            await files.start(lambda service, text: told.put_nowait((service, text)))
            (tmp_path / "app.conf").write_text("two")
            service, text = await told.get()
        assert service == "api"
        assert "app.conf (" in text
    finally:
        await files.aclose()


async def test_a_file_whose_watch_could_not_be_set_is_tried_again(tmp_path: Path) -> None:
    known: list[str] = []
    told: asyncio.Queue[str] = asyncio.Queue()
    files = ConfigFiles({"api": ("{{ name }}",)}, tmp_path, lambda _: known[0] if known else None)
    (tmp_path / "late.conf").write_text("one")
    try:
        async with asyncio.timeout(PATIENCE_S):
            await files.start(lambda _, text: told.put_nowait(text))
            known.append("late.conf")
            await files.add_known()
            (tmp_path / "late.conf").write_text("two")
            assert "late.conf" in await told.get()
    finally:
        await files.aclose()

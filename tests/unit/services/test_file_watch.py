from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from switchover.services.file_watch import FileChange, FileEvent, FileWatch


class Ear:
    """Hears what is told, and waits for a word."""

    def __init__(self) -> None:
        self.heard: list[FileEvent] = []
        self._more = asyncio.Event()

    def __call__(self, event: FileEvent) -> None:
        self.heard.append(event)
        self._more.set()

    @property
    def changes(self) -> list[FileChange]:
        return [event.change for event in self.heard]

    async def hear(self, change: FileChange) -> FileEvent:
        """Wait until `change` is told; what was told before it is forgotten."""
        async with asyncio.timeout(10):
            while change not in self.changes:
                self._more.clear()
                await self._more.wait()
        event = next(event for event in self.heard if event.change is change)
        self.heard = self.heard[self.heard.index(event) + 1 :]
        return event


@pytest.fixture
async def watch() -> AsyncIterator[FileWatch]:
    """A watch that never sweeps: what is told comes from the kernel."""
    made = FileWatch(sweep_s=3600)
    yield made
    await made.aclose()


async def test_a_file_that_is_written_to_is_told(watch: FileWatch, tmp_path: Path) -> None:
    file, ear = tmp_path / "log", Ear()
    file.write_text("one\n")
    await watch.add(file, ear)
    with file.open("a") as opened:
        opened.write("two\n")
        opened.flush()
        assert (await ear.hear(FileChange.MODIFIED)).path == file


async def test_a_file_renamed_over_another_is_told_and_then_watched_itself(watch: FileWatch, tmp_path: Path) -> None:
    file, ear = tmp_path / "app.pid", Ear()
    file.write_text("1\n")
    await watch.add(file, ear)
    (tmp_path / "new").write_text("2\n")
    (tmp_path / "new").rename(file)
    await ear.hear(FileChange.REPLACED)
    file.write_text("3\n")
    await ear.hear(FileChange.MODIFIED)


async def test_a_log_that_is_rotated_away_is_told_removed_and_there_again(watch: FileWatch, tmp_path: Path) -> None:
    file, ear = tmp_path / "log", Ear()
    file.write_text("one\n")
    await watch.add(file, ear)
    file.rename(tmp_path / "log.1")
    await ear.hear(FileChange.REMOVED)
    file.write_text("two\n")
    await ear.hear(FileChange.CREATED)


async def test_a_file_is_told_once_its_missing_folders_and_itself_are_made(watch: FileWatch, tmp_path: Path) -> None:
    file, ear = tmp_path / "a" / "b" / "c.yaml", Ear()
    await watch.add(file, ear)
    file.parent.mkdir(parents=True)
    file.write_text("x: 1\n")
    await ear.hear(FileChange.CREATED)
    file.unlink()
    await ear.hear(FileChange.REMOVED)
    (tmp_path / "a" / "b").rmdir()
    (tmp_path / "a" / "b").mkdir()
    file.write_text("x: 2\n")
    await ear.hear(FileChange.CREATED)


async def test_a_link_turned_to_another_file_is_told_as_kubelet_does_it(watch: FileWatch, tmp_path: Path) -> None:
    for version in ("v1", "v2"):
        (tmp_path / version).mkdir()
        (tmp_path / version / "config").write_text(version)
    (tmp_path / "..data").symlink_to("v1")
    (tmp_path / "config").symlink_to("..data/config")
    ear = Ear()
    await watch.add(tmp_path / "config", ear)
    (tmp_path / "..tmp").symlink_to("v2")
    (tmp_path / "..tmp").rename(tmp_path / "..data")
    (tmp_path / "v1" / "config").unlink()
    await ear.hear(FileChange.REPLACED)
    (tmp_path / "v2" / "config").write_text("more")
    await ear.hear(FileChange.MODIFIED)


async def test_what_happens_beside_a_file_is_not_told(watch: FileWatch, tmp_path: Path) -> None:
    file, ear = tmp_path / "mine", Ear()
    file.write_text("one")
    await watch.add(file, ear)
    (tmp_path / "other").write_text("two")
    (tmp_path / "other").unlink()
    os.truncate(file, 0)
    await ear.hear(FileChange.MODIFIED)
    assert FileChange.CREATED not in ear.changes
    assert FileChange.REMOVED not in ear.changes


async def test_a_folder_tells_that_something_in_it_came_or_went(watch: FileWatch, tmp_path: Path) -> None:
    folder, ear = tmp_path / "conf.d", Ear()
    folder.mkdir()
    await watch.add(folder, ear)
    (folder / "10.conf").write_text("")
    await ear.hear(FileChange.MODIFIED)
    (folder / "10.conf").unlink()
    await ear.hear(FileChange.MODIFIED)


async def test_two_who_watch_a_file_are_both_told_until_they_end_it(watch: FileWatch, tmp_path: Path) -> None:
    file, one, two = tmp_path / "file", Ear(), Ear()
    file.write_text("")
    end = await watch.add(file, one)
    await watch.add(file, two)
    file.write_text("1")
    await one.hear(FileChange.MODIFIED)
    await two.hear(FileChange.MODIFIED)
    end()
    end()
    one.heard.clear()
    file.unlink()
    await two.hear(FileChange.REMOVED)
    assert not one.heard


async def test_without_inotify_changes_are_seen_by_the_sweep(tmp_path: Path) -> None:
    watch, file, ear = FileWatch(sweep_s=0.01), tmp_path / "file", Ear()
    watch.why = "inotify: Too many open files"
    try:
        await watch.add(file, ear)
        file.write_text("one")
        await ear.hear(FileChange.CREATED)
        file.unlink()
        await ear.hear(FileChange.REMOVED)
    finally:
        await watch.aclose()


async def test_a_watch_that_nobody_wants_any_more_leaves_nothing_in_the_kernel(
    watch: FileWatch, tmp_path: Path
) -> None:
    file = tmp_path / "file"
    file.write_text("")
    end = await watch.add(file, Ear())
    assert watch._by_wd
    end()
    assert not watch._by_wd
    assert not watch._paths

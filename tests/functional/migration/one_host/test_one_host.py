"""One run of a target on a host: whatever account, home directory, state directory or path of the plan file."""

import asyncio
import fcntl
import json
import os
import shutil
import signal
import struct
import tempfile
import time
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from tests.conftest import missing
from tests.unit.migration.harness import ANA, BEN, Bench, open_bench

from switchover.clock import SystemClock
from switchover.errors import JournalError, LockedError, RefusedError, StateError
from switchover.migration.journal.host_lock import HostLock
from switchover.migration.journal.host_registry import HostRegistry
from switchover.migration.run.other_runs.forget import forget

PLAN = """
%s
phases:
  - id: a
    steps:
      - {id: one, run: 'echo one >> log', effect: changes}
      - {id: two, checklist: [{text: look, evidence: text}]}
"""
NOBODY = 65534


def _home(tmp_path: Path, name: str, text: str | None = PLAN % "") -> Bench:
    (tmp_path / name).mkdir(exist_ok=True)
    return open_bench(tmp_path / name, text)


async def _through(bench: Bench) -> None:
    assert (await bench.engine.drive(ANA, ticks={"two": "seen"})).kind == "done"
    await bench.engine.aclose()


def _lock(folder: Path, name: str, target: str = "shop") -> HostLock:
    return HostLock(HostRegistry.of(folder, "p", target), folder / name)


@contextmanager
def _as_nobody(work: Callable[[], object]) -> Iterator[int]:
    """Do `work` under another account, which then stays until it is killed."""
    if os.geteuid() != 0:
        missing("the right to become another account")
    ready, readying = os.pipe()
    pid = os.fork()
    if pid == 0:
        try:
            os.setgroups([])
            os.setresgid(NOBODY, NOBODY, NOBODY)
            os.setresuid(NOBODY, NOBODY, NOBODY)
            kept = work()
            os.write(readying, b"!")
            signal.pause()
            del kept
        except BaseException:
            os.write(readying, traceback.format_exc().encode())
        finally:
            os._exit(1)
    os.close(readying)
    try:
        assert (said := os.read(ready, 4096)) == b"!", said.decode()
        yield pid
    finally:
        os.close(ready)
        os.kill(pid, signal.SIGKILL)
        os.waitpid(pid, 0)


@pytest.fixture
def everybodys() -> Iterator[Path]:
    """A registry as a host has it: everybody writes, nobody removes what is another's."""
    folder = Path(tempfile.mkdtemp(prefix="switchover-registry-"))
    folder.chmod(0o1777)
    yield folder
    shutil.rmtree(folder)


async def test_from_another_home_a_run_that_is_driven_is_refused_and_its_driver_named(tmp_path: Path) -> None:
    first, second = _home(tmp_path, "ana"), _home(tmp_path, "ben")
    async with first.engine.hold(ANA):
        with pytest.raises(
            LockedError, match=r"the plan p is driven by ana@bastion, pts/1, pid \d+, .*its state lies in"
        ):
            await second.engine.drive(BEN)
    assert second.log == []
    await first.engine.aclose()
    await second.engine.aclose()


async def test_a_copied_plan_does_not_begin_what_is_begun_and_not_over_once_nobody_drives(tmp_path: Path) -> None:
    first = _home(tmp_path, "ana")
    assert (await first.engine.drive(ANA)).kind == "waiting"
    await first.engine.aclose()
    second = _home(tmp_path, "ben")
    with pytest.raises(
        LockedError, match=r"held by run 1 of p, which ana@bastion drove last and which is not over"
    ) as no:
        await second.engine.drive(BEN)
    assert str(first.engine.run_store.workspace.directory) in no.value.title
    assert "--abort" in no.value.hint
    assert second.log == []
    again = _home(tmp_path, "ana", None)
    await _through(again)
    await _through(second)
    assert second.log == ["one"]


async def test_a_run_that_is_over_elsewhere_is_told_and_holds_nothing(tmp_path: Path) -> None:
    await _through(_home(tmp_path, "ana"))
    second = _home(tmp_path, "ben")
    (notice,) = second.engine.notices()
    assert "run 1 of p is over already: ana drove it" in notice
    await _through(second)


async def test_a_run_is_held_by_its_target_where_it_names_one(tmp_path: Path) -> None:
    first, second = _home(tmp_path, "ana", PLAN % "target: shop"), _home(tmp_path, "ben", PLAN % "target: mail")
    text = (PLAN % "target: shop").replace("one", "other")
    third = _home(tmp_path, "cy", text)
    path = tmp_path / "cy" / "plan.yaml"
    path.write_text(path.read_text().replace("id: p\n", "id: q\n"))
    third = _home(tmp_path, "cy", None)
    async with first.engine.hold(ANA):
        assert (await second.engine.drive(BEN)).kind == "waiting"
        with pytest.raises(LockedError, match="the target shop is driven by ana"):
            await third.engine.drive(BEN)
    for bench in (first, second, third):
        await bench.engine.aclose()


async def test_an_edited_target_is_held_before_its_run_begins(tmp_path: Path) -> None:
    first = _home(tmp_path, "ana", PLAN % "target: shop")
    second = _home(tmp_path, "ben", PLAN % "target: mail")
    path = tmp_path / "ben" / "plan.yaml"
    path.write_text(path.read_text().replace("target: mail", "target: shop"))
    async with first.engine.hold(ANA):
        with pytest.raises(LockedError, match="the target shop is driven by ana"):
            await second.engine.drive(BEN)
    assert (await second.engine.drive(BEN)).kind == "waiting"
    third = _home(tmp_path, "cy", PLAN % "target: shop")
    with pytest.raises(LockedError, match="the target shop is held by run 1"):
        await third.engine.drive(ANA)
    for bench in (first, second, third):
        await bench.engine.aclose()


async def test_what_is_gone_with_its_plan_holds_nothing_and_what_is_only_gone_does(tmp_path: Path) -> None:
    first = _home(tmp_path, "ana")
    await first.engine.drive(ANA)
    await first.engine.aclose()
    shutil.rmtree(tmp_path / "ana" / "state")
    second = _home(tmp_path, "ben")
    with pytest.raises(LockedError, match="is held by run 1"):
        await second.engine.drive(BEN)
    shutil.rmtree(tmp_path / "ana")
    assert (await second.engine.drive(BEN)).kind == "waiting"
    await second.engine.aclose()


async def test_journal_and_state_directory_lost_the_registry_still_tells(tmp_path: Path) -> None:
    bench = _home(tmp_path, "ana")
    await bench.engine.drive(ANA)
    await bench.engine.aclose()
    shutil.rmtree(tmp_path / "ana" / "state")
    with pytest.raises(JournalError, match="is gone: record 3"):
        _home(tmp_path, "ana", None)
    assert not (tmp_path / "ana" / "state").exists()


async def test_a_person_gives_up_a_lost_journal_and_all_of_it_is_set_aside_and_told(tmp_path: Path) -> None:
    bench = _home(tmp_path, "ana")
    await bench.engine.drive(ANA)
    await bench.engine.aclose()
    loaded, workspace = bench.engine.loaded, bench.engine.run_store.workspace
    with pytest.raises(RefusedError, match="nothing is noted"):
        await forget(workspace, loaded.plan, SystemClock(), BEN, "why not")
    for file in workspace.directory.glob("journal.sqlite*"):
        file.unlink()
    with pytest.raises(RefusedError, match="a reason is needed"):
        await forget(workspace, loaded.plan, SystemClock(), BEN, " ")
    told = await forget(workspace, loaded.plan, SystemClock(), BEN, "restored from scratch")
    assert told.aside is not None
    assert (told.aside / "runs" / "1" / "one.1" / "exit.json").exists()
    again = _home(tmp_path, "ana", None)
    await again.engine.drive(ANA)
    assert again.log == ["one", "one"]
    text = again.engine.timeline()[0].text
    await _through(again)
    assert "ben gave up what was noted" in text
    assert "restored from scratch" in text
    third = _home(tmp_path, "ana", None)  # and the word is used up
    await third.engine.drive(ANA, new=True)
    assert "gave up" not in third.engine.timeline()[0].text
    await third.engine.aclose()


async def test_a_person_gives_up_a_run_whose_state_lies_elsewhere(tmp_path: Path) -> None:
    first = _home(tmp_path, "ana")
    await first.engine.drive(ANA)
    await first.engine.aclose()
    second = _home(tmp_path, "ben")
    workspace = second.engine.run_store.workspace
    await forget(workspace, second.engine.loaded.plan, SystemClock(), BEN, "that host is reinstalled")
    await second.engine.drive(BEN)
    assert "which ana@bastion drove last" in second.engine.timeline()[0].text
    await _through(second)
    third = _home(tmp_path, "cy")  # nobody else has given it up
    with pytest.raises(LockedError, match="held by run 1"):
        await third.engine.drive(BEN)
    await third.engine.aclose()


@pytest.mark.parametrize("lost", ["journal", "records", "elsewhere", "elsewhere and removed", "watcher"])
def test_nothing_is_given_up_while_a_step_of_it_still_runs(tmp_path: Path, lost: str) -> None:
    text = (PLAN % "").replace("echo one >> log", "touch up; while ! [ -e go ]; do sleep 0.01; done")
    bench = _home(tmp_path, "ana", text)
    pid = os.fork()
    if pid == 0:
        try:
            asyncio.run(_home(tmp_path, "ana", None).engine.drive(ANA))
        finally:
            os._exit(0)
    while not (tmp_path / "ana" / "up").exists():
        time.sleep(0.005)
    os.kill(pid, signal.SIGKILL)
    os.waitpid(pid, 0)
    workspace = bench.engine.run_store.workspace
    if lost == "watcher":
        os.kill(json.loads((workspace.run_directory("1") / "one.1" / "claim").read_bytes())["shim"], signal.SIGKILL)
    if lost not in ("journal", "elsewhere"):
        shutil.rmtree(workspace.directory / "runs")
    for file in workspace.directory.glob("journal.sqlite*") if "elsewhere" not in lost else ():
        file.unlink()
    mine = _home(tmp_path, "ben").engine if "elsewhere" in lost else bench.engine
    with pytest.raises(RefusedError, match="still runs"):
        asyncio.run(forget(mine.run_store.workspace, mine.loaded.plan, SystemClock(), BEN, "it is lost"))
    (tmp_path / "ana" / "go").touch()


# The lock itself


def test_another_account_is_named_and_its_death_frees_the_target(everybodys: Path) -> None:
    def hold() -> HostLock:
        lock = _lock(everybodys, "nobody")
        lock.hold(BEN)
        return lock

    mine = _lock(everybodys, "mine")
    with _as_nobody(hold) as pid:
        with pytest.raises(LockedError, match=rf"driven by ben@bastion, pts/2, pid {pid}, .*\(uid {NOBODY}\)"):
            mine.hold(ANA)
        _lock(everybodys, "mine", "another target").hold(ANA)
    mine.hold(ANA)

    def try_to_hold() -> None:
        with pytest.raises(LockedError, match="driven by ana@bastion"):
            _lock(everybodys, "theirs").hold(BEN)

    with _as_nobody(try_to_hold):
        pass
    mine.leave()


@pytest.mark.parametrize("squat", ["file", "link", "pipe", "folder", "second name"])
def test_what_another_account_put_in_the_place_of_our_files_is_named_and_not_believed(
    everybodys: Path, tmp_path: Path, squat: str
) -> None:
    victim = tmp_path / "victim"
    victim.write_text("untouched")
    registry = HostRegistry.of(everybodys, "p", "shop")
    places = [next(iter(registry.own_paths(suffix))) for suffix in ("lock", "json")]

    def put() -> None:
        for place in places:
            match squat:
                case "file":
                    place.write_text("{}")
                    place.chmod(0o666)
                case "link":
                    place.symlink_to(victim)
                case "pipe":
                    os.mkfifo(place)
                case "folder":
                    place.mkdir()
                case _:
                    other = everybodys / f"other{place.suffix}"
                    other.touch()
                    place.hardlink_to(other)

    with _as_nobody(put):
        lock = _lock(everybodys, "mine")
        lock.hold(ANA)
        assert victim.read_text() == "untouched"
        assert any(str(NOBODY) in text for text in lock.find_not_believed())
        with pytest.raises(LockedError, match="driven by ana@bastion"):
            _lock(everybodys, "other home").hold(BEN)
        assert lock.holder() is not None
        lock.leave()
        assert lock.holder() is None


def test_a_lock_for_reading_by_another_account_keeps_nobody_from_driving(everybodys: Path) -> None:
    first = _lock(everybodys, "mine")
    first.hold(ANA)
    first.leave()
    (path,) = HostRegistry.of(everybodys, "p", "shop").paths("lock")

    def squat() -> int:
        descriptor = os.open(path, os.O_RDONLY)
        fcntl.fcntl(descriptor, fcntl.F_OFD_SETLK, struct.pack("hhqqi4x", fcntl.F_RDLCK, os.SEEK_SET, 0, 0, 0))
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        return descriptor

    with _as_nobody(squat):
        lock = _lock(everybodys, "mine")
        lock.hold(ANA)
        assert any("may only read it" in text for text in lock.not_believed.values())
        with pytest.raises(LockedError):
            _lock(everybodys, "other home").hold(BEN)
        lock.leave()


async def test_a_lock_that_a_cleaner_took_away_is_there_again_with_the_next_record(
    tmp_path: Path, own_host_registry: Path
) -> None:
    first, second = _home(tmp_path, "ana"), _home(tmp_path, "ben")
    async with first.engine.hold(ANA):
        for file in os.listdir(own_host_registry):  # noqa: PTH208
            (own_host_registry / file).unlink()
        await first.engine.start(ANA)
        with pytest.raises(LockedError, match="driven by ana"):
            await second.engine.drive(BEN)
    await first.engine.aclose()
    await second.engine.aclose()


@pytest.mark.parametrize("mode", [0o777, 0o770])
def test_a_folder_where_others_may_remove_what_is_ours_is_refused(own_host_registry: Path, mode: int) -> None:
    own_host_registry.chmod(mode)
    with pytest.raises(StateError, match="everybody may remove"):
        _lock(own_host_registry, "mine").hold(ANA)


def test_a_folder_that_is_a_link_or_not_there_is_refused(own_host_registry: Path, tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to(own_host_registry)
    for folder in (tmp_path / "link", tmp_path / "nowhere"):
        with pytest.raises(StateError, match="the registry of this host"):
            _lock(folder, "mine").hold(ANA)

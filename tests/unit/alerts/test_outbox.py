"""No notice is lost by a death, and none is told twice unless the death fell between sending and writing that down."""

from __future__ import annotations

import asyncio
import multiprocessing
import os
import sqlite3
from pathlib import Path
from typing import Any, ClassVar

import pytest

from switchover.alerts.alert_state import AlertEvent
from switchover.alerts.alert_store import AlertStore, StoreInUseError
from switchover.alerts.deliveries import Deliveries
from switchover.alerts.notifier_api import NoKeys, Notification, Notifier
from switchover.alerts.outbox import Outbox
from switchover.alerts.outbox_records import AlertRecord
from switchover.errors import StateError
from switchover.plan.kind_calls import KindCalls
from switchover.plan.model import NotifierSpec
from switchover.snapshot import SilenceRecord

NOTE = Notification("down 1.000", AlertEvent.FIRED, "it is down", "api == CRIT", 1.0)
SPECS = {"file": NotifierSpec(kind="file")}


class ToFile(Notifier[NoKeys]):
    """A receiver that keeps what it got though its sender dies."""

    place: ClassVar[str]
    pauses_s: ClassVar[tuple[float, ...]] = (0.01,)

    async def send(self, notification: Notification, cfg: NoKeys, ctx: Any) -> None:
        with Path(self.place).open("a") as file:  # noqa: ASYNC230
            file.write(f"{notification.id} {'may have been told' in notification.sentence} {notification.text!r}\n")


async def deliver(folder: Path, notes: int, *, again: bool) -> None:
    outbox = Outbox(folder / "alerts.sqlite")
    await outbox.open()
    deliveries = Deliveries(SPECS, KindCalls(), outbox)
    deliveries.notifier = lambda name: ToFile()  # type: ignore[method-assign]
    ToFile.place = str(folder / "got")
    if again:
        await deliveries.resume()
    for number in range(notes):
        key = f"k{number}"
        note = Notification(key, AlertEvent.FIRED, f"notice {number}", "r", 1.0)
        deliveries.begin([(["file"], note)], [AlertRecord(key, "firing", 1.0, 1.0, 1.0)])
        if number % 2:
            await asyncio.sleep(0)
    await deliveries.settled()
    await deliveries.aclose()


def _dies(folder: str, write: int, *, after: bool) -> None:
    """Deliver three notices, and die at the given write."""
    done = 0
    for name in ("put", "update", "finish"):
        whole = getattr(AlertStore, name)

        def counted(self: AlertStore, *args: Any, whole: Any = whole) -> None:
            nonlocal done
            done += 1
            if done == write and not after:
                os._exit(9)
            whole(self, *args)
            if done == write:
                os._exit(9)

        setattr(AlertStore, name, counted)
    asyncio.run(deliver(Path(folder), 3, again=False))


def killed_at(folder: Path, write: int, *, after: bool) -> None:
    process = multiprocessing.get_context("fork").Process(
        target=_dies, args=(str(folder), write), kwargs={"after": after}
    )
    process.start()
    process.join()


def trial(folder: Path, write: int, *, after: bool) -> None:
    folder.mkdir()
    killed_at(folder, write, after=after)
    with sqlite3.connect(folder / "alerts.sqlite") as to:
        assert to.execute("PRAGMA integrity_check").fetchone() == ("ok",)
        kept = [row[0] for row in to.execute("SELECT key FROM alert")]
    asyncio.run(deliver(folder, 0, again=True))
    got = (
        [line.split(" ", 2) for line in (folder / "got").read_text().splitlines()] if (folder / "got").exists() else []
    )
    texts = "".join(text for _, _, text in got)
    assert [key for key in kept if f"notice {key.removeprefix('k')}" not in texts] == []  # what stands as told was
    first = [identity for identity, repeated, _ in got if repeated == "False"]
    assert len(first) == len(set(first))  # told again only with the mark, and with the same id
    assert len(got) - len(first) <= 1


@pytest.mark.parametrize("after", [False, True])
@pytest.mark.parametrize("write", [1, 3, 4, 6])
def test_a_death_at_a_write_loses_no_notice_and_repeats_none_without_saying_so(
    tmp_path: Path, write: int, after: bool
) -> None:
    trial(tmp_path / "one", write, after=after)


@pytest.mark.soak
def test_a_hundred_deaths_lose_no_notice(tmp_path: Path) -> None:
    for number in range(100):
        trial(tmp_path / str(number), 1 + number % 9, after=number % 2 == 0)


async def test_a_try_that_was_cut_off_is_told_again_with_a_mark(tmp_path: Path) -> None:
    killed_at(tmp_path, 4, after=True)
    await deliver(tmp_path, 0, again=True)
    marks = [line.split(" ")[1] for line in (tmp_path / "got").read_text().splitlines()]
    assert "True" in marks


def test_only_one_process_of_a_workspace_tells(tmp_path: Path) -> None:
    store = AlertStore.open(tmp_path / "alerts.sqlite")
    with pytest.raises(StoreInUseError):
        AlertStore.open(tmp_path / "alerts.sqlite")
    store.close()
    AlertStore.open(tmp_path / "alerts.sqlite").close()


def test_a_file_of_another_version_is_refused_and_left_as_it_is(tmp_path: Path) -> None:
    with sqlite3.connect(tmp_path / "alerts.sqlite") as to:
        to.execute("PRAGMA user_version = 99")
    before = (tmp_path / "alerts.sqlite").read_bytes()
    with pytest.raises(StateError, match="another version"):
        AlertStore.open(tmp_path / "alerts.sqlite")
    assert (tmp_path / "alerts.sqlite").read_bytes() == before


def test_silences_and_rules_are_there_after_a_restart(tmp_path: Path) -> None:
    silence = SilenceRecord("s1", ("name=api_*",), 1.0, 100.0, "ann", "deploy", ack=True)
    store = AlertStore.open(tmp_path / "alerts.sqlite")
    store.add_silence(silence)
    store.keep_rule("hot", '{"when": "x"}', "ann", 1.0)
    store.close()
    store = AlertStore.open(tmp_path / "alerts.sqlite")
    assert store.silences(50.0) == [silence]
    assert store.silences(100.0) == []
    assert store.rules() == [("hot", '{"when": "x"}')]
    store.keep_rule("hot", "", "ann", 2.0)
    assert store.rules() == []
    store.close()


async def test_a_full_disk_keeps_nobody_from_being_told(tmp_path: Path) -> None:
    outbox = Outbox(tmp_path / "alerts.sqlite")
    await outbox.open()
    deliveries = Deliveries(SPECS, KindCalls(), outbox)
    deliveries.notifier = lambda name: ToFile()  # type: ignore[method-assign]
    ToFile.place = str(tmp_path / "got")
    await outbox.ask(lambda store: store._connection.execute("PRAGMA query_only=ON"), None)
    deliveries.send(["file"], NOTE)
    await deliveries.settled()
    assert "it is down" in (tmp_path / "got").read_text()
    assert "cannot be written down" in outbox.trouble
    await deliveries.aclose()

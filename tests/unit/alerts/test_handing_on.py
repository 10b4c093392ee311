"""No notice is lost on its way: not to one who tells nobody, not to a clock that is set, not to odd words."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from pathlib import Path
from typing import Any, ClassVar

import pytest
from tests.support.virtual_time import VirtualClock, run_virtually
from tests.unit.alerts.test_deliveries import KINDS, NOTE, Scripted, made, scripted

from switchover.alerts.deliveries import Deliveries
from switchover.alerts.notifier_api import NotSentError
from switchover.alerts.outbox import Outbox
from switchover.plan.kind_calls import KindCalls
from switchover.plan.model import NotifierSpec
from switchover_checks.language.declared import load_declared


@pytest.fixture(autouse=True)
def _kinds(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(
        "switchover.alerts.deliveries.load_declared",
        lambda package, kind: KINDS.get(kind) or load_declared(package, kind),
    )


def busy(times: int = 1000) -> type[Scripted]:
    return scripted([NotSentError("busy")] * times)


@pytest.mark.parametrize("tells_nobody", ["beats", "rings"])
def test_what_a_channel_cannot_tell_is_never_handed_to_one_who_tells_nobody(tells_nobody: str) -> None:
    class Silent(Scripted):
        answers: ClassVar[list[Any]] = []
        got: ClassVar[list[Any]] = []

    setattr(Silent, tells_nobody, True)

    async def story() -> None:
        works = scripted([])
        kinds = {"broken": busy(), "silent": Silent, "team": works}
        deliveries = Deliveries(made(kinds), KindCalls(), clock=VirtualClock())
        deliveries.send(["broken"], NOTE)
        await asyncio.sleep(60)
        assert (len(Silent.got), len(works.got)) == (0, 1)
        await deliveries.aclose()

    run_virtually(story())


class SetClock(VirtualClock):
    """A clock that somebody sets."""

    off = 0.0

    def now(self) -> float:
        return super().now() + self.off


@pytest.mark.parametrize("off", [-86_400.0, 3 * 86_400.0])
def test_a_clock_that_is_set_delays_no_try(off: float) -> None:
    async def story() -> None:
        flaky, clock = busy(1), SetClock()
        deliveries = Deliveries(made({"flaky": flaky}), KindCalls(), clock=clock)
        began = clock.monotonic()
        deliveries.send(["flaky"], NOTE)
        await asyncio.sleep(1)
        clock.off = off
        deliveries.send(["flaky"], replace(NOTE, key="another"))
        await deliveries.settled()
        assert (len(flaky.got), deliveries.failures) == (2, [])
        assert clock.monotonic() - began < 60
        await deliveries.aclose()

    run_virtually(story())


def test_a_clock_that_is_set_forward_gives_up_nothing() -> None:
    async def story() -> None:
        flaky, clock = busy(2), SetClock()
        deliveries = Deliveries(made({"flaky": flaky}), KindCalls(), clock=clock)
        deliveries.send(["flaky"], NOTE)
        await asyncio.sleep(1)
        clock.off = 3 * 86_400.0
        await deliveries.settled()
        assert (len(flaky.got), deliveries.failures) == (3, [])
        await deliveries.aclose()

    run_virtually(story())


async def test_a_notice_that_cannot_be_written_down_is_sent_all_the_same(tmp_path: Path) -> None:
    works = scripted([])
    outbox = Outbox(tmp_path / "alerts.sqlite")
    await outbox.open()
    deliveries = Deliveries(made({"team": works}), KindCalls(), outbox)
    deliveries.send(["team"], replace(NOTE, labels=(("pod", "a\ud800"),)))
    await deliveries.settled()
    assert len(works.got) == 1
    await deliveries.aclose()


def test_every_receiver_that_forgets_is_due_in_its_own_rhythm() -> None:
    async def story() -> None:
        specs = {name: NotifierSpec.model_validate({"kind": "alertmanager", "url": "http://x"}) for name in ("a", "b")}
        deliveries = Deliveries(specs, KindCalls(), clock=VirtualClock())
        found = []
        for _ in range(3):
            found.append(deliveries.due_again())
            await asyncio.sleep(61)
        assert found == [[], ["a", "b"], ["a", "b"]]
        await deliveries.aclose()

    run_virtually(story())


@pytest.mark.parametrize("kind", ["log", "command"])
async def test_what_may_have_been_told_before_says_so_everywhere(
    kind: str, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    command = ["sh", "-c", 'printf "%s" "$ALERT_TEXT" > told']
    spec = {"kind": kind, "command": command} if kind == "command" else {"kind": kind}
    specs = {"team": NotifierSpec.model_validate(spec)}
    deliveries = Deliveries(specs, KindCalls(base_dir=tmp_path))
    deliveries.send(["team"], replace(NOTE, repeated=True))
    await deliveries.settled()
    said = caplog.messages[-1] if kind == "log" else (tmp_path / "told").read_text()
    assert said.endswith("(may have been told before)")
    await deliveries.aclose()

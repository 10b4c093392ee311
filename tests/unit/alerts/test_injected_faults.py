"""Two hundred faults of receivers: every notice arrives, or stands as failed where a person sees it."""

from __future__ import annotations

import random
from dataclasses import replace
from typing import Any, ClassVar

import pytest
from tests.support.virtual_time import VirtualClock, run_virtually

from switchover.alerts.alert_state import AlertEvent
from switchover.alerts.deliveries import Deliveries
from switchover.alerts.notifier_api import NoKeys, Notification, Notifier, NotSentError
from switchover.plan.kind_calls import KindCalls
from switchover.plan.model import NotifierSpec
from switchover.plan.named_kinds import NOTIFIERS
from switchover_checks.language.declared import load_declared

NOTE = Notification("k", AlertEvent.FIRED, "n", "r", 1.0)
FAULTS = ("500", "429", "404", "timeout", "crash", "away for two days", "none")


class Faulty(Notifier[NoKeys]):
    """A receiver with a fault for each notice, and one that never heals."""

    pauses_s: ClassVar[tuple[float, ...]] = (2.0, 10.0)
    faults: ClassVar[list[str]] = []
    got: ClassVar[list[str]] = []
    dead: ClassVar[bool] = False

    async def send(self, notification: Notification, cfg: NoKeys, ctx: Any) -> None:
        fault = "away for two days" if self.dead else self.faults.pop() if self.faults else "none"
        if fault == "500":
            raise NotSentError("it answered 500")
        if fault == "429":
            raise NotSentError("it answered 429", retry_after_s=90)
        if fault == "404":
            raise NotSentError("it answered 404", again=False)
        if fault == "timeout":
            raise TimeoutError
        if fault == "crash":
            raise KeyError(fault)
        if fault == "away for two days":
            raise NotSentError("it cannot be reached (connect)")
        self.got.append(notification.text)


@pytest.mark.parametrize("seed", range(4))
def test_every_notice_arrives_or_visibly_fails_over_injected_faults(monkeypatch: pytest.MonkeyPatch, seed: int) -> None:
    dice = random.Random(seed)
    dead = type("Dead", (Faulty,), {"dead": True, "got": []})
    kinds: dict[str, type[Faulty]] = {
        "a": type("A", (Faulty,), {"faults": dice.choices(FAULTS, k=50), "got": []}),
        "b": type("B", (Faulty,), {"faults": dice.choices(FAULTS, k=50), "got": []}),
        "dead": dead,
    }
    monkeypatch.setattr(
        "switchover.alerts.deliveries.load_declared", lambda _, kind: kinds.get(kind) or load_declared(NOTIFIERS, kind)
    )

    async def story() -> None:
        specs = {name: NotifierSpec(kind=name) for name in kinds}
        deliveries = Deliveries(specs, KindCalls(), clock=VirtualClock())
        for number in range(50):
            deliveries.send([dice.choice(sorted(kinds))], replace(NOTE, key=str(number), text=f"notice {number};"))
        await deliveries.settled()
        arrived = "\n".join(text for kind in kinds.values() for text in kind.got)
        missing = [number for number in range(50) if f"notice {number};" not in arrived]
        failed = [line for line in deliveries.failures if "was not told" in line]
        assert len(missing) <= len(failed)
        assert not kinds["dead"].got
        await deliveries.aclose()

    run_virtually(story())

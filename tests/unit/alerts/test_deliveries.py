"""An alert reaches whom it should, once, and is said where it does not."""

from __future__ import annotations

import asyncio
import inspect
import json
import logging
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path
from typing import Any, ClassVar

import pytest
from ruamel.yaml import YAML
from tests.support.virtual_time import VirtualClock, run_virtually

from switchover.alerts.alert_state import AlertEvent
from switchover.alerts.deliveries import Deliveries
from switchover.alerts.notifier_api import NoKeys, Notification, Notifier, NotSentError
from switchover.errors import PlanError
from switchover.plan.kind_calls import KindCalls
from switchover.plan.loader.load import load_plan_text
from switchover.plan.model import NotifierSpec
from switchover.plan.named_kinds import NOTIFIERS
from switchover_checks.language.declared import declared, load_declared
from switchover_checks.runtime.config import documented_fields, validate


class Scripted(Notifier[NoKeys]):
    """Answers what was laid down, then that all is well."""

    pauses_s: ClassVar[tuple[float, ...]] = (2.0, 10.0, 30.0)
    answers: ClassVar[list[Exception | None]]
    got: ClassVar[list[Notification]]

    async def send(self, notification: Notification, cfg: NoKeys, ctx: Any) -> None:
        self.got.append(notification)
        if self.answers and (answer := self.answers.pop(0)) is not None:
            raise answer


def scripted(answers: list[Exception | None]) -> type[Scripted]:
    return type("Flaky", (Scripted,), {"answers": list(answers), "got": []})


Works, Broken = scripted([]), scripted([NotSentError("busy")] * 1000)
Gone = scripted([NotSentError("no such program", again=False)])
KINDS: dict[str, type[Scripted]] = {}


def made(kinds: dict[str, type[Scripted]]) -> dict[str, NotifierSpec]:
    KINDS.clear()
    KINDS.update(kinds)
    return {name: NotifierSpec(kind=name) for name in kinds}


@pytest.fixture(autouse=True)
def _kinds(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(
        "switchover.alerts.deliveries.load_declared",
        lambda package, kind: KINDS.get(kind) or load_declared(package, kind),
    )


NOTE = Notification("api == CRIT 1.000", AlertEvent.FIRED, "alert fires: it is down", "api == CRIT", 1.0)
PLAN = """
schema: 1
id: p
title: A plan
checks: {{a: {{kind: memory, warn: "1%:"}}}}
{more}
"""


async def sent(deliveries: Deliveries, *names: str) -> list[str]:
    deliveries.send(names, NOTE)
    await deliveries.settled()
    return deliveries.failures


@pytest.fixture
async def deliveries(tmp_path: Path) -> AsyncIterator[Deliveries]:
    say = "import json, os; json.dump({k: v for k, v in os.environ.items() if k[:5] == 'ALERT'}, open('told', 'w'))"
    specs = {
        "team": NotifierSpec.model_validate({"kind": "command", "command": ["python3", "-c", say]}),
        "broken": NotifierSpec.model_validate({"kind": "command", "command": "exit 3"}),
        "gone": NotifierSpec.model_validate({"kind": "command", "command": ["no-such-program"]}),
    }
    found = Deliveries(specs, KindCalls(base_dir=tmp_path))
    yield found
    await found.aclose()


async def test_a_command_is_told_what_happened(deliveries: Deliveries, tmp_path: Path) -> None:
    assert await sent(deliveries, "team") == []
    assert json.loads((tmp_path / "told").read_text()) == {
        "ALERT_TEXT": "alert fires: it is down",
        "ALERT_EVENT": "fired",
        "ALERT_RULE": "api == CRIT",
        "ALERT_KEY": "api == CRIT 1.000",
    }


async def test_log_and_bell_need_no_entry(deliveries: Deliveries, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING, "switchover.alerts"):
        assert await sent(deliveries, "log", "bell") == []
    assert caplog.messages == ["alert fires: it is down"]
    assert deliveries.rings(["log", "bell"])
    assert not deliveries.rings(["log", "team"])


def test_one_that_fails_is_said_and_costs_only_itself(tmp_path: Path) -> None:
    async def story() -> None:
        clock = VirtualClock()
        deliveries = Deliveries(made({"broken": Broken, "gone": Gone, "team": Works}), KindCalls(), clock=clock)
        began = clock.monotonic()
        deliveries.send(["broken", "gone", "team"], NOTE)
        await deliveries.settled()
        assert sorted(deliveries.failures) == ["broken was not told: busy", "gone was not told: no such program"]
        assert 80_000 < clock.monotonic() - began <= 86_400 + 900
        await deliveries.aclose()

    run_virtually(story())


@pytest.mark.parametrize(
    ("answers", "tries", "failures"),
    [
        ([None], 1, []),
        ([NotSentError("429", retry_after_s=90), None], 2, []),
        ([NotSentError("refused", again=False)], 1, ["flaky was not told: refused"]),
        ([ValueError("secret"), None], 2, []),
        ([TimeoutError(), None], 2, []),
        ([NotSentError("busy")] * 200, 102, ["flaky was not told: busy"]),
    ],
)
def test_it_is_sent_again_for_a_day_while_that_is_of_use(
    answers: list[Exception | None], tries: int, failures: list[str]
) -> None:
    async def story() -> None:
        flaky = scripted(answers)
        deliveries = Deliveries(made({"flaky": flaky}), KindCalls(), clock=VirtualClock())
        deliveries.send(["flaky"], NOTE)
        await deliveries.settled()
        assert deliveries.failures == failures
        assert len(flaky.got) == tries
        assert len({got.id for got in flaky.got}) == 1
        await deliveries.aclose()

    run_virtually(story())


def test_a_receiver_that_names_a_pause_is_left_alone_for_it() -> None:
    async def story() -> None:
        clock = VirtualClock()
        flaky = scripted([NotSentError("429", retry_after_s=400), None])
        deliveries = Deliveries(made({"flaky": flaky}), KindCalls(), clock=clock)
        began = clock.monotonic()
        deliveries.send(["flaky"], NOTE)
        await deliveries.settled()
        assert clock.monotonic() - began == pytest.approx(400, abs=1)
        await deliveries.aclose()

    run_virtually(story())


def test_what_a_failing_channel_cannot_tell_goes_through_the_next_and_says_so() -> None:
    async def story() -> None:
        works, broken = scripted([]), scripted([NotSentError("busy")] * 1000)
        deliveries = Deliveries(made({"broken": broken, "next": works}), KindCalls(), clock=VirtualClock())
        deliveries.send(["broken"], NOTE)
        await asyncio.sleep(60)
        assert works.got[0].text == "alert fires: it is down (broken could not be told: busy)"
        assert [(name, why, waiting) for name, why, _, waiting in deliveries.failing] == [("broken", "busy", 1)]
        await deliveries.settled()
        assert len(works.got) == 1
        await deliveries.aclose()

    run_virtually(story())


def test_many_notices_go_out_as_a_digest_and_none_is_left_out() -> None:
    async def story() -> None:
        works = scripted([])
        deliveries = Deliveries(made({"team": works}), KindCalls(), clock=VirtualClock())
        for number in range(40):
            deliveries.send(["team"], replace(NOTE, key=str(number), text=f"notice {number}."))
        await deliveries.settled()
        said = "\n".join(got.text for got in works.got)
        assert len(works.got) < 12
        assert [number for number in range(40) if f"notice {number}." not in said] == []
        assert "20 notices:" in said
        await deliveries.aclose()

    run_virtually(story())


@pytest.mark.parametrize("kind", sorted(declared(NOTIFIERS)))
def test_every_notifier_documents_its_keys_and_shows_an_example_that_a_plan_takes(kind: str) -> None:
    notifier = load_declared(NOTIFIERS, kind)
    example = YAML(typ="safe", pure=True).load(inspect.cleandoc(notifier.example))
    assert example.pop("kind") == kind
    assert validate(notifier.config, example) == []
    assert [key.name for key in documented_fields(notifier.config) if not key.doc] == []


@pytest.mark.parametrize(
    ("more", "problem"),
    [
        ("alerts: {x: {when: a == CRIT, notify: [bel]}}", "there is no notifier 'bel'; did you mean 'bell'?"),
        ("alerts: {x: {when: a == CRIT, notify: [command]}}", "a notifier of kind command has keys: give one a name"),
        ("notifiers: {team: {kind: pager}}", "there is no notifier of kind 'pager'"),
        ("notifiers: {team: {kind: command}}", "a notifier of kind command needs 'command'"),
        ("notifiers: {team: {kind: command, command: x, user: y}}", "a notifier of kind command has no key 'user'"),
        ("notifiers: {team: {kind: command, command: 'x {{ run.id }}'}}", "a template inside shell text"),
        ("notifiers: {team: {kind: command, command: 'https://me:hunter2@host'}}", "a literal secret"),
    ],
)
def test_a_mistake_in_a_notifier_is_named(tmp_path: Path, more: str, problem: str) -> None:
    with pytest.raises(PlanError) as error:
        load_plan_text(PLAN.format(more=more), tmp_path / "plan.yaml")
    assert problem in str(error.value.problems[0])


def test_a_plan_names_its_notifiers(tmp_path: Path) -> None:
    more = "notifiers: {team: {kind: command, command: x}}\nalerts: {x: {when: a == CRIT, notify: [team, bell]}}"
    plan = load_plan_text(PLAN.format(more=more), tmp_path / "plan.yaml").plan
    assert plan.alerts["x"].notify == ("team", "bell")


def test_what_was_not_sent_is_tried_again_at_once_unless_its_error_says_otherwise() -> None:
    error = NotSentError("busy")
    assert (error.retry_after_s, error.again) == (0.0, True)

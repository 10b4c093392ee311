"""An alert reaches whom it should, once, and is said where it does not."""

from __future__ import annotations

import asyncio
import inspect
import json
import logging
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any, ClassVar

import pytest
from ruamel.yaml import YAML

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
    while deliveries._tasks:
        await asyncio.gather(*deliveries._tasks)
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


async def test_one_that_fails_is_said_and_costs_only_itself(
    deliveries: Deliveries, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(load_declared(NOTIFIERS, "command"), "pauses_s", (0.0, 0.0))
    failures = await sent(deliveries, "broken", "gone", "team")
    assert sorted(failures) == [
        "broken was not told: its command ended with exit code 3",
        "gone was not told: No such file or directory",
    ]
    assert (tmp_path / "told").exists()


class Flaky(Notifier[NoKeys]):
    pauses_s: ClassVar[tuple[float, ...]] = (0.0, 0.0)
    tries: ClassVar[list[str]] = []
    answers: ClassVar[list[Exception | None]] = []

    async def send(self, notification: Notification, cfg: NoKeys, ctx: Any) -> None:
        self.tries.append(notification.key)
        if (answer := self.answers.pop(0)) is not None:
            raise answer


@pytest.mark.parametrize(
    ("answers", "tries", "failures"),
    [
        ([None], 1, []),
        ([NotSentError("429", retry_after_s=0.001), None], 2, []),
        ([NotSentError("busy")] * 3, 3, ["flaky was not told: busy"]),
        ([NotSentError("refused", again=False)], 1, ["flaky was not told: refused"]),
        ([ValueError("secret")] * 3, 3, ["flaky was not told: it failed by itself: ValueError"]),
        ([TimeoutError(), None], 2, []),
    ],
)
async def test_it_is_sent_again_as_the_notifier_says_and_only_while_it_is_of_use(
    deliveries: Deliveries,
    monkeypatch: pytest.MonkeyPatch,
    answers: list[Exception | None],
    tries: int,
    failures: list[str],
) -> None:
    monkeypatch.setattr("switchover.alerts.deliveries.load_declared", lambda package, kind: Flaky)
    monkeypatch.setattr(Flaky, "tries", [])
    monkeypatch.setattr(Flaky, "answers", list(answers))
    assert await sent(deliveries, "flaky") == failures
    assert Flaky.tries == [NOTE.key] * tries


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

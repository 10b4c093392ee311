"""From when to when a thing is watched: as it says itself, else from where the run first asks for it."""

from __future__ import annotations

from typing import Any

import pytest

from switchover.health.watched_phases import PhaseMark, not_needed, not_watched
from switchover.plan.members.presence import Presence, WatchPoint, presences
from switchover.plan.model import Plan

PHASES: list[dict[str, Any]] = [
    {
        "id": "data",
        "steps": [
            {"id": "copy", "run": "cp", "effect": "creates", "on_unknown": {"verify": ["copied"]}},
            {"id": "look", "checklist": [{"text": "it looks good", "check": "looks"}]},
        ],
        "gate": {"require": ["rows", "copied", "api"]},
    },
    {
        "id": "drop",
        "steps": [{"id": "gone", "run": "rm", "effect": "destroys", "confirm": {"text": "drop", "require": ["saved"]}}],
        "gate": {"require": ["rows", "each[b]"]},
    },
]
NAMES = ("copied", "looks", "rows", "saved", "each", "unnamed", "spare")


def watched(name: str, **keys: str) -> Presence:
    checks = {other: {"kind": "http", **(keys if other == name else {})} for other in NAMES}
    checks["each"]["service"] = ["api", "b"]  # type: ignore[assignment]
    services = {"api": {"kind": "http"}, "b": {"kind": "http"}}
    plan = Plan.model_validate(
        {"schema": 1, "id": "p", "title": "P", "phases": PHASES, "checks": checks, "services": services}
    )
    parts: Any = plan.services if name in services else plan.checks
    return presences(plan, parts)[name]


@pytest.mark.parametrize(
    ("name", "point"),
    [
        ("copied", WatchPoint("turn", "data", "copy")),
        ("looks", WatchPoint("turn", "data", "look")),
        ("saved", WatchPoint("turn", "drop", "gone")),
        ("rows", WatchPoint("gate", "data")),
        ("each", WatchPoint("gate", "drop")),
        ("api", WatchPoint("gate", "data")),
        ("unnamed", None),
    ],
)
def test_without_since_a_thing_is_watched_from_the_step_that_names_it_else_from_the_first_gate(
    name: str, point: WatchPoint | None
) -> None:
    assert watched(name) == Presence(point)


def test_since_and_until_of_the_thing_itself_come_first() -> None:
    assert watched("rows", since="run") == Presence()
    assert watched("rows", since="data.copy", until="drop") == Presence(
        WatchPoint("step", "data", "copy"), WatchPoint("phase", "drop")
    )


@pytest.mark.parametrize(
    ("point", "mark", "why"),
    [
        (WatchPoint("phase", "data"), PhaseMark(), "watched from phase data on"),
        (WatchPoint("phase", "data"), PhaseMark(started=True), ""),
        (WatchPoint("step", "data", "copy"), PhaseMark(started=True), "watched from the end of step data.copy on"),
        (WatchPoint("step", "data", "copy"), PhaseMark(started=True, ended=True), ""),
        (WatchPoint("turn", "data", "copy"), PhaseMark(), "watched from step data.copy on"),
        (WatchPoint("turn", "data", "copy"), PhaseMark(turn=True), ""),
        (WatchPoint("gate", "data"), PhaseMark(started=True), "watched from the gate of phase data on"),
        (WatchPoint("gate", "data"), PhaseMark(started=True, turn=True), ""),
    ],
)
def test_a_thing_is_watched_from_its_moment_on(point: WatchPoint, mark: PhaseMark, why: str) -> None:
    assert not_watched(Presence(point), {point.name: mark}) == why


@pytest.mark.parametrize(
    ("point", "mark", "why"),
    [
        (WatchPoint("phase", "data"), PhaseMark(started=True), ""),
        (WatchPoint("phase", "data"), PhaseMark(started=True, ended=True), "watched until phase data ended"),
        (WatchPoint("step", "data", "copy"), PhaseMark(turn=True), ""),
        (WatchPoint("step", "data", "copy"), PhaseMark(started=True), "watched until step data.copy started"),
    ],
)
def test_a_thing_is_watched_until_its_moment(point: WatchPoint, mark: PhaseMark, why: str) -> None:
    assert not_watched(Presence(None, point), {point.name: mark}) == why


def test_a_service_says_from_when_it_is_needed() -> None:
    point = WatchPoint("step", "data", "copy")
    assert not_needed(Presence(point), {}) == "not started yet: needed from the end of step data.copy on"
    over = {"data.copy": PhaseMark(started=True)}
    assert not_needed(Presence(None, point), over) == "not needed any more since step data.copy started"
    assert not_needed(Presence(), {}) == ""

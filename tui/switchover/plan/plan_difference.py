"""What differs between two texts of a plan: part by part as a person names them, and line by line. Pure."""

from __future__ import annotations

import difflib
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from pydantic import BaseModel

from switchover.plan.model import Phase, Plan

__all__ = ["PlanPartChange", "changed_keys", "compare", "unified"]

_NAMED = (
    ("vars", "variable"),
    ("secrets", "secret"),
    ("sides", "side"),
    ("services", "service"),
    ("checks", "check"),
    ("metrics", "metric"),
    ("notifiers", "notifier"),
    ("alerts", "alert"),
    ("rollbacks", "way back"),
    ("promises", "promise"),
    ("maintenance", "maintenance"),
)
_WHOLE = (
    *("id", "title", "owner", "target", "check_modules", "live"),
    *("alert_groups", "troubleshooting", "contacts", "runbooks", "signoff"),
)
_SHOWN = 200


@dataclass(frozen=True, slots=True)
class PlanPartChange:
    """One part that differs. `what` is step, gate, phase, check, …; `details` are keys with value before and after."""

    kind: Literal["added", "removed", "changed", "moved"]
    what: str
    name: str
    details: tuple[tuple[str, str, str], ...] = ()

    @property
    def text(self) -> str:
        """The change in a few words."""
        keys = f" ({', '.join(key for key, _, _ in self.details)})" if self.details else ""
        return f"{self.what} {self.name} {self.kind}{keys}".replace("  ", " ")


def compare(before: Plan, after: Plan) -> tuple[PlanPartChange, ...]:
    """Return what differs: phases with their steps and gates first, then all else in the order of a plan."""
    return (*_phases(before, after), *_steps(before, after), *_gates(before, after), *_rest(before, after))


def unified(before: str, after: str) -> tuple[str, ...]:
    """Return the difference line by line, as `diff -u` writes it; nothing where there is none."""
    lines = difflib.unified_diff(
        before.splitlines(), after.splitlines(), "the plan that the run goes by", "the file now", lineterm=""
    )
    return tuple(lines)


def changed_keys(before: BaseModel | None, after: BaseModel | None) -> tuple[tuple[str, str, str], ...]:
    """Return the keys whose values differ, each with the value before and after."""
    old, new = _plain(before), _plain(after)
    keys = [*old, *(key for key in new if key not in old)]
    return tuple((key, _shown(old.get(key)), _shown(new.get(key))) for key in keys if old.get(key) != new.get(key))


def _phases(before: Plan, after: Plan) -> Iterator[PlanPartChange]:
    old, new = {p.id: p for p in before.phases}, {p.id: p for p in after.phases}
    yield from _in_both(list(old), list(new), "phase")
    for name in old.keys() & new.keys():
        if old[name].title != new[name].title:
            details = (("title", _shown(old[name].title), _shown(new[name].title)),)
            yield PlanPartChange("changed", "phase", name, details)


def _steps(before: Plan, after: Plan) -> Iterator[PlanPartChange]:
    old, new = {s.id: s for s in before.all_steps}, {s.id: s for s in after.all_steps}
    home = {s.id: p.id for p in before.phases for s in p.steps}
    moved = []
    for change in _in_both(list(old), list(new), "step"):
        moved += [change.name] if change.kind == "moved" else []
        yield change
    for name, step in old.items():
        if name not in new:
            continue
        now = after.phase_of(name).id
        if now != home[name] and name not in moved:
            yield PlanPartChange("moved", "step", name, (("phase", home[name], now),))
        if details := changed_keys(step, new[name]):
            yield PlanPartChange("changed", "step", name, details)


def _gates(before: Plan, after: Plan) -> Iterator[PlanPartChange]:
    old, new = {p.id: p for p in before.phases}, {p.id: p for p in after.phases}
    for name in [*old, *(n for n in new if n not in old)]:
        yield from _one("gate", name, _gate(old.get(name)), _gate(new.get(name)))


def _rest(before: Plan, after: Plan) -> Iterator[PlanPartChange]:
    for key, what in _NAMED:
        old: Mapping[str, BaseModel] = getattr(before, key)
        new: Mapping[str, BaseModel] = getattr(after, key)
        for name in [*old, *(n for n in new if n not in old)]:
            yield from _one(what, name, old.get(name), new.get(name))
    yield from _one("costs", "", before.costs, after.costs)
    for key in _WHOLE:
        was, now = getattr(before, key), getattr(after, key)
        if was != now:
            yield PlanPartChange(
                "changed", key, "", (("", _shown(_json(was)), _shown(_json(now))),) if was or now else ()
            )


def _one(what: str, name: str, old: BaseModel | None, new: BaseModel | None) -> Iterator[PlanPartChange]:
    if old == new:
        return
    kind: Literal["added", "removed", "changed"] = "added" if old is None else "removed" if new is None else "changed"
    yield PlanPartChange(kind, what, name, changed_keys(old, new) if kind == "changed" else ())


def _in_both(old: Sequence[str], new: Sequence[str], what: str) -> Iterator[PlanPartChange]:
    """Tell what came, went, and stands elsewhere among what stayed."""
    yield from (PlanPartChange("removed", what, name) for name in old if name not in new)
    yield from (PlanPartChange("added", what, name) for name in new if name not in old)
    left, right = [n for n in old if n in new], [n for n in new if n in old]
    stays = {
        name
        for block in difflib.SequenceMatcher(None, left, right, autojunk=False).get_matching_blocks()
        for name in left[block.a : block.a + block.size]
    }
    yield from (PlanPartChange("moved", what, name) for name in right if name not in stays)


def _gate(phase: Phase | None) -> BaseModel | None:
    return phase.gate if phase is not None else None


def _plain(model: BaseModel | None) -> dict[str, Any]:
    return model.model_dump(mode="json", by_alias=True) if model is not None else {}


def _json(value: Any) -> Any:
    if isinstance(value, BaseModel):
        return _plain(value)
    if isinstance(value, tuple):
        return [_json(item) for item in value]
    return None if value is None else str(value)


def _shown(value: Any) -> str:
    text = value if isinstance(value, str) else "" if value is None else json.dumps(value, ensure_ascii=False)
    return text if len(text) <= _SHOWN else f"{text[:_SHOWN]}…"

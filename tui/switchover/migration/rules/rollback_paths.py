"""Rollback paths, worked out from the plan and what has begun. Pure: nothing here runs anything."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace

from switchover.migration.facts.run_state import RunState, Stage, Timestamp, UnitState
from switchover.plan.model import Plan, Rollback, RollbackAction, RollbackStep, Step

__all__ = [
    "RollbackPath",
    "RollbackPathItem",
    "as_if_begun",
    "measured_as",
    "phases_gone_over",
    "planned_rollback_path",
    "rollback_paths",
]

_LOSING = ("changes", "destroys")


def measured_as(run: str, undoes: str = "") -> str:
    """Return the name under which it is remembered how long an action of a rollback took."""
    return f"undo {undoes}" if undoes else f"action {hashlib.sha256(run.encode()).hexdigest()[:16]}"


@dataclass(frozen=True, slots=True)
class RollbackPathItem:
    """One command of a rollback path.

    `undoes` is the step that it undoes; `also` are undone with it. `measured`: its time was, not guessed.
    """

    run: str
    env: tuple[tuple[str, str], ...]
    timeout_s: float
    undoes: str = ""
    expect_s: float | None = None
    cwd: str = ""
    measured: bool = False
    also: tuple[str, ...] = ()
    argv: tuple[str, ...] = ()
    run_on: str = ""
    ssh: str = ""
    title: str = ""
    optional: bool = False

    @property
    def place(self) -> str:
        """The host that it runs on, and what ssh calls it; empty for here."""
        return f"{self.run_on} ({self.ssh})" if self.ssh and self.ssh != self.run_on else self.run_on

    @property
    def label(self) -> str:
        """A line for people."""
        text = self.title or " ".join(self.run.split())
        text = f"on {self.place}: {text}" if self.run_on else text
        return f"undo {self.undoes}: {text}" if self.undoes else text


@dataclass(frozen=True, slots=True)
class RollbackPath:
    """A rollback path as it stands now. `name` is empty for undoing the begun steps one by one.

    `irreversible` are the begun steps that no rollback path undoes: each has to be accepted by its name first. What was
    written since `loses_since` is lost, when the step `loses_after` began.
    """

    name: str
    title: str
    items: tuple[RollbackPathItem, ...]
    reason: str = ""  # why it is closed; empty when it is open
    cannot_undo: tuple[str, ...] = ()
    within_s: float | None = None
    data_loss: str = ""
    verify: tuple[str, ...] = ()
    loses_since: Timestamp | None = None
    loses_after: str = ""
    irreversible: tuple[str, ...] = ()

    @property
    def available(self) -> bool:
        """Whether it can be gone now."""
        return not self.reason

    @property
    def expect_s(self) -> float | None:
        """How long it should take, as far as anything is known of that."""
        known = [item.expect_s for item in self.items if item.expect_s is not None]
        return sum(known) if known else None

    @property
    def unknown_times(self) -> int:
        """How many of its actions are not in `expect_s`."""
        return sum(item.expect_s is None for item in self.items)

    @property
    def expect_from(self) -> str:
        """How its time is known: measured, expected, partly; empty where it is not."""
        if not self.items or self.unknown_times == len(self.items):
            return ""
        if self.unknown_times:
            return "partly"
        return "measured" if all(item.measured for item in self.items) else "expected"


@dataclass(frozen=True, slots=True)
class _Known:
    """What the ways are worked out from. `registered`: the steps that began under another text of the plan."""

    plan: Plan
    state: RunState
    registered: Mapping[str, Step] = field(default_factory=dict)
    measured: Mapping[str, float] = field(default_factory=dict)


def rollback_paths(
    plan: Plan,
    state: RunState,
    registered: Mapping[str, Step] | None = None,
    measured: Mapping[str, float] | None = None,
) -> tuple[RollbackPath, ...]:
    """Return all rollback paths: step by step first, then the named ones in the order of the plan."""
    return tuple(planned_rollback_path(plan, state, name, registered, measured) for name in ("", *plan.rollbacks))


def planned_rollback_path(
    plan: Plan,
    state: RunState,
    name: str = "",
    registered: Mapping[str, Step] | None = None,
    measured: Mapping[str, float] | None = None,
) -> RollbackPath:
    """Work out one rollback path. Raise `KeyError` for a name that the plan does not have.

    `registered` are steps as they were when they began, where the plan in force has changed them since. `measured` is
    how long each action took before, by `measured_as`.
    """
    known = _Known(plan, state, registered or {}, measured or {})
    way = _named(known, name, plan.rollbacks[name]) if name else _step_by_step(known)
    done = state.rollback is not None and state.rollback.stage is Stage.DONE and state.rollback.name == way.name
    return replace(way, reason="it has been gone already") if done else way


def phases_gone_over(plan: Plan, name: str) -> frozenset[str]:
    """Return the phases that a named way back goes over with commands of its own, whatever undoes each step.

    Alone, these are for the whole run; beside phases to roll back they are for those. Where a way only rolls back,
    what it undid is known step by step.
    """
    spec = plan.rollbacks.get(name)
    if spec is None or not any(action.command and action.effect != "read" for action in spec.steps):
        return frozenset()
    undone = frozenset(phase for action in spec.steps for phase in action.rollback or ())
    return undone or frozenset(phase.id for phase in plan.phases)


def as_if_begun(plan: Plan, name: str = "") -> RunState:
    """Return a run in which every step has begun that may have, while this rollback path is still open."""
    limit = plan.rollbacks[name].valid_until if name else None
    last = (limit or "").rpartition(".")[2]
    steps: list[str] = []
    for step in plan.all_steps:
        if step.id == last:
            break
        steps.append(step.id)
    units = {step: UnitState(stage=Stage.DONE, began=True) for step in steps}
    return RunState(run_id="rehearsal", units=units, order=tuple(steps))


def _step_by_step(known: _Known) -> RollbackPath:
    steps = _begun(known)
    items = tuple(_undoing(known, steps))
    cannot = [_unknown(known, step) for step in steps]
    undone = _undone(items)
    cannot += [_cannot(step) for step in steps if step.id not in undone]
    reason = "" if items else "no step that can be undone has begun"
    since, after = _since(known, None, undone)
    return RollbackPath(
        "",
        "Undo the begun steps, newest first",
        items,
        reason,
        tuple(text for text in cannot if text),
        loses_since=since,
        loses_after=after,
        irreversible=tuple(step.id for step in steps if step.irreversible),
    )


def _gone_through(known: _Known, items: Iterable[RollbackPathItem]) -> str:
    """Name the rollback path that was gone to its end, if nothing else is left for these actions."""
    rollback = known.state.rollback
    if rollback is None or rollback.stage is not Stage.DONE or any(item.undoes for item in items):
        return ""
    over = phases_gone_over(known.plan, rollback.name)
    left = {step.id for step in _begun(known) if step.effect != "read" and not step.irreversible}
    if any(step.id in left for phase in known.plan.phases if phase.id not in over for step in phase.steps):
        return ""
    left_out = [item for item in rollback.items if known.state.unit(item.unit).stage is Stage.SKIPPED]
    skipped = not all(item.optional for item in left_out)
    proved = all(e.status == "ok" for e in rollback.evidence)
    return "" if skipped or not proved else rollback.name or "the way back step by step"


def _named(known: _Known, name: str, spec: Rollback) -> RollbackPath:
    items: list[RollbackPathItem] = []
    cannot = [text for step in _begun(known) if (text := _unknown(known, step))]
    left: list[Step] = []
    for action in spec.steps:
        if action.command:
            items += _on_hosts(known, _own(known, action), action.run_on)
        if action.rollback:
            steps = [step for step in _begun(known, frozenset(action.rollback)) if step.id not in _undone(items)]
            items += _undoing(known, steps)
            left += (step for step in steps if step.undo is None)
    undone = _undone(items)
    stays = [text for step in left if step.id not in undone and (text := _cannot(step))]
    cannot += stays
    cannot += [_IRREVERSIBLE.format(step.id) for step in _begun(known) if step.irreversible]
    reason = ""
    if not known.state.exists:
        reason = "nothing has begun"
    elif spec.valid_until and (point := _passed(known, spec.valid_until)):
        reason = f"closed since {point} began"
    elif not items:
        reason = stays[0] if stays else "nothing that it would undo has begun"
    elif gone := _gone_through(known, items):
        reason = f"{gone} has been gone, and nothing that this undoes is left"
    since, after = (None, "") if spec.loses == "nothing" else _since(known, spec.loses_since, None)
    return RollbackPath(
        name,
        spec.title,
        tuple(items),
        reason,
        tuple(dict.fromkeys(cannot)),
        spec.within,
        spec.loses or "",
        spec.verify,
        since,
        after,
        tuple(step.id for step in _begun(known) if step.irreversible),
    )


def _undone(items: Iterable[RollbackPathItem]) -> set[str]:
    return {name for item in items for name in (item.undoes, *item.also) if name}


def _undoing(known: _Known, steps: list[Step]) -> list[RollbackPathItem]:
    """Return what undoes these begun steps, in their order.

    The other step that undoes one may not have begun, or be undone already. Its command is run for that one then.
    """
    items: list[RollbackPathItem] = []
    begun = {step.id for step in _begun(known)}
    borrowed: set[str] = set()
    for step in steps:
        if step.undo is not None:
            items += _items(known, step, step.undo)
        elif step.undone_by and step.undone_by not in begun | borrowed:
            borrowed.add(step.undone_by)
            other = next(other for other in known.plan.all_steps if other.id == step.undone_by)
            items += _borrowed(known, step, other)
    return items


def _borrowed(known: _Known, step: Step, other: Step) -> list[RollbackPathItem]:
    """Return what undoes `step` with the command of another, which has nothing to be undone itself."""
    if other.undo is None:
        return []
    item = _item(known, other, other.undo)
    also = tuple(name for name in item.also if name != step.id)
    return _on_hosts(known, replace(item, undoes=step.id, also=also), other.undo.run_on or other.run_on)


def _begun(known: _Known, phases: frozenset[str] | None = None) -> list[Step]:
    """Return the steps that have begun and are not undone yet, as they were when they began, the newest first."""
    plan, state = known.plan, known.state
    steps = {step.id: step for phase in plan.phases if phases is None or phase.id in phases for step in phase.steps}
    return [
        known.registered.get(name, steps[name])
        for name in reversed(state.order)
        if name in steps and state.unit(name).began and state.unit(name).stage is not Stage.ROLLED_BACK
    ]


def _since(known: _Known, point: str | None, undone: set[str] | None) -> tuple[Timestamp | None, str]:
    """Return since when what is written is lost, and the step that began then.

    Without a step that the plan names, it is the first begun step that changed something existing. With `undone`, only
    those steps count.
    """
    if point is not None:
        names: Iterable[str] = (point.rpartition(".")[2],)
    else:
        steps = reversed(_begun(known))
        names = [s.id for s in steps if s.effect in _LOSING and (undone is None or s.id in undone)]
    for name in names:
        began = [a.started for a in known.state.unit(name).attempts if a.outcome != "not started"]
        if began:
            return began[0], name
    return None, ""


def _items(known: _Known, step: Step, action: RollbackAction) -> list[RollbackPathItem]:
    """Return what undoes a step: where it ran on a group of machines, one for each on which it began."""
    item = _item(known, step, action)
    attempts = known.state.unit(step.id).attempts
    parts = dict.fromkeys(m for a in attempts for m in a.members if known.state.unit(m).began)
    if not parts or action.run_on:
        last = next((a.far for a in reversed(attempts) if a.far is not None), None)
        if action.run_on or last is None:
            return _on_hosts(known, item, action.run_on or step.run_on)
        return [replace(item, run_on=last.host, ssh=last.ssh)]
    found = []
    for part in reversed(parts):
        far = next((a.far for a in reversed(known.state.unit(part).attempts) if a.far is not None), None)
        if far is not None and known.state.unit(part).stage is not Stage.ROLLED_BACK:
            found.append(replace(item, undoes=part, also=(), run_on=far.host, ssh=far.ssh))
    return [*found[:-1], *(replace(one, also=(step.id, *item.also)) for one in found[-1:])]


def _on_hosts(known: _Known, item: RollbackPathItem, run_on: str | None) -> list[RollbackPathItem]:
    """Return an action for each machine of the host that the plan names; one alone where it runs here."""
    host = known.plan.hosts.get(run_on) if run_on else None
    if run_on is None or host is None:
        return [item]
    names = host.destinations
    return [replace(item, run_on=run_on, ssh=ssh if len(names) > 1 else "") for ssh in names]


def _item(known: _Known, step: Step, action: RollbackAction) -> RollbackPathItem:
    item = RollbackPathItem(
        action.command,
        tuple(action.env.items()),
        action.timeout,
        step.id,
        action.expect_duration,
        action.cwd or step.cwd or "",
        argv=action.argv or (),
        also=tuple(other.id for other in _begun(known) if other.undone_by == step.id),
    )
    return _timed(known, item)


def _own(known: _Known, action: RollbackStep) -> RollbackPathItem:
    item = RollbackPathItem(
        action.command,
        tuple(action.env.items()),
        action.timeout,
        expect_s=action.expect_duration,
        cwd=action.cwd or "",
        argv=action.argv or (),
        title=action.title or "",
        optional=action.optional,
    )
    return _timed(known, item)


def _timed(known: _Known, item: RollbackPathItem) -> RollbackPathItem:
    """Go by what was measured before rather than by what the plan promises."""
    took = known.measured.get(measured_as(item.run, item.undoes))
    return item if took is None else replace(item, expect_s=took, measured=True)


_IRREVERSIBLE = "{} cannot be undone: it is irreversible"


def _unknown(known: _Known, step: Step) -> str:
    """Say of a begun step that nobody knows how it ended: it is undone, or left, all the same."""
    if known.state.unit(step.id).stage is not Stage.UNKNOWN or step.effect == "read":
        return ""
    return f"the outcome of {step.id} is unknown: look at what it left behind before going back over it"


def _cannot(step: Step) -> str:
    if step.irreversible:
        return _IRREVERSIBLE.format(step.id)
    if step.effect == "read":
        return ""
    if step.undone_by:
        return f"{step.id} is undone with {step.undone_by}, which this way back does not undo"
    if step.effect in _LOSING and step.rollback != "not_needed":
        return f"{step.id} has no undo of its own: what it changed stays unless another undo covers it"
    return ""


def _passed(known: _Known, until: str) -> str:
    """Return the point (`PHASE.STEP` or `PHASE`) if it has begun, else nothing."""
    phase_id, _, step_id = until.partition(".")
    if step_id:
        return until if known.state.unit(step_id).began else ""
    for phase in known.plan.phases:
        if phase.id == phase_id and any(known.state.unit(step.id).began for step in phase.steps):
            return until
    return ""

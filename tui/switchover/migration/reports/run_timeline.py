"""What happened, in words. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from switchover.clock import iso_utc
from switchover.migration.facts import events as ev
from switchover.migration.facts.display import display
from switchover.snapshot import TimelineRow
from switchover.snapshot.states import EventKind, NamedStatus, StatusWord
from switchover_checks.language.units import format_duration

__all__ = ["action_words", "describe", "timeline"]


def timeline(records: Iterable[ev.Record], rollback: ev.RollbackStarted | None = None) -> tuple[TimelineRow, ...]:
    """Return a row for each record, oldest first. `rollback` is the one under way before the first of them."""
    rows = []
    words = action_words(rollback)
    for record in records:
        if isinstance(record.event, ev.RollbackStarted):
            words |= action_words(record.event)
        kind, text, status = describe(record.event, words)
        rows.append(TimelineRow(record.at, kind, display(text).replace("\n", " "), status))
    return tuple(rows)


def action_words(rollback: ev.RollbackStarted | None) -> dict[str, str]:
    """Name each action of a rollback for people: `undo copy`, or `way back quick, step 1`."""
    if rollback is None:
        return {}
    way = f"way back {rollback.name}" if rollback.name else "way back"
    return {
        item.unit: f"undo {item.undoes}" if item.undoes else f"{way}, step {number}"
        for number, item in enumerate(rollback.items, 1)
    }


def _measured(values: Mapping[str, float | None], units: Mapping[str, str]) -> Iterable[str]:
    for name, value in values.items():
        unit = units.get(name, "")
        yield f"{name} ?" if value is None else f"{name} {value:g} {unit}".rstrip()


def describe(event: ev.Event, words: Mapping[str, str] | None = None) -> tuple[EventKind, str, NamedStatus]:
    """Return an event's kind (run, step, gate), its words, and the status that colours them (or nothing).

    `words` name the actions of rollbacks.
    """
    names = words or {}
    match event:
        case ev.RunStarted():
            given_up = f"; {event.given_up}" if event.given_up else ""
            return "run", f"run {event.run_id} started by {event.by.who}{given_up}", ""
        case ev.PlanRebased():
            what = f": {'; '.join(event.changes)}" if event.changes else ""
            why = f" ({event.reason})" if event.reason else ""
            return "run", f"{event.by.who} adopted the edited plan{why}{what}", "warn"
        case ev.BaselineMeasured():
            return "run", f"measured before: {', '.join(_measured(event.values, event.units))}", ""
        case ev.PromisesMeasured():
            parts = [f"before: {', '.join(_measured(event.before, event.units))}"] if event.before else []
            parts += [f"after: {', '.join(_measured(event.after, event.units))}"] if event.after else []
            parts += [f"{one.promise} is {one.state}" for one in event.measurements]
            return "run", f"measured {'; '.join(parts)}", _ok(all(o.state == "met" for o in event.measurements))
        case ev.VariablesGiven():
            return "run", f"{event.by.who} gave {', '.join(event.values)}", ""
        case ev.RunEnded():
            ends = {"done": "run done", "rolled_back": "run rolled back", "aborted": "run aborted"}
            return "run", ends[event.state] + (f": {event.reason}" if event.reason else ""), _ok(event.state == "done")
        case ev.OutputsPruned():
            return "run", f"{event.by.who} had what its steps wrote removed (`prune`)", ""
        case ev.AbortRequested():
            what = names.get(event.what, event.what)
            return "run", f"{event.by.who} stopped {what}" + (f": {event.reason}" if event.reason else ""), "warn"
        case ev.RollbackStarted():
            name = event.name or "step by step"
            return "run", f"rollback {name} started by {event.by.who}", "warn"
        case ev.RollbackEnded():
            in_time = {True: ", within its time", False: ", over its time", None: ""}[event.within_time]
            checks = "".join(f"; {e.check} {e.status}" for e in event.evidence)
            return "run", f"rollback ended after {format_duration(event.duration_s)}{in_time}{checks}", ""
        case ev.DriverChanged():
            return "run", f"{event.by.who} drives: {event.why}", ""
        case ev.TakeoverAsked():
            return "run", f"{event.by} asks to take over from {event.holder}", "warn"
        case ev.TakeoverAnswered(granted=True):
            return "run", f"{event.by.who} handed over to {event.asked_by.who}", ""
        case ev.TakeoverAnswered():
            return "run", f"{event.by.who} did not hand over to {event.asked_by.who}: {event.why}", ""
        case ev.WarningAcknowledged():
            text = f"{event.by.who} acknowledged that {event.check} warns at {_place(event.place)}: {event.reason}"
            return "gate", text, "warn"
        case ev.AcknowledgementEnded():
            return "gate", f"{event.check} is {event.status}: its acknowledgement at {_place(event.place)} is over", ""
        case ev.RequirementWaived():
            text = f"{event.by.who} waived {event.check} ({event.status}) at {_place(event.place)}"
            return "gate", f"{text} for {format_duration(event.for_s)}: {event.reason}", "warn"
    return _describe_gate(event) if isinstance(event, _GATES) else ("step", *_describe_step(event, names))


_GATES = (
    *(ev.GateOpened, ev.GateWaitsForHuman, ev.GateAnswered, ev.GatePassed, ev.GateFailed),
    *(ev.GateGreen, ev.GateHeld, ev.GateBroken, ev.GateWaits, ev.GateUndecided),
)


def _place(place: str) -> str:
    """Write `gate:PHASE` and `step:ID` as words."""
    return place.replace(":", " ", 1)


def _describe_gate(event: ev.Event) -> tuple[EventKind, str, NamedStatus]:
    match event:
        case ev.GateOpened():
            needs = f": {', '.join(event.needs)}" if event.needs else ""
            return "gate", f"gate {event.phase} is looked at{needs}", ""
        case ev.GateWaitsForHuman():
            return "gate", f"gate {event.phase} is green and waits for a person's go", "warn"
        case ev.GateAnswered():
            word = "go" if event.yes else "no-go"
            return (
                "gate",
                f"gate {event.phase}: {word} by {event.by.who}" + (f": {event.note}" if event.note else ""),
                "",
            )
        case ev.GatePassed():
            held = f", held {format_duration(event.held_s)}" if event.held_s >= 1 else ""
            return "gate", f"gate {event.phase} passed{held}", "ok"
        case ev.GateFailed():
            return "gate", f"gate {event.phase} stays shut: {event.reason}", "crit"
        case ev.GateWaits():
            return "gate", f"gate {event.phase} waits: {event.reason}; until {iso_utc(event.until)} at most", "warn"
        case ev.GateUndecided():
            return "gate", f"gate {event.phase} waits for a person to decide: {event.reason}", "warn"
        case ev.GateGreen():
            hold = f" and has to stay so for {format_duration(event.hold_s)}" if event.hold_s else " from here on"
            return "gate", f"gate {event.phase} is green{hold}", "ok"
        case ev.GateHeld():
            return "gate", f"gate {event.phase} has held {format_duration(event.held_s)}", ""
        case ev.GateBroken():
            held = f" after {format_duration(event.held_s)}" if event.held_s >= 1 else ""
            return "gate", f"gate {event.phase} broke{held}: {event.reason}", "warn"
    raise TypeError(type(event).__name__)


def _describe_step(event: ev.Event, names: Mapping[str, str]) -> tuple[str, NamedStatus]:
    unit = names.get(getattr(event, "unit", ""), getattr(event, "unit", ""))
    match event:
        case ev.ConfirmationGiven():
            return f"{event.step} confirmed by {event.by.who}", ""
        case ev.StepStarted():
            again = f", attempt {event.attempt}" if event.attempt > 1 else ""
            return f"{unit} started by {event.by.who}{again}", ""
        case ev.StepEnded(outcome="done"):
            note = f": {event.reason}" if event.reason else ""
            return f"{unit} done after {format_duration(event.duration_s)}{note}", "ok"
        case ev.StepEnded(outcome="unknown"):
            return f"{unit} has an unknown outcome: {event.reason}", "unknown"
        case ev.StepEnded():
            return f"{unit} {event.outcome} after {format_duration(event.duration_s)}: {event.reason}", "crit"
        case ev.StepUnknown():
            return f"{unit} has an unknown outcome: {event.reason}", "unknown"
        case ev.StepReady():
            return f"{unit} ready {format_duration(event.waited_s)} after its end", "ok"
        case ev.StepNotReady():
            return f"{unit} failed: {event.reason}", "crit"
        case ev.StepSkipped():
            return f"{unit} skipped: {event.condition} does not hold ({event.found})", ""
        case ev.StepEndedLate():
            why = f": {event.reason}" if event.reason else ""
            took = format_duration(event.duration_s)
            late = "known only after its outcome had been unknown"
            return f"{unit}, attempt {event.attempt}, was {event.outcome} after {took}{why}; {late}", "warn"
        case ev.StepNotStarted():
            return f"{unit} was never started: {event.reason}", "warn"
        case ev.StepResolved(policy=str(policy)) if policy:
            return f"{unit} resolved as {event.choice} by the plan (on_unknown: {policy}): {event.reason}", ""
        case ev.StepResolved():
            return f"{unit} resolved as {event.choice} by {event.by.who}: {event.reason}", ""
        case ev.StepRetried():
            return f"{unit} may run again, says {event.by.who}", ""
        case ev.Ticked():
            note = f": {event.evidence}" if event.evidence else ""
            note += f", with the file {event.file.name} ({event.file.sha256[:12]})" if event.file else ""
            return f"{event.step} item {event.item + 1} ticked by {event.by.who}{note}", ""
    raise TypeError(type(event).__name__)


def _ok(good: bool) -> StatusWord:
    return "ok" if good else "warn"

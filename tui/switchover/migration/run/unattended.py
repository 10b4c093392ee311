"""Driving without a screen: all that needs no person, one thing after the other, as far as it goes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from shlex import quote
from typing import TYPE_CHECKING, Literal, TypeVar

from switchover.errors import JournalAwayError, RefusedError
from switchover.migration.facts.run_state import Stage
from switchover.migration.reports.run_timeline import action_words
from switchover.migration.rules.cli_names import check_names, unused
from switchover.migration.rules.next_action import may_repeat, reached

if TYPE_CHECKING:
    from switchover.migration.facts.operator import Operator
    from switchover.migration.run.engine import Engine

__all__ = ["DriveOutcome", "GivenEvidence", "drive"]

T = TypeVar("T")
Kind = Literal["done", "failed", "unknown", "waiting", "reached", "handed"]


@dataclass(frozen=True, slots=True)
class DriveOutcome:
    """Where driving stopped: why, and what to do next. `unused` says what was given and served nothing."""

    kind: Kind
    text: str
    hint: str = ""
    unused: tuple[str, ...] = ()


async def drive(
    engine: Engine,
    op: Operator,
    *,
    until: str | None,
    confirmations: Mapping[str, str],
    ticks: Mapping[str, str | GivenEvidence],
    variables: Mapping[str, str],
    retry: tuple[str, ...],
    new: bool,
) -> DriveOutcome:
    """Go on until all is done, `until` is reached, something fails, or a person is needed."""
    begins = new and engine.state.finished
    check_names((engine.run_store.file if begins else engine.loaded).plan, until, confirmations, ticks, retry)
    words, evidence, retries = _Given(confirmations), _Given(_evidence(ticks)), list(retry)
    outcome = await _drive(engine, op, until, words, evidence, variables, retries, new=new)
    left = unused(engine.loaded.plan, engine.state, words.unused, evidence.unused, retries)
    return replace(outcome, unused=left)


@dataclass(frozen=True, slots=True)
class GivenEvidence:
    """How a person knows that an item is done: in words, or by a file."""

    text: str = ""
    file: Path | None = None


def _evidence(ticks: Mapping[str, str | GivenEvidence]) -> dict[str, GivenEvidence]:
    return {name: GivenEvidence(given) if isinstance(given, str) else given for name, given in ticks.items()}


class _Given(dict[str, T]):
    """What the command line gives, by name; knows what nobody has asked for."""

    def __init__(self, given: Mapping[str, T]) -> None:
        super().__init__(given)
        self._asked: set[str] = set()

    @property
    def unused(self) -> tuple[str, ...]:
        """The names that were never looked up."""
        return tuple(name for name in self if name not in self._asked)

    def ask(self, name: str) -> T | None:
        """Return what is given under a name, and remember that it was of use."""
        self._asked.add(name)
        return self.get(name)


async def _drive(
    engine: Engine,
    op: Operator,
    until: str | None,
    confirmations: _Given[str],
    ticks: _Given[GivenEvidence],
    variables: Mapping[str, str],
    retries: list[str],
    *,
    new: bool,
) -> DriveOutcome:
    async with engine.hold(op):
        await engine.recover(op)
        await engine.settled()
        engine.run_store.refuse_impossible()
        if engine.state.finished and not new:
            return _over(engine)
        if engine.state.exists and not engine.state.finished:
            if engine.state.plan_id != engine.run_store.file.plan.id:
                raise RefusedError(engine.other_plan, "give each plan a journal of its own, or finish that run first")
            if new:
                raise RefusedError(
                    f"run {engine.state.run_id} goes on already",
                    f"go on with it, or give it up first: `{_command(engine)} --abort --reason TEXT`",
                )
            if variables:
                await engine.give(op, variables)
        else:
            await engine.start(op, variables, new=new)
        while True:
            if until is not None and reached(engine.loaded.plan, engine.state, until):
                return DriveOutcome("reached", f"phase {until} is through")
            if engine.handed_over:
                return DriveOutcome("handed", engine.interrupted, f"watch it with `{_command(engine, '')}`")
            if engine.interrupted:
                return DriveOutcome("failed", f"stopped: {engine.interrupted}", _way_on(engine))
            try:
                outcome = await _one(engine, op, confirmations, ticks, retries)
            except JournalAwayError:
                if engine.interrupted:
                    raise
                await engine.until_journal_is_back()  # nothing begins before that; then decide anew from what it says
                await engine.recover(op)
                await engine.settled()
                continue
            if outcome is not None:
                return outcome


async def _one(
    engine: Engine,
    op: Operator,
    confirmations: _Given[str],
    ticks: _Given[GivenEvidence],
    retries: list[str],
) -> DriveOutcome | None:
    """Do the next thing. Return an outcome where driving stops."""
    action = engine.action
    plan, unit, phase = engine.loaded.plan, action.unit, action.phase
    if again := next((name for name in retries if name in may_repeat(plan, engine.state)), None):
        retries.remove(again)
        return await _repeat(engine, op, again, confirmations)
    match action.kind:
        case "done" | "none":
            return _over(engine)
        case "step" | "checklist" if why := engine.too_early(unit):
            return DriveOutcome("waiting", f"{unit} may not run yet: {why}", f"`{_command(engine)}` goes on then")
        case "step":
            await engine.run_step(unit, op)
        case "confirm":
            return await _confirm(engine, op, unit, confirmations)
        case "checklist":
            return await _tick(engine, op, unit, ticks)
        case "gate" | "decide":
            return await _check_gate(engine, op, phase)
        case "human":
            return await _answer(engine, op, phase, confirmations)
        case "failed":
            if unit not in retries:
                return DriveOutcome(
                    "failed", f"{_named(engine, unit)} failed: {action.reason}", f"mend it, then {_way_on(engine)}"
                )
            retries.remove(unit)
            return await _repeat(engine, op, unit, confirmations)
        case _:
            return _waits_for_a_person(engine, unit)
    return None


async def _confirm(engine: Engine, op: Operator, unit: str, confirmations: _Given[str]) -> DriveOutcome | None:
    typed = confirmations.ask(unit)
    if typed is None:
        wanted = engine.view_step(unit).confirm_text
        hint = f"`{_command(engine)} --confirm {unit}={_quoted(wanted)}`"
        return DriveOutcome("waiting", f"{unit} waits for its confirmation", hint)
    try:
        await engine.run_step(unit, op, typed)
    except RefusedError as error:
        return DriveOutcome("waiting", error.title, error.hint)
    return None


async def _check_gate(engine: Engine, op: Operator, phase: str) -> DriveOutcome | None:
    await engine.check_gate(phase, op)
    gate = engine.state.gate(phase)
    if gate.undecided:
        return _undecided(engine, phase)
    if gate.stage is Stage.FAILED:
        reason = gate.reason
        return DriveOutcome("failed", f"gate {phase} stays shut: {reason}", "mend it and run again")
    return None


async def _answer(engine: Engine, op: Operator, phase: str, confirmations: _Given[str]) -> DriveOutcome | None:
    if (confirmations.ask(phase) or "").strip().lower() != "go":
        human = next(p.gate.human for p in engine.loaded.plan.phases if p.id == phase and p.gate)
        return DriveOutcome(
            "waiting", f"gate {phase} asks: {human}", f"answer with `{_command(engine)} --confirm {phase}=go`"
        )
    try:
        await engine.answer_gate(phase, op, True)
    except RefusedError as error:
        return DriveOutcome("waiting", error.title, error.hint)
    return None


def _waits_for_a_person(engine: Engine, unit: str) -> DriveOutcome:
    """Say what nobody but a person, or another machine, can carry on."""
    action = engine.action
    match action.kind:
        case "resolve":
            hint = f"say how it ended: `{_command(engine)} --resolve {unit}=done|failed|retry|rollback --reason TEXT`"
            return DriveOutcome("unknown", f"the outcome of {_named(engine, unit)} is unknown: {action.reason}", hint)
        case "rollback":
            return DriveOutcome("failed", "a rollback was begun and is not through", _rollback_hint(engine))
        case "wait" if place := engine.run_store.elsewhere(unit):
            hint = "go on with `switchover run` there; if that machine is lost, say how it ended: "
            hint += f"`{_command(engine)} --resolve {unit}=done|failed|retry|rollback --reason TEXT`"
            return DriveOutcome("waiting", f"{unit} runs on {place}", hint)
        case _:
            return DriveOutcome("failed", f"{unit} runs", f"see `{_command(engine, 'status')}`")


async def _repeat(engine: Engine, op: Operator, unit: str, confirmations: _Given[str]) -> DriveOutcome | None:
    """Run a failed step again. One that is not confirmed as it has to be waits for a person, as at its first time."""
    asks = {step.id for step in engine.loaded.plan.all_steps if step.confirm is not None or step.irreversible}
    try:
        await engine.retry(unit, op, confirmations.ask(unit))
    except RefusedError as error:
        if unit not in asks:
            raise
        return DriveOutcome("waiting", error.title, error.hint)
    return None


async def _tick(engine: Engine, op: Operator, unit: str, ticks: _Given[GivenEvidence]) -> DriveOutcome | None:
    step = engine.loaded.plan.step(unit)
    done = engine.state.unit(unit).ticks
    for number, item in sorted(enumerate(step.checklist), key=lambda one: not one[1].optional):
        if number in done:
            continue
        own, whole = ticks.ask(f"{unit}.{number + 1}"), ticks.ask(unit)
        given = own or whole
        if given is None and item.optional:
            continue
        if given is None:
            what = _WANTED[item.evidence]
            hint = f"do it, then `{_command(engine)} --tick {unit}.{number + 1}={what}`"
            return DriveOutcome("waiting", f"{unit} waits for a person: {item.text}", hint)
        given = given if item.evidence == "file" else replace(given, file=None)
        try:
            await engine.tick(unit, number, op, "" if given.file else given.text, given.file)
        except RefusedError as error:
            return DriveOutcome("waiting", error.title, error.hint)
    return None


_WANTED = {"none": "EVIDENCE", "text": "EVIDENCE", "url": "https://…", "file": "@FILE"}


def _undecided(engine: Engine, phase: str) -> DriveOutcome:
    gate = engine.state.gate(phase)
    status = {e.check: e.status for e in gate.evidence}
    hints = [
        f"`{_command(engine, 'acknowledge')} {quote(check)} --reason TEXT`"
        if status.get(check) == "warn"
        else f"`{_command(engine, 'waive')} {quote(check)} --reason TEXT --for 2h`"
        for check in gate.undecided
    ]
    text = f"gate {phase} waits for a person to decide: {gate.reason}"
    return DriveOutcome("waiting", text, f"mend it and run again, or {', '.join(hints)}")


def _over(engine: Engine) -> DriveOutcome:
    if engine.other_plan:
        how = engine.state.stage.value.replace("_", " ")
        text = f"nothing was executed: run {engine.state.run_id} is {how}, but {engine.other_plan}"
        hint = f"`{_command(engine)} --new` begins one by this plan; `{_command(engine, 'diff')}` compares"
        return DriveOutcome("waiting", text, hint)
    match engine.state.stage:
        case Stage.DONE:
            return DriveOutcome("done", f"run {engine.state.run_id} is done")
        case Stage.ROLLED_BACK:
            return DriveOutcome("failed", f"run {engine.state.run_id} was rolled back", _another(engine))
        case Stage.ABORTED:
            return DriveOutcome("failed", f"run {engine.state.run_id} was aborted", _another(engine))
    return DriveOutcome("failed", "there is nothing to do", f"see `{_command(engine, 'status')}`")


def _way_on(engine: Engine) -> str:
    """Say how a run that stopped goes on."""
    unit, rollback = engine.action.unit, engine.state.rollback
    units = [item.unit for item in rollback.items] if rollback is not None else []
    if unit in units:
        again = f" --retry {units.index(unit) + 1}" if engine.action.kind == "failed" else ""
        by_hand = f"`{_command(engine)} --resolve {unit}=done --reason TEXT`"
        return f"{_rollback_hint(engine, again)}; was it undone by hand: {by_hand}"
    if engine.action.kind == "failed":
        return f"`{_command(engine)} --retry {unit}`; or go back with `{_command(engine, 'rollback')}`"
    return f"`{_command(engine)}` goes on"


def _named(engine: Engine, unit: str) -> str:
    """Name a step, or an action of the rollback in words."""
    rollback = engine.state.rollback
    return action_words(rollback.begun if rollback else None).get(unit, unit)


def _rollback_hint(engine: Engine, more: str = "") -> str:
    name = engine.state.rollback.name if engine.state.rollback else ""
    return f"go on with it: `{_command(engine, 'rollback')}{f' {name}' if name else ''}{more}`"


def _another(engine: Engine) -> str:
    return f"begin another with `{_command(engine)} --new`"


def _command(engine: Engine, verb: str = "run") -> str:
    return engine.run_store.workspace.command(verb)


def _quoted(text: str) -> str:
    """Return it fit for a shell, in double quotes where these are enough."""
    return quote(text) if set(text) & set('"\\$`!') else f'"{text}"'

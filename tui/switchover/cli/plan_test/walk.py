"""Carries one case through the engine, as a person would who does all that the case says."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

from switchover.cli.plan_test.plan_cases import PlanCase
from switchover.cli.plan_test.stand_ins import CaseChecks, CaseClock, CaseLauncher, CaseSecrets
from switchover.errors import RefusedError, SwitchoverError
from switchover.locations import Workspace
from switchover.migration.facts.operator import Operator
from switchover.migration.facts.run_state import RunState, Stage
from switchover.migration.journal.run_lock import RunLock
from switchover.migration.rules.times import opens_at, why_not_yet
from switchover.migration.run.engine import Engine
from switchover.migration.run.run_store import RunStore
from switchover.migration.run.store.tools import Tools
from switchover.plan.loader.load import LoadedPlan
from switchover.plan.model import Gate, Plan, Promise, Step
from switchover.plan.promise_model import measured_item
from switchover.plan.promises.targets import parse_target

__all__ = ["Walked", "for_tests", "walk"]

_MOST_ACTIONS = 20_000
_LONGEST_WAIT_S = 400 * 86400.0
_LOOKS_OF_A_HOLD = 4
_TWO = ("ana", "bo")
_PAIRS = ((100.0, 1.0), (1.0, 100.0), (1.0, 1.0), (100.0, 0.0), (0.0, 100.0), (0.0, 0.0))


@dataclass
class Walked:
    """Where a case came to: the run, what ran, what was asked, and why it went no further."""

    run: str
    at: str
    why: str
    state: RunState
    plan: Plan
    because: tuple[str, ...] = ()
    commands: list[str] = field(default_factory=list)
    asked: list[str] = field(default_factory=list)
    open_rollbacks: tuple[str, ...] = ()
    offers: tuple[str, ...] = ()
    loses: bool = False
    proved: tuple[str, ...] = ()
    seconds: float = 0.0


def for_tests(loaded: LoadedPlan) -> LoadedPlan:
    """Return the plan as it is walked through: all of it here, with few looks while a gate holds."""
    plan = loaded.plan
    longest = max((phase.gate.hold for phase in plan.phases if phase.gate is not None), default=0.0)
    every = longest / _LOOKS_OF_A_HOLD
    here: dict[str, object] = {"run_on": None}
    phases = []
    for phase in plan.phases:
        steps = []
        for step in phase.steps:
            undo = step.undo
            changed = dict(here)
            if undo is not None and "run_on" in type(undo).model_fields:
                changed["rollback"] = undo.model_copy(update=here)
            steps.append(step.model_copy(update=changed))
        phases.append(phase.model_copy(update={"steps": tuple(steps)}))
    rollbacks = {
        name: way.model_copy(
            update={
                "steps": tuple(
                    one.model_copy(update=here) if "run_on" in type(one).model_fields else one for one in way.steps
                )
            }
        )
        for name, way in plan.rollbacks.items()
    }
    checks = {
        name: spec if spec.every == "gate" else spec.model_copy(update={"every": max(spec.every, every)})
        for name, spec in plan.checks.items()
    }
    changes = {"phases": tuple(phases), "rollbacks": rollbacks, "checks": checks}
    return replace(loaded, plan=plan.model_copy(update=changes))


async def walk(loaded: LoadedPlan, case: PlanCase, folder: Path) -> Walked:
    """Walk through one case. `folder` is there, and holds the journal of it."""
    clock = CaseClock()
    checks = CaseChecks(clock, case.given.checks, _kept_promises(loaded.plan))
    launcher, secrets = CaseLauncher(clock, case.given.steps, loaded.plan), CaseSecrets()
    tools = Tools(clock, checks, secrets, launcher, clock.wait, environ={"PATH": "/nowhere"})
    workspace = Workspace(folder / "state", loaded.path.resolve(), None, registry=folder)
    store = _OneStore(loaded, workspace, tools)
    store.open()
    walker = _Walker(Engine(store), case, clock, launcher, folder)
    try:
        return await walker.go()
    finally:
        await walker.engine.aclose()


class _OneStore(RunStore):
    """Goes by the plan that it was given. Neither the disk nor what else goes on here is looked at for each case."""

    def __init__(self, loaded: LoadedPlan, workspace: Workspace, tools: Tools) -> None:
        super().__init__(loaded, workspace, tools, notes=False)
        self.lock = RunLock(workspace, loaded.plan.id, None, None)
        self.host_notes.host = None

    @property
    def plan_edited(self) -> bool:
        return False

    @property
    def other_plan(self) -> str:
        return ""

    async def read_file(self) -> LoadedPlan:
        return self.file


class _Walker:
    def __init__(self, engine: Engine, case: PlanCase, clock: CaseClock, launcher: CaseLauncher, folder: Path) -> None:
        self.engine = engine
        self._case, self._given = case, case.given
        self._clock, self._launcher = clock, launcher
        self._folder = folder
        self._why = ""
        self._asked: list[str] = []

    async def go(self) -> Walked:
        try:
            await self._all()
            await self._then()
        except SwitchoverError as error:
            self._why = f"{error.title}" + (f"; {error.hint}" if error.hint else "")
        return self._walked()

    async def _all(self) -> None:
        async with self.engine.hold(_person(_TWO[0])):
            for _ in range(_MOST_ACTIONS):
                if not await self._next():
                    return
        self._why = f"more than {_MOST_ACTIONS:,} actions"

    async def _next(self) -> bool:
        """Do the next thing. Return whether the run may go on."""
        engine, action = self.engine, self.engine.action
        first = _person(_TWO[0])
        match action.kind:
            case "start":
                await engine.start(first, {name: _text(value) for name, value in self._given.vars.items()})
            case "step":
                if not await self._until_open(engine.loaded.plan.step(action.unit)):
                    return False
                await engine.run_step(action.unit, first)
            case "confirm":
                return await self._confirm(action.unit)
            case "checklist":
                return await self._tick(action.unit)
            case "gate":
                await engine.check_gate(action.phase, first)
                gate = engine.state.gate(action.phase)
                return gate.stage is not Stage.FAILED and not gate.undecided
            case "human":
                return await self._answer(action.phase)
            case _:
                return False
        return True

    async def _until_open(self, step: Step) -> bool:
        """Let the time pass until a step may begin. Return whether it ever may."""
        plan, state, waited = self.engine.loaded.plan, self.engine.state, 0.0
        while why := why_not_yet(plan, state, step, self.engine.run_store.moment()):
            moment = self.engine.run_store.moment()
            opens = opens_at(plan, state, step, moment)
            if opens is None or waited > _LONGEST_WAIT_S:
                self._why = why
                return False
            waited += (pause := max(1.0, opens - moment.at))
            await self._clock.wait(pause)
        return True

    async def _confirm(self, unit: str) -> bool:
        step = self.engine.loaded.plan.step(unit)
        self._asked.append(unit)
        people = self._people(unit, step.confirm.persons if step.confirm is not None else 1)
        if self._given.confirm == "refused" or not people:
            self._why = f"nobody confirms {unit}"
            return False
        if not await self._until_open(step):
            return False
        text = self.engine.view_step(unit).confirm_text
        try:
            for other in people[1:]:
                await self.engine.confirm(unit, _person(other), text)
            await self.engine.run_step(unit, _person(people[0]), text)
        except RefusedError as error:
            self._why = error.title
            return False
        return True

    async def _tick(self, unit: str) -> bool:
        step = self.engine.loaded.plan.step(unit)
        people = self._people(unit, 1)
        given = self._given.steps.get(unit)
        self._asked += [item.text for item in step.checklist]
        if not people or (given is not None and given.result != "ok"):
            self._why = f"nobody ticks {unit}"
            return False
        done = self.engine.state.unit(unit).ticks
        order = sorted(enumerate(step.checklist), key=lambda one: not one[1].optional)
        for number, item in order:
            if number in done:
                continue
            file = self._folder / "evidence"
            if item.evidence == "file":
                file.write_text("evidence of the case\n")
            said = {"text": "seen", "url": "https://example.org/evidence"}.get(item.evidence, "")
            try:
                await self.engine.tick(
                    unit, number, _person(people[0]), said, file if item.evidence == "file" else None
                )
            except RefusedError as error:
                self._why = error.title
                return False
        return True

    async def _answer(self, phase: str) -> bool:
        gate = next((p.gate for p in self.engine.loaded.plan.phases if p.id == phase), None) or Gate()
        self._asked.append(gate.human or phase)
        people = self._people(phase, gate.persons)
        if len(people) < gate.persons:
            self._why = f"gate {phase} asks {gate.persons} persons, and {len(people)} answer"
            return False
        try:
            for other in people[1 : gate.persons]:
                await self.engine.confirm(phase, _person(other), "go")
            await self.engine.answer_gate(phase, _person(people[0]), True)
        except RefusedError as error:
            self._why = error.title
            return False
        return True

    def _people(self, name: str, needed: int) -> tuple[str, ...]:
        """Return who answers here: as the case says, else as many as are needed."""
        human = self._given.human
        known = human.get(name, human.get("*"))
        return tuple(dict.fromkeys(known)) if known is not None else _TWO[: max(1, needed)]

    async def _then(self) -> None:
        then, op = self._case.then, _person(_TWO[0])
        for unit, choice in then.resolve.items():
            await self.engine.resolve(unit, choice, "the case says so", op)
            await self._all()
        if then.rollback is not None:
            name = then.rollback or None
            ways = self.engine.view().rollbacks
            way = next((one for one in ways if one.name == then.rollback), None)
            await self._name_actions(name)
            await self.engine.rollback(name, op, accept=way.irreversible if way is not None else ())
        if then.abort:
            await self.engine.abort(op, "the case says so")

    async def _name_actions(self, name: str | None) -> None:
        path = await self.engine.rollback(name, _person(_TWO[0]), dry_run=True)
        number = 0
        for index, item in enumerate(path.items if path is not None else ()):
            number += not item.undoes
            self._launcher.names[f"rollback:1:{index}"] = f"undo.{item.undoes}" if item.undoes else f"{name}.{number}"

    def _walked(self) -> Walked:
        engine, state, action = self.engine, self.engine.state, self.engine.action
        gate = state.gate(action.phase) if action.phase and not action.unit else None
        unit = self._launcher.names.get(action.unit, action.unit)
        run, at = _where(state, action.kind, unit, action.phase)
        rollback = state.rollback
        ways = engine.view().rollbacks
        undo = next((way for way in ways if not way.name), None)
        offers = ("done", "failed", "rerun", "retry") if run == "asks" else ()
        began = rollback.begun if rollback is not None else None
        return Walked(
            run=run,
            at=at,
            why=self._why or action.reason or state.reason,
            state=state,
            plan=engine.loaded.plan,
            because=tuple(e.check for e in gate.evidence if e.status != "ok") if gate is not None else (),
            commands=self._launcher.commands,
            asked=self._asked,
            open_rollbacks=tuple(way.name for way in ways if way.name and way.available),
            offers=(*offers, "rollback") if offers and undo is not None and undo.available else offers,
            loses=began is not None and (began.loses_since is not None or began.data_loss not in ("", "nothing")),
            proved=tuple(e.check for e in rollback.evidence if e.status == "ok") if rollback is not None else (),
            seconds=self._clock.passed,
        )


def _where(state: RunState, kind: str, unit: str, phase: str) -> tuple[str, str]:
    match state.stage:
        case Stage.DONE:
            return "done", ""
        case Stage.ROLLED_BACK:
            return "rolled_back", ""
        case Stage.ABORTED:
            return "aborted", ""
    place = unit or (f"{phase}.gate" if phase else "")
    return {"failed": "stopped", "resolve": "asks"}.get(kind, "waiting"), place


def _person(name: str) -> Operator:
    """Return a person whom the kernel could have named."""
    number = 1000 + sum(name.encode()) % 1000 + len(name)
    return Operator(name, "case", f"pts/{name}", number, "case", name)


def _kept_promises(plan: Plan) -> Mapping[str, Mapping[str, float]]:
    """Return values of metrics with which each promise is kept, where the case says nothing else."""
    values: dict[str, dict[str, float]] = {}
    for promise in plan.promises.values():
        before, after = next((pair for pair in _PAIRS if _holds(promise, *pair)), _PAIRS[0])
        for side, value in ((promise.before, before), (promise.after, after)):
            source = side.value if side is not None else None
            if isinstance(source, str):
                item, number = measured_item(source)
                values.setdefault(item, {})[number or "value"] = value
    return values


def _holds(promise: Promise, before: float, after: float) -> bool:
    fixed = promise.before.value if promise.before is not None else 0.0
    other = promise.after.value
    try:
        return parse_target(promise.target, promise.unit).holds(
            before if isinstance(fixed, str) else float(fixed), after if isinstance(other, str) else float(other)
        )
    except ValueError:
        return False


def _text(value: object) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)

"""A step on a group of machines: a few at a time, a result for each."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from switchover.errors import RefusedError, StateError
from switchover.migration.facts import events as ev
from switchover.migration.facts.operator import Operator
from switchover.migration.facts.run_state import Stage, UnitState
from switchover.migration.run.execution import ExecutionUnit, Executor
from switchover.migration.run.run_store import RunStore
from switchover.migration.run.unit_values import fill_argv
from switchover.migration.steps.attempt import AttemptEnded, Lost, NeverStarted, Truth

__all__ = ["GroupRunner", "member_of"]


def member_of(unit: str, machine: str) -> str:
    """Return the name of the part of a unit that one machine of its group does."""
    return f"{unit}@{machine}"


@dataclass(frozen=True, slots=True)
class _Member:
    name: str
    machine: str


class GroupRunner:
    """Runs a unit on each machine of a group. The unit ends when no machine goes on with it."""

    def __init__(self, run_store: RunStore) -> None:
        self._store = run_store
        self._executors: dict[str, Executor] = {}
        self._stopped = ""

    def machines(self, unit: ExecutionUnit) -> tuple[str, ...]:
        """Return what ssh calls the machines of the unit's group; empty where it runs on one, or here."""
        host = self._store.plan.hosts.get(unit.run_on) if unit.run_on and not unit.ssh else None
        return host.destinations if host is not None and len(host.destinations) > 1 else ()

    def stop(self, reason: str) -> None:
        """End what goes on, and begin no other."""
        self._stopped = reason
        for executor in self._executors.values():
            executor.stop(reason)

    @property
    def no_line(self) -> Mapping[str, str]:
        """Why a machine on which a part goes on cannot be asked just now, by the part's name."""
        return {name: one.there.no_line for name, one in self._executors.items() if one.there.no_line}

    async def run(
        self,
        unit: ExecutionUnit,
        operator: Operator,
        number: int,
        *,
        confirmed: str = "",
        evidence: tuple[ev.Evidence, ...] = (),
    ) -> Truth:
        """Run it on all machines on which it is not done yet. Its end is in the journal when this returns."""
        store, self._stopped = self._store, ""
        members = tuple(self._member(unit, text) for text in self.machines(unit))
        last = store.state.unit(unit.name).last
        again = last is None or last.outcome == "done"
        waiting = [m for m in members if again or store.state.unit(m.name).stage is not Stage.DONE]
        argv = fill_argv(store, unit)
        began = asyncio.get_running_loop().time()
        await store.record(
            ev.StepStarted(
                unit=unit.name,
                attempt=number,
                by=operator,
                argv=argv,
                argv_digest=hashlib.sha256("\0".join(argv).encode("utf-8", "surrogateescape")).hexdigest(),
                env_names=tuple(sorted(unit.env)),
                rules=unit.rules,
                condition=unit.condition,
                cwd=unit.cwd,
                plan_digest=store.loaded.digest,
                timeout_s=unit.timeout_s,
                rollback=unit.rollback,
                confirmed=confirmed,
                evidence=evidence,
                place=store.place_of_a_start(),
                members=tuple(member.name for member in members),
            )
        )
        refused = await self._in_turns(unit, waiting, operator)
        seconds = asyncio.get_running_loop().time() - began
        return await self._end(unit.name, number, tuple(m.name for m in members), refused, seconds)

    async def resume(self, name: str) -> Truth:
        """Find out about the parts of a unit that were begun before, and wait for those that go on."""
        last = self._store.state.unit(name).last
        if last is None:
            raise StateError(f"{name} was not started")
        self._stopped = ""
        open_ = [m for m in last.members if self._store.state.unit(m).stage is Stage.RUNNING]
        await asyncio.gather(*(self._follow(member) for member in open_))
        left = [m for m in last.members if self._store.state.unit(m).stage is Stage.PENDING]
        bad = [m for m in last.members if self._store.state.unit(m).stage in (Stage.FAILED, Stage.UNKNOWN)]
        if left and not bad:
            reason = f"it was interrupted before {_listed(left)} began: those are left"
            await self._store.record(ev.StepNotStarted(name, last.number, reason))
            return NeverStarted(reason)
        return await self._end(name, last.number, last.members, {}, 0.0)

    def _member(self, unit: ExecutionUnit, text: str) -> _Member:
        machine = Executor(self._store).render(text)
        return _Member(member_of(unit.name, machine), machine)

    async def _in_turns(self, unit: ExecutionUnit, waiting: Sequence[_Member], operator: Operator) -> dict[str, str]:
        """Run it on a few machines after the others, until too many have failed. Return those that refused it."""
        refused: dict[str, str] = {}
        for first in range(0, len(waiting), unit.serial):
            turn = waiting[first : first + unit.serial]
            bad = sum(self._store.state.unit(m.name).stage in (Stage.FAILED, Stage.UNKNOWN) for m in waiting[:first])
            if self._stopped or bad + len(refused) > unit.max_fail:
                break
            said = await asyncio.gather(*(self._run_one(unit, member, operator) for member in turn))
            refused.update({member.name: why for member, why in zip(turn, said, strict=True) if why})
        return refused

    async def _run_one(self, unit: ExecutionUnit, member: _Member, operator: Operator) -> str:
        """Run it on one machine; return why it was not begun there, where it was not."""
        executor = self._executors[member.name] = Executor(self._store)
        part = replace(
            unit,
            name=member.name,
            ssh=member.machine,
            machine=member.machine,
            label=unit.name,
            rules=replace(unit.rules, ready=()),
        )
        try:
            await self._let_again(unit.name, member.name, operator)
            await executor.run(part, operator)
        except (StateError, RefusedError) as error:
            return error.title
        finally:
            self._executors.pop(member.name, None)
        return ""

    async def _let_again(self, unit: str, member: str, operator: Operator) -> None:
        """Put on record that a part begins again: a person has said so of the whole."""
        was = self._store.state.unit(member)
        if was.stage is Stage.UNKNOWN and was.last is not None:
            reason = f"{unit} begins again where it is not done"
            await self._store.record(ev.StepResolved(member, was.last.number, "retry", reason, operator))
        elif was.stage is Stage.FAILED:
            await self._store.record(ev.StepRetried(member, operator))
        elif was.stage is Stage.DONE:
            await self._store.record(ev.StepRetried(member, operator, self._store.plan.phase_of(unit).id))

    async def _follow(self, name: str) -> None:
        last = self._store.state.unit(name).last
        if last is None or last.far is None:
            return
        executor = self._executors[name] = Executor(self._store)
        try:
            await executor.settle(name, last.number, await executor.there.follow(name, last.number))
        finally:
            self._executors.pop(name, None)

    async def _end(
        self, name: str, number: int, members: Sequence[str], refused: Mapping[str, str], seconds: float
    ) -> Truth:
        """Put the end of the whole on record, with what became of each machine that is not done."""
        units = {member: self._store.state.unit(member) for member in members}
        notes = [_said(member, unit, refused.get(member, "")) for member, unit in units.items()]
        reason = self._store.values.clean("; ".join(filter(None, notes)))
        stages = {unit.stage for unit in units.values()}
        if Stage.UNKNOWN in stages:
            await self._store.record(ev.StepUnknown(name, number, reason, _remote(units.values())))
            return Lost(reason)
        outcome: ev.Outcome = "aborted" if self._stopped else "failed"
        if stages == {Stage.DONE}:
            outcome = "done"
        await self._store.record(ev.StepEnded(name, number, outcome, None, seconds, reason))
        return AttemptEnded({})


def _said(member: str, unit: UnitState, refused: str) -> str:
    machine = member.partition("@")[2]
    if unit.stage is Stage.DONE:
        return ""
    if refused:
        return f"{machine}: {refused}"
    if unit.stage in (Stage.FAILED, Stage.UNKNOWN):
        return f"{machine}: {unit.reason}"
    return f"{machine} was not begun"


def _listed(members: Sequence[str]) -> str:
    return ", ".join(member.partition("@")[2] for member in members)


def _remote(units: Iterable[UnitState]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(name for unit in units if unit.last is not None for name in unit.last.remote))

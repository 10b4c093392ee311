"""What a person can do, sensible or not: each word is one action, in words of the engine."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from tests.functional.migration.engine_model.world import ModelWorld

from switchover.migration.facts import events as ev
from switchover.migration.facts.operator import Operator
from switchover.migration.run.engine import Engine

__all__ = ["Person"]

CONFIRMATIONS = {"s3": "three", "gone": "gone", "b": "go"}
TICKS = {"list": "seen"}


@dataclass
class Person:
    """One who acts at an engine. What decides something is counted before it is said."""

    WORDS: ClassVar[tuple[str, ...]] = (
        *(
            "start",
            "run_step",
            "run_next",
            "check_gate",
            "retry",
            "resolve",
            "resolve",
            "roll_back",
            "roll_back",
            "skip",
        ),
        *("abort", "tick", "answer", "acknowledge", "recover", "hand_over"),
    )

    world: ModelWorld
    engine: Engine
    op: Operator

    async def next(self, choice: str) -> None:
        """Do what the run waits for, as somebody would who reads the screen."""
        await self.engine.refresh()
        action = self.engine.action
        match action.kind:
            case "start" | "done" | "none":
                await self.start()
            case "step" | "confirm":
                await self.run_step(action.unit)
            case "checklist":
                await self.tick()
            case "gate":
                await self.engine.check_gate(action.phase, self.op)
            case "human":
                await self.engine.answer_gate(action.phase, self.op, True)
            case "decide":
                await self.waive(self.engine.state.gate(action.phase).undecided[0], 1200.0)
            case "failed":
                await self.retry(action.unit)
            case "resolve":
                await self.resolve(action.unit, choice)
            case "rollback":
                await self.engine.rollback(None, self.op)
            case "wait":
                await self.recover()

    async def drive(self, until: str | None) -> None:
        await self.engine.drive(self.op, until=until, confirmations=CONFIRMATIONS, ticks=TICKS)

    async def start(self, *_: str) -> None:
        await self.engine.start(self.op, new=self.engine.state.finished)

    async def run_step(self, unit: str, *_: str) -> None:
        name = unit or self.engine.action.unit
        await self.engine.run_step(name, self.op, CONFIRMATIONS.get(name))

    async def run_next(self, *_: str) -> None:
        await self.engine.run_next(self.op)

    async def check_gate(self, *_: str) -> None:
        await self.engine.check_gate(self.engine.action.phase or "a", self.op)

    async def retry(self, unit: str, *_: str) -> None:
        name = unit or self.engine.action.unit
        self.world.words[name] += 1
        await self.engine.retry(name, self.op, CONFIRMATIONS.get(name))

    async def resolve(self, unit: str, choice: str) -> None:
        name = unit or self.engine.action.unit
        self.world.words[name] += 1
        await self.engine.resolve(name, choice, "looked, round", self.op)

    async def roll_back(self, unit: str, choice: str) -> None:
        """Go back, with or without the loss that it means; run again what failed of it."""
        action, again = self.engine.action, []
        if choice == "retry" and action.kind == "failed" and self.engine.state.rollback is not None:
            again = [action.unit]
            self.world.words[action.unit] += 1
        await self.engine.rollback(None, self.op, accept=[] if unit else ["gone"], again=again)

    async def skip(self, unit: str, *_: str) -> None:
        name = unit if unit.startswith("rollback:") else self.engine.action.unit
        self.world.words[name] += 1
        await self.engine.skip(name, "looked, round", self.op)

    async def abort(self, unit: str, *_: str) -> None:
        """Stop what goes on. The run itself is given up less often."""
        if self.engine.busy or unit == "gone":
            await self.engine.abort(self.op, "enough")

    async def tick(self, *given: str) -> None:
        done = self.engine.state.unit("list").ticks
        item = next(number for number in range(4) if number not in done)
        await self.engine.tick("list", item, self.op, "" if given[:1] == ("s0",) else "seen")

    async def answer(self, unit: str, *_: str) -> None:
        await self.engine.answer_gate("b", self.op, unit != "gone", "so")

    async def acknowledge(self, unit: str, *_: str) -> None:
        await self.engine.acknowledge("rows" if unit else "up", self.op, "known")

    async def waive(self, check: str, for_s: float) -> None:
        await self.engine.waive(check, self.op, "known", for_s)

    async def recover(self, *_: str) -> None:
        await self.engine.recover(self.op)

    async def hand_over(self, *_: str) -> None:
        """Let the other drive, who says so."""
        self.engine.hand_over("handed over")
        await self.engine.note(self.op, ev.DriverChanged(self.op, None, "handed over"))

"""What a looped name means where it stands: all its members, or the member of this turn."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Any

from switchover.plan.loader.document import Node
from switchover.plan.loader.loop_values import LoopMember

__all__ = ["LoopedNames", "Turn"]

_LISTS = frozenset({"require", "ready", "verify", "needs", "checks", "prove", "rollback", "service"})
_SCALARS = frozenset({"check", "service", "undone_by", "newer_than"})
_MOMENTS = {"since": -1, "until": 0, "valid_until": 0, "loses_since": 0}  # which of all members decides
_STEP_OUTPUT = re.compile(r"(\{\{\s*step\.)([A-Za-z_][\w-]*)(?=\.)")
_WORD = re.compile(r"(?<![\w.\[-])[A-Za-z_][\w-]*(?![\w\[(-])")
_Loops = dict[str, tuple[str, list[LoopMember]]]


@dataclass(frozen=True, slots=True)
class Turn:
    """A turn of a loop that is being written out."""

    variable: str
    key: str
    value: Any


@dataclass
class LoopedNames:
    """The loops of a plan by name, and of each step the phase that it stands in."""

    parts: _Loops = field(default_factory=dict)
    steps: _Loops = field(default_factory=dict)
    phases: _Loops = field(default_factory=dict)
    home: dict[str, str] = field(default_factory=dict)

    def __bool__(self) -> bool:
        return bool(self.parts or self.steps or self.phases)

    @staticmethod
    def member(name: str, turns: tuple[Turn, ...]) -> str:
        """Name a member: `worker[anima]`, of two loops in each other `copy[a,b]`."""
        return f"{name}[{','.join(turn.key for turn in turns)}]" if turns else name

    def referring(self, key: str, value: Node, turns: tuple[Turn, ...]) -> Node:
        """Return what stands under `key`, its looped names written out."""
        if key in _LISTS and value.items is not None:
            items = [one for item in value.items for one in self._each(item, turns)]
            return Node(value.line, value.column, [i.data for i in items], items=items, source=value.source)
        if not isinstance(value.data, str):
            return value
        if key == "service" and len(found := self._names(value.data, turns)) > 1:
            items = [_at(value, name) for name in found]
            return Node(value.line, value.column, list(found), items=items, source=value.source)
        if key in _SCALARS and len(found := self._names(value.data, turns)) == 1:
            return _at(value, found[0])
        if key in _MOMENTS:
            return _at(value, self._moment(value.data, turns, _MOMENTS[key]))
        if key == "when" and turns:
            return _at(value, _WORD.sub(lambda word: self._of_turn(word[0], turns) or word[0], value.data))
        return value

    def outputs_in(self, text: str, turns: tuple[Turn, ...]) -> str:
        """Return a text whose templates of a looped step name the step of this turn."""
        if "step." not in text or not turns:
            return text
        return _STEP_OUTPUT.sub(lambda found: f"{found[1]}{self._of_turn(found[2], turns) or found[2]}", text)

    def _each(self, item: Node, turns: tuple[Turn, ...]) -> list[Node]:
        return [_at(item, name) for name in self._names(item.data, turns)] if isinstance(item.data, str) else [item]

    def _names(self, name: str, turns: tuple[Turn, ...]) -> list[str]:
        """Return the members that a name means: that of this turn, else all. What is no loop is itself."""
        if own := self._of_turn(name, turns):
            return [own]
        if name in self.parts:
            return [f"{name}[{member.key}]" for member in self.parts[name][1]]
        if name in self.phases:
            return [f"{name}[{member.key}]" for member in self.phases[name][1]]
        return self._steps(name) or [name]

    def _steps(self, name: str) -> list[str]:
        """Return the members of a step; one of a looped phase has as many as that has."""
        own = [member.key for member in self.steps[name][1]] if name in self.steps else []
        outer = self.phases.get(self.home.get(name, ""))
        keys = [[m.key, k] if k else [m.key] for m in outer[1] for k in (own or [""])] if outer else [[k] for k in own]
        return [f"{name}[{','.join(key)}]" for key in keys]

    def _of_turn(self, name: str, turns: tuple[Turn, ...]) -> str:
        """Return the member of this turn, where the name is looped over the same variable; empty where it is not."""
        for turn in reversed(turns):
            for loops in (self.parts, self.steps, self.phases):
                variable, members = loops.get(name, ("", []))
                if variable == turn.variable and any(member.key == turn.key for member in members):
                    outer = [one for one in turns if one is not turn and self._phase_turn(name, one)]
                    return self.member(name, (*outer, turn))
            if name in self.home and self._phase_turn(name, turn) and name not in self.steps:
                return self.member(name, (turn,))
        return ""

    def _phase_turn(self, step: str, turn: Turn) -> bool:
        outer = self.phases.get(self.home.get(step, ""))
        return outer is not None and outer[0] == turn.variable

    def _moment(self, text: str, turns: tuple[Turn, ...], which: int) -> str:
        """Return PHASE or PHASE.STEP with the member that decides: this turn's, else the first or the last."""
        phase, dot, step = text.partition(".")
        if phase in self.phases:
            found = self._of_turn(phase, turns) or f"{phase}[{self.phases[phase][1][which].key}]"
        else:
            found = phase
        if not dot:
            return found
        return f"{found}.{self._of_turn(step, turns) or (self._steps(step) or [step])[which]}"


def _at(like: Node, text: str) -> Node:
    return like if text == like.data else Node(like.line, like.column, text, like.weight, source=like.source)

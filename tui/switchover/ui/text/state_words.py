"""States as an operator reads them: a glyph, a word and a style, never colour alone."""

from __future__ import annotations

import signal
from typing import NamedTuple

from switchover.snapshot.states import (
    ActionKind,
    GateWord,
    NamedStatus,
    RollbackWord,
    StageWord,
    StatedEffect,
    StatusWord,
)
from switchover.ui.text.styled_line import Line, StyledSpan, fit

__all__ = [
    "HISTORY_STATUSES",
    "Word",
    "effect",
    "ending",
    "gate",
    "outcome",
    "run",
    "severity",
    "step",
    "way",
    "word_line",
]


class Word(NamedTuple):
    """How a state is shown."""

    glyph: str
    word: str
    style: str


_OUTCOMES: dict[StatusWord, Word] = {
    "ok": Word("✓", "ok", "outcome-ok"),
    "warn": Word("!", "warn", "outcome-warn"),
    "crit": Word("✗", "crit", "outcome-crit"),
    "unknown": Word("?", "unkn", "outcome-unknown"),
    "skipped": Word("–", "skip", "outcome-skipped"),
    "pending": Word("○", "wait", "outcome-pending"),
}
_STEPS: dict[StageWord, Word] = {
    "pending": Word("○", "pending", "step-pending"),
    "running": Word("▶", "running", "step-running"),
    "waiting": Word("◆", "waits for you", "step-waiting"),
    "done": Word("✓", "done", "step-done"),
    "failed": Word("✗", "failed", "step-failed"),
    "unknown": Word("?", "unknown", "step-unknown"),
    "skipped": Word("–", "skipped", "step-skipped"),
    "rolled_back": Word("↶", "rolled back", "step-rolled-back"),
    "aborted": Word("■", "aborted", "step-failed"),
}
_GATES: dict[GateWord, Word] = {
    "pending": Word("○", "not yet", "step-pending"),
    "waiting": Word("◌", "waits", "step-waiting"),
    "holding": Word("◔", "holds", "step-running"),
    "human": Word("◆", "asks you", "step-waiting"),
    "decide": Word("◆", "you decide", "step-waiting"),
    "passed": Word("✓", "passed", "step-done"),
    "rolled_back": Word("↶", "gone back", "step-rolled-back"),
    "failed": Word("✗", "failed", "step-failed"),
}
_EFFECTS: dict[StatedEffect, tuple[str, str]] = {
    "read": ("changes nothing", "muted"),
    "creates": ("creates something new", "text"),
    "changes": ("changes what is there", "outcome-warn"),
    "destroys": ("destroys", "outcome-crit"),
    "": ("effect not said", "outcome-warn"),
}
_SEVERITY: dict[NamedStatus, int] = {"crit": 0, "unknown": 1, "warn": 2, "pending": 3, "skipped": 4, "ok": 5}
HISTORY_STATUSES: tuple[StatusWord, ...] = ("ok", "warn", "crit", "unknown", "skipped", "pending")


def outcome(status: NamedStatus) -> Word:
    """Return how a check's status is shown."""
    return _OUTCOMES[status or "unknown"]


def step(state: RollbackWord) -> Word:
    """Return how the state of a step, a phase or a run is shown."""
    return Word("?", "stopped", "step-unknown") if state == "stopped" else _STEPS[state]


def run(state: StageWord, action: ActionKind) -> Word:
    """Return how the state of a run is shown. `action` tells whether it waits for the operator or for its checks."""
    waits = {"wait": "waits for its gate", "later": "waits for its time"}
    if state == "waiting" and action in waits:
        return Word("◌", waits[action], "step-waiting")
    return step(state)


def ending(exit_code: int) -> str:
    """Return how a command ended: its exit code, or the signal that ended it."""
    if exit_code >= 0:
        return f"exit {exit_code}"
    try:
        return f"ended by {signal.Signals(-exit_code).name}"
    except ValueError:
        return f"ended by signal {-exit_code}"


def gate(state: GateWord) -> Word:
    """Return how the state of a gate is shown."""
    return _GATES[state]


def effect(name: StatedEffect) -> tuple[str, str]:
    """Return what a step does to the world, and in which style to say it."""
    return _EFFECTS[name]


def severity(status: NamedStatus) -> int:
    """Return the rank of a status: worst first."""
    return _SEVERITY.get(status, 1)


def way(*, available: bool) -> Word:
    """Return how a rollback path is shown."""
    return Word("✓", "open", "outcome-ok") if available else Word("✗", "closed", "outcome-skipped")


def word_line(word: Word, width: int = 0) -> Line:
    """Write a state as glyph and word, filled up to `width`."""
    text = f"{word.glyph} {word.word}"
    return (StyledSpan(fit(text, width) if width else text, word.style),)

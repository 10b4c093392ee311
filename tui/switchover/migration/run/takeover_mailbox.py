"""Requests to take over the run of another process: two small files in the workspace.

The journal cannot carry the question: only who drives may write there.
"""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path
from typing import TypeVar

import msgspec

from switchover.migration.facts.operator import Operator
from switchover.private_files import read_private, replace_private

__all__ = ["TakeoverAnswer", "TakeoverMailbox", "TakeoverQuestion"]


class TakeoverQuestion(msgspec.Struct, frozen=True):
    """Somebody wants to take over. Nobody having answered by `until` (epoch seconds) is a refusal."""

    id: str
    by: Operator
    at: float
    until: float


class TakeoverAnswer(msgspec.Struct, frozen=True):
    """What became of it."""

    id: str
    granted: bool
    why: str = ""


class TakeoverMailbox:
    """The question that is open and its answer, as files. Reading never raises; an old question is none."""

    def __init__(self, directory: Path) -> None:
        self._question = directory / "takeover.json"
        self._answer = directory / "takeover-answer.json"
        self._word = directory / "takeover-word.json"

    def ask(self, by: Operator, now: float, within_s: float) -> TakeoverQuestion:
        """Put a question in, in place of any before it."""
        question = TakeoverQuestion(os.urandom(8).hex(), by, now, now + within_s)
        _write(self._question, question)
        return question

    def question(self, now: float) -> TakeoverQuestion | None:
        """Return the question that waits for its answer."""
        found = _read(self._question, TakeoverQuestion)
        if found is None or not found.at - 1.0 <= now < found.until or self.answer_to(found) is not None:
            return None
        return found

    def say(self, question: TakeoverQuestion, *, granted: bool, why: str = "") -> None:
        """Give the process that drives, from another terminal, its answer."""
        _write(self._word, TakeoverAnswer(question.id, granted, why))

    def said(self, question: TakeoverQuestion) -> TakeoverAnswer | None:
        """Return the given answer to this question, None while there is none."""
        found = _read(self._word, TakeoverAnswer)
        return found if found is not None and found.id == question.id else None

    def answer(self, question: TakeoverQuestion, *, granted: bool, why: str = "") -> None:
        """Answer it. Only the process that drives does."""
        _write(self._answer, TakeoverAnswer(question.id, granted, why))

    def answer_to(self, question: TakeoverQuestion) -> TakeoverAnswer | None:
        """Return the answer to this question, None while there is none."""
        found = _read(self._answer, TakeoverAnswer)
        return found if found is not None and found.id == question.id else None


def _write(path: Path, value: object) -> None:
    replace_private(path, msgspec.json.encode(value))


T = TypeVar("T")


def _read(path: Path, kind: type[T]) -> T | None:
    with suppress(OSError, msgspec.MsgspecError):
        return msgspec.json.decode(read_private(path), type=kind)
    return None

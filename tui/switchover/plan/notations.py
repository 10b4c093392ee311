"""The small notations inside a plan's texts, each parsed once: what is captured from a step's output, and moments."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime

from switchover_checks.language.units import parse_duration

__all__ = ["After", "Capture", "parse_capture", "parse_moment"]

_JSON = re.compile(r"\s*json:(?P<path>(?:\.[^.\[\]\s]+|\[-?[0-9]{1,6}\])+)\s*")
_CAPTURE = re.compile(r"\s*stdout:/(?P<pattern>.*)/\s*", re.DOTALL)
_AFTER = re.compile(r"\s*(?P<kind>phase|step)\.(?P<name>[A-Za-z_][\w-]*)\s*(?:\+\s*(?P<delay>\S+))?\s*")
_LONGEST_PATTERN = 500


@dataclass(frozen=True, slots=True)
class Capture:
    """What is taken from a step's standard output: a group of a regular expression, or a value in JSON.

    `wanted` is how the step's watcher is told: the expression, or the path behind a zero byte.
    """

    wanted: str


def parse_capture(text: str) -> Capture:
    r"""Read `stdout:/^IP=(\S+)$/` or `json:.ip.value`. Raise `ValueError` that says how one is written."""
    if text.lstrip().startswith("json:"):
        found = _JSON.fullmatch(text) if len(text) <= _LONGEST_PATTERN else None
        if found is None:
            raise ValueError("write json:.KEY.KEY or json:.KEY[0], such as json:.ip.value")
        return Capture(f"\0{found['path']}")
    match = _CAPTURE.fullmatch(text) if len(text) <= 2 * _LONGEST_PATTERN else None
    if match is None:
        raise ValueError(
            r"write stdout:/REGEX/ with one group, such as stdout:/^IP=(\S+)$/, or json:PATH, such as json:.ip.value"
        )
    if len(match["pattern"]) > _LONGEST_PATTERN:
        raise ValueError(f"this regular expression is longer than {_LONGEST_PATTERN} characters")
    try:
        pattern = re.compile(match["pattern"], re.MULTILINE)
    except (re.error, OverflowError, RecursionError) as error:
        raise ValueError(f"this regular expression cannot be read: {error}") from None
    if pattern.groups != 1:
        count = "no group" if not pattern.groups else f"{pattern.groups} groups"
        raise ValueError(
            f"this regular expression has {count} and needs exactly one, round the value; (?: ) does not count"
        )
    return Capture(match["pattern"])


@dataclass(frozen=True, slots=True)
class After:
    """A time counted from the end of a phase or a step. `kind` is phase or step."""

    kind: str
    name: str
    delay_s: float


def parse_moment(text: str) -> After | datetime:
    """Read `phase.validate + 24h`, `step.copy + 1h` or `2026-01-31T22:00Z` (UTC where no zone is given).

    Raise `ValueError` that says how one is written.
    """
    if len(text) <= 200 and (match := _AFTER.fullmatch(text)):
        return After(match["kind"], match["name"], parse_duration(match["delay"]) if match["delay"] else 0.0)
    try:
        when = datetime.fromisoformat(text[:200].strip())
    except ValueError:
        shown = text if len(text) <= 60 else text[:57] + "…"
        raise ValueError(
            f"{shown!r} is not a moment; write phase.NAME + 24h, step.NAME + 1h or 2026-01-31T22:00Z"
        ) from None
    return when if when.tzinfo is not None else when.replace(tzinfo=UTC)

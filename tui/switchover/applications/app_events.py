"""The words of an application, as they come over the line: one JSON object a line."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from itertools import islice
from typing import Any, Literal

import msgspec

__all__ = ["AppEvent", "EventError", "number_of", "read_events", "text_of"]

MOST_BYTES = 4 << 20
MOST_TEXT = 200
_MOST_KEPT = 1_000
_MOST_ITEMS = 100
_DEEPEST = 4

EventKind = Literal["workflow", "step", "ai", "git", "tests", "log", "metric"]


class AppEvent(msgspec.Struct, frozen=True, kw_only=True):
    """One thing that happened in an application.

    `at` is its own clock (epoch seconds). `seq` counts up by one within one `source` (a process). `data` depends on
    the kind; docs/api.md lists its keys.
    """

    v: Literal[1]
    kind: EventKind
    name: str
    at: float
    seq: int = 0
    app: str = ""
    pid: int = 0
    source: str = ""
    data: dict[str, Any] = {}

    @property
    def workflow(self) -> str:
        """The workflow that it belongs to; empty where there is none."""
        return text_of(self.data.get("workflow"))


class EventError(ValueError):
    """A line that is no event. The text says which line, and why."""


_DECODER = msgspec.json.Decoder(AppEvent)


def read_events(body: bytes, redact: Callable[[str], str] = str) -> Iterator[AppEvent | EventError]:
    """Yield each line's event, or why it is none. Empty lines are passed over, `redact` takes secrets out of texts."""
    for number, line in enumerate(body.split(b"\n"), 1):
        if not line.strip():
            continue
        try:
            event = _DECODER.decode(line)
        except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
            yield EventError(f"line {number}: {error}"[:MOST_TEXT])
            continue
        if not math.isfinite(event.at) or not 0 <= event.at < 1e11:
            yield EventError(f"line {number}: `at` is no time in seconds since 1970")
        elif not event.name.strip():
            yield EventError(f"line {number}: `name` is empty")
        else:
            name, app, source = (redact(text)[:MOST_TEXT] for text in (event.name, event.app, event.source))
            yield msgspec.structs.replace(event, name=name, app=app, source=source, data=_clean(event.data, redact))


def _clean(value: Any, redact: Callable[[str], str], depth: int = 0) -> Any:
    """Return what was told without secrets, and with no more of it than anybody reads."""
    if isinstance(value, str):
        return redact(value)[:_MOST_KEPT]
    if isinstance(value, dict) and depth < _DEEPEST:
        items = islice(value.items(), _MOST_ITEMS)
        return {redact(str(key))[:MOST_TEXT]: _clean(item, redact, depth + 1) for key, item in items}
    if isinstance(value, list) and depth < _DEEPEST:
        return [_clean(item, redact, depth + 1) for item in value[:_MOST_ITEMS]]
    return None if isinstance(value, dict | list) else value


def number_of(value: Any) -> float | None:
    """Return a finite number; None for anything else."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    try:
        number = float(value)
    except OverflowError:
        return None
    return number if math.isfinite(number) else None


def text_of(value: Any) -> str:
    """Return a short text on one line; empty for None."""
    return "" if value is None else " ".join(str(value).split())[:MOST_TEXT]

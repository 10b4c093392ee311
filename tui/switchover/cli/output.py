"""The only writer of standard output: data for people and programs, and nothing else.

Writing never raises and never stops the work in hand. A reader that went away (`| head`) is no failure. A full disk is
remembered, and reported at the end by `finish`.
"""

from __future__ import annotations

import dataclasses
import errno
import io
import json
import os
import sys
from collections.abc import Iterable, Mapping
from contextlib import suppress
from decimal import Decimal
from enum import Enum
from pathlib import Path
from typing import Any

from switchover.errors import SwitchoverError
from switchover.redaction import sanitize
from switchover_checks.unknown_secrets import MARK, redact_unknown

__all__ = ["emit_exact", "emit_json", "emit_text", "finish", "json_text"]

_failure: list[OSError] = []


def emit_text(text: str, *, exact: bool = False) -> None:
    """Write `text` and a line end. It is made harmless for a terminal.

    What looks like a secret is taken out. With `exact` it stays: our own words about passwords look so.
    """
    _write(sanitize(text) if exact else redact_unknown(sanitize(text)))


def emit_exact(text: str) -> None:
    """Write `text` as it is, and a line end. A format that escapes has made each part of it safe."""
    _write(text)


def emit_json(value: Any, *, indent: int | None = 2, exact: bool = False) -> None:
    """Write one JSON document. Dataclasses become objects, decimals and paths text.

    What looks like a secret is taken out of its texts, unless it is to be `exact`.
    """
    _write(json_text(value, indent=indent, exact=exact))


def json_text(value: Any, *, indent: int | None = 2, exact: bool = False) -> str:
    """Return what `emit_json` writes."""
    plain_ascii = "utf" not in (getattr(sys.stdout, "encoding", None) or "utf-8").lower()
    text = json.dumps(value, default=_plain, indent=indent, ensure_ascii=plain_ascii)
    if not exact and redact_unknown(text) != text:
        text = json.dumps(_without_secrets(json.loads(text)), indent=indent, ensure_ascii=plain_ascii)
    return text


def finish() -> None:
    """Flush. Raise where something that should have been written was not, but not for a reader that went away."""
    _write("", end="")
    if _failure:
        error = _failure.pop()
        raise SwitchoverError(
            f"the output could not be written: {error.strerror}", "free space, or send it somewhere else, and run again"
        )


def _write(text: str, end: str = "\n") -> None:
    stream = sys.stdout
    if stream is None or stream.closed:
        return
    try:
        if isinstance(stream, io.TextIOWrapper) and stream.errors == "strict":
            stream.reconfigure(errors="backslashreplace")
        stream.write(text + end)
        stream.flush()
    except OSError as error:
        if error.errno != errno.EPIPE:
            _failure.append(error)
        _forget(stream)


def _forget(stream: Any) -> None:
    """Point the stream at nothing, so that what is left in its buffer harms nobody at exit."""
    try:
        null = os.open(os.devnull, os.O_WRONLY)
        os.dup2(null, stream.fileno())
        os.close(null)
    except (OSError, ValueError):
        sys.stdout = open(os.devnull, "w", encoding="utf-8")  # noqa: SIM115, PTH123 - lives as long as the process


def _without_secrets(value: Any, name: str = "") -> Any:
    if isinstance(value, str):
        shown = redact_unknown(value)
        line = json.dumps({name: shown})
        return MARK if name and redact_unknown(line) != line else shown
    if isinstance(value, dict):
        return _beside({redact_unknown(key): _without_secrets(item, key) for key, item in value.items()})
    return _beside([_without_secrets(item) for item in value]) if isinstance(value, list) else value


def _beside(value: Any) -> Any:
    """Take out what is a secret by what stands beside it: arguments in a list, a name and its value."""
    line = json.dumps(value)
    if (shown := redact_unknown(line)) == line:
        return value
    with suppress(ValueError):
        read = json.loads(shown)
        if len(read) == len(value) and (isinstance(value, list) or read.keys() == value.keys()):
            return read
    marked = {key: MARK if isinstance(item, str) else item for key, item in _items(value)}
    return marked if isinstance(value, dict) else list(marked.values())


def _items(value: dict[str, Any] | list[Any]) -> Iterable[tuple[Any, Any]]:
    return value.items() if isinstance(value, dict) else enumerate(value)


def _plain(value: Any) -> Any:
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {f.name: getattr(value, f.name) for f in dataclasses.fields(value)}
    if isinstance(value, Enum):
        return value.value
    if isinstance(value, Mapping):
        return dict(value)
    if isinstance(value, (Decimal, Path)):
        return str(value)
    if isinstance(value, (set, frozenset)):
        return sorted(value)
    raise TypeError(f"{type(value).__name__} has no place in JSON")

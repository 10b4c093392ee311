"""JSON for the line, of whatever the agent has: a text that is no text must not end the line."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import is_dataclass
from typing import Any

import msgspec

__all__ = ["encode"]

_ENCODER = msgspec.json.Encoder()


def encode(value: Any) -> bytes:
    """Return `value` as JSON. Halves of characters, as in file names of another encoding, become question marks."""
    try:
        return _ENCODER.encode(value)
    except UnicodeEncodeError:
        return _ENCODER.encode(_readable(value))


def _readable(value: Any) -> Any:
    if isinstance(value, str):
        return value.encode("utf-8", "replace").decode()
    if isinstance(value, msgspec.Raw):
        return value
    if isinstance(value, msgspec.Struct) or is_dataclass(value):
        return _readable(msgspec.to_builtins(value))
    if isinstance(value, Mapping):
        return {_readable(name): _readable(one) for name, one in value.items()}
    if isinstance(value, list | tuple):
        return [_readable(one) for one in value]
    return value

"""A Snapshot on the wire: only the fields that changed since the one before.

The server encodes each field once however many clients watch; a client puts the pieces together again.
"""

from __future__ import annotations

import dataclasses
from typing import Any, get_type_hints

import msgspec

from switchover.errors import AgentError
from switchover.snapshot import Snapshot

__all__ = ["SectionEncoder", "apply_sections"]

_FIELDS = tuple(f.name for f in dataclasses.fields(Snapshot) if f.name not in {"seq", "at"})
_TYPES = {name: kind for name, kind in get_type_hints(Snapshot).items() if name in _FIELDS}


class SectionEncoder:
    """Encodes snapshots for all clients of a server."""

    def __init__(self) -> None:
        self._encoder = msgspec.json.Encoder()
        self._cache: dict[str, tuple[Any, msgspec.Raw]] = {}

    def encode(self, before: Snapshot | None, now: Snapshot) -> bytes:
        """Return the line that turns `before` (None: nothing yet) into `now`."""
        sections = {}
        for name in _FIELDS:
            value = getattr(now, name)
            if before is not None:
                old = getattr(before, name)
                if old is value or old == value:
                    continue
            sections[name] = self._section(name, value)
        line = {"event": "snapshot", "seq": now.seq, "at": now.at, "sections": sections}
        return self._encoder.encode(line) + b"\n"

    def _section(self, name: str, value: Any) -> msgspec.Raw:
        cached = self._cache.get(name)
        if cached is not None and cached[0] is value:
            return cached[1]
        raw = msgspec.Raw(self._encoder.encode(value))
        self._cache[name] = (value, raw)
        return raw


def apply_sections(before: Snapshot, seq: int, at: float, sections: dict[str, msgspec.Raw]) -> Snapshot:
    """Return `before` with the sections replaced; sections that this version does not know are left out."""
    try:
        changes = {
            name: msgspec.json.decode(raw, type=_TYPES[name], strict=False)
            for name, raw in sections.items()
            if name in _TYPES
        }
    except msgspec.MsgspecError as error:
        raise AgentError(f"the agent sent something that this version does not understand: {error}") from error
    return dataclasses.replace(before, seq=seq, at=at, **changes)

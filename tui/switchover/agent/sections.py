"""A Snapshot on the wire: only the fields that changed since the one before, and of long tables only the rows.

The server encodes each field once however many clients watch; a client puts the pieces together again.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import Any, get_type_hints

import msgspec

from switchover.agent.encoding import encode
from switchover.agent.rows import ROW_FIELDS, RowChanges, RowEncoder, apply_rows
from switchover.errors import AgentError
from switchover.snapshot import Snapshot

__all__ = ["SectionEncoder", "apply_sections"]

_FIELDS = tuple(f.name for f in dataclasses.fields(Snapshot) if f.name not in {"seq", "at"})
_TYPES = {name: kind for name, kind in get_type_hints(Snapshot).items() if name in _FIELDS}


class SectionEncoder:
    """Encodes snapshots for all clients of a server."""

    def __init__(self) -> None:
        self._cache: dict[str, tuple[Any, msgspec.Raw]] = {}
        self._rows = {name: RowEncoder() for name in ROW_FIELDS}

    def encode(self, before: Snapshot | None, now: Snapshot, *, rows: bool = True) -> bytes:
        """Return the line that turns `before` (None: nothing yet) into `now`.

        Without `rows`, tables are sent whole: for a client that has not said that it knows better.
        """
        sections = {}
        differences = {}
        for name in _FIELDS:
            value = getattr(now, name)
            if before is not None:
                old = getattr(before, name)
                if old is value or old == value:
                    continue
                if rows and name in self._rows and (raw := self._rows[name].difference(old, value)) is not None:
                    differences[name] = raw
                    continue
            sections[name] = self._section(name, value)
        line = {"event": "snapshot", "seq": now.seq, "at": now.at, "sections": sections}
        if differences:
            line["rows"] = differences
        return encode(line) + b"\n"

    def _section(self, name: str, value: Any) -> msgspec.Raw:
        cached = self._cache.get(name)
        if cached is not None and cached[0] is value:
            return cached[1]
        raw = self._rows[name].whole(value) if name in self._rows else msgspec.Raw(encode(value))
        self._cache[name] = (value, raw)
        return raw


def apply_sections(
    before: Snapshot,
    seq: int,
    at: float,
    sections: Mapping[str, msgspec.Raw],
    rows: Mapping[str, msgspec.Raw] | None = None,
) -> Snapshot:
    """Return `before` with the sections replaced and the rows changed; what this version does not know is left out."""
    try:
        changes = {
            name: msgspec.json.decode(raw, type=_TYPES[name], strict=False)
            for name, raw in sections.items()
            if name in _TYPES
        }
        for name, raw in (rows or {}).items():
            if name in ROW_FIELDS:
                change = msgspec.json.decode(raw, type=RowChanges, strict=False)
                changes[name] = apply_rows(getattr(before, name), change)
    except (msgspec.MsgspecError, KeyError) as error:
        raise AgentError(f"the agent sent something that this version does not understand: {error}") from error
    return dataclasses.replace(before, seq=seq, at=at, **changes)

"""A Snapshot on the wire: only the fields that changed, and of long tables only the rows that did.

The server encodes each field once however many clients watch; a client puts the pieces together again.
"""

from __future__ import annotations

import dataclasses
from typing import Any, get_type_hints

import msgspec

from switchover.agent.wire.encoding import encode
from switchover.agent.wire.protocol import Incoming
from switchover.agent.wire.row_changes import TABLES, RowChanges, RowEncoder, apply_rows
from switchover.errors import AgentError
from switchover.snapshot import MigrationView, Snapshot

__all__ = ["SectionEncoder", "apply_sections"]

_FIELDS = tuple(f.name for f in dataclasses.fields(Snapshot) if f.name not in {"seq", "at"})
_TYPES = {name: kind for name, kind in get_type_hints(Snapshot).items() if name in _FIELDS}
_PART_TYPES = get_type_hints(MigrationView)
_PHASES = "migration.phases"


class SectionEncoder:
    """Encodes snapshots for all clients of a server."""

    def __init__(self) -> None:
        self._cache: dict[str, tuple[Any, msgspec.Raw]] = {}
        self._rows = {name: RowEncoder(name) for name in TABLES}

    def encode(self, before: Snapshot | None, now: Snapshot, *, rows: bool = True) -> bytes:
        """Return the line that turns `before` (None: nothing yet) into `now`.

        Without `rows`, tables and the run are sent whole: for a client that has not said that it knows better.
        """
        line: dict[str, Any] = {"event": "snapshot", "seq": now.seq, "at": now.at, "sections": {}}
        for name in _FIELDS:
            value = getattr(now, name)
            if before is not None:
                old = getattr(before, name)
                if old is value or old == value:
                    continue
                if rows and name in self._rows and (raw := self._rows[name].difference(old, value)) is not None:
                    line.setdefault("rows", {})[name] = raw
                    continue
                if rows and name == "migration":
                    self._add_run(line, old, value)
                    continue
            line["sections"][name] = self._section(name, value)
        return encode(line) + b"\n"

    def _add_run(self, line: dict[str, Any], old: MigrationView, now: MigrationView) -> None:
        """Add what changed of the run: while a step runs that is little, however many steps there are."""
        parts = {}
        for name in _PART_TYPES:
            before, value = getattr(old, name), getattr(now, name)
            if before is value or before == value:
                continue
            if name == "phases" and (raw := self._rows[_PHASES].difference(before, value)) is not None:
                line.setdefault("rows", {})[_PHASES] = raw
            else:
                parts[name] = value
        if parts:
            line["run"] = parts

    def _section(self, name: str, value: Any) -> msgspec.Raw:
        cached = self._cache.get(name)
        if cached is not None and cached[0] is value:
            return cached[1]
        raw = self._rows[name].whole(value) if name in self._rows else msgspec.Raw(encode(value))
        self._cache[name] = (value, raw)
        return raw


def apply_sections(before: Snapshot, incoming: Incoming) -> Snapshot:
    """Return `before` with what came in its place; what this version does not know is left out."""
    try:
        changes = {
            name: msgspec.json.decode(raw, type=_TYPES[name], strict=False)
            for name, raw in incoming.sections.items()
            if name in _TYPES
        }
        parts = {
            name: msgspec.json.decode(raw, type=_PART_TYPES[name], strict=False)
            for name, raw in incoming.run.items()
            if name in _PART_TYPES
        }
        for name, raw in incoming.rows.items():
            change = msgspec.json.decode(raw, type=RowChanges, strict=False)
            if name == _PHASES:
                parts["phases"] = apply_rows(name, before.migration.phases, change)
            elif name in TABLES:
                changes[name] = apply_rows(name, getattr(before, name), change)
        if parts:
            changes["migration"] = dataclasses.replace(before.migration, **parts)
    except (msgspec.MsgspecError, KeyError) as error:
        raise AgentError(f"the agent sent something that this version does not understand: {error}") from error
    return dataclasses.replace(before, seq=incoming.seq, at=incoming.at, **changes)

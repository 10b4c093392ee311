"""Rows as one JSON list, or one JSON object a line."""

from __future__ import annotations

import json
from collections.abc import Sequence

from switchover.cli import output

__all__ = ["FORMATS", "emit_rows"]

FORMATS = ("text", "json", "jsonl")


def emit_rows(rows: Sequence[dict[str, object]], form: str) -> None:
    """Write them to standard output."""
    if form == "json":
        output.emit_json(list(rows))
        return
    for row in rows:
        output.emit_text(json.dumps(row, ensure_ascii=False))

"""What the report says of checklists and of what is due, in words. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from switchover_checks.language.units import format_duration

__all__ = ["due_text", "evidence_text", "file_state", "item_text"]

Report = Mapping[str, Any]


def item_text(item: Report) -> str:
    """Name an item, who should do it, and whether it may be left out."""
    notes = [item["owner"]] if item["owner"] else []
    notes += ["optional"] if item["optional"] else []
    return f"{item['item']}. {item['text']}" + (f" ({', '.join(notes)})" if notes else "")


def evidence_text(item: Report) -> str:
    """Say how it is known that an item is done."""
    said = [item["evidence"]] if item["evidence"] else []
    said += [f"check {e['check']} was {e['status']}" for e in item["check_was"]]
    said += [f"file {item['file']['name']}"] if item["file"] else []
    return "; ".join(said)


def file_state(file: Report) -> str:
    """Say whether a kept file is still what it was."""
    return file["fault"] or "as it was when it was ticked with"


def due_text(part: Report) -> str:
    """Say by when a phase or a step was due, and how late it was."""
    late = f"{format_duration(part['late_s'])} late" if part["late_s"] else "in time"
    return f"{part['due_at']}, {late}"

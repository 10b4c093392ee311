"""The text of a first plan, and what of it is not fine now."""

from __future__ import annotations

import json
import re
import tempfile
from collections.abc import Collection, Sequence
from pathlib import Path

from switchover.cli.init.host_survey import Item
from switchover_checks.api import Status
from switchover_checks.unknown_secrets import redact_unknown

__all__ = ["not_fine", "plan_text", "without_secrets"]

_PLAIN = re.compile(r"[A-Za-z_/][A-Za-z0-9_./@+-]*")
_WORDS = frozenset({"true", "false", "null", "yes", "no", "on", "off"})
_HEAD = """\
# Written by `switchover init` from what runs on {host}. Each check below was fine when it was written.
#   switchover check                 runs the checks once
#   switchover                       watches all of it in the terminal
#   switchover explain step          says what a step of a migration may say; `explain` alone lists everything
schema: 1
id: {id}
title: {title}
"""
_PHASES = """
# What is done, in this order. Steps come before the gate of their phase:
#   steps:
#     - id: save
#       run: ./backup.sh "$TO"
#       env: {TO: backups/now}
#       effect: creates
#       rollback: {run: 'rm -r "$TO"', env: {TO: backups/now}}
phases:
  - id: before
    title: Before anything is changed
    gate:
"""


def plan_text(items: Sequence[Item], host: str, left_out: Collection[str] = ()) -> str:
    """Return the plan. What is `left_out` is named in a comment."""
    shown = [item for item in items if item.name not in left_out]
    name = re.sub(r"[^A-Za-z0-9_-]+", "-", host).strip("-")[:56] or "host"
    plan_id = name if name[0].isalpha() else f"host-{name}"
    text = _HEAD.format(host=host, id=plan_id, title=_value(f"What runs on {host}"))
    for section, meaning in (("services", "what runs and is watched"), ("checks", "what must be true")):
        of_section = [item for item in shown if item.section == section]
        if of_section:
            lines = [f"  {item.name}: {_value(item.keys)}" for item in of_section]
            text += "\n".join(["", f"{section}:  # {meaning}", *lines, ""])
        for item in items:
            if item.section == section and item.name in left_out:
                text += f"  # {item.name} is not fine now, so it is left out\n"
    checks = [item.name for item in shown if item.section == "checks"]
    required = "".join(f"        - {name}\n" for name in checks)
    gate = f"      require:\n{required}" if checks else "      human: Does all that is needed run?\n"
    return text + _PHASES + gate


def without_secrets(items: Sequence[Item]) -> tuple[Item, ...]:
    """Return the items in which nothing looks like a secret."""
    return tuple(item for item in items if redact_unknown(line := _line(item)) == line)


async def not_fine(text: str, path: Path) -> frozenset[str]:
    """Return the services and checks of a plan that are not fine now. Nothing is kept of it."""
    from switchover.app import build_evaluator
    from switchover.locations import workspace_for
    from switchover.plan.loader.load import load_plan_text

    with tempfile.TemporaryDirectory(prefix="switchover-init-") as state:
        parts = build_evaluator(load_plan_text(text, path), workspace_for(Path(state), path, None))
        try:
            checks = await parts.evaluator.evaluate_items(tuple(parts.evaluator.catalog.names))
            services = await parts.inventory.statuses(tuple(parts.inventory.services))
        finally:
            await parts.aclose()
    statuses = {**services, **{name: reading.status for name, reading in checks.items()}}
    return frozenset(name for name, status in statuses.items() if status is not Status.OK)


def _line(item: Item) -> str:
    return f"{item.name}: {_value(item.keys)}"


def _value(value: object) -> str:
    """Write a value as YAML of one line."""
    if isinstance(value, dict):
        return "{" + ", ".join(f"{key}: {_value(one)}" for key, one in value.items()) + "}"
    if isinstance(value, list):
        return f"[{', '.join(map(_value, value))}]"
    if isinstance(value, str) and (not _PLAIN.fullmatch(value) or value.lower() in _WORDS):
        return json.dumps(value, ensure_ascii=False)
    return str(value)

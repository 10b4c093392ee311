"""Backups and the run: one is newer than a step, and is kept for a while after the run's end."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from switchover.plan.members.member_names import members_of
from switchover.plan.variables import Scope
from switchover_checks.language.units import parse_duration

__all__ = ["backup_keys", "kept_long_enough"]


def backup_keys(config: Mapping[str, Any], scope: Scope) -> tuple[dict[str, Any], str]:
    """Return the keys of a backup with its moments filled in, and what it waits for until then.

    Once the run has ended, its age does not count where it says how long it is kept.
    """
    found = dict(config)
    if scope.run_ended_at is not None and "keep_for" in found:
        return {key: value for key, value in found.items() if key not in ("max_age", "newer_than")}, ""
    named = found.get("newer_than")
    if named is None:
        return found, ""
    steps = (named,) if named in scope.moments else members_of(scope.moments, str(named))
    if not steps:
        return found, "the run" if named == "run" else f"step {named}"
    return {**found, "newer_than": str(max(scope.moments[step] for step in steps))}, ""


def kept_long_enough(config: Mapping[str, Any], scope: Scope, now: float) -> str:
    """Say that a backup need not be there any more; empty while it has to."""
    if scope.run_ended_at is None or "keep_for" not in config:
        return ""
    until = scope.run_ended_at + parse_duration(config["keep_for"])
    return f"was to be kept until {datetime.fromtimestamp(until).astimezone():%Y-%m-%d %H:%M}" if now > until else ""

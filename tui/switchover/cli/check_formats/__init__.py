"""How `check` writes what it found: one file a format, which declares itself."""

from __future__ import annotations

from collections.abc import Mapping
from typing import cast

from switchover.cli.check_formats.format_api import CheckFormat
from switchover_checks.language.declared import declared, load_declared

__all__ = ["check_format", "check_formats"]


def check_formats() -> Mapping[str, str]:
    """Return each format's name with its `module:Class`; nothing is imported for that."""
    return declared(__name__)


def check_format(name: str) -> CheckFormat:
    """Return the format of that name."""
    return cast("CheckFormat", load_declared(__name__, name)())

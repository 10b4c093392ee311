"""Texts of a plan and of a run, ready to be shown. Nothing steers a terminal or looks like a secret."""

from __future__ import annotations

from switchover.redaction import sanitize
from switchover_checks.unknown_secrets import redact_unknown

__all__ = ["display"]


def display(text: str) -> str:
    """Return the text as anybody may see it. Secrets of the plan were taken out before it was written down."""
    return redact_unknown(sanitize(text))

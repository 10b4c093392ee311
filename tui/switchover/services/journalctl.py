"""The command that reads systemd's journal, line by line as JSON."""

from __future__ import annotations

from switchover.services.provider_api import LogSpan

__all__ = ["journal_command"]


def journal_command(match: str, span: LogSpan, *options: str) -> tuple[str, ...]:
    """Return the argv for what fits `match` (`--unit=NAME`, `_PID=1`), with `options` before it."""
    words = [
        "journalctl",
        "--no-pager",
        "--quiet",
        "--all",
        "--output=json",
        *options,
    ]  # else long messages are left out
    words.append(f"--lines={span.tail}" if span.tail >= 0 else "--lines=all")
    if span.since is not None:
        words.append(f"--since=@{span.since:.6f}".rstrip("0").rstrip("."))
    if span.until is not None:
        words.append(f"--until=@{span.until:.6f}".rstrip("0").rstrip("."))
    elif span.follow:
        words.append("--follow")
    return (*words, match)

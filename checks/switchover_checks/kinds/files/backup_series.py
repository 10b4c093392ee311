"""The backups that fit a pattern, as a series: enough of them, not too many, one of every day."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

from switchover_checks.api import Finding, Status

__all__ = ["newer_findings", "series_findings"]

_MOST_NAMED = 5
_COARSE_S = 1.0  # file systems and S3 write some times in whole seconds


def newer_findings(since: str | None, written_at: float) -> list[Finding]:
    """Judge whether a backup was written since a moment (epoch seconds as text)."""
    if since is None:
        return []
    try:
        moment = float(since)
    except ValueError:
        return [Finding("written", f"since {since} began", "nobody knows when that was", Status.UNKNOWN)]
    expected = f"since {_clock(moment)}"
    return [Finding.compare("written", expected, _clock(written_at), written_at >= moment - _COARSE_S)]


def _clock(moment: float) -> str:
    return datetime.fromtimestamp(moment).astimezone().strftime("%Y-%m-%d %H:%M:%S")


def series_findings(
    times: Sequence[float], now: float, *, count: int | None, keep: int | None, days: int | None
) -> list[Finding]:
    """Judge when backups were written (epoch seconds, the empty ones left out)."""
    findings = []
    if count is not None:
        observed = f"{len(times)} that are not empty"
        findings.append(Finding.compare("backups", f"at least {count}", observed, len(times) >= count))
    if keep is not None:
        fine = len(times) <= keep
        hint = "" if fine else "nothing removes the old ones"
        status = Status.OK if fine else Status.WARN
        findings.append(Finding("kept", f"at most {keep}", str(len(times)), status, hint))
    if days is not None:
        findings.append(_every_day(times, now, days))
    return findings


def _every_day(times: Sequence[float], now: float, days: int) -> Finding:
    """Look for a day without a backup. Today's may still come."""
    today = datetime.fromtimestamp(now).astimezone().date()
    there = {datetime.fromtimestamp(at).astimezone().date() for at in times}
    wanted = [today - timedelta(days=back) for back in range(1, days + 1)]
    missing = [str(day) for day in wanted if day not in there]
    more = f" and {len(missing) - _MOST_NAMED} more" if len(missing) > _MOST_NAMED else ""
    observed = f"none of {', '.join(missing[:_MOST_NAMED])}{more}" if missing else "one of each"
    return Finding.compare("every day", f"one of each of the last {days} days", observed, not missing)

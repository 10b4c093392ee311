"""Results across the boundary: what a module returned is not believed until it is sound; JSON both ways."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from switchover_checks.api import Finding, Metric, Result, Status, worst

__all__ = ["failure", "from_json", "sound", "to_json"]

_MOST_FINDINGS = 500
_MOST_TEXT = 4000


def sound(result: object) -> Result:
    """Return the result if it can be believed, else one that is UNKNOWN and says why.

    OK needs findings, and no finding may be worse than the whole: the text always derives from the status.
    """
    if not isinstance(result, Result):
        return Result.unknown(f"the check returned {_short(repr(result))}, not a Result")
    try:
        status = Status(result.status)
        shown = worst(Status(f.status) for f in result.findings) if result.findings else status
    except (ValueError, TypeError, AttributeError):
        return Result.unknown("the check returned a Result with a status that does not exist")
    if status in (Status.SKIPPED, Status.PENDING):
        return Result.unknown(f"the check returned {status.label}, which only the engine may say")
    if status is Status.OK and not result.findings:
        return Result.unknown("the check says ok and shows nothing that it looked at")
    if shown.severity > status.severity:
        derived = Result.of(result.findings, metrics=result.metrics, phase=result.phase, evidence=result.evidence)
        if derived.status in (Status.SKIPPED, Status.PENDING):
            return Result.unknown("the check returned a finding that was not looked at")
        return derived
    return result


def failure(message: str, status: Status, phase: str) -> Result:
    """Make the result of a probe that was told clearly that it does not get its answer."""
    what = phase or "probe"
    return Result(status, message, (Finding(what, "an answer", message, status),), (), phase)


def to_json(result: Result) -> dict[str, Any]:
    """Turn a result into plain data; of very many findings the worst come first, because only so many are read."""
    findings = result.findings
    if len(findings) > _MOST_FINDINGS:
        findings = tuple(sorted(findings, key=lambda f: -f.status.severity))
    return {
        "status": int(result.status),
        "summary": str(result.summary),
        "findings": [[*map(str, (f.what, f.expected, f.observed)), int(f.status), str(f.hint)] for f in findings],
        "metrics": [[m.name, m.value, m.unit, m.warn, m.crit] for m in result.metrics],
        "phase": result.phase,
        "evidence": dict(result.evidence),
    }


def from_json(data: object) -> Result:
    """Read a result that another process wrote. Raise `ValueError` for anything that is not one."""
    if not isinstance(data, Mapping):
        raise ValueError("not an object")  # noqa: TRY004 - nonsense is nonsense, whatever its type
    try:
        findings = tuple(
            Finding(_text(w), _text(e), _text(o), Status(s), _text(h))
            for w, e, o, s, h in data["findings"][:_MOST_FINDINGS]
        )
        metrics = tuple(
            Metric(_text(n), _number(v), _text(u), _text(w), _text(c))
            for n, v, u, w, c in data["metrics"][:_MOST_FINDINGS]
        )
        evidence = {_text(k): _text(v) for k, v in data["evidence"].items()}
        return Result(Status(data["status"]), _text(data["summary"]), findings, metrics, _text(data["phase"]), evidence)
    except (KeyError, TypeError, AttributeError) as error:
        raise ValueError(f"not a result: {error}") from None


def _text(value: object) -> str:
    if not isinstance(value, str):
        raise TypeError(f"expected text, not {value!r}")
    return value if len(value) <= _MOST_TEXT else value[:_MOST_TEXT] + " …"


def _number(value: object) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        raise TypeError(f"expected a number, not {value!r}")
    return float(value)


def _short(text: str) -> str:
    return text if len(text) <= 80 else f"{text[:77]}..."

"""A sample that is written to a server of metrics and read back: as text, and as a query."""

from __future__ import annotations

import json
import math
import re

__all__ = ["sample_of", "wrong_value"]

_SERIES = re.compile(r"([a-zA-Z_:][\w:]*)\s*(?:\{\s*(.*?)\s*,?\s*\})?")
_LABEL = re.compile(r'\s*[a-zA-Z_]\w*\s*=\s*"(?:[^"\\]|\\.)*"\s*')
_MARK = 'switchover_mark="$MARK"'


def sample_of(series: str, value: float) -> tuple[str, str]:
    """Return the sample as text, and the selector that finds it. Raise `ValueError` for what is no series."""
    found = _SERIES.fullmatch(series.strip())
    labels = found[2] or "" if found else ""
    rest = labels
    while rest and found:
        match = _LABEL.match(rest)
        if match is None or (rest[match.end() :] and rest[match.end()] != ","):
            found = None
            break
        rest = rest[match.end() + 1 :]
    if found is None:
        raise ValueError(f'series is like test_metric{{job="test"}}, not {series!r}')
    marked = f"{found[1]}{{{', '.join(filter(None, (labels, _MARK)))}}}"
    return f"{marked} {value!r}\n", marked


def wrong_value(answer: str, value: float) -> str:
    """Say what came back instead of the value; empty where it is the same."""
    try:
        (series,) = json.loads(answer)["data"]["result"]
        said = series["value"][1]
        same = math.isclose(float(said), value, rel_tol=1e-12)
    except (ValueError, KeyError, TypeError, IndexError):
        return f"an answer without its value: {answer[:80]}"
    return "" if same else str(said)

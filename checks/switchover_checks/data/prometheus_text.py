"""The text in which programs show their metrics: Prometheus' format and OpenMetrics."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

__all__ = ["Sample", "SeriesSelector", "parse_samples"]

_NAME = r"[a-zA-Z_:][a-zA-Z0-9_:]*"
_LABEL = re.compile(r'\s*([a-zA-Z_][a-zA-Z0-9_]*)\s*(=~|!~|!=|=)\s*"((?:[^"\\]|\\.)*)"\s*,?')
_LINE = re.compile(rf"({_NAME})\s*(?:\{{(.*)\}})?\s+(\S+)(?:\s+\S+)?(?:\s+#.*)?\s*")
_SELECTOR = re.compile(rf"({_NAME})\s*(?:\{{(.*)\}})?")
_MOST = 100_000


@dataclass(frozen=True, slots=True)
class Sample:
    """One series and its value."""

    name: str
    labels: Mapping[str, str]
    value: float


@dataclass(frozen=True, slots=True)
class SeriesSelector:
    """A name, and labels that a series must have."""

    name: str
    labels: Mapping[str, str]

    @classmethod
    def parse(cls, text: str) -> SeriesSelector:
        """Read `name` or `name{label="value"}`. Raise `ValueError`."""
        found = _SELECTOR.fullmatch(text.strip())
        if found is None:
            raise ValueError(f'{text!r} is no series; write name, or name{{label="value"}}')
        return cls(found[1], _labels(found[2] or "", text))

    def fits(self, sample: Sample) -> bool:
        """Tell whether a series is meant."""
        return sample.name == self.name and all(sample.labels.get(k, "") == v for k, v in self.labels.items())


def parse_samples(text: str) -> Sequence[Sample]:
    """Read all series. Raise `ValueError` that names the line that is none."""
    found = []
    for number, line in enumerate(text.splitlines(), 1):
        if not line.strip() or line.lstrip().startswith("#"):
            continue
        match = _LINE.fullmatch(line.strip())
        if match is None:
            raise ValueError(f"line {number} is no metric: {line[:80]!r}")
        found.append(Sample(match[1], _labels(match[2] or "", line[:80]), _value(match[3], number)))
        if len(found) > _MOST:
            raise ValueError(f"there are more than {_MOST} series")
    return found


def _labels(text: str, whole: str) -> dict[str, str]:
    labels: dict[str, str] = {}
    position = 0
    while position < len(text.rstrip()):
        found = _LABEL.match(text, position)
        if found is None or found[2] != "=":
            raise ValueError(f'the labels of {whole!r} cannot be read; write label="value"')
        labels[found[1]] = re.sub(r"\\(.)", lambda m: {"n": "\n"}.get(m[1], m[1]), found[3])
        position = found.end()
    return labels


def _value(text: str, number: int) -> float:
    try:
        value = float(text.replace("Inf", "inf"))
    except ValueError:
        raise ValueError(f"line {number} has no number: {text[:40]!r}") from None
    return value if not math.isnan(value) else math.nan

"""`openmetrics`: reads what a program shows of itself (Prometheus' text, OpenMetrics), and judges single numbers."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Annotated, Any, ClassVar, Literal

from pydantic import PlainValidator

from switchover_checks.api import Context, Effect, Finding, Measured, Metric, ProbeError, Result, Status
from switchover_checks.data.prometheus_text import Sample, SeriesSelector, parse_samples
from switchover_checks.language.expect import AS_LIST, Expectation, NameType, Unavailable, expected_in
from switchover_checks.language.units import format_bytes, format_duration

__all__ = ["OpenmetricsCheck", "OpenmetricsConfig"]

NAMES: dict[str, NameType] = {"value": "any", "series": "number", "time": "duration"}
_MOST_BODY = 32 << 20


def _selector(value: object) -> SeriesSelector:
    if isinstance(value, SeriesSelector):
        return value
    if not isinstance(value, str):
        raise ValueError(f'a series is text such as queue_length{{queue="mail"}}, not {value!r}')  # noqa: TRY004
    return SeriesSelector.parse(value)


Series = Annotated[SeriesSelector, PlainValidator(_selector, json_schema_input_type=str)]


@dataclass(frozen=True)
class OpenmetricsConfig:
    """Where metrics are shown, and which of them are taken."""

    url: str
    """The address: `http://127.0.0.1:9100/metrics`."""
    metrics: dict[str, Series] = field(default_factory=dict)
    """Numbers by a name of your own: `waiting: 'queue_length{queue="mail"}'`."""
    several: Literal["sum", "max", "min", "one"] = "one"
    """What counts where several series fit; with `one` that is unknown."""
    expect: Annotated[tuple[Annotated[Expectation, expected_in(NAMES)], ...], AS_LIST] = ()
    """What must be true of `value.NAME`, of how many `series` there are, and of the `time` of the answer."""
    headers: dict[str, str] = field(default_factory=dict)
    """Headers of the request."""
    verify: bool = True
    """Whether the certificate is checked."""

    def __post_init__(self) -> None:
        if taken := sorted({"time", "series"} & self.metrics.keys()):
            raise ValueError(f"metrics: {taken[0]} is measured anyway; choose another name")


class OpenmetricsCheck:
    """Read metrics once."""

    kind: ClassVar[str] = "openmetrics"
    effect: ClassVar[Effect] = "read"
    config: ClassVar[type] = OpenmetricsConfig
    metrics: ClassVar[tuple[Measured, ...]] = (
        Measured("time", "s", "how long the answer took"),
        Measured("series", "", "how many series there are"),
    )
    example: ClassVar[str] = """
    kind: openmetrics
    url: http://127.0.0.1:9100/metrics
    metrics: {load: node_load1}
    expect: value.load < 20
    """

    def measures(self, keys: Mapping[str, Any]) -> frozenset[str]:
        """Return what is taken."""
        taken = keys.get("metrics")
        return frozenset(map(str, taken) if isinstance(taken, dict) else ())

    async def probe(self, cfg: OpenmetricsConfig, ctx: Context) -> Result:
        """Ask once."""
        reply = await ctx.http("GET", cfg.url, headers=cfg.headers, verify=cfg.verify, max_body=_MOST_BODY)
        if reply.status != 200:
            phase = "auth" if reply.status in (401, 403) else "first_byte"
            raise ProbeError(f"it answers HTTP {reply.status}", phase=phase)
        if reply.truncated:
            raise ProbeError(
                f"the metrics are longer than {format_bytes(_MOST_BODY)}", phase="body", status=Status.UNKNOWN
            )
        ctx.enter("parse")
        text = reply.body.decode("utf-8", "replace")
        try:
            samples = await ctx.in_thread(lambda: parse_samples(text))
        except ValueError as error:
            raise ProbeError(str(error), phase="parse") from None
        ctx.enter("assert")
        findings = [Finding("series", "some", str(len(samples)), Status.OK if samples else Status.UNKNOWN)]
        metrics = [Metric("time", reply.seconds, "s"), Metric("series", len(samples))]
        values: dict[str, Any] = {}
        for name, selector in cfg.metrics.items():
            values[name] = value = _value([s for s in samples if selector.fits(s)], cfg.several)
            if isinstance(value, Unavailable):
                findings.append(Finding(f"metric {name}", "a number", value.reason, Status.UNKNOWN))
            else:
                metrics.append(Metric(name, value))
        facts = {"value": values, "series": len(samples), "time": reply.seconds}
        findings += [e.check(facts) for e in cfg.expect]
        return Result.of(findings, metrics=metrics, ok=f"{len(samples)} series in {format_duration(reply.seconds)}")


def _value(fitting: Sequence[Sample], several: str) -> float | Unavailable:
    numbers = [s.value for s in fitting]
    if not numbers:
        return Unavailable("no series fits")
    if len(numbers) > 1 and several == "one":
        return Unavailable(f"{len(numbers)} series fit; name labels, or set several")
    value = max(numbers) if several == "max" else min(numbers) if several == "min" else math.fsum(numbers)
    return value if math.isfinite(value) else Unavailable(f"it is {value}")

"""`pressure`: the share of time in which work stood still for want of processor, memory or disk (PSI of Linux)."""

from __future__ import annotations

import errno
import re
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar, Literal

from switchover_checks.api import Context, Effect, Measured, Metric, Result
from switchover_checks.language.fields import Threshold
from switchover_checks.language.thresholds import judge

__all__ = ["PressureCheck", "PressureConfig", "read_pressure"]

_FOLDER = Path("/proc/pressure")
_FIELD = re.compile(r"avg(\d+)=([\d.]+)")


@dataclass(frozen=True)
class PressureConfig:
    """What is scarce, and for how much of the time work may stand still for it."""

    resource: Literal["cpu", "memory", "io"]
    """What work waits for."""
    who: Literal["some", "full"] = "some"
    """`some`: at least one task stood still. `full`: all of them did."""
    over: Literal["10s", "1m", "5m"] = "1m"
    """The time over which it is averaged."""
    warn: Threshold | None = None
    """Share of time in percent that warns: `10` alerts above 10 %."""
    crit: Threshold | None = None
    """Share of time in percent that is critical."""

    def __post_init__(self) -> None:
        if not (self.warn or self.crit):
            raise ValueError("set warn or crit, such as 10 to alert above 10 % of the time")
        for limit in (self.warn, self.crit):
            if limit is not None and limit.dimension not in ("", "percent"):
                raise ValueError(f"{limit.text!r} is no share of time; write 10 or 10%")


class PressureCheck:
    """Ask the kernel for its pressure stall information."""

    kind: ClassVar[str] = "pressure"
    effect: ClassVar[Effect] = "read"
    config: ClassVar[type] = PressureConfig
    metrics: ClassVar[tuple[Measured, ...]] = (
        Measured("avg10", "%", "the share of time over ten seconds"),
        Measured("avg60", "%", "the share of time over a minute"),
        Measured("avg300", "%", "the share of time over five minutes"),
    )
    example: ClassVar[str] = """
    kind: pressure
    resource: io
    warn: 20
    crit: 60
    """

    async def probe(self, cfg: PressureConfig, ctx: Context) -> Result:
        """Ask once."""
        try:
            text = await ctx.in_thread(lambda: (_FOLDER / cfg.resource).read_text(encoding="ascii"))
        except FileNotFoundError:
            return Result.unknown(f"this kernel does not tell its {cfg.resource} pressure", hint="boot it with psi=1")
        except OSError as error:
            off = error.errno == errno.EOPNOTSUPP
            hint = "boot it with psi=1" if off else ""
            return Result.unknown(f"the {cfg.resource} pressure cannot be read: {error.strerror}", hint=hint)
        shares = read_pressure(text).get(cfg.who)
        if shares is None:
            return Result.unknown(f"this kernel tells no {cfg.who!r} pressure of {cfg.resource}")
        span = {"10s": "avg10", "1m": "avg60", "5m": "avg300"}[cfg.over]
        share = shares[span]
        what = f"{cfg.resource} pressure ({cfg.who})"
        finding = judge(what, share, cfg.warn, cfg.crit, observed=f"{share:.2f} % of the time")
        metrics = [Metric(name, value, "%") for name, value in shares.items()]
        return Result.of([finding], metrics=metrics, ok=f"{share:.2f} % of the time over {cfg.over}")


def read_pressure(text: str) -> dict[str, dict[str, float]]:
    """Read a file of `/proc/pressure`: percent of time by `some` and `full`, then by `avg10`, `avg60`, `avg300`."""
    found = {}
    for line in text.splitlines():
        who, _, rest = line.partition(" ")
        shares = {f"avg{span}": float(value) for span, value in _FIELD.findall(rest)}
        if shares.keys() >= {"avg10", "avg60", "avg300"}:
            found[who] = shares
    return found

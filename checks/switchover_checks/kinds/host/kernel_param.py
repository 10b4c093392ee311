"""`kernel_param`: a setting of the running kernel, as `sysctl` shows it; what a file in /etc says does not count."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, ClassVar

from switchover_checks.api import Context, Effect, Finding, Measured, Metric, ProbeError, Result, Status
from switchover_checks.language.expect import AS_LIST, Expectation, NameType, expected_in

__all__ = ["KernelParamCheck", "KernelParamConfig"]

_ROOT = Path("/proc/sys")
_NAME = re.compile(r"[A-Za-z0-9_@:*-]+([./][A-Za-z0-9_@:*-]+)+")
_NUMBER = re.compile(r"-?\d{1,18}")
NAMES: dict[str, NameType] = {"value": "any"}


@dataclass(frozen=True)
class KernelParamConfig:
    """A setting of the kernel, and what it must be."""

    name: str
    """Its name, such as `vm.swappiness`. With slashes where a part holds a dot: `net/ipv4/conf/eth0.1/forwarding`."""
    value: str | int | None = None
    """What it must be. Several numbers are compared with single blanks between them."""
    expect: Annotated[tuple[Annotated[Expectation, expected_in(NAMES)], ...], AS_LIST] = ()
    """What must be true of `value`, such as `value >= 262144`."""

    def __post_init__(self) -> None:
        if not _NAME.fullmatch(self.name):
            raise ValueError(f"{self.name!r} is not the name of a kernel setting; write one such as vm.swappiness")
        if isinstance(self.value, bool) or (self.value is None and not self.expect):
            raise ValueError("set value, such as 1, or expect, such as value >= 10")


class KernelParamCheck:
    """Read a setting of the kernel."""

    kind: ClassVar[str] = "kernel_param"
    effect: ClassVar[Effect] = "read"
    config: ClassVar[type] = KernelParamConfig
    metrics: ClassVar[tuple[Measured, ...]] = (Measured("value", "", "the setting, where it is one number"),)
    example: ClassVar[str] = """
    kind: kernel_param
    name: vm.max_map_count
    expect: value >= 262144
    """

    async def probe(self, cfg: KernelParamConfig, ctx: Context) -> Result:
        """Read once."""
        path = _ROOT / (cfg.name if "/" in cfg.name else cfg.name.replace(".", "/"))
        try:
            text = await ctx.in_thread(lambda: path.read_text(encoding="utf-8", errors="replace"))
        except (FileNotFoundError, NotADirectoryError):
            raise ProbeError(f"this kernel has no setting {cfg.name}", phase="read") from None
        except IsADirectoryError:
            raise ProbeError(f"{cfg.name} is a group of settings, not one", phase="read") from None
        except OSError as error:
            raise ProbeError(
                f"{cfg.name} cannot be read: {error.strerror or error}", phase="read", status=Status.UNKNOWN
            ) from None
        value = " ".join(text.split())
        number = int(value) if _NUMBER.fullmatch(value) else None
        facts: dict[str, Any] = {"value": value if number is None else number}
        findings = [e.check(facts) for e in cfg.expect]
        if cfg.value is not None:
            wanted = " ".join(str(cfg.value).split())
            findings.insert(0, Finding.compare(cfg.name, wanted, value, value == wanted))
        metrics = [] if number is None else [Metric("value", number)]
        return Result.of(findings, metrics=metrics, ok=f"{cfg.name} is {value}")

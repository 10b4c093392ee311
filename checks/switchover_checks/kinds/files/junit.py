"""`junit`: what a report of tests says (JUnit's XML): how many ran, failed, were left out, and when."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Any, ClassVar

from switchover_checks.api import Context, Effect, Finding, Measured, ProbeError, Result, Status
from switchover_checks.kinds.file import age_findings
from switchover_checks.language.expect import AS_LIST, Expectation, NameType, expected_in
from switchover_checks.language.fact_numbers import measured_in
from switchover_checks.language.fields import Duration

__all__ = ["JunitCheck", "JunitConfig"]

NAMES: dict[str, NameType] = {
    "tests": "number",
    "failures": "number",
    "errors": "number",
    "skipped": "number",
    "time": "duration",
    "age": "duration",
}
_MOST_BYTES = 64 << 20
_MOST_FILES = 500


@dataclass(frozen=True)
class JunitConfig:
    """A report, and what must be true of it. Without expectations tests ran, and none failed."""

    path: str
    """The file, or a pattern such as `results/*.xml`: all that fit count together."""
    max_age: Duration | None = None
    """The longest time since the oldest of them was written."""
    expect: Annotated[tuple[Annotated[Expectation, expected_in(NAMES)], ...], AS_LIST] = ()
    """What must be true of `tests`, `failures`, `errors`, `skipped`, `time` and `age`."""


@dataclass
class _Sum:
    tests: int = 0
    failures: int = 0
    errors: int = 0
    skipped: int = 0
    time: float = 0.0
    bad: list[str] = field(default_factory=list)
    told: int = 0
    """How many failures and errors the reports tell of themselves."""


class JunitCheck:
    """Read reports of tests."""

    kind: ClassVar[str] = "junit"
    effect: ClassVar[Effect] = "read"
    config: ClassVar[type] = JunitConfig
    metrics: ClassVar[tuple[Measured, ...]] = (
        Measured("tests", "", "tests that ran, failed or were left out"),
        Measured("failures", "", "tests that failed"),
        Measured("errors", "", "tests that broke"),
        Measured("skipped", "", "tests that were left out"),
        Measured("time", "s", "how long they took together"),
    )
    example: ClassVar[str] = """
    kind: junit
    path: results/*.xml
    max_age: 1h
    expect: tests > 100
    """

    async def probe(self, cfg: JunitConfig, ctx: Context) -> Result:
        """Read once, in a thread."""
        ctx.enter("parse")
        total, age = await ctx.in_thread(lambda: _read(cfg, ctx.base_dir))
        ctx.enter("assert")
        facts: dict[str, Any] = {name: getattr(total, name) for name in NAMES if name != "age"} | {"age": age}
        ran = total.tests - total.skipped
        names: frozenset[str] = frozenset().union(*(e.names for e in cfg.expect))
        findings = [Finding("tests", "some ran", f"{ran} of {total.tests}", Status.OK if ran > 0 else Status.UNKNOWN)]
        failed = sum(getattr(total, name) for name in {"failures", "errors"} - names)
        shown = f"{failed}: {', '.join(total.bad[:5])}" if failed else "0"
        if not names >= {"failures", "errors"}:
            findings.append(Finding.compare("failed", "0", shown, not failed))
        if (told := total.told) > total.failures + total.errors:
            observed = f"it tells of {told} and shows {total.failures + total.errors}"
            findings.append(Finding("report", "each failure shown", observed, Status.UNKNOWN))
        findings += age_findings(age, cfg.max_age)
        findings += [e.check(facts) for e in cfg.expect]
        evidence = {"failed": "\n".join(total.bad[:50])} if total.bad else {}
        ok = f"{ran} of {total.tests} ran"
        return Result.of(findings, metrics=measured_in(facts, self.metrics), evidence=evidence, ok=ok)


def _read(cfg: JunitConfig, base_dir: Path) -> tuple[_Sum, float]:
    paths = list(_files(base_dir, cfg.path))
    if not paths:
        raise ProbeError(f"{cfg.path}: there is no such file", phase="parse")
    if len(paths) > _MOST_FILES:
        words = f"{cfg.path}: there are more than {_MOST_FILES}; not all were read"
        raise ProbeError(words, phase="parse", status=Status.UNKNOWN)
    total, oldest = _Sum(), time.time()
    for path in paths:
        try:
            data = path.read_bytes() if path.stat().st_size <= _MOST_BYTES else b""
            oldest = min(oldest, path.stat().st_mtime)
        except OSError as error:
            raise ProbeError(f"{path}: {error.strerror or error}", phase="parse", status=Status.UNKNOWN) from None
        if not data:
            raise ProbeError(f"{path} is empty, or too large", phase="parse", status=Status.UNKNOWN)
        _add(total, path, data)
    return total, time.time() - oldest


def _files(base_dir: Path, pattern: str) -> Iterator[Path]:
    import glob
    import itertools

    if not any(c in pattern for c in "*?["):
        return iter([base_dir / pattern] if (base_dir / pattern).exists() else [])
    return map(Path, itertools.islice(sorted(glob.iglob(str(base_dir / pattern), recursive=True)), _MOST_FILES + 1))  # noqa: PTH207


def _add(total: _Sum, path: Path, data: bytes) -> None:
    """Count the cases one by one: the sums that a report writes itself are not believed."""
    from xml.etree import ElementTree as ET

    if b"<!DOCTYPE" in data[:4096] or b"<!ENTITY" in data:
        raise ProbeError(f"{path} declares entities, which no report needs", phase="parse", status=Status.UNKNOWN)
    try:
        root = ET.fromstring(data)  # noqa: S314 - entities are refused above
    except (ET.ParseError, ValueError, LookupError) as error:
        raise ProbeError(f"{path} is no whole XML: {error}", phase="parse", status=Status.UNKNOWN) from None
    if root.tag not in ("testsuite", "testsuites"):
        words = f"{path} is no report of JUnit: it begins with <{root.tag[:40]}>"
        raise ProbeError(words, phase="parse", status=Status.UNKNOWN)
    tops = [root] if any(root.get(word) for word in ("failures", "errors")) else list(root)
    total.told += sum(int(_seconds(top.get(word))) for top in tops for word in ("failures", "errors"))
    for case in root.iter("testcase"):
        total.tests += 1
        total.time += _seconds(case.get("time"))
        for word in ("failures", "errors", "skipped"):
            if case.find(word.removesuffix("s") if word != "skipped" else word) is not None:
                setattr(total, word, getattr(total, word) + 1)
                if word != "skipped":
                    total.bad.append(f"{case.get('classname', '')}.{case.get('name', '')}".strip(".")[:200])
                break
    for suite in root.iter("testsuite"):  # what broke outside of a test
        if suite.find("error") is not None:
            total.errors += 1
            total.bad.append(str(suite.get("name", "a suite"))[:200])


def _seconds(text: str | None) -> float:
    try:
        return max(0.0, float((text or "0").replace(",", "")))
    except ValueError:
        return 0.0

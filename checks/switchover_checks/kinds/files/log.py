"""`log`: which lines a log has: some may not come, some must, some may come so often within a time.

Each look reads on from where the last one ended, over rotations and truncations. What was found counts for the time
`last`. So the next look does not turn green because it finds nothing new.
"""

from __future__ import annotations

import re
import time
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Annotated, Any, ClassVar

from pydantic import BeforeValidator

from switchover_checks.api import Context, Effect, Finding, Measured, ProbeError, Result, Status
from switchover_checks.kinds.files.log_following import NewLines, line_at, read_new
from switchover_checks.language.expect import AS_LIST, Expectation, NameType, Unavailable, expected_in
from switchover_checks.language.fact_numbers import measured_in
from switchover_checks.language.fields import Duration, RegularExpression
from switchover_checks.language.patterns import Pattern
from switchover_checks.language.units import format_bytes, format_duration

__all__ = ["LogCheck", "LogConfig"]

NAMES: dict[str, NameType] = {
    "lines": "number",
    "matches": "number",
    "rate": "number",
    "line_rate": "number",
    "quiet": "duration",
}
_STEPS = 60
_TIME = re.compile(r"(\d{4}-\d\d-\d\d)[T ](\d\d:\d\d:\d\d)(?:[.,]\d+)? ?(Z|[+-]\d\d:?\d\d)?")
_SEARCHED = 4096


def _as_list(value: object) -> object:
    return [value] if isinstance(value, str) else value


Patterns = Annotated[tuple[RegularExpression, ...], BeforeValidator(_as_list, json_schema_input_type=str | list[str])]


@dataclass(frozen=True)
class LogConfig:
    """A log, and which lines may, must or should not come within a time."""

    path: str = ""
    """The file. Of a pattern such as `logs/app-*.log`, the newest. Without it the first of the service's `logs`."""
    deny: Patterns = ()
    """Regular expressions that no line may fit."""
    require: Patterns = ()
    """Regular expressions that each some line must fit."""
    count: RegularExpression | None = None
    """A regular expression whose lines are counted."""
    most: int | None = None
    """How many lines may fit `count` within the time."""
    least: int | None = None
    """How many lines must fit `count` within the time."""
    last: Duration = 300.0
    """The time: what was written longer ago does not count."""
    ignore: Patterns = ()
    """Lines that fit one of these are passed over."""
    expect: Annotated[tuple[Annotated[Expectation, expected_in(NAMES)], ...], AS_LIST] = ()
    """What must be true of `matches`, `rate`, `line_rate`, `lines` and `quiet`. Both rates are a minute's.
    `matches` are lines that fit `count`, else `deny`; `lines` are the new ones; `quiet` is the time since the last."""

    def __post_init__(self) -> None:
        if (self.most is not None or self.least is not None) and self.count is None:
            raise ValueError("most and least say how many lines may fit count; set count")
        if self.count is not None and self.most is None and self.least is None and not self.expect:
            raise ValueError("set most or least, or expect, such as rate < 10")
        if not (self.deny or self.require or self.count or self.expect):
            raise ValueError("set deny, require, count or expect")
        if self.last < 1:
            raise ValueError("last is at least 1s")


class LogCheck:
    """Read on in a log."""

    kind: ClassVar[str] = "log"
    effect: ClassVar[Effect] = "read"
    config: ClassVar[type] = LogConfig
    metrics: ClassVar[tuple[Measured, ...]] = (
        Measured("lines", "", "lines since the last look"),
        Measured("matches", "", "lines that fit, within the time"),
        Measured("rate", "", "lines that fit, a minute"),
        Measured("line_rate", "", "all lines, a minute"),
    )
    example: ClassVar[str] = """
    kind: log
    path: /var/log/app/app.log
    deny: ["ERROR", "Traceback"]
    ignore: "ERROR .* client went away"
    last: 10m
    """

    async def probe(self, cfg: LogConfig, ctx: Context) -> Result:
        """Read on once, in a thread."""
        known = ctx.since("log")
        path = cfg.path or await _of_service(ctx)
        ctx.enter("parse")
        return await ctx.in_thread(lambda: _look(cfg, path, ctx.base_dir, known, ctx.deadline))


async def _of_service(ctx: Context) -> str:
    """Return the first log that the plan gives the check's service."""
    logs = (await ctx.service(ctx.about)).get("logs") if ctx.about else None
    if not logs:
        raise ProbeError("set path, or service: one that has logs", status=Status.UNKNOWN)
    return str(logs[0])


def _look(cfg: LogConfig, name: str, base_dir: Path, known: dict[str, Any], deadline: float) -> Result:
    path = _newest(base_dir, name)
    now = time.time()
    if known.get("path") not in (None, str(path)) and known.get("inode") is not None and not path.exists():
        known.clear()
    try:
        found = read_new(
            path, known, deadline - 0.5, lambda line: (_time_of(line, now, zoned=False) or 0) > now - cfg.last
        )
        written_at = path.stat().st_mtime
    except OSError as error:
        words = f"{path}: {(error.strerror or str(error)).lower()}"
        raise ProbeError(words, phase="parse", status=Status.UNKNOWN) from None
    known["path"] = str(path)
    known.setdefault("began", now)
    counts = _Counts(cfg, known, now)
    counts.take(found)
    return _judged(cfg, path, found, counts, now - written_at)


def _newest(base_dir: Path, pattern: str) -> Path:
    path = base_dir / pattern
    if not any(c in pattern for c in "*?["):
        return path
    import glob

    there = [Path(name) for name in glob.glob(str(path))]  # noqa: PTH207 - Path.glob refuses absolute patterns
    if not there:
        raise ProbeError(f"{pattern}: there is no such file", phase="parse", status=Status.UNKNOWN)
    return max(there, key=lambda one: one.stat().st_mtime if one.exists() else 0.0)


class _Counts:
    """How many lines fitted each pattern, by the piece of time in which they were written. It keeps no text."""

    def __init__(self, cfg: LogConfig, known: dict[str, Any], now: float) -> None:
        self._cfg, self._known, self._now = cfg, known, now
        self.step = max(1.0, cfg.last / _STEPS)
        if known.get("step") != self.step:
            known.update(step=self.step, counts={}, places={})
        self._oldest = int((now - cfg.last) // self.step)
        for each in known["counts"].values():
            for bucket in [b for b in each if int(b) <= self._oldest]:
                del each[bucket]

    @property
    def spans(self) -> float:
        """The seconds that these counts really tell of."""
        return max(1.0, min(self._cfg.last, self._now - float(self._known["began"])))

    @property
    def patterns(self) -> tuple[Pattern, ...]:
        """All that are looked for."""
        return (*self._cfg.deny, *self._cfg.require, *([self._cfg.count] if self._cfg.count else []))

    def take(self, found: NewLines) -> None:
        """Count the new lines."""
        written = self._now
        for place, line in found.lines:
            # A line that came since the last look may be of another zone, where it names none: it is new all the same.
            written = _time_of(line, self._now, zoned=not found.first) or (written if found.first else self._now)
            bucket = int(written // self.step)
            text = line[:_SEARCHED]
            if bucket <= self._oldest or any(p.search(text) for p in self._cfg.ignore):
                continue
            self._add("", bucket)
            for pattern in self.patterns:
                if pattern.search(text):
                    self._add(pattern.text, bucket)
                    self._known["places"][pattern.text] = [place, self._known["inode"]]

    def _add(self, key: str, bucket: int) -> None:
        each = self._known["counts"].setdefault(key, {})
        each[str(bucket)] = each.get(str(bucket), 0) + 1

    def of(self, pattern: Pattern | None) -> int:
        """Return how many lines fitted; without a pattern all."""
        return sum(self._known["counts"].get(pattern.text if pattern else "", {}).values())

    def last(self, pattern: Pattern, path: Path) -> str:
        """Return the last line that fitted, where it can still be read."""
        place, inode = self._known["places"].get(pattern.text, (-1, -1))
        return line_at(path, inode, place)


def _time_of(line: str, now: float, *, zoned: bool) -> float | None:
    """Read the time with which a line begins; one without a zone is of this machine. None where it has none.

    With `zoned`, a time without a zone is none.
    """
    found = _TIME.search(line[:60])
    if found is None or (zoned and not found[3]):
        return None
    zone = (found[3] or "").replace("Z", "+00:00")
    try:
        at = datetime.fromisoformat(f"{found[1]}T{found[2]}{zone}").timestamp()
    except (ValueError, OverflowError):
        return None
    return min(at, now)


def _judged(cfg: LogConfig, path: Path, found: NewLines, counts: _Counts, quiet: float) -> Result:
    within = f"in {format_duration(cfg.last)}"
    findings = []
    if found.lost:
        findings.append(Finding("rotation", "read to its end", found.lost, Status.UNKNOWN))
    if found.first and not found.whole and _begins_late(cfg, found):
        observed = f"the first look read its last {format_bytes(found.bytes)}, which are of a shorter time"
        findings.append(Finding("reading", format_duration(cfg.last), observed, Status.UNKNOWN))
    if found.behind:
        findings.append(Finding("reading", "at the end", f"{format_bytes(found.behind)} behind", Status.UNKNOWN))
    for pattern in cfg.deny:
        number = counts.of(pattern)
        last = counts.last(pattern, path)[:300] if number else ""
        observed = f"{number} lines" + (f", the last: {last}" if last else "")
        findings.append(Finding.compare(f"no {pattern.text}", f"no line {within}", observed, not number))
    findings += [_required(pattern, counts, found, cfg.last) for pattern in cfg.require]
    matches = counts.of(cfg.count) if cfg.count else sum(counts.of(p) for p in cfg.deny)
    if cfg.count is not None:
        findings += _bounds(cfg, matches, counts, found, within)
    minutes = counts.spans / 60
    facts = {
        "lines": len(found.lines),
        "matches": matches,
        "rate": matches / minutes,
        "line_rate": counts.of(None) / minutes,
        "quiet": max(0.0, quiet),
    }
    if found.first:
        facts |= {"rate": Unavailable("it is the first look"), "line_rate": Unavailable("it is the first look")}  # type: ignore[dict-item]
    findings += [e.check(facts) for e in cfg.expect]
    part = "" if found.whole else f" at its last {format_bytes(found.bytes)}"
    first = f", the first look{part}" if found.first else ""
    return Result.of(findings, metrics=measured_in(facts, LogCheck.metrics), ok=f"{len(found.lines)} new lines{first}")


def _begins_late(cfg: LogConfig, found: NewLines) -> bool:
    """Say whether the lines say that they begin within the time that is judged."""
    now = time.time()
    dated = (at for _, line in found.lines[:100] if (at := _time_of(line, now, zoned=False)) is not None)
    first = next(dated, None)
    return first is not None and first > now - cfg.last


def _required(pattern: Pattern, counts: _Counts, found: NewLines, over: float) -> Finding:
    number = counts.of(pattern)
    expected = f"a line in {format_duration(over)}"
    if not number and counts.spans < over and not (found.first and found.whole):
        watched = format_duration(counts.spans)
        return Finding(pattern.text, expected, f"none, and it was watched for {watched} only", Status.UNKNOWN)
    return Finding.compare(pattern.text, expected, f"{number} lines", number > 0)


def _bounds(cfg: LogConfig, matches: int, counts: _Counts, found: NewLines, within: str) -> list[Finding]:
    assert cfg.count is not None
    findings = []
    what = f"lines with {cfg.count.text}"
    if cfg.most is not None:
        findings.append(Finding.compare(what, f"at most {cfg.most} {within}", matches, matches <= cfg.most))
    if cfg.least is not None:
        fine = matches >= cfg.least
        early = not fine and counts.spans < cfg.last and not (found.first and found.whole)
        status = Status.OK if fine else Status.UNKNOWN if early else Status.CRIT
        findings.append(Finding(what, f"at least {cfg.least} {within}", str(matches), status))
    return findings

"""Checks as rows and in detail: status, age, latency, history; expected against observed."""

from __future__ import annotations

import math
from collections.abc import Iterator

from switchover.snapshot import CheckRow, FailureRow, ProgressRow
from switchover.ui.text.columns import Column, header_line, lay_out, row_line, widen
from switchover.ui.text.labelled import fact, is_late
from switchover.ui.text.numbers import age, clock, took
from switchover.ui.text.render_context import RenderContext
from switchover.ui.text.spark import history_bar
from switchover.ui.text.state_words import outcome, severity
from switchover.ui.text.styled_line import Line, ListItems, StyledSpan, cut, fit, join, wrap

__all__ = ["check_brief", "check_detail", "check_table", "progress_text"]

_COLUMNS = (
    Column("state", 6),
    Column("check", 8, most=26),
    Column("kind", 4, drop=2, most=12),
    Column("last", 5, "right"),
    Column("took", 7, "right", drop=1),
    Column("history, newest right", 21, grow=2, drop=3, most=60),
    Column("for", 5, "right"),
    Column("says", 24, grow=5, drop=4),
)


def check_table(moment: RenderContext, width: int, wanted: str = "") -> tuple[list[Line], ListItems]:
    """Return the heading and an item a check, worst first, the newest failure before the old."""
    columns = widen(_COLUMNS, 1, [row.name for row in moment.data.checks])
    layout = lay_out(widen(columns, 2, [row.kind for row in moment.data.checks]), width)
    history = next((wide for index, _, wide in layout.columns if index == 5), 0)
    rows = sorted(moment.data.checks, key=lambda row: (severity(row.status), row.name))
    if wanted:
        rows = [
            row for row in rows if wanted in f"{row.name} {row.kind} {row.status} {row.title} {row.service}".lower()
        ]
    keys = [f"check:{row.name}" for row in rows]
    items = ListItems.lines_of(keys, lambda index: row_line(layout, _cells(rows[index], moment.now, history)))
    return [header_line(layout)], items


def _cells(row: CheckRow, now: float, history: int) -> list[Line | StyledSpan]:
    late = is_late(row.observed_at, row.stale_after_s, now)
    word = outcome(row.status)
    last = age(now - row.observed_at) if row.observed_at is not None else "–"
    waits = row.waits_for or (row.needs if row.status == "skipped" else ())
    bar: Line = (
        (StyledSpan(cut(f"needs {', '.join(waits)}", history), "muted"),)
        if waits
        else history_bar(row.history, history)
    )
    cells: list[Line | StyledSpan] = [
        StyledSpan(f"{word.glyph} {word.word}", word.style),
        StyledSpan(row.name, "strong"),
        StyledSpan(row.kind, "muted"),
        StyledSpan(_last(row, last), "accent" if row.running else "text"),
        StyledSpan(took(row.took_ms)),
        bar,
        StyledSpan(age(now - row.changed_at) if row.changed_at is not None else "–"),
        StyledSpan(progress_text(row.progress) if row.progress else row.summary, "muted"),
    ]
    if late:
        return [
            StyledSpan(cell.text, "stale")
            if isinstance(cell, StyledSpan)
            else tuple(StyledSpan(s.text, "stale") for s in cell)
            for cell in cells
        ]
    return cells


def _last(row: CheckRow, last: str) -> str:
    share = row.progress.share if row.progress is not None else None
    return last if not row.running else "now" if share is None else f"{100 * share:.0f} %"


def progress_text(progress: ProgressRow) -> str:
    """Say how far a probe under way is, and how long it still takes."""
    parts = [f"{100 * progress.share:.0f} %" if progress.share is not None else "", progress.text]
    parts.append(f"{age(progress.left_s)} left" if progress.left_s is not None else "")
    return " · ".join(part for part in parts if part)


def check_brief(row: CheckRow, moment: RenderContext, width: int, height: int) -> list[Line]:
    """Return the lines under the table: expected against observed, worst first, and when it was last fine."""
    now = moment.now
    word = outcome(row.status)
    lines: list[Line] = [
        join(
            [
                (StyledSpan(f" {row.name}", "strong"),),
                (StyledSpan(row.title or row.summary, word.style if not row.title else "muted"),),
            ]
        )
    ]
    findings = sorted(row.findings, key=lambda finding: severity(finding.status))
    if not findings:
        lines.append((StyledSpan("   "), StyledSpan(row.summary or "not seen yet", word.style)))
    for finding in findings[: max(height - 2, 1)]:
        mark = outcome(finding.status)
        half = max((width - 16) // 2, 12)
        expected = fit(finding.expected, min(half, max(len(finding.expected), 22)))
        lines.append(
            (
                StyledSpan(f"   {mark.glyph} ", mark.style),
                StyledSpan("expected ", "muted"),
                StyledSpan(expected),
                StyledSpan("  observed ", "muted"),
                StyledSpan(finding.observed, mark.style),
            )
        )
    when = []
    if row.phase and row.status not in {"ok", "pending"}:
        when.append(f"failed at {row.phase}")
    if row.last_ok_at is not None and row.status != "ok":
        when.append(f"last ok {clock(row.last_ok_at)}, {age(now - row.last_ok_at)} ago")
    if row.pending_failures:
        when.append(f"{row.pending_failures} failures not counted yet")
    if row.progress is not None:
        when.append(f"now {progress_text(row.progress)}")
    if row.on_demand and row.observed_at is not None:
        when.append(f"looked at {age(now - row.observed_at)} ago")
    when.append(f"uptime {shares}" if (shares := uptime_text(row.uptime)) else "")
    when = [text for text in when if text]
    when.append(every_text(row))
    lines.append((StyledSpan(f"   {' · '.join(when)}", "muted"),))
    return lines[:height]


def every_text(row: CheckRow) -> str:
    """Say how often a check is looked at."""
    return "only when a gate or a person asks" if row.on_demand else f"every {age(row.every_s)}"


def check_detail(row: CheckRow, moment: RenderContext, width: int) -> list[Line]:
    """All that is known about one check."""
    now = moment.now
    word = outcome(row.status)
    late = is_late(row.observed_at, row.stale_after_s, now)
    lines: list[Line] = [
        fact(
            "state",
            (
                StyledSpan(f"{word.glyph} {word.word}", "stale" if late else word.style),
                StyledSpan("  late" if late else "", "late"),
            ),
        )
    ]
    for label, text in (("title", row.title), ("says", row.summary)):
        wrapped = wrap(text, width - 14) if text else []
        lines.extend(fact(label if not index else "", line) for index, line in enumerate(wrapped))
    facts = (
        ("kind", row.kind),
        ("service", row.service),
        ("failed at", row.phase if row.status != "ok" else ""),
        (
            "last run",
            "never"
            if row.observed_at is None
            else f"{clock(row.observed_at)}, {age(now - row.observed_at)} ago"
            + (f", took {took(row.took_ms)}" if row.took_ms is not None else ""),
        ),
        ("now", progress_text(row.progress) if row.progress is not None else ""),
        ("every", every_text(row).removeprefix("every ")),
        ("last ok", "" if row.last_ok_at is None else f"{clock(row.last_ok_at)}, {age(now - row.last_ok_at)} ago"),
        ("changed", "" if row.changed_at is None else f"{clock(row.changed_at)}, {age(now - row.changed_at)} ago"),
        ("needs", ", ".join(row.needs)),
        ("waits for", ", ".join(row.waits_for)),
    )
    lines.extend(fact(label, (StyledSpan(text),)) for label, text in facts if text)
    if shares := uptime_text(row.uptime):
        lines.append(fact("uptime", (StyledSpan(shares),)))
    lines.append(fact("history", history_bar(row.history, min(len(row.history), max(width - 14, 1)))))
    if row.findings:
        lines.extend([(), (StyledSpan(" what was found", "heading"),)])
    for finding in sorted(row.findings, key=lambda entry: severity(entry.status)):
        mark = outcome(finding.status)
        lines.append((StyledSpan(f" {mark.glyph} ", mark.style), StyledSpan(finding.what or row.name, "strong")))
        lines.extend((StyledSpan("     expected  ", "muted"), *line) for line in wrap(finding.expected, width - 17))
        lines.extend(
            (StyledSpan("     observed  ", "muted"), *line) for line in wrap(finding.observed, width - 17, mark.style)
        )
        if finding.hint:
            lines.extend(
                (StyledSpan("     hint      ", "muted"), *line) for line in wrap(finding.hint, width - 17, "accent")
            )
    if row.evidence:
        lines.extend([(), (StyledSpan(" evidence", "heading"),)])
    lines.extend(_evidence(row.evidence, width))
    return [*lines, *_failures(row.failed, now, width)]


def uptime_text(shares: tuple[float | None, ...]) -> str:
    """Say for which share of an hour, a day and a week it was fine. Never rounded up to all of it."""
    spans = ("1 h", "24 h", "7 d")
    return " · ".join(
        f"{span} {math.floor(share * 10_000) / 100:g} %"
        for span, share in zip(spans, shares, strict=False)
        if share is not None
    )


def _evidence(evidence: tuple[tuple[str, str], ...], width: int) -> Iterator[Line]:
    for name, value in evidence:
        wrapped = wrap(value, width - 14, limit=40)
        yield from (fact(name if not index else "", line) for index, line in enumerate(wrapped))


def _failures(failed: tuple[FailureRow, ...], now: float, width: int) -> Iterator[Line]:
    """Yield the last failures in full, newest first."""
    if failed:
        yield ()
        yield (StyledSpan(" last failures", "heading"),)
    for one in failed:
        mark = outcome(one.status)
        times = f", {one.times} looks" if one.times > 1 else ""
        until = f" until {clock(one.until)}" if one.times > 1 else ""
        lasted = "" if one.over else ", still so"
        head = f" {clock(one.at)}{until}, {age(now - one.at)} ago{times}{lasted}"
        yield (StyledSpan(f" {mark.glyph} {mark.word}", mark.style), StyledSpan(head, "strong"))
        at = f"failed at {one.phase}: " if one.phase else ""
        yield from ((StyledSpan("     "), *line) for line in wrap(f"{at}{one.summary}", width - 5))
        for found in one.findings:
            text = f"{found.what}: expected {found.expected}, observed {found.observed}"
            yield from ((StyledSpan("     "), *line) for line in wrap(text, width - 5, "muted"))
        yield from _evidence(one.evidence, width)

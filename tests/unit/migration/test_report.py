"""The report tells what was planned, done and proved, and nothing that it quotes can change what it is."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest
from tests.unit.migration.harness import ANA, BEN

from switchover.cli.report.report import render, write_file
from switchover.errors import UsageError
from switchover.migration.facts import events as ev
from switchover.migration.facts.operator import Operator
from switchover.migration.facts.run_fold import fold
from switchover.migration.reports.run_report import ReportInputs, make_report
from switchover.migration.reports.run_timeline import describe
from switchover.plan.loader.load import load_plan_text
from switchover.snapshot.states import StatusWord

EVIL = "<script>alert(1)</script> | `x` [a](http://evil) & ``` \n# heading"
PLAN = """\
schema: 1
id: shop
title: Shop <i>database</i>
owner: ops@example.org
target: prod
sides:
  before: {}
  after: {}
costs:
  lines: [{name: rds, side: before, stated: 15 USD/month}, {name: ec2, side: after, stated: 6.13 USD/month}]
checks:
  rows: {kind: file, path: rows}
phases:
  - id: move
    steps:
      - {id: copy, run: ./copy.sh, effect: changes, rollback: {run: ./uncopy.sh}}
      - {id: look, checklist: [{text: Search works, evidence: text}]}
    gate: {require: [rows], human: Well?}
rollbacks:
  quick: {title: URL back, within: 5m, valid_until: move.copy, loses: 5 minutes, steps: [{run: ./back.sh}]}
promises:
  fast: {title: Report time, unit: ms, before: {value: 800}, after: {value: 200}, target: after < before}
  small: {title: Size, unit: GB, before: {value: 800}, after: {value: rows.size}, target: after < before}
signoff: {roles: [ops, lead], retention: 30d}
"""


@dataclass(frozen=True, slots=True)
class WaiverGranted:
    """A fact of a kind that the report does not know."""

    check: str
    why: str
    expires_at: float
    by: Operator


@dataclass(frozen=True, slots=True)
class Teleported:
    where: str


def _seen(status: StatusWord = "ok") -> ev.Evidence:
    return ev.Evidence("rows", status, "compared", 5.0, (("rows of users", ">= 1200", "1200", status),))


def _records(*more: object) -> list[ev.Record]:
    facts: list[Any] = [
        ev.RunStarted("1", ANA, "shop", "Shop <i>database</i>", "p.yaml", "d" * 64, PLAN, "prod", {"n": "2"}, "0.1.0"),
        ev.BaselineMeasured({"fast": 800.0, "small": None}),
        ev.StepStarted("copy", 1, ANA, ("/bin/sh",), "", (), "/", "", 1.0, confirmed="copy shop", evidence=(_seen(),)),
        ev.StepEnded("copy", 1, "failed", 3, 1.5, reason="failed with exit code 3"),
        ev.StepRetried("copy", BEN),
        ev.StepStarted("copy", 2, BEN, ("/bin/sh",), "", (), "/", "", 1.0),
        ev.StepUnknown("copy", 2, "its watcher was killed"),
        ev.StepResolved("copy", 2, "done", f"seen in the log {EVIL}", BEN),
        ev.Ticked("look", 0, "searched for shoes", ANA, complete=True),
        ev.GateOpened("move", ANA),
        ev.GateFailed("move", "rows is crit", (_seen("crit"),)),
        ev.GateOpened("move", ANA),
        ev.GateWaitsForHuman("move", (_seen(),), 3.0),
        ev.GateAnswered("move", True, "all well", BEN),
        ev.GatePassed("move", (_seen(),), 3.0, (ev.Measurement("fast", 800.0, 200.0, "after < before", "met"),)),
        *more,
        ev.RunEnded("done", BEN),
    ]
    return [ev.Record(n, "1", float(n), float(n), "b", fact) for n, fact in enumerate(facts, 1)]


def _report(*more: object) -> dict[str, Any]:
    records = _records(*more)
    state = fold([r for r in records if not isinstance(r.event, (WaiverGranted, Teleported))])
    sources = ReportInputs(records, (len(records), "a" * 64), lambda unit, number: ((EVIL,), 99), 0.0)
    return make_report(load_plan_text(PLAN, Path("p.yaml"), frozen=True).plan, state, sources)


def _texts(report: dict[str, Any]) -> list[str]:
    return [render(report, how) for how in ("md", "json", "html")]


def test_every_form_tells_who_decided_what_and_why() -> None:
    texts = _texts(_report())
    assert len(texts) == 3
    for text in texts:
        for told in (
            *(
                "ana@bastion (pts/1)",
                "ben@bastion (pts/2)",
                "copy shop",
                "resolved as done",
                "seen in the log",
                "all well",
            ),
            *(
                "all well",
                "searched for shoes",
                "ops@example.org",
                "failed with exit code 3",
                "d" * 64,
                "a" * 64,
                "ops",
                "lead",
            ),
        ):
            assert told in text


def test_a_gate_shows_what_it_saw_when_it_passed_and_when_it_did_not() -> None:
    gate = _report()["phases"][0]["gate"]
    assert gate["state"] == "done"
    assert gate["evidence"][0]["findings"] == [
        {"what": "rows of users", "expected": ">= 1200", "observed": "1200", "status": "ok"}
    ]
    assert [(look["reason"], look["evidence"][0]["status"]) for look in gate["shut"]] == [("rows is crit", "crit")]


def test_what_was_promised_stands_beside_what_was_measured() -> None:
    report = _report()
    assert [(o["before"], o["after"], o["state"]) for o in report["promises"]] == [
        (800.0, 200.0, "met"),
        (None, None, "pending"),
    ]
    assert report["costs"]["measured"] is None
    text = render(report, "md")
    assert "| Size | not measured | not measured | `after < before` | not measured |" in text
    assert "Measured: not measured." in text


def test_each_way_back_is_open_or_closed_with_its_reason() -> None:
    ways = _report()["ways_back"]
    assert [(w["name"], w["open"], w["reason"]) for w in ways] == [
        (None, True, None),
        ("quick", False, "closed since move.copy began"),
    ]
    assert ways[1]["rehearsed_at"] is None


def test_facts_of_unknown_kinds_are_told_whole() -> None:
    report = _report(WaiverGranted("rows", "counted by hand", 7.0, BEN), Teleported("to the new host"))
    (waiver,), (other,) = report["waivers"], report["other"]
    assert (waiver["what"], waiver["by"]) == ("waiver granted", "ben@bastion (pts/2)")
    assert waiver["details"] == {"check": "rows", "why": "counted by hand", "expires_at": "1970-01-01T00:00:07.000Z"}
    assert (other["what"], other["details"]) == ("teleported", {"where": "to the new host"})
    for text in _texts(report):
        assert "counted by hand" in text
        assert "to the new host" in text


def test_waivers_and_acknowledged_warnings_have_who_why_and_until_when() -> None:
    report = _report(
        ev.WarningAcknowledged("gate:move", "rows", "known since May", ANA),
        ev.RequirementWaived("gate:move", "rows", "counted by hand", BEN, 60.0, 120.0),
    )
    assert [(w["what"], w["by"], w["details"]["reason"]) for w in report["waivers"]] == [
        ("warning acknowledged", "ana@bastion (pts/1)", "known since May"),
        ("requirement waived", "ben@bastion (pts/2)", "counted by hand"),
    ]
    assert report["waivers"][1]["details"]["until"] == "1970-01-01T00:02:00.000Z"


def test_another_plan_and_another_driver_are_decisions_with_their_reasons() -> None:
    text = PLAN.replace("Well?", "All well?")
    report = _report(
        ev.PlanRebased(BEN, "a typing error", "d" * 64, "e" * 64, text, {}, ("gate move: human",)),
        ev.DriverChanged(BEN, ANA, "ana handed over"),
    )
    assert report["plan"]["rebased_to"] == ["e" * 64]
    assert [(d["about"], d["reason"]) for d in report["decisions"][-2:]] == [
        ("plan", "a typing error; gate move: human"),
        ("who drives", "ana handed over"),
    ]
    assert report["other"] == []


class _Page(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.tags: set[str] = set()
        self.attributes: list[tuple[str, str, str | None]] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        self.attributes += [(tag, name, value) for name, value in attrs]


def test_the_page_loads_nothing_runs_nothing_and_holds_nothing_that_was_quoted_as_markup() -> None:
    text = render(_report(), "html")
    page = _Page()
    page.feed(text)
    assert not page.tags & {"script", "link", "img", "iframe", "object", "a", "form", "i", "base", "svg"}
    assert not [name for _, name, _ in page.attributes if name.startswith("on") or name in ("src", "href", "style")]
    (policy,) = [
        value for tag, name, value in page.attributes if (tag, name) == ("meta", "content") and "-src" in str(value)
    ]
    assert str(policy).startswith("default-src 'none'; style-src 'sha256-")
    assert not re.search(r"url\(|@import|https?:(?!//evil)", text)
    assert "&lt;script&gt;" in text
    assert "@media print" in text
    assert "prefers-color-scheme: dark" in text


def test_nothing_that_is_quoted_breaks_out_of_its_place_in_markdown() -> None:
    text = render(_report(), "md")
    tables = [line for line in text.splitlines() if line.startswith("| step copy | resolved")]
    assert len(tables) == 1
    assert len(re.findall(r"(?<!\\)\|", tables[0])) == 6
    assert "\n# heading" not in text.replace(EVIL, "")
    quoted = "\n".join(f"    {line}" for line in EVIL.split("\n"))
    assert f":\n\n{quoted}\n\n" in text


def test_a_new_report_is_readable_by_its_owner_alone_whatever_the_umask(tmp_path: Path) -> None:
    before = os.umask(0)
    try:
        write_file(tmp_path / "r.md", "one\n")
    finally:
        os.umask(before)
    assert (tmp_path / "r.md").stat().st_mode & 0o777 == 0o600


def test_a_file_is_written_whole_or_not_at_all(tmp_path: Path) -> None:
    path = tmp_path / "r.md"
    write_file(path, "one\n")
    path.chmod(0o640)
    write_file(path, "two\n")
    assert (path.read_text(), path.stat().st_mode & 0o777) == ("two\n", 0o640)
    with pytest.raises(UnicodeEncodeError):
        write_file(path, "three \ud800")
    assert path.read_text() == "two\n"
    assert [p.name for p in tmp_path.iterdir()] == ["r.md"]


def test_a_directory_is_refused_and_a_device_is_written_to(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="is a directory"):
        write_file(tmp_path, "x")
    write_file(Path("/dev/null"), "x")


def test_what_was_measured_before_is_told_with_its_unit() -> None:
    event = ev.BaselineMeasured({"fast": 800.0, "small": None, "many": 3.0}, {"fast": "ms", "small": "GiB"})
    assert describe(event)[1] == "measured before: fast 800 ms, small ?, many 3"

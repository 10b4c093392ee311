"""Cells, lines and numbers: what every screen is made of."""

from __future__ import annotations

import math
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len
from tests.support import ui_samples as samples

from switchover.snapshot import (
    CheckRow,
    GateView,
    Header,
    MetricRow,
    Problem,
    ProgressRow,
    Requirement,
    ServiceRow,
    Snapshot,
    SourceNote,
)
from switchover.ui.checks.check_lines import check_detail, check_table, progress_text
from switchover.ui.migration.step_detail import gate_lines
from switchover.ui.migration.wizard import action_line, current_key, gate_line, needs_now, tree_items
from switchover.ui.overview.overview_lines import calm_lines, problem_items, summary_lines
from switchover.ui.services.service_lines import service_table
from switchover.ui.text.columns import Column, lay_out, row_line
from switchover.ui.text.columns import header_line as table_header
from switchover.ui.text.header_lines import header_line, tab_line
from switchover.ui.text.numbers import age, number, percent, signed, took, upright, value_with_unit
from switchover.ui.text.render_context import AgentLink, AgentLinkState, RenderContext
from switchover.ui.text.spark import area_chart, history_bar, progress_bar, resample, sparkline
from switchover.ui.text.state_words import ending
from switchover.ui.text.styled_line import StyledSpan, clean, cut, fit, line_width, pad, plain, spread, wrap

anything = st.text(max_size=60)


def moment(snapshot: Snapshot | None, **changes: object) -> RenderContext:
    base = RenderContext(snapshot, samples.NOW, samples.LIVE, 0.4)
    return replace(base, **changes)  # type: ignore[arg-type]


@given(anything, st.integers(0, 40))
def test_a_fitted_text_has_exactly_its_width(text: str, width: int) -> None:
    assert cell_len(fit(text, width)) == width
    assert cell_len(fit(text, width, "right")) == width


@given(anything, st.integers(1, 40))
def test_a_cut_text_never_is_too_wide_and_says_that_something_is_missing(text: str, width: int) -> None:
    short = cut(text, width)
    assert cell_len(short) <= width
    assert short == clean(text) or short.endswith("…")


@given(st.lists(st.tuples(anything, st.sampled_from(["text", "muted"])), max_size=5), st.integers(1, 60))
def test_a_padded_line_has_exactly_its_width(parts: list[tuple[str, str]], width: int) -> None:
    line = tuple(StyledSpan(clean(text), style) for text, style in parts)
    assert line_width(pad(line, width)) == width
    assert line_width(spread(line, (StyledSpan("end"),), max(width, 3))) == max(width, 3)


@given(anything, st.integers(1, 30))
def test_wrapping_loses_no_letter(text: str, width: int) -> None:
    lines = wrap(text, width)
    assert all(line_width(line) <= max(width, 2) for line in lines)
    wanted = "".join("".join(clean(part) for part in text.splitlines()).split())
    assert "".join("".join(plain(line) for line in lines).split()) == wanted


@pytest.mark.parametrize("bad", ["\x1b[31mred", "a\rb", "bell\x07", "rtl\u202e", "\x9b2J", "zero\u200bwidth"])
def test_control_characters_never_reach_a_cell(bad: str) -> None:
    assert clean(bad).isprintable()


def test_markup_in_data_stays_what_it_is() -> None:
    row = CheckRow("x", "http", "crit", "[bold red]not markup[/] [@click=app.quit]")
    _, items = check_table(moment(Snapshot(checks=(row,))), 160)
    assert "[bold red]not markup[/]" in plain(items.make(0).lines[0])


def test_a_long_probe_says_how_far_it_is_and_how_long_it_takes() -> None:
    row = CheckRow("data", "sql_compare", "ok", "all agree", running=True)
    view = moment(Snapshot(checks=(row,)))
    progress = ProgressRow("table orders, 430000 rows", 0.43, 190.0)
    wide = plain(check_table(moment(Snapshot(checks=(replace(row, progress=progress),))), 160)[1].make(0).lines[0])
    assert "43 % · table orders, 430000 rows · 3 m left" in wide
    assert "all agree" in plain(check_table(view, 160)[1].make(0).lines[0])
    detail = [plain(line) for line in check_detail(replace(row, progress=progress), view, 80)]
    assert any("43 % · table orders, 430000 rows · 3 m left" in line for line in detail)
    assert progress_text(ProgressRow("reading")) == "reading"


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (None, "–"),
        (0.2, "0 s"),
        (59.9, "59 s"),
        (60, "1 m"),
        (3599, "59 m"),
        (7300, "2 h"),
        (310 * 86400, "310 d"),
        (-3, "0 s"),
    ],
)
def test_an_age_is_short(seconds: float | None, text: str) -> None:
    assert age(seconds) == text


def test_numbers_have_three_digits_and_a_unit() -> None:
    assert [took(0.2), took(31.4), took(1200), took(None)] == ["<1 ms", "31 ms", "1.20 s", "–"]
    assert [number(0.4242), number(31.4159), number(31415.9), number(-5), number(None)] == [
        "0.42",
        "31.4",
        "31.4 k",
        "−5",
        "–",
    ]
    assert [percent(0.44), percent(71.2), percent(0)] == ["0.4 %", "71 %", "0 %"]
    assert [value_with_unit(805_306_368, "B"), value_with_unit(840.0, "ms"), value_with_unit(92, "")] == [
        "768 MiB",
        "840 ms",
        "92",
    ]
    assert [upright(760), upright(3661), upright(None)] == ["12:40", "1:01:01", "–"]


def test_differences_carry_their_sign() -> None:
    assert [signed("-58.67"), signed("6.13"), signed("0.00"), signed("")] == ["−58.67", "+6.13", "0.00", ""]


def test_a_sparkline_shows_gaps_as_gaps_and_the_peak_as_the_highest_block() -> None:
    assert sparkline([0, None, 4, 8], 6) == "  ▁ ▅█"
    assert sparkline([], 4) == "    "
    assert sparkline([5, 5], 2) == "██"


def test_resampling_keeps_every_spike() -> None:
    assert max(value or 0 for value in resample([1.0] * 50 + [99.0] + [1.0] * 50, 10)) == 99.0


def test_a_chart_has_the_size_it_was_asked_for() -> None:
    rows = area_chart([1, 2, None, 4], 10, 3)
    assert [len(row) for row in rows] == [10, 10, 10]


def test_a_history_shows_glyphs_for_what_was_not_well() -> None:
    assert plain(history_bar((0, 0, 2, 1, 3), 8)) == "   ▁▁✗!?"


def test_a_progress_bar_never_leaves_its_width() -> None:
    assert [line_width(progress_bar(share, 10)) for share in (-1.0, 0.0, 0.5, 1.0, 7.0)] == [10] * 5


def test_columns_leave_in_their_order_and_the_rest_is_used() -> None:
    columns = (Column("name", 8, grow=1), Column("kind", 6, drop=2), Column("note", 10, drop=1))
    wide = lay_out(columns, 60)
    assert line_width(table_header(wide)) <= 60
    assert [column.title for _, column, _ in lay_out(columns, 24).columns] == ["name", "note"]
    assert line_width(row_line(lay_out(columns, 24), [StyledSpan("a" * 40), StyledSpan("b"), StyledSpan("c")])) <= 24


def test_problems_stand_worst_first_and_the_oldest_of_equals_before() -> None:
    items = problem_items(moment(samples.trouble()), 80)
    assert [item.key for item in items] == ["problem:api_up", "problem:es_idx", "problem:disk"]
    text = "\n".join(plain(line) for line in items[0].lines)
    assert "connect refused" in text
    assert "out of memory" in text
    assert "diagnose" in text
    assert "2 fail or wait with it: rows, sums" in text


def test_an_unknown_problem_is_worse_than_a_warning() -> None:
    problems = (Problem("warn", "a", "", 1.0, check="a"), Problem("unknown", "b", "", 2.0, check="b"))
    items = problem_items(moment(Snapshot(problems=problems)), 80)
    assert [item.key for item in items] == ["problem:b", "problem:a"]


def test_the_header_says_plan_target_run_live_side_holder_and_age() -> None:
    text = plain(header_line(moment(samples.trouble()), 120))
    for part in ("aws-all-in-one", "prod", "run 7", "data 2/7", "live old", "ana@bastion", "● now"):
        assert part in text


@pytest.mark.parametrize("width", [40, 60, 80, 120, 200])
def test_the_header_and_the_tabs_fit_every_width(width: int) -> None:
    assert len(samples.SAMPLES) == 4
    for sample in samples.SAMPLES.values():
        now = moment(sample())
        assert line_width(header_line(now, width)) <= width
        assert line_width(tab_line(now.data, "checks", width)) <= width


def test_the_header_keeps_the_freshness_when_all_else_leaves() -> None:
    lost = moment(samples.trouble(), link=AgentLink(AgentLinkState.LOST, samples.NOW - 5))
    assert "agent lost" in plain(header_line(lost, 40))


def test_old_data_is_stale_and_so_is_all_data_of_a_lost_agent() -> None:
    assert not moment(samples.trouble()).stale
    assert moment(samples.trouble(), silent_s=6.1).stale
    assert moment(samples.trouble(), link=AgentLink(AgentLinkState.LOST, samples.NOW)).stale


def test_a_late_row_is_grey_whatever_its_status() -> None:
    row = replace(samples.CHECKS[6], observed_at=samples.NOW - 500, stale_after_s=40)
    _, items = check_table(moment(Snapshot(checks=(row,))), 120)
    assert {span.style for span in items.make(0).lines[0] if span.text.strip()} == {"stale"}
    service = replace(samples.SERVICES[2], observed_at=samples.NOW - 500)
    _, rows = service_table(moment(Snapshot(services=(service,))), 120)
    assert {span.style for span in rows[0].lines[0] if span.text.strip()} == {"stale"}
    assert "late, last seen 8 m ago" in plain(service_table(moment(Snapshot(services=(service,))), 200)[1][0].lines[0])


def test_states_are_glyph_and_word() -> None:
    _, items = check_table(moment(samples.trouble()), 80)
    for index, state in enumerate(["✗ crit", "✗ crit", "! warn", "○ wait", "– skip", "– skip", "✓ ok"]):
        assert state in plain(items.make(index).lines[0])


def test_the_tree_has_phases_steps_and_gates_in_order() -> None:
    keys = list(tree_items(moment(samples.trouble()), 30).keys)
    assert keys[:4] == ["phase:backup", "step:dump", "gate:backup", "phase:build"]
    assert current_key(samples.MIGRATION) == "step:restore"


def test_what_enter_does_is_one_statement_with_its_effect() -> None:
    view = samples.healthy().migration
    assert plain(action_line(view, 80, sent=False, read_only=False)) == " enter run index · creates something new, ~5 m"
    assert "waiting" in plain(action_line(view, 80, sent=True, read_only=False))
    assert "read-only" in plain(action_line(view, 80, sent=False, read_only=True))


def test_a_gate_that_was_not_asked_yet_shows_its_checks_as_they_are_now() -> None:
    gate = samples.PHASES[2].gate
    assert gate is not None
    asked = replace(gate, requirements=tuple(replace(one, status="pending") for one in gate.requirements))
    assert [need.status for need in needs_now(asked, moment(samples.trouble()))] == [
        "crit",
        "skipped",
        "skipped",
        "crit",
    ]


def test_a_late_metric_says_since_when_on_the_overview_and_never_looks_fresh() -> None:
    row = MetricRow("mem", "plan", "%", (1.0, 2.0), 2.0, title="memory", observed_at=samples.NOW - 600.0)
    for roomy in (False, True):
        lines = [plain(line) for line in summary_lines(moment(Snapshot(metrics=(row,))), 120, roomy=roomy)]
        assert any("memory" in line and "was 2.0 % 10 m ago" in line for line in lines)


def test_nothing_is_called_well_before_anything_was_looked_at() -> None:
    seen = ServiceRow("sshd", "", "process", "running", "ok", id="process:7")
    for found, said in (((), "looking at what runs here …"), ((seen,), "nothing to report")):
        text = "\n".join(plain(line) for line in calm_lines(moment(Snapshot(found=found)), 80))
        assert said in text
        assert ("✓ ok" in text) is bool(found)


def test_a_host_is_not_called_well_while_something_on_it_is_not_or_cannot_be_seen() -> None:
    seen = ServiceRow("sshd", "", "process", "running", "ok", id="process:7")
    trouble = (SourceNote("docker", "trouble", "the line broke"),)
    for health in ("crit", "warn", "unknown"):
        text = "\n".join(
            plain(line) for line in calm_lines(moment(Snapshot(found=(replace(seen, health=health),))), 80)
        )
        assert "1 of 1 that run here not well: sshd" in text
        assert "ok" not in text
    text = "\n".join(plain(line) for line in calm_lines(moment(Snapshot(found=(seen,), sources=trouble)), 80))
    assert "not all was seen" in text
    assert "✓" not in text


def test_a_source_that_this_host_does_not_have_is_told_without_alarm() -> None:
    notes = (SourceNote("docker", "off", "no Docker daemon here"), SourceNote("live side", "unknown", "no answer"))
    *_, off, unknown = calm_lines(moment(replace(samples.healthy(), problems=(), sources=notes)), 80)
    assert (plain(off), {span.style for span in off}) == (" – docker off: no Docker daemon here", {"muted"})
    assert plain(unknown) == " ? live side: no answer"
    assert unknown[0].style == "outcome-unknown", "what one ought to know is"


def test_the_live_side_is_not_called_serving_when_nothing_of_it_is_up() -> None:
    down = ServiceRow("api", "new", "http", "stopped", "crit")
    header = Header(live_side="new")
    lines = [plain(line) for line in summary_lines(moment(Snapshot(header=header, services=(down,))), 120)]
    assert any("nothing of it is up" in line for line in lines)
    assert not any("serving" in line for line in lines)


def test_a_gate_that_needs_much_names_what_stands_in_its_way_first() -> None:
    needs = tuple(Requirement(f"check_{n}", "crit" if n == 28 else "ok", "as it is") for n in range(30))
    gate = GateView("data", "waiting", requirements=needs)
    assert plain(gate_line(gate, moment(samples.trouble()), 80)).rstrip() == " gate data needs: check_28 ✗  29 ✓"
    shown = [plain(line) for line in gate_lines(gate, moment(samples.trouble()), 50, 14)]
    assert "check_28" in shown[2]
    assert any("23 more, at worst ✓ ok" in line for line in shown)
    few = GateView("data", "waiting", requirements=needs[:3])
    assert "check_0 ✓  check_1 ✓  check_2 ✓" in plain(gate_line(few, moment(samples.trouble()), 80))


def test_a_command_that_a_signal_ended_is_told_by_its_name() -> None:
    assert ending(3) == "exit 3"
    assert ending(-15) == "ended by SIGTERM"
    assert ending(-99) == "ended by signal 99"


@pytest.mark.parametrize("unit", ["", "B", "B/s", "ms", "s", "%", "rows"])
@pytest.mark.parametrize("value", [1e300, -1e300, 1e18, 1e15, 1e-9, 0.0, math.inf, -math.inf, math.nan])
def test_no_number_is_wider_than_its_place(value: float, unit: str) -> None:
    said = value_with_unit(value, unit)
    assert len(said) <= 18, said
    assert ("inf" in said) is math.isinf(value)
    assert (said == "–") is math.isnan(value)

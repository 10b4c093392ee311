"""Every format of `check`, read by what reads such a format: nothing that others wrote gets out of its place."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import xml.etree.ElementTree as ET
from pathlib import Path

import pytest
from markdown_it import MarkdownIt

from switchover.cli.check_formats import check_format, check_formats
from switchover.cli.check_formats.format_api import CheckReport
from switchover.health.probing import CheckObservation
from switchover_checks.api import Finding, Metric, Result, Status
from switchover_checks.language.thresholds import parse_perfdata

NASTY = "a <b> & \"c\" 'd' | e=f # SKIP \\ `g` ]]> \x00\x07\x1b[31m\ud800\nnext"
SECRETS = ("hunter2hunter2", "AKIAIOSFODNN7EXAMPLE")
SAID = f'password={SECRETS[0]}\nAuthorization: Bearer {SECRETS[1]}"><x>\nlast line | of it'
AT = 1_800_000_000.0


def reading(name: str, status: Status, *metrics: Metric, text: str = NASTY) -> CheckObservation:
    found = Finding(text, text, text, status, text)
    return CheckObservation(name, status, Result(status, text, (found,), metrics, "", {text: SAID}), AT, 0.25)


@pytest.fixture
def report() -> CheckReport:
    """Every status, one name that is as bad as the texts, and metrics of the same name."""
    twice = (Metric("time", 0.0000001, "s", "1:2", "~:5"), Metric("time", 3.0, "s"), Metric(NASTY, 7.0, "€", "20%:"))
    readings = [
        reading("api", Status.OK, *twice),
        reading("db[before]", Status.CRIT, Metric("rows", 12.0), Metric("nan", float("nan"))),
        reading(NASTY, Status.WARN, Metric(NASTY, float("inf"), "%")),
        reading("quiet", Status.UNKNOWN, text="no answer"),
        reading("waits", Status.SKIPPED, text="waits for db"),
    ]
    return CheckReport(
        "shop", readings, dict.fromkeys((r.name for r in readings), "http"), "2 not looked at: too early"
    )


FAILED = CheckReport(failed='the plan <x> | "y" cannot be used\n  see # line 2')
EMPTY = CheckReport("shop")


def write(name: str, report: CheckReport) -> str:
    return check_format(name).render(report)


def test_each_format_is_found_by_what_it_declares() -> None:
    assert set(check_formats()) == {"table", "json", "jsonl", "junit", "tap", "nagios", "prometheus", "markdown"}


@pytest.mark.parametrize("name", sorted(check_formats()))
def test_no_format_shows_a_secret_or_steers_a_terminal(name: str, report: CheckReport) -> None:
    text = write(name, report)
    assert not [secret for secret in SECRETS if secret in text]
    assert not re.search(r"[\x00-\x08\x0b-\x1f\x7f]|\\u001b", text)


@pytest.mark.parametrize("name", sorted(set(check_formats()) - {"jsonl"}))
def test_no_check_at_all_is_never_fine(name: str) -> None:
    words = {"nagios": "SWITCHOVER UNKNOWN", "tap": "not ok 1", "junit": 'tests="0"', "json": '"unknown"'}
    assert words.get(name, "") in write(name, EMPTY)
    assert EMPTY.status is Status.UNKNOWN


@pytest.mark.parametrize("name", ["table", "json", "jsonl", "junit", "tap", "nagios", "markdown"])
def test_what_is_not_fine_is_shown_with_what_it_said(name: str, report: CheckReport) -> None:
    text = write(name, report)
    assert "last line" in text
    assert text.count("no answer") >= 2  # summary and finding


def test_junit_reads_as_xml_and_holds_all_texts(report: CheckReport) -> None:
    suite = ET.fromstring(write("junit", report)).find("testsuite")
    assert suite is not None
    assert (suite.get("tests"), suite.get("failures"), suite.get("errors")) == ("5", "2", "2")
    cases = {case.get("name"): case for case in suite.iter("testcase")}
    bad = cases["db[before]"][0]
    assert (bad.tag, bad.get("type")) == ("failure", "crit")
    assert "expected a <b> & \"c\" 'd' | e=f # SKIP" in str(bad.text)
    assert [child.tag for case in cases.values() for child in case] == ["failure", "failure", "error", "error"]


def test_junit_of_a_plan_that_cannot_be_used_is_an_error_in_it() -> None:
    case = ET.fromstring(write("junit", FAILED)).find("testsuite/testcase/error")
    assert case is not None
    assert case.get("message") == 'the plan <x> | "y" cannot be used'


def test_json_lines_are_one_document_each(report: CheckReport) -> None:
    lines = [json.loads(line) for line in write("jsonl", report).splitlines()]
    assert [line["status"] for line in lines] == ["ok", "crit", "warn", "unknown", "skipped"]
    assert {line["schema"] for line in lines} == {"switchover/check/1"}
    assert {line["plan"] for line in lines} == {"shop"}
    assert lines[0]["observed_at"] == "2027-01-15T08:00:00.000Z"
    assert json.loads(write("jsonl", FAILED))["error"].startswith("the plan")
    assert write("jsonl", EMPTY) == ""


def test_json_of_a_plan_that_cannot_be_used_says_why() -> None:
    document = json.loads(write("json", FAILED))
    assert (document["status"], document["checks"]) == ("unknown", [])
    assert "cannot be used" in document["error"]


@pytest.mark.skipif(not shutil.which("prove"), reason="perl's prove reads TAP")
@pytest.mark.parametrize(("which", "fails"), [("all", "4/5"), ("fine", ""), ("failed", "Bailout"), ("empty", "1/1")])
def test_prove_reads_tap(report: CheckReport, tmp_path: Path, which: str, fails: str) -> None:
    fine = CheckReport("shop", [reading("# SKIP me", Status.OK)], {}, "1 left out # TODO")
    reports = {"all": report, "fine": fine, "failed": FAILED, "empty": EMPTY}
    path = tmp_path / "found.tap"
    path.write_text(write("tap", reports[which]) + "\n")
    done = subprocess.run(["prove", "--exec", "cat", str(path)], capture_output=True, text=True, check=False)
    assert (done.returncode == 0) is (which == "fine"), done.stdout
    assert fails in done.stdout + done.stderr
    assert "skipped" not in done.stdout.lower()
    assert "Parse errors" not in done.stdout or which == "failed"


def test_tap_says_in_yaml_what_was_expected(report: CheckReport) -> None:
    from ruamel.yaml import YAML

    blocks = re.findall(r"\n  ---\n(.*?)\n  \.\.\.", write("tap", report), re.DOTALL)
    assert len(blocks) == 4
    assert [YAML(typ="safe").load(block)["status"] for block in blocks] == ["crit", "warn", "unknown", "skipped"]


def test_nagios_has_text_then_data_that_a_server_can_read(report: CheckReport) -> None:
    first, *details = write("nagios", report).splitlines()
    text, _, data = first.partition("|")
    assert text.startswith("SWITCHOVER CRITICAL - 1 crit, 1 unknown, 1 warn, 1 skipped, 1 ok: db[before]: a <b>")
    assert not [line for line in details if "|" in line]
    assert "2 not looked at: too early" in details
    metrics, rest = parse_perfdata(data)
    assert rest == ""
    names = [metric.name for metric in metrics]
    assert names[:1] == ["api.time"]
    assert len(names) == len(set(names)) == 3  # what is no number is undetermined, U
    assert "'api.time'=3.0s" in data
    assert "'db[before].nan'=U" in data
    assert not re.search(r"\de[+-]?\d", data.replace("nan", ""))


@pytest.mark.parametrize(
    ("metric", "written"),
    [
        (Metric("m", 1e-7, "s", "1:2", "~:5"), "0.0000001s;1:2;~:5"),
        (Metric("m", 1e21, "€"), "1000000000000000000000"),
        (Metric("m", 5.0, "%", "20%:", "@10:20"), "5.0%;;@10:20"),
    ],
)
def test_performance_data_has_plain_numbers_and_ranges(metric: Metric, written: str) -> None:
    report = CheckReport("shop", [reading("it's", Status.OK, metric, text="fine")])
    assert write("nagios", report).endswith(f"| 'it''s.m'={written}")


def test_nagios_says_ok_in_one_line_and_why_a_plan_cannot_be_used() -> None:
    assert write("nagios", CheckReport("shop", [reading("a", Status.OK)])) == "SWITCHOVER OK - 1 ok"
    assert write("nagios", FAILED).startswith("SWITCHOVER UNKNOWN - the plan <x> ¦")


_SAMPLE = re.compile(
    r"([a-zA-Z_:][a-zA-Z0-9_:]*)"
    r"(?:\{((?:[a-zA-Z_][a-zA-Z0-9_]*=\"(?:[^\"\\\n]|\\[\\\"n])*\",?)*)\})? (NaN|[+-]Inf|[-+\d.e]+)"
)


@pytest.mark.parametrize("which", ["all", "failed", "empty"])
def test_prometheus_text_has_one_head_a_family_and_no_series_twice(report: CheckReport, which: str) -> None:
    text = write("prometheus", {"all": report, "failed": FAILED, "empty": EMPTY}[which])
    family, heads, series = "", [], []
    for line in text.split("\n"):
        if line.startswith("# "):
            _, word, family, *_ = line.split(" ")
            heads.append((word, family))
        else:
            sample = _SAMPLE.fullmatch(line)
            assert sample is not None, line
            assert sample[1] == family
            series.append((sample[1], sample[2]))
    assert len(heads) == len(set(heads))
    assert len(series) == len(set(series)) > 0
    assert 'switchover_check_run_ok{plan="shop"} 1.0' in text or which == "failed"
    if which == "all":
        assert 'switchover_check_status{plan="shop",check="db[before]",kind="http"} 2.0' in text
        assert 'switchover_check_status{plan="shop",check="waits",kind="http"} 3.0' in text
        assert 'metric="rows",unit=""} 12.0' in text


def test_markdown_is_a_table_of_five_cells_a_row_whatever_stands_in_it(report: CheckReport) -> None:
    page = MarkdownIt("commonmark", {"html": True}).enable("table").render(write("markdown", report))
    rows = re.findall(r"<tr>(.*?)</tr>", page, re.DOTALL)
    assert [row.count("<td>") for row in rows] == [0, 5, 5, 5, 5, 5]
    assert "<b>" not in page.replace("<strong>", "")
    assert "<x>" not in page
    assert "<h3>db[before]</h3>" in page
    assert "last line | of it" in page

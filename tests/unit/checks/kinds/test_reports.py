"""`junit` and `terraform`: what tools write about their own work."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest

from switchover_checks.api import ProbeError, Result, Status

Probe = Callable[..., Awaitable[Result]]


def report(*cases: str, more: str = "") -> str:
    body = "".join(f'<testcase classname="t" name="n{n}" time="0.5">{case}</testcase>' for n, case in enumerate(cases))
    return f'<?xml version="1.0"?><testsuites><testsuite name="s" tests="99">{more}{body}</testsuite></testsuites>'


@pytest.mark.parametrize(
    ("text", "keys", "status"),
    [
        (report("", ""), {"expect": ["tests == 2", "time == 1s"]}, Status.OK),
        (report("", "<failure/>"), {}, Status.CRIT),
        (report("", "<error/>"), {}, Status.CRIT),
        (report("", more="<error/>"), {}, Status.CRIT),
        (report("", "<skipped/>"), {"expect": "skipped == 1"}, Status.OK),
        (report("<skipped/>"), {}, Status.UNKNOWN),
        (report(), {}, Status.UNKNOWN),
        (report("", "<failure/>"), {"expect": "failures <= 1"}, Status.OK),
        (report("", "<failure/>", "<error/>"), {"expect": "failures <= 1"}, Status.CRIT),
        (report("").replace('tests="99"', 'failures="2"'), {}, Status.UNKNOWN),
        (report("", "<failure/>").replace('tests="99"', 'failures="1"'), {"expect": "failures <= 1"}, Status.OK),
        (report(""), {"max_age": "1h"}, Status.OK),
        (report(""), {"path": "r*.xml"}, Status.OK),
    ],
)
async def test_a_report_of_tests_is_counted_case_by_case(
    probe: Probe, tmp_path: Path, text: str, keys: dict[str, Any], status: Status
) -> None:
    (tmp_path / "r.xml").write_text(text)
    result = await probe("junit", **{"path": "r.xml", **keys})
    assert result.status is status, result


async def test_a_report_of_yesterday_is_too_old(probe: Probe, tmp_path: Path) -> None:
    path = tmp_path / "r.xml"
    path.write_text(report(""))
    os.utime(path, (time.time() - 7200, time.time() - 7200))
    assert (await probe("junit", path="r.xml", max_age="1h")).status is Status.CRIT


@pytest.mark.parametrize(
    ("text", "word"),
    [
        (report("")[:-20], "no whole XML"),
        ("", "is empty"),
        ("<html/>", "no report of JUnit"),
        ('<!DOCTYPE x [<!ENTITY a "b">]><testsuite/>', "declares entities"),
        ("{}", "no whole XML"),
    ],
)
async def test_what_is_no_report_is_never_fine(probe: Probe, tmp_path: Path, text: str, word: str) -> None:
    (tmp_path / "r.xml").write_text(text)
    with pytest.raises(ProbeError, match=word) as refused:
        await probe("junit", path="r.xml")
    assert refused.value.status is Status.UNKNOWN


async def test_more_reports_than_are_read_are_never_fine(probe: Probe, tmp_path: Path) -> None:
    for number in range(501):
        (tmp_path / f"{number:03}.xml").write_text(report(""))
    with pytest.raises(ProbeError, match="more than 500"):
        await probe("junit", path="*.xml")


def change(address: str, *actions: str) -> dict[str, Any]:
    return {"address": address, "change": {"actions": list(actions)}}


def plan(*changes: dict[str, Any], drift: list[dict[str, Any]] | None = None, **more: Any) -> str:
    whole = {"format_version": "1.2", "planned_values": {}, "resource_changes": changes, "resource_drift": drift or []}
    return json.dumps({**whole, **more})


def lines(*types: dict[str, Any], whole: bool = True) -> str:
    told = [{"type": "version"}, *types, *([{"type": "change_summary", "changes": {}}] if whole else [])]
    return "\n".join(map(json.dumps, told))


PLANNED = {"type": "planned_change", "change": {"action": "update", "resource": {"addr": "a.b"}}}
DRIFTED = {"type": "resource_drift", "change": {"action": "update", "resource": {"addr": "a.b"}}}


@pytest.mark.parametrize(
    ("text", "keys", "status"),
    [
        (plan(change("a.b", "no-op"), change("data.c", "read")), {}, Status.OK),
        (plan(change("a.b", "update")), {}, Status.CRIT),
        (plan(change("a.b", "delete", "create")), {"expect": ["deletes == 1", "creates == 1"]}, Status.OK),
        (plan(change("a.b", "update")), {"allow": ["a."]}, Status.OK),
        (plan(change("a.b", "update"), change("c.d", "create")), {"allow": ["a."]}, Status.CRIT),
        (plan(drift=[change("a.b", "update")]), {}, Status.CRIT),
        (plan(drift=[change("a.b", "update")]), {"expect": "drift <= 1"}, Status.OK),
        (lines(), {}, Status.OK),
        (lines(PLANNED), {}, Status.CRIT),
        (lines(DRIFTED), {}, Status.CRIT),
        (plan(), {"max_age": "1h"}, Status.OK),
    ],
)
async def test_drift_is_told_from_the_plan_of_terraform(
    probe: Probe, tmp_path: Path, text: str, keys: dict[str, Any], status: Status
) -> None:
    (tmp_path / "plan.json").write_text(text)
    result = await probe("terraform", path="plan.json", **keys)
    assert result.status is status, result


@pytest.mark.parametrize(
    "text",
    ["", "{}", "no json", plan()[:-5], plan(errored=True), lines(whole=False), json.dumps({"format_version": "1.0"}),
     plan({"address": "a.b"}), plan(change("a.b")), plan().replace("[]", "{}", 1), plan(complete=False),
     lines(whole=False) + '\n{"type": "change_summary", "changes": {"add": 1}}',
     lines({"type": "diagnostic", "@level": "error", "@message": "no login"})],
)  # fmt: skip
async def test_what_is_no_whole_plan_is_never_fine(probe: Probe, tmp_path: Path, text: str) -> None:
    (tmp_path / "plan.json").write_text(text)
    with pytest.raises(ProbeError) as refused:
        await probe("terraform", path="plan.json")
    assert refused.value.status is Status.UNKNOWN


async def test_the_command_of_terraform_may_end_with_2(probe: Probe, tmp_path: Path) -> None:
    (tmp_path / "plan.json").write_text(lines(PLANNED))
    assert (await probe("terraform", command="cat plan.json; exit 2")).status is Status.CRIT
    with pytest.raises(ProbeError, match="exit code 1"):
        await probe("terraform", command="echo broken >&2; exit 1")

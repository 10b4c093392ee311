"""What a check module returned is believed only when it is sound."""

from __future__ import annotations

from typing import Any

import pytest

from switchover_checks.api import Finding, Metric, Result, Status
from switchover_checks.runtime.results import from_json, sound, to_json

GOOD = Finding("a", "1", "1", Status.OK)
BAD = Finding("b", "1", "2", Status.CRIT)


@pytest.mark.parametrize(
    "value",
    [None, "ok", True, 0, Result(Status.OK, "trust me"), Result(Status.SKIPPED, "later"), Result(Status.PENDING, ""),
     Result(99, "odd", (GOOD,)), Result(Status.OK, "", (Finding("a", "1", "?", Status.SKIPPED),))],  # type: ignore[arg-type]
)  # fmt: skip
def test_nonsense_and_claims_without_findings_are_unknown(value: object) -> None:
    assert sound(value).status is Status.UNKNOWN


def test_ok_over_a_bad_finding_becomes_what_the_finding_says() -> None:
    result = sound(Result(Status.OK, "all good", (GOOD, BAD)))
    assert result.status is Status.CRIT
    assert result.summary == "b: expected 1, observed 2"


def test_a_sound_result_stays_as_it_is() -> None:
    result = Result.of([GOOD], ok="fine")
    assert sound(result) is result


def test_no_findings_at_all_are_unknown() -> None:
    assert Result.of([]).status is Status.UNKNOWN


def test_a_result_survives_the_way_through_json() -> None:
    result = Result(Status.WARN, "s", (GOOD, BAD), (Metric("m", 1.5, "s", "1", "2"),), "body", {"k": "v"})
    assert from_json(to_json(result)) == result


@pytest.mark.parametrize(
    "change",
    [
        {"status": 9},
        {"status": "ok"},
        {"summary": 3},
        {"findings": [["a"]]},
        {"findings": 5},
        {"metrics": [["m", "x", "", "", ""]]},
        {"metrics": [["m", float("nan"), "", "", ""]]},
        {"evidence": []},
        {"evidence": {"k": 1}},
    ],
)
def test_json_that_is_no_result_is_refused(change: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=r".+"):
        from_json({**to_json(Result.of([GOOD])), **change})


def test_long_text_is_cut() -> None:
    data = to_json(Result.of([GOOD]))
    data["summary"] = "x" * 1_000_000
    assert len(from_json(data).summary) < 5000

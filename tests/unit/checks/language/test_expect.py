"""The language of `expect:`."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from switchover_checks.api import Finding, Status
from switchover_checks.language.expect import ExpectError, NameType, Unavailable, parse, parse_value

NAMES: Mapping[str, NameType] = {
    "status": "number",
    "time": "duration",
    "size": "size",
    "share": "percent",
    "body": "any",
    "text": "text",
    "ok": "bool",
    "rows": "number",
}
FACTS: Mapping[str, Any] = {
    "status": 503,
    "time": 0.031,
    "size": 2048,
    "share": 12.5,
    "text": "hello world",
    "ok": True,
    "body": {
        "status": "bad",
        "items": [{"name": "xy"}],
        "n": 5,
        "none": None,
        "empty": [],
        "odd key": 1,
        "big": "x" * 300,
    },
}


def check(text: str) -> Finding:
    return parse(text, NAMES).check(FACTS)


@pytest.mark.parametrize(
    "text",
    [
        "status == 503",
        "status != 200",
        "time < 1s",
        "time >= 31ms",
        "size <= 2KiB",
        "share > 10%",
        "body.status == 'bad'",
        'body.items[0].name matches "x.*"',
        "body.items[-1].name == 'xy'",
        "body['odd key'] == 1",
        "len(body.items) == 1",
        "len(text) > 5",
        "lower(text) contains 'hello'",
        "'world' in text",
        "status in [500, 503]",
        "status not in [200]",
        "text not contains 'bye'",
        "text not matches '^bye'",
        "number(body.n) > 4.5",
        "body.none == null",
        "body.n != null",
        "exists(body.n) and not exists(body.m)",
        "status == 200 or body.n == 5",
        "not (status == 200 and time < 1s)",
        "ok",
        "ok == true",
        "body contains 'status'",
        "body.nowhere == 1 or status == 503",
    ],
)
def test_what_holds_is_ok(text: str) -> None:
    assert check(text).status is Status.OK


@pytest.mark.parametrize(
    ("text", "expected", "observed"),
    [
        ("status == 200", "== 200", "503"),
        ("time < 10ms", "< 10ms", "31 ms"),
        ("size < 1KiB", "< 1KiB", "2.00 KiB"),
        ("share < 10%", "< 10%", "12.5 %"),
        ("body.status == 'healthy'", "== 'healthy'", "'bad'"),
        ("len(body.empty) > 0", "> 0", "0"),
        ("body.n == null", "== null", "5"),
    ],
)
def test_what_does_not_hold_shows_what_was_expected_and_what_was_observed(
    text: str, expected: str, observed: str
) -> None:
    finding = check(text)
    assert (finding.expected, finding.observed, finding.status) == (expected, observed, Status.CRIT)
    assert f"{finding.what} {finding.expected}" == text


def test_a_whole_condition_shows_each_value_that_it_looked_at() -> None:
    finding = check("status == 200 and (time < 10ms or body.n == 1)")
    assert finding.observed == "status = 503, time = 31 ms, body.n = 5"
    assert finding.status is Status.CRIT


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("body.nope == 1", "not there (body has status, items, n, none, empty, odd key and 1 more)"),
        ("body.nope != 1", "not there"),
        ("not (body.nope == 1)", "not there"),
        ("body.items[7].name == 'x'", "body.items has only 1 items"),
        ("body.status.deeper == 1", "body.status is text, so it has no deeper"),
        ("body.n[0] == 1", "body.n is a number, not a list"),
        ("body.none != 5", "null"),
    ],
)
def test_a_field_that_is_not_there_is_critical_and_never_a_pass(text: str, reason: str) -> None:
    finding = check(text)
    assert finding.status is Status.CRIT
    assert finding.observed.startswith(reason)


@pytest.mark.parametrize(
    "text",
    ["body.n == '5'", "body.n != '5'", "body.status > 3", "body.n matches '5'", "number(body.status) > 1",
     "body.n contains 5", "body.status in [1, 2]", "not (body.status in [1, 2])", "len(body.n) > 0", "body.n"],
)  # fmt: skip
def test_values_of_different_types_are_unknown_in_either_direction(text: str) -> None:
    assert check(text).status is Status.UNKNOWN


def test_what_could_not_be_had_is_unknown_with_the_reason() -> None:
    finding = parse("not (body.a == 1)", NAMES).check({"body": Unavailable("longer than 1 MiB")})
    assert (finding.status, finding.observed) == (Status.UNKNOWN, "longer than 1 MiB")


def test_exists_does_not_claim_absence_of_what_could_not_be_had() -> None:
    finding = parse("not exists(body.a)", NAMES).check({"body": Unavailable("cut off")})
    assert finding.status is Status.UNKNOWN


def test_a_name_that_the_probe_did_not_observe_is_unknown() -> None:
    assert parse("status == 200", NAMES).check({}).status is Status.UNKNOWN


def test_not_a_number_equals_nothing_and_passes_nothing() -> None:
    for text in ("status == 1", "status != 1", "status < 1", "not (status < 1)"):
        assert parse(text, NAMES).check({"status": float("nan")}).status is Status.UNKNOWN


@pytest.mark.parametrize(
    ("text", "column", "message"),
    [
        ("stats == 200", 1, "did you mean 'status'?"),
        ("status == 200 and tiem < 1s", 19, "did you mean 'time'?"),
        ("lenn(body) > 1", 1, "did you mean 'len'?"),
        ("time < 5sec", 8, "'sec' is not a unit"),
        ("time < 1", 6, "write the unit, such as 1s or 500ms"),
        ("status == 'ok'", 8, "a number cannot be compared with a text"),
        ("status = 200", 8, "write == to compare"),
        ("status", 1, "compare it"),
        ("status ==", 10, "not 'the end'"),
        ("status == 200 200", 15, "did not expect '200'"),
        ("(status == 200", 15, "expected ')'"),
        ("text matches '['", 6, "not a regular expression"),
        ("text matches '(a+)+$'", 6, "may take forever"),
        ("text == 'open", 9, "closing quote"),
        ("status.code == 1", 1, "has no fields"),
        ("ok < 1", 4, "neither more nor less"),
        ("1 in status", 3, "cannot contain anything"),
        ("status in [200, x]", 17, "there is no 'x'"),
        ("", 1, "not 'the end'"),
        ("status == 1e99999999999999999999", 11, "larger than any number"),
    ],
)
def test_a_wrong_expectation_is_refused_with_its_column_and_what_to_write(text: str, column: int, message: str) -> None:
    with pytest.raises(ExpectError) as caught:
        parse(text, NAMES)
    assert caught.value.column == column
    assert message in str(caught.value)


def test_length_and_depth_are_bounded() -> None:
    for text in ("status == 1" + " or status == 1" * 1000, "(" * 100 + "ok" + ")" * 100, "not " * 100 + "ok"):
        with pytest.raises(ExpectError):
            parse(text, NAMES)


def test_a_long_text_is_shown_shortly() -> None:
    finding = check("body.big == 'x'")
    assert len(finding.observed) < 140
    assert "length 300" in finding.observed


@settings(deadline=None)
@given(st.text(max_size=60))
def test_any_text_is_parsed_or_refused_and_nothing_else(text: str) -> None:
    column, status = 1, Status.OK
    try:
        status = parse(text, NAMES).check(FACTS).status
    except ExpectError as error:
        column = error.column
    assert 1 <= column <= len(text) + 1
    assert status in (Status.OK, Status.CRIT, Status.UNKNOWN)


_json = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(["a", "b"]), inner, max_size=2),
)


_about_body = st.sampled_from(
    [
        "body.a == 1",
        "body.a.b > 2",
        "len(body) > 0",
        "body[0] in [1, 'x']",
        "body matches 'x'",
        "not (body.b contains 'a')",
        "lower(body.a) == 'x'",
        "body",
        "exists(body.a[1])",
    ]
)


@settings(deadline=None)
@given(_json, _about_body)
def test_no_body_whatsoever_makes_an_expectation_raise(body: Any, text: str) -> None:
    finding = parse(text, NAMES).check({"body": body})
    assert finding.status in (Status.OK, Status.CRIT, Status.UNKNOWN)
    assert finding.expected
    assert finding.observed


@pytest.mark.parametrize(
    ("text", "column", "message"),
    [
        ("-1 != 1", 1, "looks at nothing"),
        ("1 == 1", 1, "looks at nothing"),
        ("'a' in ['a']", 1, "looks at nothing"),
        ("len('abc') == 3", 1, "looks at nothing"),
        ("status == 200 or 1 < 2", 18, "looks at nothing"),
        ("status == 200 or true", 18, "looks at nothing"),
        ("not (2 == 3)", 6, "looks at nothing"),
        ("not false", 5, "looks at nothing"),
        ("exists('x')", 1, "looks at nothing"),
        ("(1 == 1) == ok", 2, "looks at nothing"),
        ("status == status", 1, "with itself"),
        ("body.n >= body['n']", 1, "with itself"),
        ("len(text) <= len(text)", 1, "with itself"),
        ("text contains ''", 1, "true of any text"),
        ("'' in text", 1, "true of any text"),
        ("text matches ''", 1, "matches any text"),
        ("text matches '.*'", 1, "matches any text"),
        ("text matches '^'", 1, "matches any text"),
        ("status in []", 1, "true of nothing"),
        ("status not in []", 1, "true of nothing"),
        ("len(body) >= 0", 1, "whatever is observed"),
        ("len(body) > -1", 1, "whatever is observed"),
        ("0 <= len(body)", 1, "whatever is observed"),
        ("time >= 0s", 1, "whatever is observed"),
        ("size >= 0B", 1, "whatever is observed"),
        ("status == 200 or status != 200", 1, "whatever is observed"),
        ("ok or not ok", 1, "whatever is observed"),
        ("rows >= 0", 1, "whatever is observed"),
        ("status < 500 or status >= 500", 1, "whatever is observed"),
    ],
)
def test_an_expectation_that_looks_at_nothing_is_refused(text: str, column: int, message: str) -> None:
    with pytest.raises(ExpectError, match=message) as caught:
        parse(text, NAMES)
    assert caught.value.column == column


@pytest.mark.parametrize(
    "text", ["text matches '.+'", "text matches '^$'", "len(body) > 0", "body.n >= 0", "time > 0s", "status != -1",
             "ok or status == 200", "body.a == body.b", "text contains ' '"],
)  # fmt: skip
def test_an_expectation_that_may_fail_is_taken(text: str) -> None:
    assert parse(text, NAMES).text == text


_BIG = (1 << 53) + 1


@pytest.mark.parametrize(
    ("text", "value", "holds"),
    [
        (f"body == {_BIG}", _BIG, True),
        (f"body == {_BIG}", _BIG - 1, False),
        (f"body == {_BIG}.0", _BIG, True),
        (f"body > {_BIG}", _BIG, False),
        (f"body >= {_BIG}", _BIG - 1, False),
        (f"body in [{_BIG}]", _BIG - 1, False),
        (f"number(body) == {_BIG}", str(_BIG), True),
        (f"number(body) == {_BIG}", str(_BIG - 1), False),
        (f"body == {_BIG}.5", Decimal(f"{_BIG}.5"), True),
        (f"body == {_BIG}.5", Decimal(f"{_BIG}.25"), False),
        ("body == 1e3", 1000, True),
        ("body == 0.1", 0.1, True),
        ("number(body) == 0.1", "0.1", True),
        ("body < 1e400", 10**399, True),
        ("body < 1e400", 10**400, False),
        ("body == 12345678901234567890.25", Decimal("12345678901234567890.25"), True),
    ],
)
def test_numbers_beyond_floats_are_compared_exactly(text: str, value: Any, holds: bool) -> None:
    assert (parse(text, NAMES).check({"body": value}).status is Status.OK) is holds


def test_sizes_beyond_floats_are_compared_exactly() -> None:
    assert parse(f"size >= {_BIG}B", NAMES).check({"size": _BIG - 1}).status is Status.CRIT
    assert parse("size == 8193.5PiB", NAMES).check({"size": 8193 * 2**50 + 2**49}).status is Status.OK


@pytest.mark.parametrize("value", [10**400, float("inf"), Decimal("NaN"), "inf", "1_0", ""])
def test_a_number_that_cannot_be_measured_says_so(value: Any) -> None:
    assert isinstance(parse_value("number(body)", NAMES).number({"body": value}), Finding)

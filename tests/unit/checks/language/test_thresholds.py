"""Nagios ranges and performance data."""

from __future__ import annotations

import pytest

from switchover_checks.api import Metric, Status
from switchover_checks.language.thresholds import judge, parse_perfdata, parse_range


@pytest.mark.parametrize(
    ("text", "fine", "alerts"),
    [
        ("10", (0, 5, 10), (-1, 11)),
        ("10:", (10, 11), (9.9, -1)),
        ("~:10", (-99, 10), (10.1,)),
        ("10:20", (10, 20), (9, 21)),
        ("@10:20", (9, 21), (10, 15, 20)),
        (":10", (0, 10), (-1, 11)),
        (10, (10,), (11,)),
        ("1KiB:2KiB", (1024, 2048), (1023, 2049)),
        ("20%:", (20,), (19.9,)),
        ("~:500ms", (0.5,), (0.51,)),
    ],
)
def test_a_range_alerts_as_the_plugin_guidelines_say(
    text: object, fine: tuple[float, ...], alerts: tuple[float, ...]
) -> None:
    limit = parse_range(text)
    assert not any(limit.alerts(v) for v in fine)
    assert all(limit.alerts(v) for v in alerts)


def test_what_is_not_a_number_always_alerts() -> None:
    assert parse_range("~:10").alerts(float("nan"))


@pytest.mark.parametrize("text", ["~:", "@~:-1%", "0%:", "-5%:", "0B:", "@-3%:-1%"])
def test_a_range_that_no_value_leaves_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="can never alert"):
        parse_range(text)


@pytest.mark.parametrize("text", ["@~:", "@0%:", "~:-1%", "@0B:", "-20%:-10%"])
def test_a_range_that_alerts_whatever_is_seen_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="always alerts"):
        parse_range(text)


@pytest.mark.parametrize("text", ["0:", "-5:", "0s:", "~:0%", "0%:100%", "@0%:5%", "@0:", "0:0", "~:0"])
def test_a_range_that_some_value_leaves_is_taken(text: str) -> None:
    assert parse_range(text).text == text


def test_a_share_of_a_whole_is_never_above_all_of_it() -> None:
    for text, why in (("0%:100%", "never"), ("101%:", "always"), ("@~:100%", "always"), ("@200%:300%", "never")):
        with pytest.raises(ValueError, match=why):
            parse_range(text, of_whole=True)
        with pytest.raises(ValueError, match=why):
            parse_range(text.replace("%", ""), of_whole=True)
    assert parse_range("100%:", of_whole=True).alerts(99.0)
    assert parse_range("5GiB:", of_whole=True).dimension == "size"


@pytest.mark.parametrize("text", ["", "x", "20:10", "10%:5GiB", "1:2:3", "@", True, None, [1]])
def test_what_is_no_range_is_refused(text: object) -> None:
    with pytest.raises(ValueError, match=r"threshold|units|above"):
        parse_range(text)


def test_critical_is_judged_before_warning_and_both_say_what_was_expected() -> None:
    warn, crit = parse_range("20%:"), parse_range("10%:")
    assert judge("free", 5, warn, crit).status is Status.CRIT
    assert judge("free", 15, warn, crit).status is Status.WARN
    fine = judge("free", 50, warn, crit)
    assert (fine.status, fine.expected, fine.observed) == (Status.OK, "at least 20 %", "50 %")


@pytest.mark.parametrize(
    ("text", "metrics"),
    [
        ("load=0.5;1;2;0;", (Metric("load", 0.5, "", "1", "2"),)),
        ("time=31ms;;;0 size=2KB", (Metric("time", 0.031, "s"), Metric("size", 2048, "B"))),
        ("'free space'=12%;20:;10:", (Metric("free space", 12, "%", "20:", "10:"),)),
        ("'it''s'=1c", (Metric("it's", 1, "c"),)),
        ("gone=U there=1", (Metric("there", 1),)),
        ("/=5MB;6;7;0;8 /var=1e3B", (Metric("/", 5 * 1024**2, "B", "6291456", "7340032"), Metric("/var", 1000, "B"))),
        ("comma=1,5", (Metric("comma", 1.5),)),
        ("", ()),
    ],
)
def test_performance_data_is_read_in_base_units(text: str, metrics: tuple[Metric, ...]) -> None:
    assert parse_perfdata(text) == (metrics, "")


@pytest.mark.parametrize(
    ("text", "value", "warn", "crit"),
    [
        ("time=250ms;200;500", 0.25, "0.2", "0.5"),
        ("time=250ms;@100:200;~:0.5e3", 0.25, "@0.1:0.2", "~:0.5"),
        ("used=2KB;1:;,5", 2048, "1024:", "512"),
        ("used=2MB;;odd", 2 * 1024**2, "", "odd"),
        ("time=1s;2;3", 1, "2", "3"),
    ],
)
def test_thresholds_come_in_the_unit_of_their_value(text: str, value: float, warn: str, crit: str) -> None:
    (metric,), rest = parse_perfdata(text)
    assert (metric.value, metric.warn, metric.crit, rest) == (value, warn, crit, "")


def test_what_is_no_performance_data_is_named_and_what_came_before_is_kept() -> None:
    metrics, rest = parse_perfdata("a=1 nonsense b=2")
    assert [m.name for m in metrics] == ["a"]
    assert rest.strip().startswith("nonsense")

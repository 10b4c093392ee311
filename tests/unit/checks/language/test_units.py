"""Durations, sizes, shares and ports as people write them."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import TypeAdapter

from switchover_checks.language.fields import LocalPort, Share
from switchover_checks.language.units import format_bytes, format_duration, parse_duration, parse_size


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("500ms", 0.5), ("1h30m", 5400), ("90", None), (90, 90), ("2d", 172800), ("1.5s", 1.5), ("250us", 0.00025)],
)
def test_a_duration_needs_a_unit_unless_it_is_a_number(text: Any, seconds: float | None) -> None:
    if seconds is None:
        with pytest.raises(ValueError, match="not a duration"):
            parse_duration(text)
    else:
        assert parse_duration(text) == pytest.approx(seconds)


@pytest.mark.parametrize("value", [True, -1, "5 parsecs", "", "1m 2s", float("inf"), float("nan"), None])
def test_what_is_no_duration_is_refused(value: object) -> None:
    with pytest.raises(ValueError, match="duration"):
        parse_duration(value)


@pytest.mark.parametrize(
    ("text", "count"),
    [(4096, 4096), ("20KB", 20_000), ("1MiB", 1 << 20), ("1.5 GiB", 3 << 29), ("7", 7), ("1kB", 1000)],
)
def test_sizes_are_decimal_or_binary_as_written(text: Any, count: int) -> None:
    assert parse_size(text) == count


@pytest.mark.parametrize("value", [True, -1, "1 lot", "1mb", "", None, 1.5e300, "-5B"])
def test_what_is_no_size_is_refused(value: object) -> None:
    with pytest.raises(ValueError, match="size"):
        parse_size(value)


def test_seconds_and_bytes_are_written_shortly() -> None:
    assert [format_duration(s) for s in (0.0314, 1, 4.2, 59, 61, 11_100, 400_000)] == [
        "31 ms", "1.0 s", "4.2 s", "59 s", "1 m", "3 h 05 m", "4 d",
    ]  # fmt: skip
    assert [format_bytes(n) for n in (0, 812, 1 << 20, 1.2 * (1 << 30), 5 << 40)] == [
        "0 B", "812 B", "1.00 MiB", "1.20 GiB", "5.00 TiB",
    ]  # fmt: skip


def test_a_share_may_be_percent_and_a_port_part_of_an_address() -> None:
    share: TypeAdapter[float] = TypeAdapter(Share)
    port: TypeAdapter[int] = TypeAdapter(LocalPort)
    assert share.validate_python("80%") == pytest.approx(0.8)
    assert port.validate_python("127.0.0.1:8080") == 8080
    for adapter, value in ((share, "120%"), (share, "some"), (port, "0"), (port, "h:"), (port, True)):
        with pytest.raises(ValueError, match="is not a"):
            adapter.validate_python(value)

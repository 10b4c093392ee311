from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from pydantic import ValidationError

from switchover.health.maintenance import MaintenanceTimes
from switchover.plan.maintenance_model import Maintenance


def at(text: str, zone: str = "Europe/Paris") -> float:
    return datetime.fromisoformat(text).replace(tzinfo=ZoneInfo(zone)).timestamp()


def times(directory: Path = Path("/nowhere"), **keys: Any) -> MaintenanceTimes:
    return MaintenanceTimes({"m": Maintenance.model_validate(keys)}, directory)


@pytest.mark.parametrize(
    ("window", "moment", "is_open"),
    [
        ("sun 02:00-04:00 Europe/Paris", "2026-03-01T02:00", True),
        ("Sun 02:00-04:00 Europe/Paris", "2026-03-01T03:59", True),
        ("Sun 02:00-04:00 Europe/Paris", "2026-03-01T04:00", False),
        ("Sun 02:00-04:00 Europe/Paris", "2026-03-02T02:00", False),
        ("SAT 23:00-01:00 Europe/Paris", "2026-03-01T00:30", True),
        ("sat-sun 23:00-01:00 Europe/Paris", "2026-03-02T00:30", True),
        ("daily 02:00-04:00 UTC", "2026-07-01T04:30", True),
        (["Mon 01:00-02:00 UTC", "Sun 02:00-04:00 Europe/Paris"], "2026-03-01T02:30", True),
    ],
)
def test_a_window_is_open_by_the_clock_of_its_zone(window: Any, moment: str, is_open: bool) -> None:
    assert bool(times(window=window).of(("db",), at(moment))) is is_open


@pytest.mark.parametrize(
    ("of", "names", "is_in"),
    [
        ((), ("any", ""), True),
        (("db",), ("db", ""), True),
        (("db",), ("rows", "db"), True),
        (("db",), ("web", ""), False),
        (("db",), ("db[a]", ""), True),
    ],
)
def test_it_is_about_what_it_names_and_about_all_where_it_names_nothing(
    of: tuple[str, ...], names: tuple[str, ...], is_in: bool
) -> None:
    found = times(window="daily 02:00-04:00 UTC", of=of).of(names, at("2026-03-01T03:00", "UTC"))
    assert (found is not None) is is_in


def test_it_says_which_it_is_and_until_when() -> None:
    found = times(window="daily 02:00-04:00 UTC", title="Dump").of(("db",), at("2026-03-01T03:00", "UTC"))
    assert found is not None
    assert found.until == at("2026-03-01T04:00", "UTC")
    assert found.words.startswith("in maintenance (Dump, until ")


def test_a_calendar_is_read_again_and_one_that_is_gone_opens_nothing(tmp_path: Path) -> None:
    text = "BEGIN:VCALENDAR\nBEGIN:VEVENT\nDTSTART:20260301T020000Z\nDURATION:PT1H\nEND:VEVENT\nEND:VCALENDAR\n"
    (tmp_path / "m.ics").write_text(text)
    now = at("2026-03-01T02:30", "UTC")
    found = times(tmp_path, ics="m.ics")
    found.refresh(now)
    assert found.of(("db",), now) is not None
    (tmp_path / "m.ics").write_text("nonsense")
    found.refresh(now)
    assert found.of(("db",), now) is None
    assert "no calendar" in found.troubles["m"]
    (tmp_path / "m.ics").unlink()
    found.refresh(now)
    assert "m.ics" in found.troubles["m"]


@pytest.mark.parametrize("keys", [{}, {"window": "daily 02:00-04:00 UTC", "ics": "a"}, {"window": "at night"}])
def test_what_has_no_time_is_refused(keys: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        Maintenance.model_validate(keys)

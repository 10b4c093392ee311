"""Cloud Logging through a stand-in for its API."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

import pytest
from tests.support.log_sources import reading
from tests.support.stand_ins.google import GoogleApis, google_apis, log_entry

from switchover.clouds.google_login import Google
from switchover.logs.sources.gcp_source import GoogleLogSource
from switchover.logs.sources.source_api import LogTimeSpan


def noon() -> float:
    return datetime.fromisoformat("2026-01-31T14:01:00Z").timestamp()


@pytest.fixture
def google() -> Iterator[GoogleApis]:
    with google_apis() as state:
        yield state


@pytest.fixture
def source(google: GoogleApis, tmp_path: Path) -> GoogleLogSource:
    wanted = 'resource.labels.service_name="api"\nseverity>=INFO'
    return GoogleLogSource(wanted, google=Google(google.environment(tmp_path)), every=0.02, wall=noon)


async def test_the_last_entries_come_first_and_then_each_new_one_once(
    source: GoogleLogSource, google: GoogleApis
) -> None:
    google.entries = [log_entry(number) for number in range(20)]
    async with reading(source, LogTimeSpan(tail=5)) as feed:
        await feed.until(lambda: feed.is_caught_up)
        assert feed.texts == [f"line {number}" for number in range(15, 20)]
        google.entries += [log_entry(number) for number in range(60, 65)]
        await feed.until(lambda: len(feed.texts) == 10)
        google.entries += [log_entry(62, "told late", insertId="late"), log_entry(66)]
        await feed.until(lambda: "line 66" in feed.texts)
    assert feed.texts[5:] == [*(f"line {number}" for number in range(60, 65)), "told late", "line 66"]
    assert google.filters[0] == '(resource.labels.service_name="api"\nseverity>=INFO)'
    assert google.filters[-1].startswith('(resource.labels.service_name="api"\nseverity>=INFO) AND timestamp>="')


async def test_since_and_until_are_asked_for(source: GoogleLogSource, google: GoogleApis) -> None:
    google.entries = [log_entry(number) for number in range(60)]
    begin = datetime.fromisoformat("2026-01-31T14:00:10Z").timestamp()
    async with reading(source, LogTimeSpan(since=begin, until=begin + 5)) as feed:
        await feed.until(lambda: feed.ended)
    assert feed.texts[0] == "line 10"
    assert len(feed.texts) in (5, 6)


async def test_each_form_of_entry_is_put_into_text_with_its_level(source: GoogleLogSource, google: GoogleApis) -> None:
    google.entries = [
        log_entry(1, jsonPayload={"message": "paid", "order": 7}, severity="NOTICE"),
        log_entry(2, severity="CRITICAL"),
        log_entry(3, severity="DEFAULT"),
    ]
    request = {"requestMethod": "GET", "status": 503, "requestUrl": "https://shop/pay", "latency": "0.2s"}
    google.entries.append({"insertId": "r", "timestamp": "2026-01-31T14:00:09.123456789Z", "httpRequest": request})
    audit = {"methodName": "services.replace", "authenticationInfo": {"principalEmail": "eve@shop.example"}}
    google.entries.append({"insertId": "a", "timestamp": "2026-01-31T14:00:10Z", "protoPayload": audit})
    async with reading(source, LogTimeSpan(follow=False)) as feed:
        await feed.until(lambda: feed.ended)
    assert [(line.text.decode(), line.level) for line in feed.lines] == [
        ('paid {"order": 7}', "info"),
        ("line 2", "fatal"),
        ("line 3", ""),
        ("GET 503 https://shop/pay 0.2s", ""),
        ("services.replace eve@shop.example", ""),
    ]
    assert feed.lines[3].at == datetime.fromisoformat("2026-01-31T14:00:09.123456Z").timestamp()


async def test_a_refusal_is_said_and_reading_goes_on_when_it_is_over(
    source: GoogleLogSource, google: GoogleApis
) -> None:
    google.refuse = (403, {"message": "Permission 'logging.logEntries.list' denied on resource"})
    google.entries = [log_entry(1)]
    async with reading(source, LogTimeSpan()) as feed:
        await feed.until(lambda: feed.state == ("off", "Cloud Logging: logging.logEntries.list is not allowed"))
        assert feed.is_caught_up
        google.refuse = (429, {"status": "RESOURCE_EXHAUSTED"})
        await feed.until(lambda: feed.state[0] == "reading")
        assert "asked too often" in feed.state[1]
        google.refuse = None
        await feed.until(lambda: feed.texts == ["line 1"])
        await feed.until(lambda: feed.state == ("reading", ""))


async def test_without_login_it_is_off(tmp_path: Path) -> None:
    async with reading(GoogleLogSource("a", google=Google({"HOME": str(tmp_path)})), LogTimeSpan()) as feed:
        await feed.until(lambda: feed.ended)
    assert feed.state[1].startswith("Google Cloud: no login")

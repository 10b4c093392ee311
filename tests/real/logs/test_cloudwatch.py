"""CloudWatch Logs against moto, which answers as AWS does."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.support.log_sources import reading
from tests.support.stand_ins.moto import AWS_ENVIRONMENT, moto_server, reset

from switchover.clouds.aws_login import Aws
from switchover.clouds.cloud_errors import CloudError, CloudTrouble
from switchover.logs.sources.cloudwatch_source import CloudWatchSource, open_source
from switchover.logs.sources.source_api import LogTimeSpan, SourceSpec


@pytest.fixture(scope="module")
def server() -> Iterator[str]:
    with moto_server() as address:
        yield address


@pytest.fixture
def logs(server: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Any:
    import boto3

    reset(server)
    for name in ("AWS_REGION", "AWS_PROFILE", "AWS_SESSION_TOKEN", "AWS_CA_BUNDLE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HOME", str(tmp_path))
    for name, value in {**AWS_ENVIRONMENT, "AWS_ENDPOINT_URL": server}.items():
        monkeypatch.setenv(name, value)
    client = boto3.session.Session().client("logs")
    client.create_log_group(logGroupName="/shop/api")
    client.create_log_stream(logGroupName="/shop/api", logStreamName="one")
    client.create_log_stream(logGroupName="/shop/api", logStreamName="two")
    return client


def write(logs: Any, stream: str, *texts: str, ago: float = 5.0, apart: float = 0.001) -> None:
    begin = time.time() - ago
    events = [{"timestamp": int((begin + n * apart) * 1000), "message": text} for n, text in enumerate(texts)]
    logs.put_log_events(logGroupName="/shop/api", logStreamName=stream, logEvents=events)


async def test_the_last_lines_come_first_and_what_is_written_then_once(logs: Any) -> None:
    write(logs, "one", *(f"old {n}" for n in range(20)))
    source = CloudWatchSource("/shop/api", every=0.02)
    async with reading(source, LogTimeSpan(tail=3)) as feed:
        await feed.until(lambda: feed.is_caught_up)
        assert feed.texts == ["old 17", "old 18", "old 19"]
        write(logs, "one", "new in one", ago=0.5)
        write(logs, "two", "new in two\n  with a second line", ago=0.4)
        await feed.until(lambda: len(feed.texts) >= 6)
        write(logs, "one", "the end", ago=0)
        await feed.until(lambda: "the end" in feed.texts)
    assert feed.texts[3:] == ["new in one", "new in two", "  with a second line", "the end"]
    assert feed.lines[0].at == pytest.approx(time.time(), abs=60)
    assert feed.state == ("reading", "")


async def test_what_comes_late_is_not_left_out(logs: Any) -> None:
    write(logs, "one", "first", ago=1)
    async with reading(CloudWatchSource("/shop/api", every=0.02), LogTimeSpan()) as feed:
        await feed.until(lambda: feed.texts == ["first"])
        write(logs, "two", "written before, told after", ago=10)
        await feed.until(lambda: len(feed.texts) == 2)
    assert feed.texts == ["first", "written before, told after"]


async def test_of_a_stream_only_its_own_lines_come(logs: Any) -> None:
    write(logs, "one", "of one")
    write(logs, "two", "of two")
    spec = SourceSpec("api", "cloudwatch", options={"log": "/shop/api/two", "region": "eu-west-1"})
    async with reading(open_source(spec), LogTimeSpan(follow=False)) as feed:
        await feed.until(lambda: feed.ended)
    assert feed.texts == ["of two"]


async def test_lines_of_days_ago_are_found_and_since_and_until_hold(logs: Any) -> None:
    write(logs, "one", *(f"day {n}" for n in range(5)), ago=5 * 86_400, apart=86_400)
    async with reading(CloudWatchSource("/shop/api"), LogTimeSpan(tail=2, follow=False)) as feed:
        await feed.until(lambda: feed.ended)
    assert feed.texts == ["day 3", "day 4"]
    now = time.time()
    span = LogTimeSpan(since=now - 4.5 * 86_400, until=now - 2.5 * 86_400)
    async with reading(CloudWatchSource("/shop/api"), span) as feed:
        await feed.until(lambda: feed.ended)
    assert feed.texts == ["day 1", "day 2"]


async def test_all_pages_are_read(logs: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("switchover.logs.sources.cloudwatch_source._PAGE", 3)
    write(logs, "one", *(f"{n}" for n in range(10)))
    async with reading(CloudWatchSource("/shop/api"), LogTimeSpan(follow=False)) as feed:
        await feed.until(lambda: feed.ended)
    assert feed.texts == [f"{n}" for n in range(10)]


async def test_a_group_that_is_not_there_is_said_and_read_once_it_is(logs: Any) -> None:
    async with reading(CloudWatchSource("/shop/none", every=0.02), LogTimeSpan()) as feed:
        await feed.until(lambda: feed.state[0] == "off")
        assert feed.state[1] == "CloudWatch Logs: no group or stream /shop/none in eu-west-1"
        assert feed.is_caught_up
        logs.create_log_group(logGroupName="/shop/none")
        await feed.until(lambda: feed.state == ("reading", ""))


async def test_without_login_it_is_off(tmp_path: Path) -> None:
    async with reading(CloudWatchSource("/shop/api", aws=Aws({"HOME": str(tmp_path)})), LogTimeSpan()) as feed:
        await feed.until(lambda: feed.ended)
    assert feed.state == ("off", "AWS: no credentials configured (AWS_PROFILE, AWS_ACCESS_KEY_ID)")


class Throttled(Aws):
    """AWS that refuses the first question after the last lines were read."""

    def __init__(self) -> None:
        super().__init__()
        self.asked = 0

    async def call(self, service: str, region: str, work: Any) -> Any:
        self.asked += 1
        if self.asked == 2:
            raise CloudError(CloudTrouble.THROTTLED, "AWS logs: asked too often; it is asked less often for a while")
        return await super().call(service, region, work)


async def test_being_asked_to_slow_down_loses_nothing(logs: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("switchover.logs.sources.polled._PAUSES_S", (0.05, 0.1))
    write(logs, "one", "before")
    async with reading(CloudWatchSource("/shop/api", aws=Throttled(), every=0.02), LogTimeSpan(tail=1)) as feed:
        await feed.until(lambda: any("asked too often" in why for _, why in feed.said))
        write(logs, "one", "meanwhile", ago=0)
        await feed.until(lambda: len(feed.texts) == 2)
        await feed.until(lambda: feed.state == ("reading", ""))
    assert feed.texts == ["before", "meanwhile"]

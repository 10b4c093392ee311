from __future__ import annotations

from pathlib import Path
from typing import ClassVar

from tests.unit.hub.fake_source import FakeSource
from tests.unit.hub.hub_fakes import stage

from switchover_checks.api import Status

PLAN = "services: {db: {kind: aws, resource: rds, id: shop, every: 1h}}\n"


class Sky(FakeSource):
    kind: ClassVar[str] = "aws"


async def test_what_a_cloud_tells_late_stands_at_the_time_when_it_was(tmp_path: Path) -> None:
    source = Sky("rds/shop")
    async with stage(PLAN, tmp_path, providers=(source,)) as live:
        seen = await live.until(lambda s: s.services[0].state == "running")
        await source.watching.wait()
        at = seen.services[0].observed_at
        assert at is not None
        source.tell("rds/shop", "restarted", text="failover", at=at - 1800.0, status=Status.WARN)
        told = await live.until(lambda s: bool(s.timeline))
        assert [(r.at, r.text) for r in told.timeline] == [(at - 1800.0, "db restarted: failover")]


async def test_a_notice_to_this_very_host_is_told_though_no_service_is_named(tmp_path: Path) -> None:
    source = Sky("rds/shop")
    async with stage(PLAN, tmp_path, providers=(source,)) as live:
        await live.until(lambda s: s.services[0].state == "running")
        await source.watching.wait()
        source.tell("ec2/i-1", "failed", text="Spot interruption at 14:02 UTC (terminate)", status=Status.CRIT)
        told = await live.until(lambda s: bool(s.timeline))
        assert [(r.text, r.status) for r in told.timeline] == [
            ("aws:ec2/i-1 failed: Spot interruption at 14:02 UTC (terminate)", "crit")
        ]

"""What AWS says, in words; and the notice of a Spot instance, from a stand-in for the metadata service."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from tests.support.stand_ins.metadata_service import metadata_service_stand_in

from switchover.clouds.aws_login import Aws
from switchover.services.aws.aws_observation import cache_item, database_item, instance_item, news_of, spot_news
from switchover.services.aws.aws_provider import AwsProvider
from switchover.services.aws.aws_spot import SpotWatch, metadata_service
from switchover.services.provider_api import Capability, Observation, ProcessState, ServiceEvent, ServiceTarget
from switchover_checks.api import Status

AT = datetime(2026, 1, 31, 14, 2, 30, tzinfo=UTC)


@pytest.mark.parametrize(
    ("checks", "health", "words"),
    [
        ({}, Status.OK, "running; spot instance"),
        ({"SystemStatus": {"Status": "initializing"}}, Status.PENDING, "system check initializing"),
        ({"InstanceStatus": {"Status": "impaired"}}, Status.CRIT, "instance check impaired"),
        (
            {"Events": [{"Code": "instance-retirement", "Description": "hardware", "NotBefore": AT}]},
            Status.WARN,
            "AWS plans instance-retirement for 2026-01-31 14:02 UTC",
        ),
        ({"Events": [{"Code": "system-reboot", "Description": "[Completed] reboot"}]}, Status.OK, "running"),
    ],
)
def test_an_instance_is_as_well_as_its_checks(checks: dict[str, Any], health: Status, words: str) -> None:
    instance = {
        "InstanceId": "i-1",
        "State": {"Name": "running"},
        "LaunchTime": AT,
        "InstanceLifecycle": "spot",
        "ImageId": "ami-1",
    }
    item = instance_item(instance, checks)
    assert (item.observation.state, item.observation.health) == (ProcessState.RUNNING, health)
    assert words in item.observation.detail
    assert item.observation.started_at == AT.timestamp()


def test_an_instance_on_its_way_can_be_asked_nothing_and_is_looked_at_again_soon() -> None:
    item = instance_item({"InstanceId": "i-1", "State": {"Name": "stopping"}}, {})
    assert item.moving
    assert item.observation.can == {Capability.INSPECT}


@pytest.mark.parametrize(
    ("word", "state", "health"),
    [
        ("available", ProcessState.RUNNING, Status.OK),
        ("backing-up", ProcessState.RUNNING, Status.OK),
        ("modifying", ProcessState.RUNNING, Status.WARN),
        ("storage-full", ProcessState.RUNNING, Status.CRIT),
        ("incompatible-parameters", ProcessState.RUNNING, Status.CRIT),
        ("stopped", ProcessState.STOPPED, Status.CRIT),
        ("starting", ProcessState.STOPPED, Status.PENDING),
    ],
)
def test_a_database_is_as_its_status_says(word: str, state: ProcessState, health: Status) -> None:
    item = database_item({"DBInstanceIdentifier": "shop", "DBInstanceStatus": word, "Engine": "postgres"})
    assert (item.observation.state, item.observation.health) == (state, health)


def test_another_size_is_another_configuration() -> None:
    one = database_item(
        {"DBInstanceIdentifier": "a", "DBInstanceStatus": "available", "DBInstanceClass": "db.t3.micro"}
    )
    two = database_item(
        {"DBInstanceIdentifier": "a", "DBInstanceStatus": "available", "DBInstanceClass": "db.m5.large"}
    )
    assert one.observation.config != two.observation.config
    assert one.observation.identity == two.observation.identity


def test_a_spot_instance_that_is_taken_back_is_critical_while_it_still_runs() -> None:
    item = instance_item({"InstanceId": "i-1", "State": {"Name": "running"}}, {}, "Spot interruption: marked for stop")
    assert (item.observation.state, item.observation.health) == (ProcessState.RUNNING, Status.CRIT)
    assert item.observation.detail == "running; Spot interruption: marked for stop"


def test_a_replication_group_is_known_by_its_own_name() -> None:
    item = cache_item({"ReplicationGroupId": "carts", "Status": "available", "AutomaticFailover": "enabled"})
    assert (item.id, item.observation.detail) == ("carts", "available; fails over by itself")


def test_events_are_told_as_what_they_are() -> None:
    found = news_of(
        [
            {
                "SourceIdentifier": "a",
                "Message": "Multi-AZ failover started",
                "EventCategories": ["failover"],
                "Date": AT,
            },
            {"SourceIdentifier": "a", "Message": "DB instance restarted", "EventCategories": ["availability"]},
            {"SourceIdentifier": "a", "Message": "\x1b[31mstorage failed", "EventCategories": ["failure"]},
        ]
    )
    assert [(one.what, one.status) for one in found] == [
        ("restarted", Status.WARN),
        ("restarted", None),
        ("failed", Status.CRIT),
    ]
    assert found[0].at == AT.timestamp()
    assert found[2].text == "storage failed"


def test_a_spot_request_that_is_taken_back_is_told() -> None:
    found = spot_news(
        [
            {"InstanceId": "i-1", "Status": {"Code": "marked-for-termination", "UpdateTime": AT}},
            {"InstanceId": "i-2", "Status": {"Code": "fulfilled"}},
        ]
    )
    assert [(one.id, one.text, one.status) for one in found] == [
        ("i-1", "Spot interruption: marked for termination", Status.CRIT)
    ]


async def test_a_spot_interruption_is_told_once_as_critical() -> None:
    with metadata_service_stand_in() as host:
        provider = AwsProvider(Aws({}), spot_every=0.01, metadata=lambda: host.address)
        told: list[ServiceEvent] = []
        here = asyncio.Event()

        def tell(one: ServiceEvent) -> None:
            if not one.ref:
                return
            told.append(one)
            here.set()

        watching = asyncio.create_task(provider.watch(tell))
        async with asyncio.timeout(20):
            while len(host.asked) < 2:  # noqa: ASYNC110 - it is asked over a socket
                await asyncio.sleep(0.01)
            assert told == []
            host.data["spot/instance-action"] = '{"action": "terminate", "time": "2026-01-31T14:02:30Z"}'
            await here.wait()
            asked = len(host.asked)
            while len(host.asked) < asked + 4:  # noqa: ASYNC110 - it is asked over a socket
                await asyncio.sleep(0.01)
        watching.cancel()
        await asyncio.gather(watching, return_exceptions=True)
    instance = Observation(ProcessState.RUNNING, Status.OK, "running")
    marked = provider._marked(ServiceTarget("vm", "aws", "ec2/i-0abc", resource="ec2", id="i-0abc"), instance)
    assert (marked.health, marked.detail) == (Status.CRIT, "Spot interruption at 14:02 UTC (terminate); running")
    other = ServiceTarget("vm", "aws", "ec2/i-1", resource="ec2", id="i-1")
    assert provider._marked(other, instance) == instance
    assert [(one.ref, one.status, one.text) for one in told] == [
        ("ec2/i-0abc", Status.CRIT, "Spot interruption at 14:02 UTC (terminate)")
    ]


async def test_an_answer_that_is_no_notice_is_none() -> None:
    with metadata_service_stand_in() as host:
        for nonsense in ("", "[]", '{"action": "stop"}', '{"action": "stop", "time": "soon"}'):
            host.data["spot/instance-action"] = nonsense
            assert await SpotWatch(host.address).probe() is None
    assert await SpotWatch("http://127.0.0.1:9").probe() is None


def test_the_metadata_service_is_asked_only_on_an_instance_of_ec2(tmp_path: Path) -> None:
    vendor = tmp_path / "vendor"
    assert metadata_service({}, vendor) == ""
    vendor.write_text("QEMU\n")
    assert metadata_service({}, vendor) == ""
    vendor.write_text("Amazon EC2\n")
    assert metadata_service({}, vendor) == "http://169.254.169.254"
    assert metadata_service({"AWS_EC2_METADATA_DISABLED": "true"}, vendor) == ""
    assert metadata_service({"AWS_EC2_METADATA_SERVICE_ENDPOINT": "http://h/"}, tmp_path / "none") == "http://h"

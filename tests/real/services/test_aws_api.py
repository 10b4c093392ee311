"""EC2, RDS and ElastiCache against moto, which answers as AWS does; errors that it does not make, by a stand-in."""

from __future__ import annotations

import asyncio
import json
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import cache
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from tests.support.stand_ins.moto import AWS_ENVIRONMENT, moto_server, reset

from switchover.clouds.cloud_errors import CloudError
from switchover.errors import RefusedError
from switchover.services.aws.aws_provider import AwsProvider
from switchover.services.provider_api import (
    Capability,
    LogSpan,
    Observation,
    ProcessState,
    ServiceEvent,
    ServiceTarget,
)
from switchover_checks.api import Status

CANARY = "secret-canary"


def nowhere() -> str:
    return ""


@pytest.fixture(scope="module")
def server() -> Iterator[str]:
    with moto_server() as address:
        yield address


@pytest.fixture
def environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> pytest.MonkeyPatch:
    for name in ("AWS_REGION", "AWS_PROFILE", "AWS_DEFAULT_PROFILE", "AWS_SESSION_TOKEN", "AWS_CA_BUNDLE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HOME", str(tmp_path))
    for name, value in AWS_ENVIRONMENT.items():
        monkeypatch.setenv(name, value)
    return monkeypatch


@pytest.fixture
def aws(server: str, environment: pytest.MonkeyPatch) -> AwsProvider:
    reset(server)
    environment.setenv("AWS_ENDPOINT_URL", server)
    return AwsProvider(every=0.05, metadata=nowhere)


def client(service: str) -> Any:
    import boto3

    session: Any = boto3.session.Session()
    return session.client(service)


@cache
def image() -> str:
    return str(client("ec2").describe_images(MaxResults=5)["Images"][0]["ImageId"])


def instance(**more: Any) -> str:
    ec2 = client("ec2")
    tags = [{"ResourceType": "instance", "Tags": [{"Key": "Name", "Value": "shop-api"}]}]
    made = ec2.run_instances(ImageId=image(), MinCount=1, MaxCount=1, TagSpecifications=tags, **more)
    return str(made["Instances"][0]["InstanceId"])


def database(name: str = "shop") -> ServiceTarget:
    client("rds").create_db_instance(
        DBInstanceIdentifier=name,
        DBInstanceClass="db.t3.micro",
        Engine="postgres",
        MasterUsername="a",
        MasterUserPassword=CANARY,
        AllocatedStorage=20,
    )
    return ServiceTarget("db", "aws", f"rds/{name}", resource="rds", id=name)


def machine(name: str) -> ServiceTarget:
    return ServiceTarget("vm", "aws", f"ec2/{name}", resource="ec2", id=name)


async def probe(provider: AwsProvider, target: ServiceTarget) -> Observation:
    return (await provider.inspect([target]))[target.name]


async def until(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(30):
        while not condition():  # noqa: ASYNC110 - what is waited for is in another process
            await asyncio.sleep(0.01)


async def test_an_instance_is_seen_stopped_and_started(aws: AwsProvider) -> None:
    vm = machine(instance())
    seen = await probe(aws, vm)
    assert (seen.state, seen.health, seen.detail) == (ProcessState.RUNNING, Status.OK, "running")
    assert seen.can == {Capability.INSPECT, Capability.STOP, Capability.RESTART}
    assert seen.started_at is not None
    assert await aws.act(vm, Capability.STOP) == "AWS took the order: it stops"
    seen = await probe(aws, vm)
    assert (seen.state, seen.health) == (ProcessState.STOPPED, Status.CRIT)
    assert "User initiated shutdown" in seen.detail
    assert seen.can == {Capability.INSPECT, Capability.START}
    await aws.act(vm, Capability.START)
    assert (await probe(aws, vm)).state is ProcessState.RUNNING
    await aws.act(vm, Capability.RESTART)
    assert aws.command_line(vm, Capability.STOP) == (
        ("aws", "ec2", "stop-instances", "--instance-ids", vm.id, "--region", "eu-west-1")
    )


async def test_a_spot_instance_is_said_to_be_one(aws: AwsProvider) -> None:
    vm = machine(instance(InstanceMarketOptions={"MarketType": "spot"}))
    assert (await probe(aws, vm)).detail == "running; spot instance"


async def test_what_is_not_there_is_stopped_not_unknown(aws: AwsProvider) -> None:
    seen = await probe(aws, machine("i-0123456789abcdef0"))
    assert (seen.state, seen.detail) == (ProcessState.STOPPED, "no ec2 i-0123456789abcdef0 in eu-west-1")


async def test_all_of_a_kind_in_a_region_is_one_call_and_answers_for_a_while(aws: AwsProvider) -> None:
    names = [instance() for _ in range(3)]
    targets = [ServiceTarget(name, "aws", f"ec2/{name}", resource="ec2", id=name) for name in names]
    seen = await aws.inspect(targets)
    assert {one.state for one in seen.values()} == {ProcessState.RUNNING}
    client("ec2").stop_instances(InstanceIds=names)
    assert {one.state for one in (await aws.inspect(targets)).values()} == {ProcessState.RUNNING}


async def test_what_a_region_has_is_found_by_name(aws: AwsProvider) -> None:
    name = instance()
    database()
    elasticache = client("elasticache")
    elasticache.create_cache_cluster(
        CacheClusterId="carts", Engine="redis", CacheNodeType="cache.t3.micro", NumCacheNodes=1
    )
    elasticache.create_replication_group(ReplicationGroupId="sessions", ReplicationGroupDescription="d")
    found = {one.target.ref: one for one in await aws.discover()}
    assert {f"ec2/{name}", "rds/shop", "elasticache/carts", "elasticache/sessions"} <= set(found)
    assert found[f"ec2/{name}"].title == "shop-api"
    assert found["rds/shop"].target.name == "aws:rds/shop"
    assert found["rds/shop"].group == "AWS rds eu-west-1"
    assert found["elasticache/carts"].observation.state is ProcessState.RUNNING
    assert aws.off() == ""


async def test_the_same_name_in_another_region_is_another_thing(aws: AwsProvider) -> None:
    old = database()
    new = ServiceTarget("new", "aws", "rds/shop@eu-central-1", resource="rds", id="shop", region="eu-central-1")
    seen = await aws.inspect([old, new])
    assert (seen["db"].state, seen["new"].state) == (ProcessState.RUNNING, ProcessState.STOPPED)


async def test_a_volume_is_in_use_or_attached_to_nothing(aws: AwsProvider) -> None:
    ec2 = client("ec2")
    volume = ec2.create_volume(AvailabilityZone="eu-west-1a", Size=8, VolumeType="gp3", Encrypted=True)["VolumeId"]
    target = ServiceTarget("volume", "aws", f"ebs/{volume}", resource="ebs", id=volume)
    idle = await probe(aws, target)
    assert (idle.health, idle.state) == (Status.WARN, ProcessState.STOPPED)
    assert "8 GiB gp3" in idle.detail
    name = instance()
    ec2.attach_volume(VolumeId=volume, InstanceId=name, Device="/dev/sdf")
    again = AwsProvider(every=0.05, metadata=nowhere)
    used = await probe(again, target)
    assert (used.health, used.state) == (Status.OK, ProcessState.RUNNING)
    assert f"{name} /dev/sdf" in used.detail


async def test_a_database_is_stopped_and_started_and_what_cannot_be_is_refused(aws: AwsProvider) -> None:
    db = database()
    seen = await probe(aws, db)
    assert (seen.state, seen.health) == (ProcessState.RUNNING, Status.OK)
    assert seen.image.startswith("postgres ")
    await aws.act(db, Capability.STOP)
    assert (await probe(aws, db)).detail.startswith("stopped; postgres")
    with pytest.raises((RefusedError, CloudError)) as caught:
        await aws.act(db, Capability.STOP)
    assert "AWS rds" in caught.value.title
    cache = ServiceTarget("c", "aws", "elasticache/c", resource="elasticache", id="c")
    with pytest.raises(RefusedError, match="AWS elasticache has no stop"):
        await aws.act(cache, Capability.STOP)
    assert aws.command_line(cache, Capability.STOP) == ()


async def test_events_and_changes_are_told_once_with_the_time_that_aws_gives(aws: AwsProvider) -> None:
    db, vm = database(), machine(instance())
    told: list[ServiceEvent] = []
    watching = asyncio.create_task(aws.watch(told.append))
    await aws.inspect([db, vm])
    await until(lambda: any(one.text == "DB instance created" for one in told))
    made = next(one for one in told if one.text == "DB instance created")
    assert (made.kind, made.ref) == ("aws", "rds/shop")
    assert made.at is not None
    client("ec2").stop_instances(InstanceIds=[vm.id])
    aws._polling_cache.forget(aws._group(vm))
    await until(lambda: any(one.ref == vm.ref and one.what == "stopped" for one in told))
    one = next(one for one in told if one.what == "stopped" and one.ref == vm.ref)
    assert one.observation is not None
    assert one.observation.state is ProcessState.STOPPED
    assert len([one for one in told if one.text == "DB instance created"]) == 1
    watching.cancel()
    await asyncio.gather(watching, return_exceptions=True)


async def test_where_its_log_is_only_the_plan_knows(aws: AwsProvider) -> None:
    assert "cloudwatch:GROUP" in str(await aws.log_source(machine("i"), LogSpan()))


@dataclass
class Refusing:
    """A stand-in for an AWS service that refuses everything with `code` and counts how often it was asked."""

    address: str = ""
    status: int = 400
    code: str = ""
    asked: list[str] = field(default_factory=list)
    hang: threading.Event = field(default_factory=threading.Event)


@pytest.fixture
def refusing(environment: pytest.MonkeyPatch) -> Iterator[Refusing]:
    state = Refusing()
    state.hang.set()

    class Answer(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length", "0")))
            state.asked.append(body.decode())
            state.hang.wait(20)
            text = (
                f"<Response><Errors><Error><Code>{state.code}</Code><Message>{CANARY}</Message></Error></Errors>"
                f"<RequestID>1</RequestID></Response>"
            ).encode()
            self.send_response(state.status)
            self.send_header("Content-Length", str(len(text)))
            self.end_headers()
            self.wfile.write(text)

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base class names it
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Answer) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        state.address = f"http://127.0.0.1:{server.server_port}"
        environment.setenv("AWS_ENDPOINT_URL", state.address)
        try:
            yield state
        finally:
            state.hang.set()
            server.shutdown()
            thread.join()


@pytest.mark.parametrize(
    ("status", "code", "words"),
    [
        (403, "UnauthorizedOperation", "AWS: ec2:DescribeInstances is not allowed"),
        (400, "RequestExpired", "AWS ec2: the login has expired, or this machine's clock is wrong"),
        (401, "AuthFailure", "AWS ec2: the credentials are not valid here"),
        (503, "RequestLimitExceeded", "AWS ec2: asked too often; it is asked less often for a while"),
        (500, "InternalError", "AWS ec2: it fails on its side (InternalError)"),
    ],
)
async def test_each_refusal_is_put_in_words_and_repeats_no_secret(
    refusing: Refusing, status: int, code: str, words: str
) -> None:
    refusing.status, refusing.code = status, code
    provider = AwsProvider(metadata=nowhere, deadline=60)
    seen = await probe(provider, machine("i-1"))
    assert (seen.state, seen.detail) == (ProcessState.UNKNOWN, words)
    assert provider.off() == words
    assert CANARY not in json.dumps([seen.detail, provider.off()])
    assert len(refusing.asked) <= 2


async def test_after_a_refusal_it_is_not_asked_at_every_look(refusing: Refusing) -> None:
    refusing.status, refusing.code = 403, "UnauthorizedOperation"
    provider = AwsProvider(metadata=nowhere)
    for _ in range(5):
        await probe(provider, machine("i-1"))
    assert len(refusing.asked) == 1


async def test_a_region_that_hangs_holds_up_nobody_else(refusing: Refusing) -> None:
    refusing.hang.clear()
    provider = AwsProvider(metadata=nowhere)
    provider._polling_cache._deadline = 0.3
    both = await provider.inspect([machine("i-1"), ServiceTarget("x", "aws", "sqs/x", resource="sqs", id="x")])
    assert both["vm"].detail == "AWS did not answer within 0.3 s"
    assert both["x"].detail == "AWS: nothing here can look at sqs"


async def test_nothing_there_is_told_as_that(environment: pytest.MonkeyPatch) -> None:
    environment.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:9")
    assert (
        await probe(AwsProvider(metadata=nowhere), machine("i"))
    ).detail == "AWS ec2: it cannot be reached from here"


async def test_without_login_or_region_nothing_is_asked(
    environment: pytest.MonkeyPatch, refusing: Refusing, tmp_path: Path
) -> None:
    environment.delenv("AWS_DEFAULT_REGION")
    provider = AwsProvider(metadata=nowhere)
    assert provider.off() == "AWS: no region configured (AWS_REGION)"
    assert await provider.discover() == []
    assert "no region configured" in (await probe(provider, machine("i"))).detail
    environment.delenv("AWS_ACCESS_KEY_ID")
    environment.delenv("AWS_SECRET_ACCESS_KEY")
    assert provider.off() == "AWS: no credentials configured (AWS_PROFILE, AWS_ACCESS_KEY_ID)"
    config = tmp_path / ".aws/config"
    config.parent.mkdir()
    config.write_text("[default]\nregion = eu-north-1\n")
    assert provider.off() == ""
    assert (await probe(provider, machine("i"))).detail == "AWS ec2: no credentials; log in, or set AWS_PROFILE"
    assert refusing.asked == []

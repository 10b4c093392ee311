"""Checks of clouds through the program's own logins: AWS is moto, Google's REST APIs and its gRPC are stand-ins."""

from __future__ import annotations

import hashlib
import time
from collections.abc import AsyncIterator, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from tests.support.stand_ins.google import google_apis, run_service
from tests.support.stand_ins.moto import AWS_ENVIRONMENT, moto_server

from switchover.app.check_ports import check_memory, check_ports
from switchover.clock import SystemClock
from switchover.clouds.aws_login import Aws
from switchover.clouds.cloud_calls import CloudCalls
from switchover.hosts.host_lines import HostLines
from switchover.locations import Workspace
from switchover.services.inventory import Inventory
from switchover_checks.api import ProbeError, Result, Status
from switchover_checks.runtime.config import build_config
from switchover_checks.runtime.context import LocalContext
from switchover_checks.runtime.probe_ports import ProbePorts
from switchover_checks.runtime.registry import Registry


@asynccontextmanager
async def ports_of(environment: Mapping[str, str], folder: Path) -> AsyncIterator[ProbePorts]:
    """Give what the program gives to checks, with these logins."""
    workspace = Workspace(folder, None)
    inventory = Inventory({}, (), lambda name: name, SystemClock())
    memory = check_memory(workspace, writes=False)
    clouds = CloudCalls(environment)
    yield check_ports(workspace, inventory, clouds, memory, HostLines(()))
    await clouds.aclose()


async def ask(ports: ProbePorts, folder: Path, kind: str, **keys: Any) -> Result:
    check = Registry().load(kind)
    ctx = LocalContext(time.monotonic() + 60, folder, ports=ports)
    return await check.probe(build_config(check.config, keys), ctx)


@pytest.fixture(scope="module")
def moto() -> Iterator[str]:
    with moto_server() as address:
        yield address


async def test_aws_is_asked_by_the_login_of_the_program(
    moto: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    environment = {**AWS_ENVIRONMENT, "AWS_ENDPOINT_URL": moto}
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    aws = Aws()
    data = b"dump" * 1000
    digest = hashlib.sha256(data).hexdigest()

    def prepare(client: Any) -> str:
        client.create_bucket(Bucket="dumps", CreateBucketConfiguration={"LocationConstraint": "eu-west-1"})
        client.put_object(Bucket="dumps", Key="db/shop.dump", Body=data, ChecksumAlgorithm="SHA256")
        client.put_object(Bucket="dumps", Key="db/shop.dump.sha256", Body=f"{digest}  shop.dump\n".encode())
        return ""

    await aws.call("s3", "eu-west-1", prepare)
    image = "ami-12c6146b"
    made = await aws.call("ec2", "eu-west-1", lambda c: c.run_instances(ImageId=image, MinCount=1, MaxCount=1))
    instance = made["Instances"][0]["InstanceId"]
    async with ports_of(environment, tmp_path) as ports:
        fine = [
            await ask(ports, tmp_path, "backup", path="s3://dumps/db/*.dump", sha256="sidecar", max_age="1h"),
            await ask(ports, tmp_path, "s3", bucket="dumps", prefix="db/", expect="objects == 2"),
            await ask(ports, tmp_path, "s3", bucket="no-such-bucket", exists=False),
            await ask(ports, tmp_path, "aws", resource="ec2", id=instance),
            await ask(ports, tmp_path, "aws", resource="rds", id="gone", expect="state == 'absent'"),
        ]
        assert [r.status for r in fine] == [Status.OK] * 5, fine
        none = await ask(ports, tmp_path, "cloudwatch", namespace="AWS/RDS", metric="CPUUtilization", crit=90)
        assert none.status is Status.UNKNOWN
        with pytest.raises(ProbeError, match="may only look"):
            await ports.cloud("aws", "ec2", "terminate_instances", {"InstanceIds": [instance]}, "")


async def test_without_a_login_clouds_are_unknown(tmp_path: Path) -> None:
    async with ports_of({"HOME": str(tmp_path)}, tmp_path) as ports:
        for kind, keys in (("s3", {"bucket": "b"}), ("cloud_run", {"name": "api"})):
            with pytest.raises(ProbeError) as refused:
                await ask(ports, tmp_path, kind, **keys)
            assert (refused.value.status, refused.value.phase) == (Status.UNKNOWN, "auth")


async def test_google_is_asked_by_the_login_of_the_program(tmp_path: Path) -> None:
    with google_apis() as google:
        service = run_service()
        google.single[f"/v2/{service['name']}"] = service
        known = {**google.environment(tmp_path), "GOOGLE_CLOUD_PROJECT": "shop"}
        async with ports_of(known, tmp_path) as ports:
            ready = await ask(ports, tmp_path, "cloud_run", name="api")
            gone = await ask(ports, tmp_path, "cloud_run", name="other", exists=False)
    assert (ready.status, gone.status) == (Status.OK, Status.OK), (ready, gone)


async def test_time_series_come_through_googles_own_library(tmp_path: Path) -> None:
    import grpc
    from google.cloud.monitoring_v3.types import ListTimeSeriesRequest, ListTimeSeriesResponse

    asked: list[Any] = []

    def answer(request: Any, _context: Any) -> Any:
        asked.append(request)
        point = {"interval": {"end_time": {"seconds": int(time.time()) - 300}}, "value": {"double_value": 42.0}}
        return ListTimeSeriesResponse(
            time_series=[{"metric": {"type": "x", "labels": {"job": "a"}}, "points": [point]}]
        )

    method = grpc.unary_unary_rpc_method_handler(
        answer,
        request_deserializer=ListTimeSeriesRequest.deserialize,
        response_serializer=ListTimeSeriesResponse.serialize,
    )
    server = grpc.server(ThreadPoolExecutor(2))
    name = "google.monitoring.v3.MetricService"
    server.add_generic_rpc_handlers((grpc.method_handlers_generic_handler(name, {"ListTimeSeries": method}),))
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    try:
        with google_apis() as google:
            known = {**google.environment(tmp_path), "GOOGLE_CLOUD_PROJECT": "shop"}
            known["CLOUDSDK_API_ENDPOINT_OVERRIDES_MONITORING"] = f"http://127.0.0.1:{port}"
            keys = {"filter": 'metric.type="x"', "align": "max"}
            async with ports_of(known, tmp_path) as ports:
                fine = await ask(ports, tmp_path, "gcp_monitoring", **keys, crit=50)
                bad = await ask(ports, tmp_path, "gcp_monitoring", **keys, crit=40)
    finally:
        server.stop(None).wait()
    assert (fine.status, bad.status) == (Status.OK, Status.CRIT), (fine, bad)
    assert asked[0].name == "projects/shop"
    assert asked[0].filter == 'metric.type="x"'

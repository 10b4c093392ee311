from __future__ import annotations

from switchover.clouds.aws_login import Aws
from switchover.services.aws.aws_provider import AwsProvider
from switchover.services.aws.aws_spot import SpotNotice
from switchover.services.provider_api import Observation, ProcessState, ServiceTarget
from switchover_checks.api import Status

RUNS = Observation(ProcessState.RUNNING, Status.OK, "running")
HOST = ServiceTarget("host", "aws", "ec2/i-1", resource="ec2", id="i-1")


def test_a_host_that_was_stopped_and_runs_again_is_not_taken_back_for_ever() -> None:
    now = [50.0]
    provider = AwsProvider(Aws({}), monotonic=lambda: now[0])
    provider._spot(SpotNotice("i-1", "hibernate", 1_769_868_150.0), lambda _: None)
    now[0] += 120.0
    assert provider._marked(HOST, RUNS).health is Status.CRIT
    now[0] += 86_400.0
    assert provider._marked(HOST, RUNS) == RUNS

from __future__ import annotations

import time

from switchover.clouds.aws import Aws
from switchover.services.api import RunState, Seen, Target
from switchover.services.aws import AwsProvider
from switchover.services.aws_spot import SpotNotice
from switchover_checks.api import Status

RUNS = Seen(RunState.RUNNING, Status.OK, "running")
HOST = Target("host", "aws", "ec2/i-1", resource="ec2", id="i-1")


def test_a_host_that_was_stopped_and_runs_again_is_not_taken_back_for_ever() -> None:
    provider = AwsProvider(Aws({}))
    provider._notices["i-1"] = SpotNotice("i-1", "hibernate", time.time() + 120)
    assert provider._marked(HOST, RUNS).health is Status.CRIT
    provider._notices["i-1"] = SpotNotice("i-1", "hibernate", time.time() - 86_400)
    assert provider._marked(HOST, RUNS) == RUNS

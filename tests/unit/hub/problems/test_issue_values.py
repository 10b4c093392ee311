from __future__ import annotations

from switchover.hub.problems.issue_values import values_of
from switchover.services.provider_api import ServiceTarget
from switchover.snapshot import ServiceRow
from switchover.triage.evidence import ProblemEvidence


def test_host_and_port_of_a_service_are_known_before_it_was_ever_seen() -> None:
    row = ServiceRow("site", "", "http", "unknown", "unknown")
    target = ServiceTarget("site", "http", url="https://localhost:8443/")
    found = values_of(ProblemEvidence(row), {}, target)
    assert (found["HOST"], found["PORT"]) == ("localhost", "8443")

from __future__ import annotations

import pytest

from switchover.health.load_targets import why_not_loaded
from switchover.plan.model import Service
from switchover.plan.variables import Scope

SERVICES = [
    Service.model_validate({"kind": "http", "url": "{{ api }}/health"}),
    Service.model_validate({"kind": "http", "url": "{{ later }}"}),
]
SCOPE = Scope("plan", values={"api": "http://127.0.0.1:8080"})


@pytest.mark.parametrize(
    ("url", "loaded"),
    [
        ("http://127.0.0.1:8080/api", True),
        ("http://127.0.0.1:8081/api", False),
        ("http://example.org/", False),
        ("http://127.0.0.1:8080@example.org/", False),
        ("", True),
    ],
)
def test_load_goes_to_services_of_the_plan_only(url: str, loaded: bool) -> None:
    assert bool(why_not_loaded({"url": url}, SERVICES, SCOPE)) is not loaded

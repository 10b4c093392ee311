from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import ClassVar

from tests.unit.health.health_fakes import StillClock, plan, scope_of

from switchover.plan.model import Service
from switchover.services.inventory import Inventory, ServiceState, follow
from switchover.services.provider_api import Capability, Observation, ProcessState, ServiceTarget
from switchover.services.service_targets import make_target
from switchover_checks.api import Status

RUNNING = Observation(ProcessState.RUNNING, Status.OK, pid=7, cpu_percent=5.0, identity="7:1")
AGAIN = Observation(ProcessState.RUNNING, Status.OK, pid=8, identity="8:2")
STOPPED = Observation(ProcessState.STOPPED, Status.CRIT, "gone")


class FakeProvider:
    """Says about every target what it was told."""

    kind: ClassVar[str] = "process"
    capabilities: ClassVar[frozenset[Capability]] = frozenset({Capability.INSPECT})

    def __init__(self, seen: Observation, off: str = "") -> None:
        self.observation = seen
        self.why = off
        self.asked: list[tuple[str, ...]] = []

    async def inspect(self, targets: Sequence[ServiceTarget]) -> Mapping[str, Observation]:
        self.asked.append(tuple(target.name for target in targets))
        return {target.name: self.observation for target in targets}

    def off(self) -> str:
        return self.why

    async def aclose(self) -> None:
        return


def inventory(provider: FakeProvider, **services: Service) -> Inventory:
    return Inventory(
        services,
        [provider],
        lambda name: (
            ServiceTarget(name, services[name].kind) if services[name].url is None else "waits for variable new_ip"
        ),
        StillClock(),
    )


def followed(*looks: Observation) -> ServiceState:
    state = ServiceState()
    for index, seen in enumerate(looks):
        state = follow(state, seen, "", at=100.0 + index, mono=float(index))
    return state


async def test_services_of_one_kind_are_looked_at_together() -> None:
    provider = FakeProvider(RUNNING)
    found = inventory(provider, a=Service(kind="process"), b=Service(kind="process"))
    assert await found.statuses(["a", "b"]) == {"a": Status.OK, "b": Status.OK}
    assert provider.asked == [("a", "b")]


async def test_a_service_whose_variable_has_no_value_is_pending_and_not_asked_about() -> None:
    provider = FakeProvider(RUNNING)
    found = inventory(provider, a=Service(kind="process", url="http://{{ new_ip }}/"))
    assert await found.statuses(["a"]) == {"a": Status.PENDING}
    assert (found.states["a"].observation.detail, provider.asked) == ("waits for variable new_ip", [])


async def test_a_kind_without_a_provider_is_unknown() -> None:
    found = inventory(FakeProvider(RUNNING), a=Service(kind="docker"))
    assert await found.statuses(["a"]) == {"a": Status.UNKNOWN}


def test_a_source_that_is_off_says_why() -> None:
    assert inventory(FakeProvider(RUNNING, off="no daemon")).notes() == {"process": "no daemon"}
    assert inventory(FakeProvider(RUNNING)).notes() == {}


def test_another_process_behind_the_name_is_a_restart() -> None:
    assert followed(RUNNING, RUNNING).restarts == 0
    assert followed(RUNNING, AGAIN).restarts == 1
    assert followed(RUNNING, STOPPED, AGAIN).restarts == 1
    assert followed(STOPPED, RUNNING).restarts == 0


def test_a_change_has_its_time_and_what_stays_the_same_keeps_it() -> None:
    assert followed(RUNNING, RUNNING, RUNNING).changed_at == 100.0
    assert followed(RUNNING, RUNNING, STOPPED, STOPPED).changed_at == 102.0
    assert followed(RUNNING, AGAIN).changed_at == 101.0


def test_since_when_it_is_so_is_what_the_source_says_though_it_says_it_later() -> None:
    assert followed(STOPPED, replace(STOPPED, since=40.0)).changed_at == 40.0
    assert followed(STOPPED, replace(STOPPED, since=40.0, since_or_before=True)).changed_at == 100.0


def test_the_cpu_history_is_of_this_process_alone() -> None:
    assert followed(RUNNING, RUNNING).cpu_history == (5.0, 5.0)
    assert followed(RUNNING, AGAIN).cpu_history == ()
    assert followed(RUNNING, STOPPED).cpu_history == ()
    assert len(followed(*[RUNNING] * 100).cpu_history) == 30


def test_having_run_once_is_remembered() -> None:
    assert followed(STOPPED).ever_ran is False
    assert followed(RUNNING, STOPPED).ever_ran is True


def test_a_target_has_its_variables_filled_in() -> None:
    loaded = plan('vars: {port: {type: port, ask: "?"}}\n')
    service = Service(kind="process", listen="{{ port }}", pid_file="{{ id }}.pid")
    filled = make_target("api", service, scope_of(loaded, {"port": "8001"}))
    assert filled == ServiceTarget("api", "process", "api", listen=8001, pid_file="shop.pid")
    assert make_target("api", service, scope_of(loaded)) == "waits for variable port"
    assert make_target("api", Service(kind="process", listen="http"), scope_of(loaded)) == "listen is no port: 'http'"

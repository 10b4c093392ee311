"""Rows of services from their observations: pure functions, with the time as an argument."""

from __future__ import annotations

from dataclasses import dataclass

from switchover.hub.services.check_rows import clock_text
from switchover.plan.model import Service
from switchover.services.discovery import FoundState
from switchover.services.inventory import ServiceState
from switchover.services.not_fine_since import Wrong
from switchover.services.provider_api import Acts, Capability, Logs, ProcessState, Provider, Shells
from switchover.snapshot import ServiceRow
from switchover.snapshot.tiers import ACTIONS
from switchover_checks.api import Status

__all__ = ["ExpectedState", "Offers", "Stance", "actions_of", "found_row", "service_row"]


@dataclass(frozen=True, slots=True)
class ExpectedState:
    """What tells whether a service that does not run ought to.

    `live` is the side that serves, empty when unknown. `first` is the side that serves before the migration. `over`
    says that the run is over: done, rolled back or aborted. `no_return` says that an irreversible step has begun.
    """

    live: str = ""
    first: str = ""
    over: bool = False
    no_return: bool = False

    def idle(self, side: str, *, ever_ran: bool) -> str:
        """Say why it is fine that a service of `side` does not run; empty when it is not."""
        if not side or side == (self.live or self.first):
            return ""
        if not ever_ran:
            return "not started yet" if not self.over else "not the live side"
        if self.over or self.no_return:
            return "stopped, not the live side"
        return ""


@dataclass(frozen=True, slots=True)
class Stance:
    """How what was seen is to be read at this moment.

    `late`: too old to be true, as anything is after `stale_after_s`. `doing` is the action under way, `actions` are
    those possible. `group` and `needs` were found out about it besides.
    """

    late: bool = False
    stale_after_s: float = 11.0
    doing: str = ""
    actions: tuple[str, ...] = ()
    group: str = ""
    needs: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Offers:
    """What a provider can do at all."""

    acts: bool = False
    logs: bool = False
    shells: bool = False

    @classmethod
    def of(cls, provider: Provider | None, *, read_only: bool) -> Offers:
        """Return what a provider offers here; where only is watched, nothing that changes anything."""
        if provider is None:
            return cls()
        return cls(
            isinstance(provider, Acts) and not read_only,
            isinstance(provider, Logs) and Capability.LOGS in provider.capabilities,
            isinstance(provider, Shells) and Capability.EXEC in provider.capabilities and not read_only,
        )


_ACTIONS = tuple((word, Capability(word)) for word in ACTIONS)


def actions_of(offers: Offers, state: ServiceState, *, late: bool) -> tuple[str, ...]:
    """Return what can be done to a service now. Nothing is done to what is not known to be as it was seen."""
    if state.observed_at is None:
        return ()
    seen = state.observation
    known = not late and seen.state is not ProcessState.UNKNOWN
    actions = [word for word, what in _ACTIONS if what in seen.can] if offers.acts and known else []
    if offers.logs:
        actions.append("logs")
    if offers.shells and known and seen.state is ProcessState.RUNNING:
        actions.append("exec")
    return (*actions, "inspect")


def service_row(
    name: str, service: Service, state: ServiceState, expectation: ExpectedState, stance: Stance, *, resting: str = ""
) -> ServiceRow:
    """Return the row of a service of the plan. One that was not observed in time is unknown.

    `resting` says why it need not run now, where the plan says when it has to.
    """
    side = service.side or ""
    health, detail = state.observation.health, state.observation.detail
    if resting:
        health, detail = Status.PENDING, resting
    elif state.observation.state is ProcessState.STOPPED and (why := expectation.idle(side, ever_ran=state.ever_ran)):
        health, detail = Status.PENDING, why
    needs = (*service.needs, *(n for n in stance.needs if n not in service.needs and n != name))
    return _row(
        state, stance, health, detail, id=name, name=name, side=side, kind=service.kind, needs=needs,
        restarts=_restarts(service.kind, state), owner=service.owner or "",
    )  # fmt: skip


def found_row(found: FoundState, stance: Stance) -> ServiceRow:
    """Return the row of something that is in no plan."""
    target, state = found.found.target, found.state
    return _row(
        state, stance, state.observation.health, state.observation.detail, id=target.name, name=found.found.title,
        side="", kind=target.kind, needs=stance.needs, restarts=_restarts(target.kind, state), owner="",
    )  # fmt: skip


def _row(
    state: ServiceState,
    stance: Stance,
    health: Status,
    detail: str,
    *,
    id: str,  # noqa: A002 - as the row calls it
    name: str,
    side: str,
    kind: str,
    needs: tuple[str, ...],
    restarts: int | None,
    owner: str,
) -> ServiceRow:
    seen, run_state, changed_at, wrong = state.observation, state.observation.state, state.changed_at, state.wrong
    if stance.late:
        health, run_state = Status.UNKNOWN, ProcessState.UNKNOWN
        detail = f"no answer since {clock_text(state.observed_at)}"
        changed_at = state.observed_at + stance.stale_after_s if state.observed_at is not None else None
        if wrong.since is None or wrong.well_since is not None:
            wrong = Wrong(changed_at)
    shown = run_state is ProcessState.RUNNING
    return ServiceRow(
        name=name,
        side=side,
        kind=kind,
        state=run_state.value,
        health=health.label,
        detail=stance.doing or detail,
        cpu_percent=round(seen.cpu_percent, 1) if shown and seen.cpu_percent is not None else None,
        cpu_history=state.cpu_history if shown else (),
        memory_bytes=seen.memory_bytes if shown else None,
        started_at=seen.started_at if shown else None,
        restarts=restarts,
        pid=seen.pid if shown else None,
        url=state.url,
        latency_ms=round(seen.latency_ms, 1) if shown and seen.latency_ms is not None else None,
        needs=needs,
        observed_at=state.observed_at,
        changed_at=changed_at,
        stale_after_s=stance.stale_after_s,
        id=id,
        identity=seen.identity,
        actions=stance.actions,
        group=stance.group,
        image=seen.image,
        ports=seen.ports,
        user=seen.user,
        parent=seen.parent,
        ready=None if stance.late else seen.ready,
        wanted=None if stance.late else seen.wanted,
        owner=owner,
        link=state.link,
        wrong_since=wrong.since,
        or_before=wrong.or_before,
    )


def _restarts(kind: str, state: ServiceState) -> int | None:
    """Return the restarts that the provider counts, else those that were seen; None where there is nothing to see."""
    if state.observation.restarts is not None:
        return state.observation.restarts
    return state.restarts if kind == "process" and state.observed_at is not None else None

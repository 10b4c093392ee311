"""How a deployment is, judged from itself and its pods, in plain words."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from switchover.redaction import sanitize
from switchover.services.kubernetes.kubernetes_objects import Deployment, Pod, epoch
from switchover.services.provider_api import Capability, Observation, ProcessState
from switchover_checks.api import Status

__all__ = ["observation_of"]

_MOST_SAID = 2


def observation_of(deployment: Deployment, pods: Iterable[Pod]) -> Observation:
    """Say how a deployment is. `pods` are its own."""
    present = [pod for pod in pods if not pod.metadata.deletion_timestamp]
    ready, wanted = deployment.status.ready_replicas, deployment.wanted
    runs = ready > 0 or any(one.state.running for pod in present for one in pod.status.container_statuses or ())
    health, said = _judge(deployment, present)
    revision = (deployment.metadata.annotations or {}).get("deployment.kubernetes.io/revision", "")
    starts = [at for pod in present if (at := epoch(pod.status.start_time)) is not None]
    can = {Capability.INSPECT, Capability.SCALE}
    if wanted:
        can |= {Capability.RESTART, Capability.LOGS}
    if runs:
        can |= {Capability.EXEC}
    return Observation(
        ProcessState.RUNNING if runs else ProcessState.STOPPED,
        health,
        sanitize(said),
        started_at=max(starts, default=None),
        restarts=sum(one.restart_count for pod in present for one in pod.containers),
        identity=f"{deployment.metadata.uid}/{revision}",
        image=sanitize(deployment.images),
        config=deployment.digest(),
        ready=ready,
        wanted=wanted,
        can=frozenset(can),
        since=_since(deployment),
    )


def _since(deployment: Deployment) -> float | None:
    """Return since when too few of its pods are ready, or enough are."""
    times = [epoch(one.last_transition_time) for one in deployment.status.conditions or () if one.type == "Available"]
    return times[0] if times else None


def _judge(deployment: Deployment, pods: Sequence[Pod]) -> tuple[Status, str]:
    status, wanted = deployment.status, deployment.wanted
    if wanted == 0:
        return Status.CRIT, "scaled to 0"
    facts = {one.type: one for one in status.conditions or ()}
    said = [f"{status.ready_replicas} of {wanted} ready"]
    broken = list(dict.fromkeys(trouble for pod in pods if (trouble := _trouble(pod))))
    progress, failing = facts.get("Progressing"), facts.get("ReplicaFailure")
    stuck = progress is not None and progress.status == "False"
    rolling = status.observed_generation < deployment.metadata.generation or status.updated_replicas < wanted
    if stuck and progress is not None:
        said.append(f"the rollout does not get on ({progress.reason})")
    elif deployment.spec.paused:
        said.append("its rollout is paused")
    elif rolling:
        said.append("rolling out")
    if failing is not None and failing.status == "True":
        said.append(f"pods cannot be made: {failing.message[:120]}")
    said += broken[:_MOST_SAID]
    if len(broken) > _MOST_SAID:
        said.append(f"and {len(broken) - _MOST_SAID} more pods")
    text = "; ".join(said)
    if stuck or status.ready_replicas == 0:
        return (Status.PENDING if rolling and not (stuck or broken or failing) else Status.CRIT), text
    if status.ready_replicas < wanted or broken:
        return (Status.PENDING if rolling and not broken else Status.WARN), text
    return Status.OK, text


def _trouble(pod: Pod) -> str:
    """Say what is wrong with a pod, empty where nothing is."""
    name = pod.metadata.name
    if pod.status.reason:
        return f"{name}: {pod.status.reason}"
    for one in pod.containers:
        waiting = one.state.waiting
        if waiting is not None and waiting.reason not in ("", "ContainerCreating", "PodInitializing"):
            ended = f", {one.name} {one.ended.words}" if one.ended and one.ended.exit_code else f" ({one.name})"
            more = f", {one.restart_count} restarts" if one.restart_count else ""
            return f"{name}: {waiting.reason}{ended}{more}"
        over = one.state.terminated
        if over is not None and over.exit_code:
            return f"{name}: {one.name} ended, {over.words}"
    for fact in pod.status.conditions or ():
        if fact.type == "PodScheduled" and fact.status == "False":
            return f"{name}: no node takes it: {fact.message[:100]}"
    return ""

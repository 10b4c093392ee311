"""Deployments and pods as kubectl writes them. Fields as in the reference of the Kubernetes API.

Timestamps are RFC 3339. Only what is used is read; all else is skipped while it is parsed.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from datetime import datetime
from typing import Any

import msgspec

__all__ = ["Container", "Deployment", "Event", "Pod", "deployment_of", "epoch", "read_event", "read_list"]


class _Struct(msgspec.Struct, frozen=True, rename="camel"):
    pass


class Owner(_Struct, frozen=True):
    """What an object belongs to."""

    kind: str = ""
    name: str = ""


class Meta(_Struct, frozen=True):
    """Who an object is."""

    name: str
    namespace: str = ""
    uid: str = ""
    generation: int = 0
    resource_version: str = ""
    labels: dict[str, str] | None = None
    annotations: dict[str, str] | None = None
    owner_references: list[Owner] | None = None
    deletion_timestamp: str | None = None


class KubernetesCondition(_Struct, frozen=True):
    """One of the facts that a controller keeps about an object."""

    type: str
    status: str = ""
    reason: str = ""
    message: str = ""
    last_transition_time: str | None = None


class Selector(_Struct, frozen=True):
    """Which pods belong to a deployment."""

    match_labels: dict[str, str] | None = None
    match_expressions: list[Any] | None = None


class Template(_Struct, frozen=True):
    """What a pod of the deployment is made of."""

    metadata: dict[str, Any] | None = None
    spec: dict[str, Any] | None = None


class DeploymentSpec(_Struct, frozen=True):
    """What is wanted."""

    replicas: int | None = 1
    selector: Selector = Selector()
    template: Template = Template()
    paused: bool = False


class DeploymentStatus(_Struct, frozen=True):
    """What there is."""

    ready_replicas: int = 0
    updated_replicas: int = 0
    observed_generation: int = 0
    conditions: list[KubernetesCondition] | None = None


class Deployment(_Struct, frozen=True, tag_field="kind", tag="Deployment"):
    """A deployment (apps/v1)."""

    metadata: Meta
    spec: DeploymentSpec = DeploymentSpec()
    status: DeploymentStatus = DeploymentStatus()

    @property
    def wanted(self) -> int:
        """How many pods should be."""
        return 1 if self.spec.replicas is None else self.spec.replicas

    @property
    def images(self) -> str:
        """The images of its containers, in order."""
        return ", ".join(str(one.get("image", "")) for one in self._containers())

    @property
    def restarted_at(self) -> str:
        """When `kubectl rollout restart` was last asked for."""
        notes = (self.spec.template.metadata or {}).get("annotations") or {}
        return str(notes.get("kubectl.kubernetes.io/restartedAt", ""))

    def _containers(self) -> list[dict[str, Any]]:
        return list((self.spec.template.spec or {}).get("containers") or [])

    def digest(self) -> str:
        """Return what changes with how its pods are set up, but not with their images."""
        spec = dict(self.spec.template.spec or {})
        spec["containers"] = [{key: one[key] for key in one if key != "image"} for one in self._containers()]
        return hashlib.sha256(msgspec.json.encode(spec, order="sorted")).hexdigest()[:16]


class ContainerWaiting(_Struct, frozen=True):
    """Why a container does not run yet."""

    reason: str = ""
    message: str = ""


class ContainerRunning(_Struct, frozen=True):
    """Since when a container runs."""

    started_at: str | None = None


class ContainerTerminated(_Struct, frozen=True):
    """How a container ended."""

    exit_code: int = 0
    reason: str = ""
    finished_at: str | None = None

    @property
    def words(self) -> str:
        """The exit in words."""
        return f"exit {self.exit_code}" + (", out of memory" if self.reason == "OOMKilled" else "")


class ContainerState(_Struct, frozen=True):
    """One of three is there."""

    waiting: ContainerWaiting | None = None
    running: ContainerRunning | None = None
    terminated: ContainerTerminated | None = None


class Container(_Struct, frozen=True):
    """A container of a pod."""

    name: str
    ready: bool = False
    restart_count: int = 0
    state: ContainerState = ContainerState()
    last_state: ContainerState = ContainerState()

    @property
    def ended(self) -> ContainerTerminated | None:
        """How it ended last."""
        return self.state.terminated or self.last_state.terminated


class PodStatus(_Struct, frozen=True):
    """What a pod does. `reason` is set for an evicted one."""

    phase: str = ""
    reason: str = ""
    message: str = ""
    start_time: str | None = None
    conditions: list[KubernetesCondition] | None = None
    container_statuses: list[Container] | None = None
    init_container_statuses: list[Container] | None = None


class Pod(_Struct, frozen=True, tag_field="kind", tag="Pod"):
    """A pod (v1)."""

    metadata: Meta
    status: PodStatus = PodStatus()

    @property
    def containers(self) -> Sequence[Container]:
        """Its containers, those that prepare it first."""
        return (*(self.status.init_container_statuses or ()), *(self.status.container_statuses or ()))


class Refusal(_Struct, frozen=True, tag_field="kind", tag="Status"):
    """An error in the middle of a stream, such as `410 Gone`."""

    message: str = ""
    code: int = 0


class Event(_Struct, frozen=True):
    """A line of a watch: ADDED, MODIFIED, DELETED, BOOKMARK or ERROR."""

    type: str
    object: Deployment | Pod | Refusal


class _List(_Struct, frozen=True):
    items: list[Deployment | Pod] | None = None


_LISTS = msgspec.json.Decoder(_List)
_EVENTS = msgspec.json.Decoder(Event)


def read_list(output: bytes) -> list[Deployment | Pod]:
    """Read `kubectl get -o json`. Raise `ValueError` where it is none."""
    try:
        return _LISTS.decode(output).items or []
    except msgspec.MsgspecError as error:
        raise ValueError(str(error)) from None


def read_event(line: bytes) -> Event | None:
    """Read a line of `kubectl get --watch --output-watch-events -o json`; None where it is none."""
    try:
        return _EVENTS.decode(line)
    except msgspec.MsgspecError:
        return None


def deployment_of(pod: Pod) -> tuple[str, str] | None:
    """Return namespace and name of the deployment that a pod belongs to: its ReplicaSet is `NAME-HASH`."""
    mark = (pod.metadata.labels or {}).get("pod-template-hash", "")
    for owner in pod.metadata.owner_references or ():
        if owner.kind == "ReplicaSet" and mark and owner.name.endswith(f"-{mark}"):
            return pod.metadata.namespace, owner.name[: -len(mark) - 1]
    return None


def epoch(text: str | None) -> float | None:
    """Return an RFC 3339 time as epoch seconds."""
    try:
        return datetime.fromisoformat(text).timestamp() if text else None
    except ValueError:
        return None

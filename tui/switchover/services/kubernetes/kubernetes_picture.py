"""What is known of one scope of a cluster, kept up to date by listings and watches."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from switchover.redaction import sanitize
from switchover.services.kubernetes.kubernetes_objects import Container, Deployment, Event, Pod, deployment_of, epoch
from switchover.services.kubernetes.kubernetes_observation import observation_of
from switchover.services.provider_api import Observation
from switchover_checks.api import Status

__all__ = ["Happened", "Key", "Picture"]

Key = tuple[str, str]
_PROGRAM_WENT_WELL = 0


@dataclass(frozen=True, slots=True)
class Happened:
    """Something about the deployment `key`, in the terms of `ServiceEvent`. `observation` is None once it is gone."""

    key: Key
    what: str
    text: str = ""
    status: Status | None = None
    at: float | None = None
    observation: Observation | None = None
    listing: bool = False


class Picture:
    """Deployments and pods by namespace and name."""

    def __init__(self) -> None:
        self._deployments: dict[Key, Deployment] = {}
        self._pods: dict[Key, Pod] = {}
        self._pods_of: dict[Key, set[Key]] = {}
        self._told: dict[Key, Observation] = {}
        self._changed: set[Key] = set()
        self._listed = False

    def replace(self, items: Iterable[Deployment | Pod]) -> list[Happened]:
        """Take a whole listing and return what is different from before; nothing for the first."""
        before, listed, self._listed = self._deployments, self._listed, True
        self._deployments, self._pods, self._pods_of = {}, {}, {}
        self._changed = set()  # each deployment that is put is in it again
        for item in items:
            self._put(item)
        if not listed:
            return []
        happened = [_removed(key) for key in before if key not in self._deployments]
        for key, deployment in self._deployments.items():
            if key not in before:
                happened.append(Happened(key, "created", observation=self.observation(key), listing=True))
            else:
                happened += self._with_state(key, _of_deployment(key, before[key], deployment))
        return happened

    def __iter__(self) -> Iterator[Key]:
        """Go through the deployments."""
        return iter(self._deployments)

    def get(self, key: Key) -> Deployment | None:
        """Return a deployment."""
        return self._deployments.get(key)

    def observation(self, key: Key) -> Observation | None:
        """Say how a deployment is, None where there is none."""
        deployment = self._deployments.get(key)
        if deployment is None:
            return None
        if key not in self._changed and (known := self._told.get(key)) is not None:
            return known
        self._changed.discard(key)
        seen = observation_of(deployment, (self._pods[pod] for pod in sorted(self._pods_of.get(key, ()))))
        self._told[key] = seen
        return seen

    def apply(self, event: Event) -> list[Happened]:
        """Apply an event of a watch and return what came of it."""
        item = event.object
        if not isinstance(item, Deployment | Pod):
            return []
        key = (item.metadata.namespace, item.metadata.name)
        if isinstance(item, Pod):
            owner = deployment_of(item)
            before = self._pods.get(key)
            self._take_away(key) if event.type == "DELETED" else self._put(item)
            if owner is None or owner not in self._deployments:
                return []
            return self._with_state(owner, _of_pod(owner, before, item) if event.type == "MODIFIED" else [])
        if event.type == "DELETED":
            self._deployments.pop(key, None)
            self._told.pop(key, None)
            return [_removed(key)]
        known = self._deployments.get(key)
        self._put(item)
        if known is None:
            return [Happened(key, "created", observation=self.observation(key), listing=True)]
        return self._with_state(key, _of_deployment(key, known, item))

    def _with_state(self, key: Key, happened: list[Happened]) -> list[Happened]:
        """Add the state now to what happened; where only the state changed, report that."""
        before = self._told.get(key)
        seen = self.observation(key)
        if not happened and seen == before:
            return []
        if not happened:
            happened = [Happened(key, "health")]
        return [
            Happened(one.key, one.what, sanitize(one.text), one.status, one.at, seen, one.listing) for one in happened
        ]

    def _put(self, item: Deployment | Pod) -> None:
        key = (item.metadata.namespace, item.metadata.name)
        if isinstance(item, Deployment):
            self._deployments[key] = item
            self._changed.add(key)
            return
        self._pods[key] = item
        if (owner := deployment_of(item)) is not None:
            self._pods_of.setdefault(owner, set()).add(key)
            self._changed.add(owner)

    def _take_away(self, key: Key) -> None:
        pod = self._pods.pop(key, None)
        if pod is not None and (owner := deployment_of(pod)) is not None:
            self._pods_of.get(owner, set()).discard(key)
            self._changed.add(owner)


def _removed(key: Key) -> Happened:
    return Happened(key, "removed", sanitize(f"deployment {key[1]} deleted"), listing=True)


def _of_deployment(key: Key, before: Deployment, after: Deployment) -> list[Happened]:
    happened = []
    if before.images != after.images:
        happened.append(Happened(key, "deploy", f"image {before.images} → {after.images}"))
    elif before.restarted_at != after.restarted_at:
        happened.append(Happened(key, "restarted", "restart of all its pods asked for", at=epoch(after.restarted_at)))
    elif before.digest() != after.digest():
        happened.append(Happened(key, "config", "its pods are set up differently"))
    if before.wanted != after.wanted:
        happened.append(Happened(key, "note", f"scaled from {before.wanted} to {after.wanted}"))
    return happened


def _of_pod(key: Key, before: Pod | None, after: Pod) -> list[Happened]:
    """Say which containers ended since, with the time that the node gives."""
    known = {one.name: one for one in before.containers} if before is not None else {}
    happened = []
    for one in after.containers:
        ended, was = one.ended, known.get(one.name)
        if was is None or ended is None or was.ended == ended:
            continue
        if ended.reason != "OOMKilled" and ended.exit_code == _PROGRAM_WENT_WELL and _prepares(one, after):
            continue
        what = "oom" if ended.reason == "OOMKilled" else "died"
        text = f"{after.metadata.name}: {one.name} ended, {ended.words}"
        status = Status.CRIT if what == "oom" else Status.WARN
        happened.append(Happened(key, what, text, status, epoch(ended.finished_at)))
    return happened


def _prepares(container: Container, pod: Pod) -> bool:
    return any(container.name == one.name for one in pod.status.init_container_statuses or ())

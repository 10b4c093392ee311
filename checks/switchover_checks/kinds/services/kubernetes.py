"""`kubernetes`: whether a rollout is complete, or a thing is there, ready or gone, as `kubectl` says.

A cluster that cannot be asked is unknown, never gone.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Annotated, Any, ClassVar

from switchover_checks.api import Context, Effect, Finding, Measured, ProbeError, Result, Status
from switchover_checks.kinds.command import run_clearly
from switchover_checks.language.expect import AS_LIST, Expectation, NameType, Unavailable, expected_in
from switchover_checks.language.fact_numbers import measured_in

__all__ = ["KubernetesCheck", "KubernetesConfig"]

NAMES: dict[str, NameType] = {
    "wanted": "number",
    "ready": "number",
    "updated": "number",
    "available": "number",
    "images": "list",
    "phase": "text",
    "conditions": "any",
    "labels": "any",
    "object": "any",
}
_ROLLED_OUT = ("deployment", "statefulset", "daemonset", "replicaset")
_SHORT = {"deploy": "deployment", "sts": "statefulset", "ds": "daemonset", "rs": "replicaset", "po": "pod",
          "pvc": "persistentvolumeclaim", "svc": "service", "no": "node"}  # fmt: skip
_CONDITION = {"pod": "Ready", "node": "Ready", "job": "Complete", "certificate": "Ready"}
_BOUND = ("persistentvolumeclaim", "persistentvolume")
_NAME = re.compile(r"[a-z][a-z0-9.-]*/[a-z0-9]([a-z0-9.:-]*[a-z0-9])?")
_FORBIDDEN = ("Forbidden", "Unauthorized", "must be logged in")


@dataclass(frozen=True)
class KubernetesConfig:
    """A thing in a cluster, and how it must be. Without more a rollout is complete, a pod ready, a job done."""

    resource: str
    """What it is, as kubectl names it: `deployment/api`, `statefulset/db`, `pod/x`, `job/migrate`, `pvc/data`."""
    namespace: str = ""
    """Its namespace; without it that of the context."""
    context: str = ""
    """The context of the kubeconfig; without it the one in use."""
    exists: bool = True
    """Whether it must be there; `false`: it is gone."""
    expect: Annotated[tuple[Annotated[Expectation, expected_in(NAMES)], ...], AS_LIST] = ()
    """What must be true besides: `ready >= 2`, `images contains 'shop/api:2'`, `conditions.Available == 'True'`,
    `object.spec.replicas == 3`."""
    env: dict[str, str] = field(default_factory=dict)
    """Variables for kubectl, such as KUBECONFIG."""

    def __post_init__(self) -> None:
        if not _NAME.fullmatch(self.resource):
            raise ValueError(f"{self.resource!r} is not TYPE/NAME, such as deployment/api")
        if not self.exists and self.expect:
            raise ValueError("nothing else can be true of what must be gone")

    @property
    def type_name(self) -> str:
        """What it is, in the singular."""
        word = self.resource.partition("/")[0].partition(".")[0]
        return _SHORT.get(word, word.removesuffix("s") if word.endswith("s") else word)


class KubernetesCheck:
    """Ask kubectl."""

    kind: ClassVar[str] = "kubernetes"
    effect: ClassVar[Effect] = "read"
    config: ClassVar[type] = KubernetesConfig
    runs_a_process: ClassVar[bool] = True
    metrics: ClassVar[tuple[Measured, ...]] = (
        Measured("wanted", "", "copies that there should be"),
        Measured("ready", "", "copies that are ready"),
    )
    example: ClassVar[str] = """
    kind: kubernetes
    resource: deployment/api
    namespace: shop
    expect: ready >= 2
    """

    async def probe(self, cfg: KubernetesConfig, ctx: Context) -> Result:
        """Ask once."""
        words = ["kubectl", "--request-timeout=8s", "get", cfg.resource, "-o", "json"]
        words += [f"--namespace={cfg.namespace}"] if cfg.namespace else []
        words += [f"--context={cfg.context}"] if cfg.context else []
        done = await run_clearly(ctx, words, cfg.env)
        if done.exit_code != 0:
            return _refused(cfg, done.stderr)
        if not cfg.exists:
            return Result.of([Finding.compare(cfg.resource, "gone", "there", False)])
        try:
            told = json.loads(done.stdout)
            facts = _facts(told)
        except (ValueError, TypeError, AttributeError, KeyError):
            raise ProbeError("kubectl answers something else than JSON", phase="parse", status=Status.UNKNOWN) from None
        findings = [Finding(cfg.resource, "there", "there", Status.OK), *_judged(cfg.type_name, told, facts)]
        findings += [e.check(facts) for e in cfg.expect]
        ok = f"{facts['ready']} of {facts['wanted']} ready" if cfg.type_name in _ROLLED_OUT else "as expected"
        return Result.of(findings, metrics=measured_in(facts, self.metrics), ok=ok)


def _refused(cfg: KubernetesConfig, stderr: str) -> Result:
    lines = [line for line in stderr.strip().splitlines() if not re.match(r"[EWI]\d{4} ", line)]
    said = (lines[-1] if lines else "no reason")[:200]
    name = re.escape(cfg.resource.rpartition("/")[2])
    if re.search(rf'\(NotFound\): .*"{name}" not found', stderr):
        word = "gone" if not cfg.exists else "there"
        return Result.of([Finding.compare(cfg.resource, word, "there is none of this name", not cfg.exists)])
    phase = "auth" if any(word in stderr for word in _FORBIDDEN) else "connect"
    raise ProbeError(f"kubectl: {said}", phase=phase, status=Status.UNKNOWN)


def _facts(told: Mapping[str, Any]) -> dict[str, Any]:
    status, spec = told.get("status") or {}, told.get("spec") or {}
    pod = (spec.get("template") or {}).get("spec") or spec
    conditions = {str(c.get("type")): str(c.get("status")) for c in status.get("conditions") or ()}
    wanted = spec.get("replicas", status.get("desiredNumberScheduled"))
    none = Unavailable("it has no copies")
    numbers = {
        "wanted": none if wanted is None else wanted,
        "ready": status.get("readyReplicas", status.get("numberReady", 0)),
        "updated": status.get("updatedReplicas", status.get("updatedNumberScheduled", 0)),
        "available": status.get("availableReplicas", status.get("numberAvailable", 0)),
    }
    return {
        **(numbers if wanted is not None else dict.fromkeys(numbers, none)),
        "images": [str(c.get("image")) for c in pod.get("containers") or ()],
        "phase": status.get("phase", Unavailable("it has none")),
        "conditions": conditions,
        "labels": told["metadata"].get("labels") or {},
        "object": told,
    }


def _judged(type_name: str, told: Mapping[str, Any], facts: Mapping[str, Any]) -> list[Finding]:
    if told["metadata"].get("deletionTimestamp"):
        return [Finding("state", "to stay", "it is being deleted", Status.CRIT)]
    conditions = facts["conditions"]
    if type_name in _ROLLED_OUT and not isinstance(facts["wanted"], Unavailable):
        return _rollout(type_name, told, facts)
    if type_name == "job" and conditions.get("Failed") == "True":
        return [Finding("job", "complete", "failed", Status.CRIT)]
    if wanted := _CONDITION.get(type_name):
        state = conditions.get(wanted, "not said")
        finished = type_name == "pod" and facts["phase"] == "Succeeded"
        return [Finding.compare(wanted, "True", "Succeeded" if finished else state, finished or state == "True")]
    if type_name in _BOUND:
        return [Finding.compare("phase", "Bound", facts["phase"], facts["phase"] == "Bound")]
    return []


def _rollout(type_name: str, told: Mapping[str, Any], facts: Mapping[str, Any]) -> list[Finding]:
    wanted, seen = facts["wanted"], (told.get("status") or {}).get("observedGeneration", 0)
    meant = told["metadata"].get("generation", seen)
    if seen < meant:
        return [Finding("rollout", "complete", "the newest change was not taken up yet", Status.CRIT)]
    names = ("ready",) if type_name == "replicaset" else ("updated", "ready", "available")
    stuck = [c for c in told["status"].get("conditions") or () if c.get("reason") == "ProgressDeadlineExceeded"]
    findings = [Finding.compare(name, wanted, facts[name], facts[name] == wanted) for name in names]
    if not wanted:
        findings.append(Finding("copies", "some", "none is wanted, so none proves anything", Status.WARN))
    if stuck:
        findings.append(Finding("rollout", "going on", str(stuck[0].get("message", ""))[:200], Status.CRIT))
    return findings

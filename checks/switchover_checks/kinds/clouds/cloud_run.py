"""`cloud_run`: whether a service of Cloud Run is ready, with its newest revision, and all traffic where it must go."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Any, ClassVar
from urllib.parse import quote

from switchover_checks.api import Context, Effect, Finding, Measured, Result
from switchover_checks.kinds.clouds.gcp import google_thing
from switchover_checks.language.expect import AS_LIST, Expectation, NameType, Unavailable, expected_in
from switchover_checks.language.fact_numbers import measured_in

__all__ = ["CloudRunCheck", "CloudRunConfig"]

NAMES: dict[str, NameType] = {
    "revision": "text",
    "latest_percent": "percent",
    "image": "text",
    "url": "text",
    "ingress": "text",
    "thing": "any",
}


@dataclass(frozen=True)
class CloudRunConfig:
    """A service of Cloud Run. Without more it is ready, and its newest revision is the ready one."""

    name: str
    """Its name."""
    region: str = ""
    """Its region; without it the one that is configured."""
    project: str = ""
    """Its project; without it the one that is configured."""
    exists: bool = True
    """Whether it must be there; `false`: it is gone."""
    revision: str = ""
    """The revision that must be the ready one."""
    expect: Annotated[tuple[Annotated[Expectation, expected_in(NAMES)], ...], AS_LIST] = ()
    """What must be true of `revision`, `latest_percent` (the traffic to the newest), `image`, `url` and `ingress`.
    `thing` is all that the API tells."""


class CloudRunCheck:
    """Ask Cloud Run."""

    kind: ClassVar[str] = "cloud_run"
    effect: ClassVar[Effect] = "read"
    config: ClassVar[type] = CloudRunConfig
    metrics: ClassVar[tuple[Measured, ...]] = (Measured("latest_percent", "%", "the traffic to the newest revision"),)
    example: ClassVar[str] = """
    kind: cloud_run
    name: api
    region: europe-west1
    expect: latest_percent == 100%
    """

    async def probe(self, cfg: CloudRunConfig, ctx: Context) -> Result:
        """Ask once."""
        path = f"/v2/projects/{{project}}/locations/{{region}}/services/{quote(cfg.name, safe='')}"
        thing = await google_thing(ctx, "run", path, cfg.project, cfg.region)
        ctx.enter("assert")
        if thing is None or not cfg.exists:
            word = "there" if cfg.exists else "gone"
            observed = "there is none of this name" if thing is None else "there"
            return Result.of([Finding.compare(cfg.name, word, observed, (thing is not None) is cfg.exists)])
        ready, made = _last(thing.get("latestReadyRevision")), _last(thing.get("latestCreatedRevision"))
        condition = thing.get("terminalCondition") or {}
        state = str(condition.get("state", "unknown"))
        said = f"{state}: {condition['message']}" if condition.get("message") else state
        findings = [
            Finding.compare("ready", "CONDITION_SUCCEEDED", said[:200], state == "CONDITION_SUCCEEDED"),
            Finding.compare("newest revision", made or "one", ready or "none is ready", bool(made) and ready == made),
        ]
        if cfg.revision:
            findings.append(Finding.compare("revision", cfg.revision, ready, ready == cfg.revision))
        facts = _facts(thing, ready, made)
        findings += [e.check(facts) for e in cfg.expect]
        return Result.of(findings, metrics=measured_in(facts, self.metrics), ok=f"{ready} is ready")


def _last(name: Any) -> str:
    return str(name or "").rpartition("/")[2]


def _facts(thing: Mapping[str, Any], ready: str, made: str) -> dict[str, Any]:
    containers = (thing.get("template") or {}).get("containers") or [{}]
    statuses = thing.get("trafficStatuses")
    latest: Any = Unavailable("the API tells no traffic")
    if isinstance(statuses, list):
        to_latest = [s for s in statuses if str(s.get("type", "")).endswith("LATEST") or s.get("revision") == made]
        latest = sum(int(s.get("percent", 0)) for s in to_latest)
    return {
        "revision": ready,
        "latest_percent": latest,
        "image": str(containers[0].get("image", "")),
        "url": str(thing.get("uri", "")),
        "ingress": str(thing.get("ingress", "")),
        "thing": thing,
    }

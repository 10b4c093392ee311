"""`pubsub`: whether a subscription of Pub/Sub is there, active, and leads where it must; how much waits in it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Any, ClassVar
from urllib.parse import quote

from switchover_checks.api import Context, Effect, Finding, Measured, Result, Status
from switchover_checks.kinds.clouds.gcp import google_thing
from switchover_checks.language.expect import AS_LIST, Expectation, NameType, Unavailable, expected_in
from switchover_checks.language.fact_numbers import measured_in
from switchover_checks.language.fields import Texts

__all__ = ["PubsubCheck", "PubsubConfig"]

NAMES: dict[str, NameType] = {"waiting": "number", "topic": "text", "push_to": "text", "thing": "any"}
_WAITING = "pubsub.googleapis.com/subscription/num_undelivered_messages"


@dataclass(frozen=True)
class PubsubConfig:
    """A subscription, or topics. Without more a subscription is active."""

    subscription: str = ""
    """Its name."""
    topics: Texts = ()
    """Topics that must be there."""
    project: str = ""
    """Its project; without it the one that is configured."""
    exists: bool = True
    """Whether it must be there; `false`: it is gone."""
    topic: str = ""
    """The topic that it must read."""
    push_to: str | None = None
    """The address to which messages must be pushed; empty where they must be pulled."""
    dead_letter: str = ""
    """The topic for what cannot be delivered."""
    most_waiting: int | None = None
    """How many messages may wait, as Cloud Monitoring counts them, minutes late."""
    expect: Annotated[tuple[Annotated[Expectation, expected_in(NAMES)], ...], AS_LIST] = ()
    """What must be true of `waiting` (with `most_waiting`), `topic`, `push_to`; `thing` is all that the API tells."""

    def __post_init__(self) -> None:
        if not self.subscription and not self.topics:
            raise ValueError("set subscription, or topics")
        if self.topics and not self.exists:
            raise ValueError("topics must be there; exists: false is of a subscription")


class PubsubCheck:
    """Ask Pub/Sub."""

    kind: ClassVar[str] = "pubsub"
    effect: ClassVar[Effect] = "read"
    config: ClassVar[type] = PubsubConfig
    metrics: ClassVar[tuple[Measured, ...]] = (Measured("waiting", "", "messages that wait", ("most_waiting",)),)
    example: ClassVar[str] = """
    kind: pubsub
    subscription: orders-worker
    push_to: https://api.example.org/process
    most_waiting: 1000
    """

    async def probe(self, cfg: PubsubConfig, ctx: Context) -> Result:
        """Ask once; about what waits through Cloud Monitoring."""
        findings = [await _topic(cfg, ctx, name) for name in cfg.topics]
        if not cfg.subscription:
            return Result.of(findings)
        path = f"/v1/projects/{{project}}/subscriptions/{quote(cfg.subscription, safe='')}"
        thing = await google_thing(ctx, "pubsub", path, cfg.project, "")
        if thing is None or not cfg.exists:
            word = "there" if cfg.exists else "gone"
            observed = "there is none of this name" if thing is None else "there"
            return Result.of([Finding.compare(cfg.subscription, word, observed, (thing is not None) is cfg.exists)])
        state = str(thing.get("state", "ACTIVE"))
        topic = str(thing.get("topic", "")).rpartition("/")[2]
        pushed = str((thing.get("pushConfig") or {}).get("pushEndpoint", ""))
        dead = str((thing.get("deadLetterPolicy") or {}).get("deadLetterTopic", "")).rpartition("/")[2]
        findings.append(Finding.compare(cfg.subscription, "ACTIVE", state, state == "ACTIVE"))
        for what, wanted, observed in (
            ("topic", cfg.topic or None, topic),
            ("push to", cfg.push_to, pushed),
            ("dead letter", cfg.dead_letter or None, dead),
        ):
            if wanted is not None:
                findings.append(Finding.compare(what, wanted or "pulled", observed or "nothing", observed == wanted))
        facts: dict[str, Any] = {
            "topic": topic,
            "push_to": pushed,
            "thing": thing,
            "waiting": Unavailable("set most_waiting"),
        }
        if cfg.most_waiting is not None:
            facts["waiting"] = waiting = await _waiting(cfg, ctx)
            findings.append(_backlog(cfg.most_waiting, waiting))
        ctx.enter("assert")
        findings += [e.check(facts) for e in cfg.expect]
        return Result.of(findings, metrics=measured_in(facts, self.metrics), ok=f"{state}, reads {topic}")


async def _topic(cfg: PubsubConfig, ctx: Context, name: str) -> Finding:
    thing = await google_thing(
        ctx, "pubsub", f"/v1/projects/{{project}}/topics/{quote(name, safe='')}", cfg.project, ""
    )
    return Finding.compare(f"topic {name}", "there", "there" if thing else "absent", thing is not None)


async def _waiting(cfg: PubsubConfig, ctx: Context) -> Any:
    asked: dict[str, Any] = {
        "filter": f'metric.type="{_WAITING}" AND resource.labels.subscription_id="{cfg.subscription}"',
        "window": 1200,
        "delay": 0,
    }
    if cfg.project:
        asked["project"] = cfg.project
    told = await ctx.cloud("google", "monitoring", "time_series", asked)
    newest = [one["points"][0][1] for one in told.get("series") or () if one.get("points")]
    numbers = [value for value in newest if value is not None]
    return sum(numbers) if numbers else Unavailable("Cloud Monitoring has no number of the last 20 minutes")


def _backlog(most: int, waiting: Any) -> Finding:
    if isinstance(waiting, Unavailable):
        return Finding("waiting", f"at most {most}", waiting.reason, Status.UNKNOWN)
    return Finding.compare("waiting", f"at most {most}", f"{waiting:.0f}", waiting <= most)

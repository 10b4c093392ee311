"""`aws`: whether an instance or a database in AWS is as it must be; or any other answer of AWS."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Annotated, Any, ClassVar

from switchover_checks.api import Context, Effect, Finding, Measured, ProbeError, Result, Status
from switchover_checks.kinds.clouds.spot_notice import SPOT_NOTICE, spot_notice
from switchover_checks.language.expect import AS_LIST, Expectation, NameType, Unavailable, expected_in

__all__ = ["AwsCheck", "AwsConfig"]

NAMES: dict[str, NameType] = {"state": "text", "thing": "any", "answer": "any"}
_CALL = tuple[str, str, Callable[[str], Mapping[str, Any]], Callable[[Mapping[str, Any]], Any], str, str]
"""API, operation, parameters, the thing in the answer, the path of its state, the state that is fine."""


_GONE = ("terminated", "deleted")


def _first(*keys: str) -> Callable[[Mapping[str, Any]], Any]:
    def find(answer: Any) -> Any:
        for key in keys:
            answer = answer.get(key) or [None]
            answer = answer[0]
            if answer is None:
                return None
        return answer

    return find


_KINDS: Mapping[str, _CALL] = {
    "ec2": ("ec2", "describe_instances", lambda n: {"InstanceIds": [n]}, _first("Reservations", "Instances"),
            "State.Name", "running"),
    "rds": ("rds", "describe_db_instances", lambda n: {"DBInstanceIdentifier": n}, _first("DBInstances"),
            "DBInstanceStatus", "available"),
    "rds-cluster": ("rds", "describe_db_clusters", lambda n: {"DBClusterIdentifier": n}, _first("DBClusters"),
                    "Status", "available"),
    "elasticache": ("elasticache", "describe_cache_clusters", lambda n: {"CacheClusterId": n},
                    _first("CacheClusters"), "CacheClusterStatus", "available"),
    "ebs": ("ec2", "describe_volumes", lambda n: {"VolumeIds": [n]}, _first("Volumes"), "State", "in-use"),
    "snapshot": ("ec2", "describe_snapshots", lambda n: {"SnapshotIds": [n]}, _first("Snapshots"),
                 "State", "completed"),
    "rds-snapshot": ("rds", "describe_db_snapshots", lambda n: {"DBSnapshotIdentifier": n}, _first("DBSnapshots"),
                     "Status", "available"),
    "lambda": ("lambda", "get_function", lambda n: {"FunctionName": n}, lambda a: a.get("Configuration"),
               "State", "Active"),
}  # fmt: skip


@dataclass(frozen=True)
class AwsConfig:
    """A thing in AWS, or an operation of one of its APIs."""

    resource: str = ""
    """What it is: `ec2`, `rds`, `rds-cluster`, `elasticache`, `ebs`, `snapshot`, `rds-snapshot` or `lambda`. With
    `spot_notice`: whether AWS has said that it takes this instance back. It is read on the instance, here or `run_on`
    another machine."""
    id: str = ""
    """Its name there: `i-0abc`, `shop`."""
    in_state: str = ""
    """How it must be, in a word of AWS; without it as such a thing is when it works."""
    exists: bool = True
    """Whether it must be there; `false`: it is gone."""
    api: str = ""
    """Instead of a resource: an API of AWS, such as `ec2`."""
    operation: str = ""
    """An operation that only reads, as the SDK calls it: `describe_instances`."""
    params: dict[str, Any] = field(default_factory=dict)
    """Its parameters."""
    region: str = ""
    """The region; without it the one that is configured."""
    expect: Annotated[tuple[Annotated[Expectation, expected_in(NAMES)], ...], AS_LIST] = ()
    """What must be true of its `state` (`absent` where there is none), `thing.MultiAZ` and the like, and `answer`."""

    def __post_init__(self) -> None:
        if self.resource == SPOT_NOTICE:
            if self.id or self.in_state or self.expect or not self.exists:
                raise ValueError("a spot_notice is read on the instance itself, and takes no other keys")
            return
        if self.resource and self.resource not in _KINDS and "{{" not in self.resource:
            raise ValueError(f"resource is {', '.join(_KINDS)} or {SPOT_NOTICE}, not {self.resource!r}")
        if bool(self.resource) != bool(self.id):
            raise ValueError("resource and id go together")
        if bool(self.resource) == bool(self.api and self.operation):
            raise ValueError("set resource, or api and operation")
        if self.api and not self.expect:
            raise ValueError("set expect: what must the answer be?")


class AwsCheck:
    """Ask AWS."""

    kind: ClassVar[str] = "aws"
    effect: ClassVar[Effect] = "read"
    config: ClassVar[type] = AwsConfig
    metrics: ClassVar[tuple[Measured, ...]] = ()
    example: ClassVar[str] = """
    kind: aws
    resource: rds
    id: shop
    region: eu-west-1
    expect: thing.MultiAZ == true
    """

    async def probe(self, cfg: AwsConfig, ctx: Context) -> Result:
        """Ask once."""
        if cfg.resource == SPOT_NOTICE:
            return await spot_notice(ctx)
        if cfg.api:
            answer = await ctx.cloud("aws", cfg.api, cfg.operation, cfg.params, region=cfg.region)
            ctx.enter("assert")
            none = Unavailable("set resource")
            facts = {"answer": answer, "thing": none, "state": none}
            return Result.of([e.check(facts) for e in cfg.expect], ok=f"{cfg.operation} as expected")
        api, operation, params, find, path, fine = _KINDS[cfg.resource]
        try:
            answer = await ctx.cloud("aws", api, operation, params(cfg.id), region=cfg.region)
            thing = find(answer)
        except ProbeError as error:
            if error.phase != "assert":  # anything but "there is none of that name"
                raise
            answer, thing = {}, None
        ctx.enter("assert")
        return _judged(cfg, answer, thing, path, fine)


def _judged(cfg: AwsConfig, answer: Mapping[str, Any], thing: Any, path: str, fine: str) -> Result:
    if (thing is None or _at(thing, path) in _GONE) and any("state" in e.names for e in cfg.expect):
        return Result.of([e.check({"state": "absent", "thing": thing, "answer": answer}) for e in cfg.expect])
    if thing is None or not cfg.exists:
        wanted = "there" if cfg.exists else "gone"
        state = _at(thing, path) if thing is not None else ""
        gone = thing is None or state in _GONE
        observed = "there is none of this name" if thing is None else f"there, {state}"
        return Result.of([Finding.compare(f"{cfg.resource} {cfg.id}", wanted, observed, gone and not cfg.exists)])
    state, wanted = str(_at(thing, path)), cfg.in_state or fine
    facts = {"state": state, "thing": thing, "answer": answer}
    findings = [Finding.compare(f"{cfg.resource} {cfg.id}", wanted, state, state == wanted)]
    if any("state" in e.names for e in cfg.expect) and not cfg.in_state:
        findings = [Finding(f"{cfg.resource} {cfg.id}", "there", f"there, {state}", Status.OK)]
    return Result.of([*findings, *(e.check(facts) for e in cfg.expect)], ok=state)


def _at(thing: Any, path: str) -> Any:
    for key in path.split("."):
        thing = thing.get(key, "unknown") if isinstance(thing, Mapping) else "unknown"
    return thing

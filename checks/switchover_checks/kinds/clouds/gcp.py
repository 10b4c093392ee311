"""`gcp`: what one of Google Cloud's APIs tells of a thing: there, and as it must be."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Annotated, Any, ClassVar, Literal

from switchover_checks.api import Context, Effect, Finding, Measured, ProbeError, Result, Status
from switchover_checks.language.expect import AS_LIST, Expectation, NameType, expected_in

__all__ = ["GcpCheck", "GcpConfig", "google_thing"]

NAMES: dict[str, NameType] = {"thing": "any"}


@dataclass(frozen=True)
class GcpConfig:
    """A thing in Google Cloud."""

    api: Literal["run", "sql", "redis", "pubsub"]
    """The API."""
    path: str
    """Its path there: `/v1/projects/{project}/locations/{region}/instances/cache`."""
    project: str = ""
    """The project; without it the one that is configured."""
    region: str = ""
    """The region; without it the one that is configured."""
    params: dict[str, str] = field(default_factory=dict)
    """Parameters of the question."""
    exists: bool = True
    """Whether it must be there; `false`: it is gone."""
    expect: Annotated[tuple[Annotated[Expectation, expected_in(NAMES)], ...], AS_LIST] = ()
    """What must be true of the `thing`: `thing.state == 'READY'`."""

    def __post_init__(self) -> None:
        if not re.fullmatch(r"/v\d[a-z0-9]*/[^\s?#]+", self.path):
            raise ValueError(f"{self.path!r} is no path of an API, such as /v1/projects/{{project}}/topics/x")
        if not self.exists and self.expect:
            raise ValueError("nothing else can be true of what must be gone")
        if self.exists and not self.expect:
            raise ValueError("set expect, or exists: false")


class GcpCheck:
    """Ask an API of Google Cloud."""

    kind: ClassVar[str] = "gcp"
    effect: ClassVar[Effect] = "read"
    config: ClassVar[type] = GcpConfig
    metrics: ClassVar[tuple[Measured, ...]] = ()
    example: ClassVar[str] = """
    kind: gcp
    api: redis
    path: /v1/projects/{project}/locations/{region}/instances/cache
    expect: thing.state == 'READY'
    """

    async def probe(self, cfg: GcpConfig, ctx: Context) -> Result:
        """Ask once."""
        thing = await google_thing(ctx, cfg.api, cfg.path, cfg.project, cfg.region, cfg.params)
        ctx.enter("assert")
        name = cfg.path.rpartition("/")[2]
        if thing is None or not cfg.exists:
            word = "there" if cfg.exists else "gone"
            observed = "there is none of this name" if thing is None else "there"
            return Result.of([Finding.compare(name, word, observed, (thing is not None) is cfg.exists)])
        findings = [Finding(name, "there", "there", Status.OK), *(e.check({"thing": thing}) for e in cfg.expect)]
        return Result.of(findings)


async def google_thing(
    ctx: Context, api: str, path: str, project: str, region: str, params: dict[str, str] | None = None
) -> dict[str, Any] | None:
    """Return what an API tells of a thing; None where there is none. Raise `ProbeError`."""
    asked = {**(params or {}), **({"project": project} if project else {})}
    try:
        return dict(await ctx.cloud("google", api, f"GET {path}", asked, region=region))
    except ProbeError as error:
        if error.phase == "assert":
            return None
        raise

"""`cloud_sql`: whether an instance of Cloud SQL runs, and when it was backed up last."""

from __future__ import annotations

import time
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Any, ClassVar
from urllib.parse import quote

from switchover_checks.api import Context, Effect, Finding, Measured, Result
from switchover_checks.kinds.clouds.gcp import google_thing
from switchover_checks.kinds.file import age_findings
from switchover_checks.language.expect import AS_LIST, Expectation, NameType, Unavailable, expected_in
from switchover_checks.language.fact_numbers import measured_in
from switchover_checks.language.fields import Duration

__all__ = ["CloudSqlCheck", "CloudSqlConfig"]

NAMES: dict[str, NameType] = {
    "version": "text",
    "tier": "text",
    "availability": "text",
    "disk": "size",
    "backup_age": "duration",
    "thing": "any",
}


@dataclass(frozen=True)
class CloudSqlConfig:
    """An instance. Without more it runs."""

    instance: str
    """Its name."""
    project: str = ""
    """Its project; without it the one that is configured."""
    exists: bool = True
    """Whether it must be there; `false`: it is gone."""
    running: bool = True
    """Whether it must run; `false`: it is stopped."""
    max_backup_age: Duration | None = None
    """The longest time since the last backup that succeeded."""
    expect: Annotated[tuple[Annotated[Expectation, expected_in(NAMES)], ...], AS_LIST] = ()
    """What must be true of `version`, `tier`, `availability` (`REGIONAL`), `disk` and `backup_age`.
    `thing` is all that the API tells."""


class CloudSqlCheck:
    """Ask the SQL Admin API."""

    kind: ClassVar[str] = "cloud_sql"
    effect: ClassVar[Effect] = "read"
    config: ClassVar[type] = CloudSqlConfig
    metrics: ClassVar[tuple[Measured, ...]] = (Measured("backup_age", "s", "the time since the last good backup"),)
    example: ClassVar[str] = """
    kind: cloud_sql
    instance: shop
    max_backup_age: 26h
    """

    async def probe(self, cfg: CloudSqlConfig, ctx: Context) -> Result:
        """Ask once; about backups where they are looked at."""
        base = f"/v1/projects/{{project}}/instances/{quote(cfg.instance, safe='')}"
        thing = await google_thing(ctx, "sql", base, cfg.project, "")
        if thing is None or not cfg.exists:
            word = "there" if cfg.exists else "gone"
            observed = "there is none of this name" if thing is None else "there"
            return Result.of([Finding.compare(cfg.instance, word, observed, (thing is not None) is cfg.exists)])
        settings = thing.get("settings") or {}
        policy = str(settings.get("activationPolicy", "ALWAYS"))
        state = "STOPPED" if policy == "NEVER" else str(thing.get("state", "unknown"))
        wanted = "RUNNABLE" if cfg.running else "STOPPED"
        findings = [Finding.compare(cfg.instance, wanted, state, state == wanted)]
        disk = str(settings.get("dataDiskSizeGb", ""))
        facts: dict[str, Any] = {
            "version": str(thing.get("databaseVersion", "")),
            "tier": str(settings.get("tier", "")),
            "availability": str(settings.get("availabilityType", "")),
            "disk": int(disk) << 30 if disk.isdecimal() else Unavailable("the API does not tell"),
            "backup_age": Unavailable("it was not asked for"),
            "thing": thing,
        }
        if cfg.max_backup_age is not None or any("backup_age" in e.names for e in cfg.expect):
            facts["backup_age"] = age = await _backup_age(ctx, base, cfg.project)
            if cfg.max_backup_age is not None and isinstance(age, Unavailable):
                findings.append(Finding.compare("backup", "one that succeeded", age.reason, False))
            elif cfg.max_backup_age is not None:
                findings += age_findings(age, cfg.max_backup_age)
        ctx.enter("assert")
        findings += [e.check(facts) for e in cfg.expect]
        return Result.of(findings, metrics=measured_in(facts, self.metrics), ok=state)


async def _backup_age(ctx: Context, base: str, project: str) -> Any:
    told = await google_thing(ctx, "sql", f"{base}/backupRuns", project, "", {"maxResults": "50"})
    ends = [str(one.get("endTime", "")) for one in (told or {}).get("items") or () if one.get("status") == "SUCCESSFUL"]
    times = [datetime.fromisoformat(end).timestamp() for end in ends if end]
    return time.time() - max(times) if times else Unavailable("there is none")

"""`s3`: what lies in a bucket: how many objects, how large, how new; whether it keeps versions."""

from __future__ import annotations

import time
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Any, ClassVar

from switchover_checks.api import Context, Effect, Finding, Measured, ProbeError, Result, Status
from switchover_checks.kinds.file import age_findings
from switchover_checks.language.expect import AS_LIST, Expectation, NameType, Unavailable, expected_in
from switchover_checks.language.fact_numbers import measured_in
from switchover_checks.language.fields import Duration
from switchover_checks.language.units import format_bytes

__all__ = ["S3Check", "S3Config"]

NAMES: dict[str, NameType] = {
    "objects": "number",
    "size": "size",
    "age": "duration",
    "versioning": "text",
    "encryption": "text",
}


@dataclass(frozen=True)
class S3Config:
    """A bucket, and what must lie in it. Without more it is there and may be listed."""

    bucket: str
    """The bucket."""
    prefix: str = ""
    """Only what begins so."""
    max_age: Duration | None = None
    """The longest time since the newest object was written."""
    exists: bool = True
    """Whether the bucket must be there; `false`: it is gone."""
    region: str = ""
    """The region; without it the one that is configured."""
    expect: Annotated[tuple[Annotated[Expectation, expected_in(NAMES)], ...], AS_LIST] = ()
    """What must be true of `objects`, `size`, `age` of the newest, `versioning` (`Enabled`) and `encryption`."""

    def __post_init__(self) -> None:
        if not self.exists and (self.expect or self.max_age or self.prefix):
            raise ValueError("nothing else can be true of a bucket that must be gone")


class S3Check:
    """List a bucket."""

    kind: ClassVar[str] = "s3"
    effect: ClassVar[Effect] = "read"
    config: ClassVar[type] = S3Config
    metrics: ClassVar[tuple[Measured, ...]] = (
        Measured("objects", "", "objects that were listed"),
        Measured("size", "B", "their size together"),
        Measured("age", "s", "the time since the newest was written"),
    )
    example: ClassVar[str] = """
    kind: s3
    bucket: shop-uploads
    prefix: invoices/
    expect: objects > 1000
    """

    async def probe(self, cfg: S3Config, ctx: Context) -> Result:
        """List once."""
        asked = {"Bucket": cfg.bucket, "Prefix": cfg.prefix}
        try:
            told = await ctx.cloud("aws", "s3", "list_objects_v2", asked, region=cfg.region)
        except ProbeError as error:
            if error.phase != "assert":
                raise
            word = "there" if cfg.exists else "gone"
            return Result.of([Finding.compare(cfg.bucket, word, "there is none of this name", not cfg.exists)])
        if not cfg.exists:
            return Result.of([Finding.compare(cfg.bucket, "gone", "there", False)])
        facts = await _facts(cfg, ctx, told)
        ctx.enter("assert")
        findings = [Finding(cfg.bucket, "there", "there", Status.OK)]
        if cfg.max_age is not None and isinstance(facts["age"], Unavailable):
            findings.append(Finding("newest", "an object", "there is none", Status.CRIT))
        elif cfg.max_age is not None:
            findings += age_findings(facts["age"], cfg.max_age)
        findings += [e.check(facts) for e in cfg.expect]
        shown = "" if isinstance(facts["size"], Unavailable) else f", {format_bytes(facts['size'])}"
        ok = f"{len(told.get('Contents') or ())} objects{shown}"
        return Result.of(findings, metrics=measured_in(facts, self.metrics), ok=ok)


async def _facts(cfg: S3Config, ctx: Context, told: Any) -> dict[str, Any]:
    listed = told.get("Contents") or ()
    times = [_time(one["LastModified"]) for one in listed]
    many = Unavailable(f"there are more than {len(listed)} objects; set prefix")
    cut = bool(told.get("Truncated"))
    facts: dict[str, Any] = {
        "objects": many if cut else len(listed),
        "size": many if cut else sum(int(one["Size"]) for one in listed),
        "age": many if cut else time.time() - max(times) if times else Unavailable("there is no object"),
    }
    wanted: frozenset[str] = frozenset().union(*(e.names for e in cfg.expect))
    if "versioning" in wanted:
        asked = await ctx.cloud("aws", "s3", "get_bucket_versioning", {"Bucket": cfg.bucket}, region=cfg.region)
        facts["versioning"] = str(asked.get("Status", "Disabled"))
    if "encryption" in wanted:
        asked = await ctx.cloud("aws", "s3", "get_bucket_encryption", {"Bucket": cfg.bucket}, region=cfg.region)
        rules = (asked.get("ServerSideEncryptionConfiguration") or {}).get("Rules") or [{}]
        by_default = rules[0].get("ApplyServerSideEncryptionByDefault") or {}
        facts["encryption"] = str(by_default.get("SSEAlgorithm", "none"))
    return facts


def _time(value: Any) -> float:
    return value.timestamp() if isinstance(value, datetime) else datetime.fromisoformat(str(value)).timestamp()

"""A backup in S3: how old and large it is, and whether S3's own checksum is as known."""

from __future__ import annotations

import base64
import fnmatch
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from switchover_checks.api import Context, Finding, ProbeError, Status

__all__ = ["S3Object", "is_s3", "s3_digest", "s3_objects"]

_PLACE = re.compile(r"s3://(?P<bucket>[a-z0-9][a-z0-9.-]{1,61}[a-z0-9])/(?P<key>.+)")
_WHOLE_OBJECT = re.compile(r"[A-Za-z0-9+/]{43}=")


@dataclass(frozen=True, slots=True)
class S3Object:
    """One object. `written_at` is epoch seconds."""

    bucket: str
    key: str
    size: int
    written_at: float

    @property
    def url(self) -> str:
        """Where it lies."""
        return f"s3://{self.bucket}/{self.key}"


def is_s3(path: str) -> bool:
    """Tell an address in S3 from a path."""
    return path.startswith("s3://")


async def s3_objects(ctx: Context, place: str, region: str) -> list[S3Object]:
    """Return the objects that fit an address or a pattern, from newest to oldest. Raise `ProbeError`."""
    found = _PLACE.fullmatch(place)
    if found is None:
        raise ProbeError(f"{place!r} is not s3://BUCKET/KEY", phase="parse", status=Status.UNKNOWN)
    bucket, pattern = found["bucket"], found["key"]
    prefix = re.split(r"[*?\[]", pattern, maxsplit=1)[0]
    told = await ctx.cloud("aws", "s3", "list_objects_v2", {"Bucket": bucket, "Prefix": prefix}, region=region)
    if told.get("Truncated"):
        raise ProbeError(f"there are too many objects below {prefix!r}; write more of the name", status=Status.UNKNOWN)
    fits = [one for one in told.get("Contents") or () if fnmatch.fnmatchcase(str(one["Key"]), pattern)]
    if not pattern.endswith(".sha256"):
        fits = [one for one in fits if not str(one["Key"]).endswith(".sha256")]
    objects = [S3Object(bucket, str(one["Key"]), int(one["Size"]), _time(one["LastModified"])) for one in fits]
    return sorted(objects, key=lambda one: one.written_at, reverse=True)


def _time(value: Any) -> float:
    if isinstance(value, datetime):
        return value.timestamp()
    return datetime.fromisoformat(str(value)).timestamp()  # it came through the line of a process of its own


async def s3_digest(ctx: Context, thing: S3Object, wanted: str, region: str) -> Finding:
    """Compare the digest that S3 made itself while the object was written."""
    if wanted == "sidecar":
        listed = await _sidecar(ctx, thing, region)
        if listed is None:
            words = f"there is no {thing.key.rpartition('/')[2]}.sha256 with a digest"
            return Finding("sha256", "a digest beside it", words, Status.CRIT)
        wanted = listed
    asked = {"Bucket": thing.bucket, "Key": thing.key, "ChecksumMode": "ENABLED"}
    told: Mapping[str, Any] = await ctx.cloud("aws", "s3", "head_object", asked, region=region)
    made = str(told.get("ChecksumSHA256") or "")
    if not _WHOLE_OBJECT.fullmatch(made):
        hint = "upload it with --checksum-algorithm SHA256, in one part, or give a restore_test"
        return Finding("sha256", wanted.lower(), "S3 holds no SHA-256 of the whole object", Status.UNKNOWN, hint)
    observed = base64.b64decode(made).hex()
    return Finding.compare("sha256", wanted.lower(), observed, observed == wanted.lower())


async def _sidecar(ctx: Context, thing: S3Object, region: str) -> str | None:
    try:
        asked = {"Bucket": thing.bucket, "Key": f"{thing.key}.sha256"}
        told = await ctx.cloud("aws", "s3", "get_object", asked, region=region)
    except ProbeError as error:
        if error.phase == "assert":  # it is not there
            return None
        raise
    found = re.match(r"\\?([0-9a-fA-F]{64})\b", str(told.get("Body", "")))
    return found[1] if found else None

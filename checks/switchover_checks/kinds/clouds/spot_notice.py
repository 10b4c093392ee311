"""The notice that AWS gives two minutes before it takes a Spot instance back, read on the instance itself (IMDSv2)."""

from __future__ import annotations

import json
import os

from switchover_checks.api import Context, Finding, ProbeError, Result, Status

__all__ = ["SPOT_NOTICE", "spot_notice"]

SPOT_NOTICE = "spot_notice"
_SERVICE = "http://169.254.169.254"
_LOGIN = "/latest/api/token"
_ACTION = "/latest/meta-data/spot/instance-action"
_LIFE = "X-aws-ec2-metadata-token-ttl-seconds"
_HEADER = "X-aws-ec2-metadata-token"
_THERE = f"""
b="${{AWS_EC2_METADATA_SERVICE_ENDPOINT:-{_SERVICE}}}"
t="$(curl -sSf -m 3 -X PUT -H '{_LIFE}: 60' "$b{_LOGIN}")" || exit 9
curl -sS -m 3 -w '\\n%{{http_code}}' -H "{_HEADER}: $t" "$b{_ACTION}"
"""


async def spot_notice(ctx: Context) -> Result:
    """Ask once, here or on the machine where the check runs. No notice is fine; no answer is unknown."""
    status, body = await (_asked_there(ctx) if getattr(ctx, "machine", "") else _asked_here(ctx))
    ctx.enter("assert")
    what, expected = "Spot instance", "not to be interrupted"
    if status == 404:
        return Result.of([Finding(what, expected, "no notice", Status.OK)], ok="no notice")
    if status != 200:
        raise ProbeError(f"the metadata service answers HTTP {status}", phase="first_byte", status=Status.UNKNOWN)
    try:
        told = json.loads(body)
        observed = f"{told['action']} at {told['time']}"
    except (ValueError, KeyError, TypeError):
        raise ProbeError("the notice cannot be read", phase="parse", status=Status.UNKNOWN) from None
    finding = Finding(what, expected, observed, Status.CRIT, "AWS takes it back: two minutes are left from the notice")
    return Result.of([finding], evidence={"notice": body[:300]})


async def _asked_here(ctx: Context) -> tuple[int, str]:
    base = (os.environ.get("AWS_EC2_METADATA_SERVICE_ENDPOINT") or _SERVICE).rstrip("/")
    try:
        token = await ctx.http("PUT", base + _LOGIN, headers={_LIFE: "60"})
        answer = await ctx.http("GET", base + _ACTION, headers={_HEADER: token.body.decode("latin-1").strip()})
    except ProbeError as error:
        why = f"no metadata service answers here, so this is no instance of EC2, or it is closed: {error}"
        raise ProbeError(why, phase=error.phase, status=Status.UNKNOWN) from None
    return answer.status, answer.body.decode("utf-8", "replace")


async def _asked_there(ctx: Context) -> tuple[int, str]:
    done = await ctx.run(["sh", "-c", _THERE])
    body, _, status = done.stdout.rpartition("\n")
    if done.exit_code != 0 or not status.strip().isdigit():
        why = (done.stderr or done.stdout).strip()[-160:] or f"exit code {done.exit_code}"
        raise ProbeError(f"no metadata service answers there: {why}", phase="connect", status=Status.UNKNOWN)
    return int(status), body

"""One POST to a receiver. What it answers says whether the notice is through, and when to try again."""

from __future__ import annotations

import time
from collections.abc import Mapping
from email.utils import parsedate_to_datetime

from switchover.alerts.notifier_api import NotSentError
from switchover_checks.api import Context, ProbeError

__all__ = ["post"]

_NO_USE = frozenset({400, 401, 403, 404, 405, 410, 413, 415, 422})
_LONGEST_WAIT_S = 3600.0


async def post(ctx: Context, url: str, body: bytes, headers: Mapping[str, str], *, method: str = "POST") -> bytes:
    """Send it and return the answer. Raise `NotSentError`, which never names the address: it may be a secret."""
    try:
        reply = await ctx.http(method, url, headers=headers, body=body)
    except ProbeError as error:
        raise NotSentError(f"it cannot be reached ({error.phase or 'connect'})") from None
    if 200 <= reply.status < 300:
        return reply.body
    wait = _retry_after(reply.headers.get("retry-after", reply.headers.get("Retry-After", "")))
    raise NotSentError(f"it answered {reply.status}", retry_after_s=wait, again=reply.status not in _NO_USE)


def _retry_after(text: str) -> float:
    """Return the seconds that `Retry-After` asks for; 0 where it says nothing that can be read."""
    text = text.strip()
    if text.isdecimal():
        return min(float(text), _LONGEST_WAIT_S)
    try:
        return min(max(parsedate_to_datetime(text).timestamp() - time.time(), 0.0), _LONGEST_WAIT_S)
    except (TypeError, ValueError):
        return 0.0

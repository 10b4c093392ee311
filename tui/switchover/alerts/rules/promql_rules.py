"""Rules that a Prometheus judges: its query is handed on whole, and each series of the answer is an alert."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

from switchover.plan.kind_calls import KindCalls, UnavailableError
from switchover.plan.model import Alert
from switchover_checks.api import Context

__all__ = ["ask_promql"]

_TIMEOUT_S = 20.0
_MOST_SERIES = 1000
Answer = list[tuple[dict[str, str], float]]


@dataclass(frozen=True)
class _Asked:
    """What is asked of whom."""

    url: str
    """The server."""


async def ask_promql(calls: KindCalls, alert: Alert) -> Answer:
    """Return the series for which the query answers now. Raise `UnavailableError` that says why there is no answer."""

    async def work(cfg: _Asked, ctx: Context) -> Answer:
        url = f"{cfg.url.rstrip('/')}/api/v1/query?query={quote(alert.promql or '', safe='')}"
        reply = await ctx.http("GET", url, max_body=4 << 20)
        try:
            document = json.loads(reply.body)
        except ValueError:
            raise UnavailableError(f"it answered {reply.status} and no JSON") from None
        if reply.status != 200 or document.get("status") != "success":
            raise UnavailableError(f"it answered {reply.status}: {str(document.get('error', ''))[:200]}")
        return _series(document["data"])

    return await calls.call(_Asked, {"url": alert.url}, _TIMEOUT_S, work)


def _series(data: Any) -> Answer:
    kind, result = data.get("resultType"), data.get("result", [])
    if kind == "scalar":
        return [({}, float(result[1]))]
    if kind != "vector":
        raise UnavailableError(f"a rule needs a vector or a scalar, not a {kind}")
    if len(result) > _MOST_SERIES:
        raise UnavailableError(f"{len(result)} series fire; a rule may have {_MOST_SERIES}")
    found = []
    for one in result:
        labels = {str(k): str(v) for k, v in one.get("metric", {}).items() if k != "__name__"}
        value = one["value"][1] if "value" in one else "nan"
        found.append((labels, float(value)))
    return found

"""A snapshot of Elasticsearch or OpenSearch: whether it is there, ended well and holds every shard."""

from __future__ import annotations

import time
from typing import Any
from urllib.parse import quote

from switchover_checks.api import Finding, ProbeError, Status
from switchover_checks.language.expect import Unavailable
from switchover_checks.runtime.network.json_asking import Api

__all__ = ["judged_snapshot"]

_STATES = {"SUCCESS": Status.OK, "PARTIAL": Status.CRIT, "FAILED": Status.CRIT, "IN_PROGRESS": Status.UNKNOWN}


async def judged_snapshot(api: Api, name: str, facts: dict[str, Any]) -> list[Finding]:
    """Look at the snapshot `REPOSITORY/NAME`. Its age goes into `facts`."""
    repository, _, one = name.partition("/")
    what = f"snapshot {name}"
    facts["age"] = Unavailable("the snapshot has not ended")
    answer = await api.ask(f"/_snapshot/{quote(repository, safe='')}/{quote(one, safe='')}", also=(404,))
    if answer.status == 404:
        return [Finding(what, "there", "there is none of this name", Status.CRIT)]
    listed = answer.need("snapshots")
    if not isinstance(listed, list) or not all(isinstance(found, dict) for found in listed):
        raise ProbeError("the answer is no list of snapshots", phase="parse", status=Status.UNKNOWN)
    if not listed:
        return [Finding(what, "there", "there is none of this name", Status.CRIT)]
    if len(listed) > 1:
        return [Finding(what, "one snapshot", f"{len(listed)} fit this name", Status.UNKNOWN, "name one of them")]
    return _judged(what, listed[0], facts)


def _judged(what: str, told: dict[str, Any], facts: dict[str, Any]) -> list[Finding]:
    state = str(told.get("state", "not told"))
    found = [Finding(what, "SUCCESS", state, _STATES.get(state, Status.UNKNOWN), str(told.get("reason") or ""))]
    ended = told.get("end_time_in_millis")
    if isinstance(ended, int) and ended > 0 and state != "IN_PROGRESS":
        facts["age"] = max(0.0, time.time() - ended / 1000)
    shards = told.get("shards")
    shards = shards if isinstance(shards, dict) else {}
    total, good = shards.get("total"), shards.get("successful")
    if not isinstance(total, int) or not total or not told.get("indices"):
        found.append(Finding(f"{what} holds", "indices", "none are told of", Status.UNKNOWN))
    else:
        found.append(Finding.compare(f"{what} holds", f"{total} shards", f"{good} shards", total == good))
    return found

"""Logs that a cloud keeps, as a plan names them: `cloudwatch:GROUP[/STREAM]`, `gcp:FILTER`."""

from __future__ import annotations

from switchover.services.provider_api import LogSource

__all__ = ["cloud_log_source"]


def cloud_log_source(name: str, log: str, *, region: str = "", project: str = "") -> LogSource | None:
    """Return the source that `log` names, None where it names something else (a file). `name` is the service's.

    Names of groups and of streams may both hold a `/`: the reader finds out where the group's ends.
    """
    kind, separator, rest = log.partition(":")
    if not separator or not rest.strip():
        return None
    if kind == "cloudwatch":
        return LogSource(name, "cloudwatch", options={"log": rest.strip(), "region": region})
    if kind == "gcp":
        return LogSource(name, "gcp", options={"filter": rest.strip(), "project": project})
    return None

"""Finds the module for a kind of source."""

from __future__ import annotations

from importlib import import_module

from switchover.logs.sources.source_api import LineSource, SourceSpec

__all__ = ["make_source"]

_KINDS = ("file", "command", "docker", "cloudwatch", "gcp")


def make_source(spec: SourceSpec) -> LineSource:
    """Return what reads `spec`. Raise `LookupError` for a kind that there is not."""
    if spec.kind not in _KINDS:
        raise LookupError(f"there is no log source of the kind {spec.kind}")
    source: LineSource = import_module(f"switchover.logs.sources.{spec.kind}_source").open_source(spec)
    return source

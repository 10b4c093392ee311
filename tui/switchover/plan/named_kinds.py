"""The packages in which what a plan names by its kind is declared, one file each.

The plan stands below them. It finds a kind by its name, reads its declaration, and imports only the kinds that it uses.
"""

from __future__ import annotations

from collections.abc import Mapping

METRIC_SOURCES = "switchover.metrics.sources"
NOTIFIERS = "switchover.alerts.notifiers"
COST_SOURCES = "switchover.costs.sources"
SERVICES = "switchover.services"

COMING: Mapping[str, frozenset[str]] = {
    METRIC_SOURCES: frozenset(str.split("docker scrape postgres redis cloudwatch gcp")),
}
"""Kinds that a plan may be written with before they are there."""

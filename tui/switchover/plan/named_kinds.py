"""The packages in which what a plan names by its kind is declared, one file each.

The plan stands below them. It finds a kind by its name, reads its declaration, and imports only the kinds that it uses.
"""

METRIC_SOURCES = "switchover.metrics.sources"
NOTIFIERS = "switchover.alerts.notifiers"
COST_SOURCES = "switchover.costs.sources"
SERVICES = "switchover.services"

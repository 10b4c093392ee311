"""The packages in which what a plan names by its kind is declared, one file each.

The plan stands below them: it finds a kind by its name and reads what it declares, and imports only those that it uses.
"""

METRIC_SOURCES = "switchover.metrics.sources"
NOTIFIERS = "switchover.alerts.notifiers"
COST_SOURCES = "switchover.costs.sources"

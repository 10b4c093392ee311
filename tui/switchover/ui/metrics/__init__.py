"""The Metrics tab, and the chart of a metric."""

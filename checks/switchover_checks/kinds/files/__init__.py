"""Kinds that read files: logs, reports, states that tools write."""

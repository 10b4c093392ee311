"""Checks over time: when they are looked at, what their results add up to, and what waits for what."""

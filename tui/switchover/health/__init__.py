"""Checks over time: when they are probed, what their results add up to, and which waits for which."""

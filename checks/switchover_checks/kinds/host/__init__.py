"""Kinds that look at the machine itself: its load, its mounts, its packages, its users, its kernel."""

"""Connections: opened, and what stops them in words."""

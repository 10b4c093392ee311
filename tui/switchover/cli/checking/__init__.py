"""Verbs around checks."""

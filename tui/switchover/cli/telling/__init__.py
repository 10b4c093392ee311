"""Verbs about who is told of what, and what is wrong now."""

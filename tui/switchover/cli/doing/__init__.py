"""Verbs that do a thing beside the run."""

"""Diagnosis, solutions, incidents."""

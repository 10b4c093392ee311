"""Measurements, each a table: `make bench`, or `python -m tests.bench NAME…`. Nothing here passes or fails."""

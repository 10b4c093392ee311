"""Databases and archives, read and compared."""

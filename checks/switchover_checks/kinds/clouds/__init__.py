"""Kinds that ask clouds, by the login that the program has."""

"""Kinds that look into a store of data by its own protocol."""

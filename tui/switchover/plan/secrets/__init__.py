"""Secrets by reference, and the managers that keep them."""

"""Kinds that ask what watches and stores observations, and that make some of their own."""

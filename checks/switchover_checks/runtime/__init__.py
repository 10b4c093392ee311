"""Finds kinds and runs them: registry, runner, isolated worker, ways to the world."""

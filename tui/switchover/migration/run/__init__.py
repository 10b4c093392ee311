"""Carries a run: the engine, its store, its actions, gates, rebase and rollback."""

"""The hub itself: it watches, assembles the Snapshot, and publishes it."""

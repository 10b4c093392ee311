"""Where amounts of money come from: one file a source, which declares itself."""

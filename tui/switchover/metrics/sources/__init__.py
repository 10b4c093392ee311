"""Where numbers come from: one file a source, which declares itself."""

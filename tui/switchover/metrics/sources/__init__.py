"""Where numbers come from, one module a source."""

"""Who is told of an alert: one file a notifier, which declares itself."""

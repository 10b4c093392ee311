"""Who is notified of an alert: one file a notifier, which declares itself."""

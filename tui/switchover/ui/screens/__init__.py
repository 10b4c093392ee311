"""What opens over the tabs and goes away with escape."""

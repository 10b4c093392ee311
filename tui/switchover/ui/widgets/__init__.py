"""Widgets that place lines and repaint only those that changed."""

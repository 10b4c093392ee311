"""Widgets, panes and screens that every feature uses, and themes."""

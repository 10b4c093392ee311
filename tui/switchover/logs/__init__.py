"""Logs. One process for each stream reads, merges, keeps and searches the lines; a screen asks for a window."""

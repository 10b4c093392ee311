"""The terminal: guarded against signals, written to by differences. Knows nothing of the program."""

"""The agent as a process: start, life, record, log, end."""

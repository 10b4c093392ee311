"""The Services tab, a service, and what can be done to it."""

"""The App: it opens, connects to the agent, and dispatches keys."""

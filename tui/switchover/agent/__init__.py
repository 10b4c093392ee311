"""The agent: one background process a plan that watches and acts, and the line over which screens talk to it."""

"""The line between the agent and its clients: messages, changes of a Snapshot, the client."""

"""Where applications reach the agent."""

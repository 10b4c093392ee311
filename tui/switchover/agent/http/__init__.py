"""The agent's HTTP API for applications, scrapers and dashboards. Screens speak the line of `agent/server`."""

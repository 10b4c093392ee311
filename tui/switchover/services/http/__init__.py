"""HTTP endpoints as services."""

"""The plan file: its model, the strict loader, variables and secrets."""

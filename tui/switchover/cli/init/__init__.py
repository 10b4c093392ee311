"""What `switchover init` does: writes down what runs here as a plan, and keeps only what is fine now."""

"""What runs: services of the plan behind small capability protocols, and the host's own processes."""

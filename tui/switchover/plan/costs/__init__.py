"""What a plan says of its costs, and the estimate that follows from it."""

"""Other runs of this host: those that hold the same target, and those that are given up."""

"""What is kept of runs on this host: `runs` lists it, `prune` removes what is old."""

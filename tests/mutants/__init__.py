"""`make mutants`: small faults are put in, and for each a test must fall."""

"""What a plan says in a few letters: expectations, thresholds, units, patterns."""

"""The parts of the run store: values, plans, what it learned, its note on this host."""

"""Other machines, reached by the operator's own ssh: one line to each, and the program that serves it over there."""

"""The facts of a run and the state that they add up to. Pure."""

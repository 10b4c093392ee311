"""The parts of a plan by their names: members of loops, and when each part is watched."""

"""What a promise asks: its target, and the units in it."""

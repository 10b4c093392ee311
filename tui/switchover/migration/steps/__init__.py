"""One attempt of a step: its folder, its shim, its output."""

"""Ways to a Docker daemon: its socket, its contexts, through SSH."""

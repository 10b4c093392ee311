"""Units of systemd, over D-Bus."""

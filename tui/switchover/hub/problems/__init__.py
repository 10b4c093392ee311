"""What is wrong: found, grouped by cause, diagnosed, solved, bundled for a colleague."""

"""What is wrong: found, grouped by cause, diagnosed, solved, told to a colleague."""

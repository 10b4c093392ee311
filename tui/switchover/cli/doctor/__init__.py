"""`switchover doctor`, and what it examines."""

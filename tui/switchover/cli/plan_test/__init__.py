"""`switchover test`: walks a plan through cases, with the real engine and nothing else that is real."""

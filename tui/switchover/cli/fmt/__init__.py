"""What `switchover fmt` does: a plan in one style, its comments kept, and its meaning the same."""

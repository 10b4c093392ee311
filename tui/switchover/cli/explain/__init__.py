"""What `switchover explain` knows: the schema of plans in words, with an example of every key."""

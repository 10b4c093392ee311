"""What applications tell of themselves: workflows, steps, tests, git operations, use of AI and numbers of their own."""

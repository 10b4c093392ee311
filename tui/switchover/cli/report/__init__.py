"""What verbs write about a run: the report, the dry run, rollback paths, changes of a plan."""

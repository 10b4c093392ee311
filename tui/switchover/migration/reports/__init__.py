"""The run for people: view, timeline, report, verification of the journal."""

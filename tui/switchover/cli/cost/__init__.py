"""What a plan costs a month: as a table, JSON, CSV, FOCUS or Markdown."""

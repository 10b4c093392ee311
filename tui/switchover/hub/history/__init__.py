"""What changed and what people did: kept for the timeline and for the record."""

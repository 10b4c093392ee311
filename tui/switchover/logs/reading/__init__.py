"""From bytes to lines with a time, a level and the event that they belong to."""

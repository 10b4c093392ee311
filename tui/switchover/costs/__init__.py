"""Money a month before and after the migration, exact until it is shown."""

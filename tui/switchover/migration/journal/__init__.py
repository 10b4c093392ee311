"""Where facts are kept: SQLite or PostgreSQL, hash-chained, fenced by locks."""

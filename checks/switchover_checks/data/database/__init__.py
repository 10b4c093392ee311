"""Reading from SQLite and PostgreSQL, never writing: what the checks need to look into both sides of a migration."""

from switchover_checks.data.database.database_api import (
    MOST_ROWS,
    Database,
    DatabaseColumn,
    DatabaseSource,
    DatabaseTable,
    Fill,
    Rows,
    Selection,
)
from switchover_checks.data.database.database_opening import database_source_of, open_database, query_rows

__all__ = [
    "MOST_ROWS",
    "Database",
    "DatabaseColumn",
    "DatabaseSource",
    "DatabaseTable",
    "Fill",
    "Rows",
    "Selection",
    "database_source_of",
    "open_database",
    "query_rows",
]

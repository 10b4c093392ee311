"""Reading from SQLite and PostgreSQL, never writing: what the checks need to look into both sides of a migration."""

from switchover_checks.database.api import MOST_ROWS, Column, Database, Fill, Rows, Source, Table
from switchover_checks.database.opening import open_database, query_rows, source_of

__all__ = [
    "MOST_ROWS",
    "Column",
    "Database",
    "Fill",
    "Rows",
    "Source",
    "Table",
    "open_database",
    "query_rows",
    "source_of",
]

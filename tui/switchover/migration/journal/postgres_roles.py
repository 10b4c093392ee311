"""The roles of a team on a shared journal: who may read, who may drive, who owns the tables."""

from __future__ import annotations

import re

from switchover.errors import UsageError
from switchover.migration.journal.postgres_schema import SCHEMA, make_tables
from switchover.migration.journal.postgres_session import PostgresSession
from switchover.settings import JournalAddress

__all__ = ["ROLES", "make_roles", "rights_in_words", "role_statements"]

ROLES = ("reader", "driver", "owner")
_PREFIX = re.compile(r"[a-z_][a-z0-9_]{0,40}")
_MAY = {
    "reader": "sees every run: status, report, audit, the screen. Holds and writes nothing.",
    "driver": "does all that, and drives: takes the lock and writes records. Whoever has it is believed, "
    "so it is for those who may carry a migration through. Changes and deletes nothing.",
    "owner": "owns the tables, may change and drop them, and so undo what the others may not. "
    "For upgrades; nobody works under it.",
}


def rights_in_words(prefix: str) -> list[str]:
    """Return what each role may do, a line each."""
    return [f"{prefix}_{role}: {_MAY[role]}" for role in ROLES]


def role_statements(prefix: str) -> str:
    """Return what makes the roles and gives them their rights; made again, it changes nothing.

    Raise `UsageError` for a prefix that would have to be quoted.
    """
    if not _PREFIX.fullmatch(prefix):
        raise UsageError(
            f"{prefix!r} is no beginning of a role's name", "small letters, digits and _, such as switchover"
        )
    reader, driver, owner = (f"{prefix}_{role}" for role in ROLES)
    make = "".join(_make(role) for role in (reader, driver, owner))
    tables = ("version", "journals", "events", "holders")
    own = "".join(f"ALTER TABLE switchover.{table} OWNER TO {owner};\n" for table in tables)
    return f"""{make}{_member(owner)}ALTER SCHEMA switchover OWNER TO {owner};
{own}ALTER FUNCTION switchover.append_only() OWNER TO {owner};
REVOKE ALL ON SCHEMA switchover FROM PUBLIC, {reader}, {driver};
REVOKE ALL ON ALL TABLES IN SCHEMA switchover FROM PUBLIC, {reader}, {driver};
GRANT USAGE ON SCHEMA switchover TO {reader}, {driver};
GRANT SELECT ON ALL TABLES IN SCHEMA switchover TO {reader}, {driver};
GRANT INSERT ON switchover.journals, switchover.events TO {driver};
GRANT INSERT, UPDATE ON switchover.holders TO {driver};
"""


def all_statements(prefix: str) -> str:
    """Return the statements that make the tables and then the roles, for who runs them by other means."""
    return f"{SCHEMA.strip()}\n{role_statements(prefix)}"


def make_roles(address: JournalAddress, prefix: str) -> None:
    """Make the tables where there are none, and the roles. Raise `JournalError` where this login may not."""
    statements = role_statements(prefix)
    session = PostgresSession(address)
    try:
        make_tables(session, create=True)
        session.ask(f"BEGIN;\n{statements}COMMIT;")
    finally:
        session.close()


def _make(role: str) -> str:
    return f"DO $$ BEGIN CREATE ROLE {role} NOLOGIN; EXCEPTION WHEN duplicate_object THEN NULL; END $$;\n"


def _member(role: str) -> str:
    """Only a member of a role may give something to it; a superuser is one of all."""
    return (
        "DO $$ BEGIN IF NOT (SELECT rolsuper FROM pg_roles WHERE rolname = current_user) THEN "
        f"EXECUTE format('GRANT {role} TO %I', current_user); END IF; END $$;\n"
    )

"""The tables of journals in a PostgreSQL, and who may do what with them."""

from __future__ import annotations

import secrets
from typing import LiteralString

from switchover.errors import JournalError
from switchover.migration.journal.postgres_session import PostgresSession

__all__ = ["NAME", "SCHEMA", "VERSION", "check_version", "make_tables", "name_of"]

VERSION = 3
SCHEMA: LiteralString = """
CREATE SCHEMA IF NOT EXISTS switchover;
CREATE TABLE switchover.version (version integer NOT NULL);
CREATE TABLE switchover.journals (name text PRIMARY KEY, id text NOT NULL);
CREATE TABLE switchover.events (
    journal text NOT NULL,
    seq bigint NOT NULL,
    run_id text NOT NULL,
    at double precision NOT NULL,
    mono double precision NOT NULL,
    boot_id text NOT NULL,
    type text NOT NULL,
    data text NOT NULL,
    prev_hash text NOT NULL,
    hash text NOT NULL,
    PRIMARY KEY (journal, seq)
);
CREATE INDEX events_run ON switchover.events (journal, run_id, seq);
CREATE INDEX events_type ON switchover.events (journal, type, seq);
CREATE TABLE switchover.holders (
    lock text PRIMARY KEY,
    epoch bigint NOT NULL,
    who text NOT NULL,
    host text NOT NULL,
    tty text NOT NULL,
    pid integer NOT NULL,
    since double precision NOT NULL,
    token text NOT NULL,
    key bigint NOT NULL,
    backend integer NOT NULL,
    login oid NOT NULL
);
CREATE FUNCTION switchover.append_only() RETURNS trigger LANGUAGE plpgsql AS
    $$ BEGIN RAISE EXCEPTION 'append only'; END $$;
CREATE TRIGGER events_stay BEFORE UPDATE OR DELETE OR TRUNCATE ON switchover.events
    FOR EACH STATEMENT EXECUTE FUNCTION switchover.append_only();
CREATE TRIGGER journals_stay BEFORE UPDATE OR DELETE OR TRUNCATE ON switchover.journals
    FOR EACH STATEMENT EXECUTE FUNCTION switchover.append_only();
INSERT INTO switchover.version VALUES (3);
"""
NAME: LiteralString = "INSERT INTO switchover.journals VALUES (%(journal)s, %(new_id)s) ON CONFLICT (name) DO NOTHING;"
_SCHEMA_LOCK = 0x5357_4954_4348_4F56
_THERE = "SELECT to_regclass('switchover.version') IS NOT NULL"


def make_tables(session: PostgresSession, *, create: bool) -> bool:
    """Make the tables where there are none, if `create`; return whether they are there then.

    Raise `JournalError` where they cannot be made, or are of another version.
    """
    there = bool(session.ask(_THERE)[0][0][0])
    if there:
        check_version(session, session.ask("SELECT max(version) FROM switchover.version")[0][0][0])
    if not create:
        return False
    if session.encoding != "UTF8":
        raise JournalError(f"the database {session.shown} is in {session.encoding}", "a journal needs one in UTF8")
    if not there:
        session.ask(f"BEGIN; SELECT pg_advisory_xact_lock({_SCHEMA_LOCK})")
        try:
            if not session.ask(_THERE)[0][0][0]:
                session.ask(SCHEMA)
        finally:
            session.ask("COMMIT")  # of what failed, the server makes a rollback
    return True


def name_of(name: str) -> dict[str, object]:
    """Return what `NAME` is filled with, which makes the journal of that name where there is none."""
    return {"journal": name, "new_id": secrets.token_hex(16)}


def check_version(session: PostgresSession, version: int | None) -> None:
    """Raise `JournalError` for the tables of another version."""
    if version != VERSION:
        age = "a newer" if (version or 0) > VERSION else "an older"
        raise JournalError(
            f"the journal {session.shown} was written by {age} version", "use that version, or another database"
        )

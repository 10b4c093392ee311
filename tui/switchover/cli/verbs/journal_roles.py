"""`switchover journal roles`: make the roles of a team on a shared journal, and say what each may do."""

from __future__ import annotations

import os
from argparse import ArgumentParser, Namespace

from switchover.cli import output
from switchover.errors import UsageError

__all__ = ["add_arguments", "run"]

VERB = "journal"
RANK = 140
SUMMARY = "make the roles of a team on a shared journal"


def add_arguments(parser: ArgumentParser) -> None:
    """Add the options of `journal`."""
    parser.add_argument(
        "action", choices=("roles",), help="roles: make a reader, a driver and an owner in the database of --journal"
    )
    parser.add_argument(
        "--prefix", metavar="NAME", default="switchover", help="what the roles' names begin with (default: switchover)"
    )
    parser.add_argument(
        "--sql", action="store_true", help="only write the statements, for who runs them by other means"
    )


def run(args: Namespace) -> int:
    """Make them, or write down how; 0 when they are there."""
    from switchover.migration.journal.postgres_roles import all_statements, make_roles, rights_in_words
    from switchover.settings import choose_journal

    if args.sql:
        output.emit_text(all_statements(args.prefix))
        return 0
    address = choose_journal(args.journal, os.environ)
    if address is None:
        raise UsageError(
            "a journal in a file has no roles", "name the database: --journal postgresql://ADMIN@HOST/DATABASE"
        )
    make_roles(address, args.prefix)
    output.emit_text("\n".join(rights_in_words(args.prefix)))
    output.emit_text(f"give one to each login, such as: GRANT {args.prefix}_driver TO ana;")
    return 0

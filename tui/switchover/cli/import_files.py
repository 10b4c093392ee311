"""`switchover import FILE…`: read files of goss, Gatus, Compose or Prometheus into a plan. Nothing of them is executed.

The plan goes to standard output, or to a new file with `--output`. A file that is there is never overwritten. Every key
of the files is carried, or listed on standard error with `FILE:LINE` and the reason, and counted.
Secrets become references; their values are never written. `${NAME}` becomes a secret or a variable of the plan.
"""

from __future__ import annotations

import argparse
from pathlib import Path

from switchover.cli import diagnostics
from switchover.cli.output import emit_exact, emit_text
from switchover.errors import UsageError

__all__ = ["add_arguments", "run"]

VERB = "import"
RANK = 175
SUMMARY = "read goss, Gatus, Compose or Prometheus files into a plan"
NEEDS_JOURNAL = False


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the files and where the plan goes."""
    from switchover.importing import import_formats

    parser.add_argument("files", metavar="FILE", nargs="+", type=Path, help="the files; all become one plan")
    parser.add_argument(
        "--format", choices=tuple(import_formats()), help="what the files are (default: found out by their keys)"
    )
    parser.add_argument("--output", metavar="PLAN", type=Path, help="a new file for the plan")
    parser.add_argument("--id", metavar="NAME", default="imported", help="the name of the plan (default: imported)")


def run(args: argparse.Namespace) -> int:
    """Write the plan, list what is not carried, and return 0."""
    import re

    from switchover.importing import import_files

    if not re.fullmatch(r"[A-Za-z_][A-Za-z0-9_-]{0,63}", args.id):
        raise UsageError(f"{args.id!r} is no name of a plan", "use letters, digits, _ and -")
    if args.output is not None and args.output.exists():
        raise UsageError(f"{args.output} is there already, and is not overwritten", "name a new file")
    found = import_files(args.files, args.id, args.format or "")
    if args.output is None:
        emit_exact(found.text.rstrip("\n"))
    else:
        try:
            with args.output.open("x", encoding="utf-8") as file:
                file.write(found.text)
        except FileExistsError:
            raise UsageError(f"{args.output} is there already, and is not overwritten", "name a new file") from None
        except OSError as error:
            raise UsageError(f"{args.output} cannot be written: {error.strerror or error}") from None
    for key in found.lost:
        diagnostics.say(f"{key.file}:{key.line}: {key.path}: not carried: {key.why}")
    for note in found.notes:
        diagnostics.say(f"{note.file}:{note.line}: {note.path}: carried, but {note.why}")
    keys = len(found.carried) + len(found.lost)
    tell = diagnostics.say if args.output is None else emit_text
    tell(
        f"{found.checks} checks and {found.services} services; "
        f"{len(found.carried)} of {keys} keys carried, {len(found.lost)} not carried"
    )
    return 0

"""`switchover fmt [PLAN…]`: write a plan in one style; comments, values and meaning stay.

Each level is set in by two columns. A { } or [ ] that makes a line longer than 100 columns is broken into lines. The
file is replaced as a whole and keeps its mode. It is left alone where its meaning would change or a comment be lost.
Exit codes: 0 all are in style now. 1 with `--check`, one is not; or one was left alone. 2 one cannot be read.
"""

from __future__ import annotations

import os
import tempfile
from argparse import ArgumentParser, Namespace
from contextlib import suppress
from pathlib import Path

from switchover.cli import diagnostics
from switchover.cli.output import emit_text
from switchover.errors import SwitchoverError

__all__ = ["add_arguments", "run"]

VERB = "fmt"
RANK = 175
SUMMARY = "write a plan in one style, its comments kept"
NEEDS_JOURNAL = False


def add_arguments(parser: ArgumentParser) -> None:
    """Declare the plans."""
    parser.add_argument(
        "plans", metavar="PLAN", nargs="*", type=Path, help="the plan files; without one, the one plan found here"
    )
    parser.add_argument("--check", action="store_true", help="name the files that are not in style, and change nothing")


def run(args: Namespace) -> int:
    """Write them and return the exit code."""
    from switchover.cli.fmt.plan_style import in_style
    from switchover.cli.plan_argument import the_plan_here
    from switchover.plan.plan_bytes import decode_plan, read_plan

    code = 0
    for path in args.plans or [the_plan_here("fmt")]:
        try:
            content = read_plan(path)
            shown = in_style(decode_plan(content, path), path).encode()
            if shown == content:
                continue
            if args.check:
                emit_text(f"{path} is not in style; `switchover fmt {path}` writes it so")
                code = max(code, 1)
            else:
                _replace(path.resolve(), shown)
                emit_text(f"{path}: written in style")
        except SwitchoverError as error:
            code = max(code, diagnostics.report_error(error))
    return code


def _replace(path: Path, content: bytes) -> None:
    """Replace a file as a whole; it keeps its mode, and its owner where that may be."""
    draft = ""
    try:
        before = path.stat()
        with tempfile.NamedTemporaryFile(dir=path.parent, prefix=".switchover-fmt-", delete=False) as file:
            draft = file.name
            file.write(content)
            file.flush()
            with suppress(OSError):
                os.fchown(file.fileno(), before.st_uid, before.st_gid)
            os.fchmod(file.fileno(), before.st_mode & 0o7777)
            os.fsync(file.fileno())
        Path(draft).replace(path)
    except OSError as error:
        raise SwitchoverError(f"{path} cannot be written: {error.strerror}", "nothing of it was changed") from error
    finally:
        if draft:
            Path(draft).unlink(missing_ok=True)

"""`switchover init [DIR]`: write a first plan from what runs on this machine.

It names containers, units, listening ports, processes and disks. Each check and service in it was looked at, and was
fine. What was not is left out, and named in a comment. Arguments of programs are not written down, since they hold
passwords. A plan that is there already is never overwritten. What was written is trusted, as if it had been named.
"""

from __future__ import annotations

import asyncio
import os
import socket
import tempfile
from argparse import ArgumentParser, Namespace
from collections import Counter
from pathlib import Path

from switchover.cli.output import emit_text
from switchover.errors import SwitchoverError, UsageError

__all__ = ["add_arguments", "run"]

VERB = "init"
RANK = 160
SUMMARY = "write a first plan from what runs on this machine"
NEEDS_JOURNAL = False

_FILE = "switchover.yaml"
_MOST_NAMED = 10


def add_arguments(parser: ArgumentParser) -> None:
    """Declare where the plan is written."""
    parser.add_argument(
        "folder", metavar="DIR", nargs="?", type=Path, default=Path(), help="where it is written (default: here)"
    )


def run(args: Namespace) -> int:
    """Write the plan and return the exit code."""
    from switchover.cli.init.first_plan import not_fine, plan_text, without_secrets
    from switchover.cli.init.host_survey import survey
    from switchover.locations import state_root
    from switchover.settings import load_settings, settings_path
    from switchover.trust import TrustStore, digest_of

    path = args.folder / _FILE
    _refuse_what_is_there(args.folder, path)
    found = asyncio.run(survey(load_settings(settings_path(os.environ)).sources_off))
    items, host = without_secrets(found), socket.gethostname()
    left_out = asyncio.run(not_fine(plan_text(items, host), path.absolute()))
    text = plan_text(items, host, left_out)
    _write(path, text)
    TrustStore(state_root(args.state)).trust(path, digest_of(path))
    kept = Counter(item.section for item in items if item.name not in left_out)
    emit_text(
        f"{path}: written, with {kept['services']} services and {kept['checks']} checks; all of them are fine now"
    )
    if left_out:
        named = sorted(left_out)[:_MOST_NAMED]
        more = f" and {len(left_out) - len(named)} more" if len(left_out) > len(named) else ""
        emit_text(f"left out, because it is not fine now: {', '.join(named)}{more}")
    go = "" if args.folder.resolve() == Path.cwd() else f"cd {args.folder}, then "
    emit_text(f"next: {go}`switchover check`, `switchover explain step`, `switchover`")
    return 0


def _refuse_what_is_there(folder: Path, path: Path) -> None:
    from switchover.trust import find_plan

    if folder.exists() and not folder.is_dir():
        raise UsageError(f"{folder} is no directory", "name the directory in which the plan is to lie")
    if os.path.lexists(path):
        raise UsageError(f"{path} is there already, and is not overwritten", "name another directory, or move it away")
    found = find_plan(folder, "validate") if folder.is_dir() else None
    if found is not None:
        raise UsageError(
            f"a plan is here already: {found.name}",
            f"see `switchover validate {found.name}`, or name another directory",
        )


def _write(path: Path, text: str) -> None:
    """Write it whole, or not at all; never over what came there meanwhile."""
    draft = ""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.NamedTemporaryFile(
            "w", encoding="utf-8", dir=path.parent, prefix=".switchover-init-", delete=False
        ) as file:
            draft = file.name
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        mask = os.umask(0)
        os.umask(mask)
        Path(draft).chmod(0o666 & ~mask)
        os.link(draft, path)
    except FileExistsError:
        raise UsageError(f"{path} is there already, and is not overwritten", "name another directory") from None
    except OSError as error:
        raise SwitchoverError(f"{path} cannot be written: {error.strerror}", "name another directory") from error
    finally:
        if draft:
            Path(draft).unlink(missing_ok=True)

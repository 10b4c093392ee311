"""A person's word that the notes on earlier runs no longer count. Their journal is lost, or they are given up.

Nothing is removed: what lies in the workspace is set aside, beside it, with who said so and why.
"""

from __future__ import annotations

import json
import os
from collections.abc import Collection
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

import msgspec

from switchover.clock import Clock
from switchover.errors import JournalAwayError, JournalError, RefusedError, StateError
from switchover.locations import Workspace
from switchover.migration.facts.operator import Operator
from switchover.migration.journal.checkpoints import CHECKPOINTS, NEWEST, noted_heads, refuse_lost
from switchover.migration.journal.host_lock import host_of
from switchover.migration.journal.host_registry import GivenUp, Notes
from switchover.migration.journal.journal_store import open_journal
from switchover.migration.journal.run_lock import RunLock
from switchover.migration.run.other_runs.elsewhere import describe_run, open_elsewhere
from switchover.migration.steps.shim_records import shim_name
from switchover.migration.steps.traces import living_shim, marked_processes, open_process
from switchover.plan.model import Plan
from switchover.private_files import make_private_dir, read_private, replace_private

__all__ = ["forget", "said_to_forget", "take_word"]

_WAIT = "wait for its end"
_WORD = "given-up"  # what was said, until the next run begins with it


@dataclass(frozen=True, slots=True)
class Forgotten:
    """What was given up, each in words; `aside` is where what lay here is now, if anything did."""

    what: tuple[str, ...]
    aside: Path | None = None


async def forget(workspace: Workspace, plan: Plan, clock: Clock, operator: Operator, reason: str) -> Forgotten:
    """Let the next run begin whatever was noted before. Raise `RefusedError` where nothing stands in its way."""
    if not reason.strip():
        raise RefusedError("a reason is needed", "say how you know: --forget --reason TEXT")
    host = host_of(workspace, plan)
    lock = RunLock(workspace, plan.target or f"{plan.id} {workspace.plan}", None, host)
    await lock.acquire(operator)
    try:
        here = _what_is_lost(workspace, plan, clock)
        elsewhere = list(open_elsewhere(host, workspace.directory)) if host is not None else []
        if not here and not elsewhere:
            raise RefusedError("nothing is noted that keeps a run from beginning", "leave --forget out")
        noted = noted_heads(workspace, host.registry.head_of(workspace.directory) if host is not None else None)
        _refuse_what_runs(workspace.directory, {head.hash for head in noted})
        for run in elsewhere:
            accounts = {uid for uid, notes in host.registry.notes() if run in notes.runs} if host is not None else set()
            _refuse_what_runs(Path(run.directory), {run.head.hash}, accounts)
        aside = _set_aside(workspace, clock) if here else None
        what = (*filter(None, (here,)), *map(describe_run, elsewhere))
        if host is not None:
            given_up = tuple(
                GivenUp(str(workspace.directory), run.directory, run.head.journal, str(operator), reason, clock.now())
                for run in elsewhere
            )
            own = str(workspace.directory) if here else ""
            host.change(lambda notes: _without(notes, own, given_up))
        said = f"{operator.who} gave up what was noted ({'; '.join(what)}): {reason}"
        replace_private(workspace.directory / _WORD, msgspec.json.encode(said))
        return Forgotten(what, aside)
    finally:
        await lock.release()


def said_to_forget(workspace: Workspace) -> str:
    """Return what was given up for the run that begins next, in words; nothing where nothing was."""
    with suppress(OSError, msgspec.MsgspecError):
        return msgspec.json.decode(read_private(workspace.directory / _WORD), type=str)
    return ""


def take_word(workspace: Workspace) -> None:
    """Let the word count no more: the run that it was given for has begun."""
    with suppress(OSError):
        (workspace.directory / _WORD).unlink(missing_ok=True)


def _what_is_lost(workspace: Workspace, plan: Plan, clock: Clock) -> str:
    """Say what keeps a run from going on here; nothing where the journal has all that was noted of it."""
    host = host_of(workspace, plan)
    noted = noted_heads(workspace, host.registry.head_of(workspace.directory) if host is not None else None)
    try:
        name = workspace.shared.name if workspace.shared is not None else ""
        journal = open_journal(workspace, name or plan.id, clock, create=False)
        runs = []
        if journal is not None:
            with journal:
                for head in noted:
                    refuse_lost(journal, head, workspace.journal_name)
                runs = journal.runs()
        elif noted:
            refuse_lost(None, noted[0], workspace.journal_name)
    except JournalAwayError:
        raise
    except JournalError as error:
        return error.title
    unknown = workspace.run_directory(str(len(runs) + 1))
    return f"{unknown} tells of a run that the journal does not know" if unknown.exists() else ""


def _refuse_what_runs(folder: Path, heads: Collection[str], accounts: Collection[int] = ()) -> None:
    """Raise `RefusedError` where a step of an earlier run still runs: it would run beside the next run.

    It is found by what its watcher claimed, and by the newest record that was noted. That record may have announced
    it, and names it whatever became of its files.
    """
    for claim in (folder / "runs").glob("*/*/claim"):
        with suppress(OSError, ValueError, KeyError, TypeError):
            owner = json.loads(read_private(claim))
            if (pidfd := open_process(owner["shim"], owner["shim_start"])) is not None:
                os.close(pidfd)
                raise RefusedError(f"{claim.parent.name} still runs, watched by pid {owner['shim']}", _WAIT)
    for head in heads:
        if (pidfd := living_shim(head, accounts)) is not None:
            os.close(pidfd)
            raise RefusedError(f"a step of the run in {folder} still runs, watched by {shim_name(head)}", _WAIT)
        if alive := marked_processes(head):
            pids = ", ".join(map(str, alive))
            raise RefusedError(f"a step of the run in {folder} still runs without its watcher: pid {pids}", _WAIT)


def _set_aside(workspace: Workspace, clock: Clock) -> Path:
    """Move what tells of earlier runs into a folder beside it. A database is left as it is."""
    folder = workspace.directory
    aside = folder / f"set-aside-{datetime.fromtimestamp(clock.now(), UTC):%Y%m%dT%H%M%S.%fZ}"
    try:
        make_private_dir(aside)
        journal = [] if workspace.shared is not None else sorted(folder.glob(f"{workspace.journal.name}*"))
        for path in (folder / CHECKPOINTS, folder / NEWEST, folder / "runs", *journal):
            with suppress(FileNotFoundError):
                path.rename(aside / path.name)
    except OSError as error:
        raise StateError(f"{folder} cannot be set aside: {error.strerror}", "free space or make it writable") from error
    return aside


def _without(notes: Notes, directory: str, given_up: tuple[GivenUp, ...]) -> Notes:
    return replace(notes.without(directory), given_up=(*notes.given_up, *given_up))

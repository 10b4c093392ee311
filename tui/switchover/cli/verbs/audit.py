"""`switchover audit verify|show [PLAN]`: whether the journals are still what was written, and what stands in them.

A plan has the journal of its runs, and that of the operations. Operations are what people did to services outside of
runs. A host that is watched without a plan has the latter alone.

Reads only. Exit codes of `verify`: 0 all is as it was written, 1 something is not. The first bad record is named.
"""

from __future__ import annotations

import os
import re
from argparse import ArgumentParser, Namespace
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from switchover.cli import diagnostics, output
from switchover.cli.plan_file import workspace_of
from switchover.errors import JournalError, SwitchoverError, UsageError
from switchover.locations import Workspace, host_registry, state_root, workspace_for
from switchover.migration.journal.checkpoints import CHECKPOINTS, OPERATION_CHECKPOINTS, newest_noted

if TYPE_CHECKING:
    from switchover.migration.journal.checkpoints import Checkpoint
    from switchover.migration.journal.journal_store import JournalStore
    from switchover.migration.journal.sqlite_journal import RawRecord
    from switchover.migration.reports.verification import Audit, Fault

__all__ = ["add_arguments", "run"]

VERB = "audit"
RANK = 130
SUMMARY = "prove that the journal is still what was written, and list it"

_JOURNAL = "journal.sqlite"
_OPERATIONS = "operations.sqlite"
_SHORTEST_HEAD = 16  # characters of a hash that somebody wrote down
_COMPARE = "keep it as it is, and compare it with a backup"


def add_arguments(parser: ArgumentParser) -> None:
    """Declare what the verb takes."""
    parser.add_argument(
        "action",
        choices=("verify", "show"),
        help="verify: find any edit, deletion, insertion or change of order; show: list the records",
    )
    parser.add_argument("plan", nargs="?", metavar="PLAN", help="whose journal; verify: without it all journals here")
    parser.add_argument("--format", choices=("text", "json"), default="text", help="how to answer (default: text)")
    parser.add_argument("--head", metavar="HASH", help="verify: the head that was written down, or its beginning")
    parser.add_argument(
        "--run", metavar="ID", help="show: only the records of this run; operations: those outside of runs"
    )


def run(args: Namespace) -> int:
    """Do it and return the exit code."""
    if args.action == "show":
        return _show(args)
    if args.head is not None and not re.fullmatch(rf"[0-9a-fA-F]{{{_SHORTEST_HEAD},64}}", args.head):
        raise UsageError(
            f"{args.head!r} is no head", f"give at least {_SHORTEST_HEAD} of the 64 characters of the hash"
        )
    if args.head is not None and args.plan is None:
        raise UsageError("a head belongs to one journal", "name the plan: switchover audit verify PLAN --head HASH")
    places = _places(args)
    audits: list[tuple[_Place, Audit | SwitchoverError]] = []
    for place in places:
        try:
            audits.append((place, _verify(place, args.head or "")))
        except SwitchoverError as error:
            if len(places) == 1:
                raise
            audits.append((place, error))
    if args.format == "json":
        output.emit_json([_audit_json(place, audit) for place, audit in audits])
    else:
        for place, audit in audits:
            _tell(place, audit)
    return 0 if all(not isinstance(audit, SwitchoverError) and audit.whole for _, audit in audits) else 1


@dataclass(frozen=True, slots=True)
class _Place:
    """A journal, with what lies beside it. `workspace` is None where the plan is not known, only the folder.

    `file` and `checkpoints` are the names of its files in the folder.
    """

    name: str
    folder: Path
    workspace: Workspace | None = None
    file: str = _JOURNAL
    checkpoints: str = CHECKPOINTS

    @property
    def shared(self) -> bool:
        return self.workspace is not None and self.workspace.shared is not None

    @property
    def is_there(self) -> bool:
        """Say whether there is a journal, or was: the noted heads reveal one that was removed."""
        return (self.folder / self.file).exists() or (self.folder / self.checkpoints).exists() or bool(self.newest())

    def newest(self) -> tuple[Checkpoint, ...]:
        """Return the newest record of the runs as it was noted beside the journal, and in this host's registry."""
        if self.file != _JOURNAL:
            return ()
        beside = newest_noted(self.folder)
        return (*((beside,) if beside is not None else ()), *_on_host().get(self.folder, ()))

    def run_directory(self, run_id: str) -> Path:
        return self.folder / "runs" / run_id


def _places(args: Namespace) -> list[_Place]:
    if args.plan is not None:
        place = _place(args)
        operations = _operations(place.folder)
        only_these = operations and not place.shared and not (place.folder / _JOURNAL).exists()
        return operations if only_these else [place, *(() if args.head is not None else operations)]
    root = state_root(args.state)
    folders = sorted(root.glob("workspaces/*"))
    known = {*folders, *(folder for folder in _on_host() if folder.parent == root / "workspaces")}
    journals = [_Place(str(folder / _JOURNAL), folder) for folder in sorted(known)]
    places = [place for place in journals if place.is_there]
    places += [place for folder in folders for place in _operations(folder)]
    if not places:
        raise SwitchoverError(f"there is no journal under {root}", "name the plan, or the state directory: --state DIR")
    return places


def _on_host() -> dict[Path, tuple[Checkpoint, ...]]:
    """Return what this host's registry notes of each workspace."""
    from switchover.migration.journal.host_registry import heads_noted

    folder = host_registry(os.environ)
    return heads_noted(folder) if folder is not None else {}


def _operations(folder: Path) -> list[_Place]:
    """Return the journal of operations of a workspace, if it has one."""
    place = _Place(str(folder / _OPERATIONS), folder, None, _OPERATIONS, OPERATION_CHECKPOINTS)
    return [place] if place.is_there else []


def _place(args: Namespace) -> _Place:
    workspace = workspace_of(args)
    name = workspace.shared.shown if workspace.shared is not None else str(workspace.journal)
    return _Place(name, workspace.directory, workspace)


def _open(place: _Place) -> JournalStore | None:
    from switchover.clock import SystemClock
    from switchover.migration.journal.journal_store import open_journal
    from switchover.migration.journal.sqlite_journal import Journal

    if place.workspace is None or place.workspace.shared is None:
        return Journal.open(place.folder / place.file, SystemClock(), create=False)
    from switchover.app import load

    path = place.workspace.plan or Path()
    plan_id = place.workspace.shared.name or load(path).plan.id
    return open_journal(place.workspace, plan_id, SystemClock(), create=False)


def _records(place: _Place, newest: Sequence[Checkpoint] = ()) -> list[RawRecord]:
    """Return all records. Raise `JournalError` where the journal is gone, or is another than the one in `newest`."""
    from switchover.migration.journal.checkpoints import read_checkpoints, refuse_lost

    try:
        journal = _open(place)
        if journal is not None:
            with journal:
                records = list(journal.raw_records())
                for head in newest:
                    if head.journal and head.journal != journal.journal_id:
                        refuse_lost(journal, head, place.name)
                return records
    except JournalError as error:
        raise _reworded(place, error) from error
    if not place.shared and (place.folder / place.file).exists():
        raise JournalError(f"{place.name} holds no journal: it is empty, or it was replaced", _COMPARE)
    if not place.shared and (noted := len(read_checkpoints(place.folder / place.checkpoints)) or len(newest)):
        raise JournalError(f"{place.name} was removed: {noted} records of it were noted as heads", _COMPARE)
    for head in newest if place.shared else ():
        refuse_lost(None, head, place.name)
    raise JournalError(f"there is no journal at {place.name}", "nothing has been run, or --state names another place")


def _reworded(place: _Place, error: JournalError) -> JournalError:
    """Say of a journal that cannot be read what that means to somebody who wants to verify it."""
    if "locked" in error.title:
        return JournalError(
            f"the journal {place.name} is locked by another program",
            f"`fuser {place.folder / place.file}` tells by which; end it, then verify again",
        )
    if "no such column" in error.title:
        return JournalError(f"{place.name} holds no journal: it is empty, or it was replaced", _COMPARE)
    if "not a database" in error.title or "malformed" in error.title:
        return JournalError(f"{place.name} is no SQLite file any more: it was overwritten or damaged", _COMPARE)
    return error


def _verify(place: _Place, head: str) -> Audit:
    from switchover.migration.facts.location import this_location
    from switchover.migration.journal.checkpoints import read_checkpoints
    from switchover.migration.reports.verification import Fault, Outputs, verify_journal

    newest = place.newest()  # before the records: a run that goes on writes a record first, then the note
    trouble: tuple[Fault, ...] = ()
    try:
        checkpoints = read_checkpoints(place.folder / place.checkpoints)
    except ValueError as error:
        checkpoints, trouble = (), (Fault(0, str(error)),)
    records = _records(place, newest)
    if not records and not checkpoints and not trouble:
        raise JournalError(f"the journal {place.name} holds no record", "there is nothing to verify")
    outputs = Outputs(place.run_directory, this_location(place.folder))
    runs = place.file == _JOURNAL
    audit = verify_journal(records, checkpoints, head, outputs, shared=place.shared, runs=runs, newest=newest)
    return replace(audit, faults=(*audit.faults, *trouble)) if trouble else audit


def _tell(place: _Place, audit: Audit | SwitchoverError) -> None:
    if isinstance(audit, SwitchoverError):
        diagnostics.report_error(audit)
        return
    for note in audit.notes:
        output.emit_text(f"note: {note}")
    if audit.whole:
        agree = (
            _count(audit.plans, "plan"),
            _count(audit.outputs, "output"),
            _count(audit.checkpoints, "noted head"),
        )
        output.emit_text(
            f"{place.name}: whole. {_count(audit.records, 'record')} of {_of(place, audit)}; "
            f"{agree[0]}, {agree[1]} and {agree[2]} compared"
        )
        output.emit_text(f"head: record {audit.records}, {audit.head}")
        return
    first, *others = audit.faults
    diagnostics.say(f"switchover: {place.name} is not what was written: {_fault_text(first)}")
    for fault in others:
        diagnostics.say(f"  also: {_fault_text(fault)}")
    diagnostics.say(f"  {_COMPARE}")


def _of(place: _Place, audit: Audit) -> str:
    return "operations" if place.file == _OPERATIONS else _count(len(audit.runs), "run")


def _fault_text(fault: Fault) -> str:
    if not fault.seq:
        return fault.what
    known = [_when(fault.at), fault.type, f"run {fault.run}" if fault.run and fault.type else ""]
    told = ", ".join(filter(None, known))
    return f"record {fault.seq}{f' ({told})' if told else ''}: {fault.what}"


def _when(at: object) -> str:
    """Write a time, whatever somebody has put in its place."""
    from switchover.clock import iso_utc

    if at is None:
        return ""
    try:
        return iso_utc(at) or ""  # type: ignore[arg-type]
    except (TypeError, ValueError, OverflowError, OSError):
        return f"at {at!r}"


def _audit_json(place: _Place, audit: Audit | SwitchoverError) -> dict[str, Any]:
    if isinstance(audit, SwitchoverError):
        return {"journal": place.name, "whole": False, "error": audit.title}
    faults = [asdict(fault) | {"at": _when(fault.at) or None} for fault in audit.faults]
    return {
        "journal": place.name,
        "whole": audit.whole,
        "records": audit.records,
        "runs": audit.runs,
        "head": {"seq": audit.records, "hash": audit.head},
        "agree": {"plans": audit.plans, "outputs": audit.outputs, "heads": audit.checkpoints},
        "first_bad": faults[0] if faults else None,
        "faults": faults,
        "notes": audit.notes,
    }


def _count(number: int, word: str) -> str:
    return f"{number} {word}" if number == 1 else f"{number} {word}s"


def _show(args: Namespace) -> int:
    records = _all_records(args)
    if args.run is not None:
        runs = dict.fromkeys(record.run_id for record in records)
        records = [record for record in records if record.run_id == args.run]
        if not records:
            raise SwitchoverError(f"the journal has no run {args.run!r}", f"it has {', '.join(runs) or 'none'}")
    if args.format == "json":
        for record in records:
            output.emit_json(_record_json(record), indent=None)
    else:
        for record in records:
            output.emit_text("\n".join(_lines(record)))
    return 0


def _all_records(args: Namespace) -> list[RawRecord]:
    """Return the records of the runs, then those of the operations; without a plan those of this host."""
    if args.plan is None:
        places = _operations(workspace_for(state_root(args.state), None).directory)
        if not places:
            raise UsageError("whose journal?", "name the plan: switchover audit show PLAN")
    else:
        places = _places(args)
    return [record for place in places for record in _records(place)]


def _record_json(record: RawRecord) -> dict[str, Any]:
    return {
        "seq": _plain(record.seq),
        "at": _when(record.at),
        "run": _plain(record.run_id),
        "type": _plain(record.kind),
        "data": _data(record),
        "boot_id": _plain(record.boot_id),
        "mono": _plain(record.mono),
        "prev_hash": _plain(record.prev_hash),
        "hash": _plain(record.hash),
    }


def _plain(value: object) -> object:
    """Return a value that JSON can hold, whatever somebody has put in its place."""
    return value if isinstance(value, str | int | float | None) else repr(value)


def _data(record: RawRecord) -> Any:
    import json

    try:
        return json.loads(record.data)
    except (ValueError, TypeError, RecursionError):
        return repr(record.data)


def _lines(record: RawRecord) -> Iterator[str]:
    yield f"{record.seq!s:>6}  {_when(record.at)}  run {record.run_id}  {record.kind}  {str(record.hash)[:16]}"
    data = _data(record)
    for name, value in data.items() if isinstance(data, dict) else [("data", data)]:
        if value not in (None, "", [], {}):
            yield f"          {name}: {_value(name, value)}"


def _value(name: str, value: Any) -> str:
    import json

    if name == "by" and isinstance(value, dict) and {"who", "host", "tty"} <= value.keys():
        return f"{value['who']}@{value['host']}" + (f" on {value['tty']}" if value["tty"] else "")
    if isinstance(value, str):
        lines = value.rstrip("\n").split("\n")
        return value.strip() if len(lines) == 1 else f"{lines[0]} … ({len(lines)} lines)"
    return json.dumps(value, ensure_ascii=False)
